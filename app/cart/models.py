"""Carts: who holds the id holds the cart."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model

from app.catalogue.models import ProductVariant


class CartState(StrEnum):
    OPEN = "OPEN"
    COMPLETED = "COMPLETED"


class Cart(Model):
    id = fields.UUIDField(primary_key=True)
    secret_hash = fields.BinaryField()
    """SHA-256 of the secret in the id."""
    state = fields.CharEnumField(CartState, max_length=16, default=CartState.OPEN)
    revision = fields.IntField(default=0, db_default=0)
    """Counts changes: a change that was decided on one revision is written on that revision or decided again."""
    currency_code = fields.CharField(max_length=3)
    email = fields.CharField(max_length=254, null=True)
    phone = fields.CharField(max_length=32, null=True)
    country_code = fields.CharField(max_length=2, null=True)
    note = fields.TextField(null=True)
    attributes = fields.JSONField[list[dict[str, str]]](default=list)
    profile_id = fields.UUIDField(null=True)
    """Whose it is, once somebody has said so or was seen with it."""
    customer_id = fields.UUIDField(null=True)
    """The account that it belongs to, once somebody has signed in with it."""
    discount_codes = fields.JSONField[list[str]](default=list, db_default="[]")
    """As the shopper typed them, in their order."""
    market_id = fields.UUIDField(null=True)
    company_id = fields.UUIDField(null=True)
    """The company that its account buys for."""
    tax_id = fields.CharField(max_length=32, null=True)
    """The buyer's VAT number or the like."""
    gift_options = fields.JSONField[dict[str, object]](null=True)
    gift_card_ids = fields.JSONField[list[str]](default=list, db_default="[]")
    """What is to pay it, in this order."""
    use_store_credit = fields.BooleanField(default=False, db_default=False)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "carts"


class CartLine(Model):
    id = fields.UUIDField(primary_key=True)
    cart: fields.ForeignKeyRelation[Cart] = fields.ForeignKeyField(
        "tradewind.Cart", related_name="lines", on_delete=fields.CASCADE
    )
    variant: fields.ForeignKeyRelation[ProductVariant] = fields.ForeignKeyField(
        "tradewind.ProductVariant", related_name="+", on_delete=fields.CASCADE
    )
    quantity = fields.IntField()
    attributes = fields.JSONField[list[dict[str, str]]](default=list)
    attributes_key = fields.CharField(max_length=64, default="")
    """Digest of attributes, customizations and gift options: same variant and same key is one line (a constraint)."""
    customizations = fields.JSONField[list[dict[str, object]]](default=list, db_default="[]")
    gift_options = fields.JSONField[dict[str, object]](null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "cart_lines"
