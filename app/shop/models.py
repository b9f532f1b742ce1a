"""The shop itself: one row, and the policies that a storefront shows before a purchase."""

from enum import StrEnum

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class Shop(Model):
    id = fields.SmallIntField(primary_key=True)
    """Always 1."""
    name = fields.CharField(max_length=120)
    currency_code = fields.CharField(max_length=3)
    countries = ArrayField(element_type="text", default=list)
    """Where it sells to: ISO 3166-1 alpha-2."""
    legal_name = fields.CharField(max_length=200, default="")
    postal_address = fields.TextField(default="")
    """As printed at the foot of a mail, one line each."""
    contact_email = fields.CharField(max_length=254, default="")
    contact_phone = fields.CharField(max_length=32, default="")
    time_zone = fields.CharField(max_length=64, default="UTC")
    locale = fields.CharField(max_length=35, default="en-US")
    available_quantity_limit = fields.IntField(default=20)
    """Shoppers see exact stock up to this many units."""
    reservation_minutes = fields.IntField(default=10, db_default=10)
    """How long a checkout holds its units after each thing that the shopper does; 0 holds none."""
    reservation_max_minutes = fields.IntField(default=60, db_default=60)
    """How long one checkout holds them altogether, in one day."""
    reservation_unit_limit = fields.IntField(default=20, db_default=20)
    """Units of one variant that a checkout holds at most."""
    minimum_order_minor = fields.BigIntField(null=True)
    """Goods after discounts, in the shop's currency; for markets without one of their own."""
    age_check = fields.CharField(max_length=16, default="DECLARATION", db_default="DECLARATION")
    """An `AgeCheck` of `app.terms`."""
    updated_at = fields.DatetimeField()

    class Meta:
        table = "shop"


class ShopPolicyKind(StrEnum):
    DELIVERY = "DELIVERY"
    RETURNS = "RETURNS"
    PRIVACY = "PRIVACY"
    TERMS = "TERMS"
    LEGAL_NOTICE = "LEGAL_NOTICE"


class ShopPolicy(Model):
    id = fields.UUIDField(primary_key=True)
    kind = fields.CharField(max_length=32, unique=True)
    """A `ShopPolicyKind`."""
    title = fields.CharField(max_length=120)
    body = fields.TextField()
    """Plain text."""
    body_html = fields.TextField()
    """Sanitised HTML."""
    updated_at = fields.DatetimeField()

    class Meta:
        table = "shop_policies"
