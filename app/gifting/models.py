"""What the shop asks for gift wrapping."""

from tortoise import fields
from tortoise.models import Model


class GiftSettings(Model):
    """One row: whether the shop wraps gifts, and how that is called; the tax settings say how it is taxed."""

    id = fields.IntField(primary_key=True)
    wrapping_enabled = fields.BooleanField(default=False, db_default=False)
    wrapping_label = fields.CharField(max_length=80)
    """For shoppers, on the bill."""
    updated_at = fields.DatetimeField()

    class Meta:
        table = "gift_settings"


class GiftWrapPrice(Model):
    """The price of wrapping in one currency, in its minor units."""

    currency_code = fields.CharField(max_length=3, primary_key=True)
    order_minor = fields.BigIntField()
    """For a whole order in one parcel."""
    unit_minor = fields.BigIntField()
    """For each unit of a line that is wrapped by itself."""
    updated_at = fields.DatetimeField()

    class Meta:
        table = "gift_wrap_prices"
