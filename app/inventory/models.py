"""Stock per warehouse: what can be sold, what is promised, and who holds it."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model

from app.catalogue.models import ProductVariant

MAX_UNITS = 2**31 - 1
"""On one level, available and reserved together: whatever is reserved can be given back."""


class ReservationState(StrEnum):
    HELD = "HELD"
    """For a checkout that is being paid, until `expires_at`."""
    COMMITTED = "COMMITTED"
    """For an order, until it ships."""
    SHIPPED = "SHIPPED"
    RELEASED = "RELEASED"


class Warehouse(Model):
    id = fields.UUIDField(primary_key=True)
    code = fields.CharField(max_length=40, unique=True)
    name = fields.CharField(max_length=120)
    is_default = fields.BooleanField(default=False)
    priority = fields.IntField(default=0)
    """Stock is taken from the lowest first."""
    country_code = fields.CharField(max_length=2, null=True)
    time_zone = fields.CharField(max_length=64, default="UTC")
    pickup_enabled = fields.BooleanField(default=False, db_default=False)
    """Whether shoppers can fetch what they bought here."""
    address = fields.JSONField[dict[str, str]](null=True)
    """As `PostalAddress.to_json` gives it; needed for pick-up."""
    opening_hours = fields.JSONField[list[dict[str, object]]](default=list, db_default="[]")
    """`[{"weekday": 1, "opens": "09:00", "closes": "18:00"}, …]`, Monday is 1; local time."""
    pickup_instructions = fields.TextField(default="", db_default="")
    pickup_ready_hours = fields.IntField(default=24, db_default=24)
    """From the order on."""
    created_at = fields.DatetimeField()

    class Meta:
        table = "warehouses"


class StockLevel(Model):
    id = fields.UUIDField(primary_key=True)
    variant: fields.ForeignKeyRelation[ProductVariant] = fields.ForeignKeyField(
        "tradewind.ProductVariant", related_name="stock", on_delete=fields.CASCADE
    )
    warehouse: fields.ForeignKeyRelation[Warehouse] = fields.ForeignKeyField(
        "tradewind.Warehouse", related_name="stock", on_delete=fields.RESTRICT
    )
    available = fields.IntField(default=0)
    """On the shelf and promised to nobody; what is back-ordered will be taken from it, and the rest can be sold."""
    reserved = fields.IntField(default=0)
    """Held by checkouts or promised to orders, not shipped yet; still on the shelf."""
    backordered = fields.IntField(default=0)
    """Sold beyond what was there, where the variant's policy is CONTINUE."""
    updated_at = fields.DatetimeField()

    class Meta:
        table = "stock_levels"


class StockMovement(Model):
    """Append-only: every change of a stock level by hand, import, order or cancellation."""

    id = fields.UUIDField(primary_key=True)
    stock_level: fields.ForeignKeyRelation[StockLevel] = fields.ForeignKeyField(
        "tradewind.StockLevel", related_name="movements", on_delete=fields.CASCADE
    )
    available_delta = fields.IntField()
    reason = fields.CharField(max_length=120)
    reference_id = fields.UUIDField(null=True)
    """The order, job or staff user behind it."""
    created_at = fields.DatetimeField()

    class Meta:
        table = "stock_movements"


class StockReservation(Model):
    id = fields.UUIDField(primary_key=True)
    attempt_id = fields.UUIDField(null=True)
    """The checkout attempt that took it; the order has the same attempt."""
    checkout_id = fields.UUIDField(null=True)
    """In its place, the checkout that keeps it for a while before there is an attempt; deleted when it ends."""
    stock_level: fields.ForeignKeyRelation[StockLevel] = fields.ForeignKeyField(
        "tradewind.StockLevel", related_name="reservations", on_delete=fields.RESTRICT
    )
    variant_id = fields.UUIDField()
    quantity = fields.IntField()
    """Taken from `available`."""
    backordered = fields.IntField(default=0)
    """Promised beyond it."""
    state = fields.CharEnumField(ReservationState, max_length=16, default=ReservationState.HELD)
    shipped_quantity = fields.IntField(default=0)
    expires_at = fields.DatetimeField(null=True)
    """Business time; for HELD."""
    created_at = fields.DatetimeField()

    class Meta:
        table = "stock_reservations"
