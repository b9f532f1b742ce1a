"""Where the shop ships to and by which methods."""

from tortoise import fields
from tortoise.models import Model


class ShippingZone(Model):
    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=120)
    locations = fields.JSONField[list[dict[str, object]]](default=list)
    """Countries with optional provinces and postal-code patterns; shape in rules.py."""
    position = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "shipping_zones"


class ShippingMethod(Model):
    id = fields.UUIDField(primary_key=True)
    zone: fields.ForeignKeyRelation[ShippingZone] = fields.ForeignKeyField(
        "tradewind.ShippingZone", related_name="methods", on_delete=fields.CASCADE
    )
    carrier = fields.CharField(max_length=80)
    service = fields.CharField(max_length=120)
    rate = fields.JSONField[dict[str, object]](default=dict)
    """Price in the shop's currency; shape in rules.py."""
    delivery = fields.JSONField[dict[str, object]](default=dict)
    """Cut-off, handling and transit; shape in rules.py."""
    is_active = fields.BooleanField(default=True)
    position = fields.IntField(default=0)

    class Meta:
        table = "shipping_methods"
