"""What left the warehouse, in which parcels, and where they are."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model

from app.orders.models import Order, OrderLine


class ShipmentStatus(StrEnum):
    LABEL_CREATED = "LABEL_CREATED"
    IN_TRANSIT = "IN_TRANSIT"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    DELIVERED = "DELIVERED"
    DELAYED = "DELAYED"
    FAILED = "FAILED"
    RETURNED = "RETURNED"


class Fulfillment(Model):
    id = fields.UUIDField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "tradewind.Order", related_name="fulfillments", on_delete=fields.RESTRICT
    )
    created_at = fields.DatetimeField()
    created_by = fields.UUIDField(null=True)

    class Meta:
        table = "fulfillments"


class FulfillmentLine(Model):
    id = fields.UUIDField(primary_key=True)
    fulfillment: fields.ForeignKeyRelation[Fulfillment] = fields.ForeignKeyField(
        "tradewind.Fulfillment", related_name="lines", on_delete=fields.RESTRICT
    )
    order_line: fields.ForeignKeyRelation[OrderLine] = fields.ForeignKeyField(
        "tradewind.OrderLine", related_name="fulfillment_lines", on_delete=fields.RESTRICT
    )
    quantity = fields.IntField()

    class Meta:
        table = "fulfillment_lines"


class Shipment(Model):
    """One parcel."""

    id = fields.UUIDField(primary_key=True)
    fulfillment: fields.ForeignKeyRelation[Fulfillment] = fields.ForeignKeyField(
        "tradewind.Fulfillment", related_name="shipments", on_delete=fields.RESTRICT
    )
    position = fields.IntField(default=0)
    carrier = fields.CharField(max_length=80)
    tracking_number = fields.CharField(max_length=80, null=True)
    tracking_url = fields.TextField(null=True)
    status = fields.CharEnumField(ShipmentStatus, max_length=24, default=ShipmentStatus.LABEL_CREATED)
    estimated_from = fields.DateField(null=True)
    estimated_to = fields.DateField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "shipments"


class TrackingEvent(Model):
    id = fields.UUIDField(primary_key=True)
    shipment: fields.ForeignKeyRelation[Shipment] = fields.ForeignKeyField(
        "tradewind.Shipment", related_name="events", on_delete=fields.RESTRICT
    )
    external_id = fields.CharField(max_length=255, null=True)
    status = fields.CharEnumField(ShipmentStatus, max_length=24)
    description = fields.TextField(default="")
    location = fields.CharField(max_length=255, null=True)
    occurred_at = fields.DatetimeField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "tracking_events"
