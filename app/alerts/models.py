"""Who wants to hear when a variant can be had again, or costs less."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class AlertKind(StrEnum):
    BACK_IN_STOCK = "BACK_IN_STOCK"
    PRICE_DROP = "PRICE_DROP"


class ProductAlert(Model):
    id = fields.UUIDField(primary_key=True)
    kind = fields.CharEnumField(AlertKind, max_length=16)
    profile_id = fields.UUIDField()
    variant_id = fields.UUIDField()
    price_minor = fields.BigIntField()
    """When it was asked for, in the market where it was: a drop is one below it."""
    market_id = fields.UUIDField(null=True)
    """None for the default one."""
    currency_code = fields.CharField(max_length=3, null=True)
    """Of that price; None for the market's."""
    company_id = fields.UUIDField(null=True)
    """For which it was asked, in a cart of the company's: its price counts for as long as they are a member."""
    created_at = fields.DatetimeField()
    triggered_at = fields.DatetimeField(null=True)
    cancelled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "product_alerts"
