"""What happened to an order, as clients see it."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import strawberry

from app.kit import ids
from app.orders import timeline
from app.orders.models import OrderActorKind, OrderEventType
from schema.enums import describe_enum
from schema.scalars import JSON

EVENT_PREFIX = "oev"

describe_enum(
    OrderEventType,
    "What happened to an order.",
    PLACED="It was placed.",
    STATUS_CHANGED="It was completed or cancelled; `data` has `before` and `after`.",
    PAYMENT_STATUS_CHANGED="Its payment was authorised, taken, given back; `data` has `before` and `after`.",
    FULFILLMENT_STATUS_CHANGED="More of it was shipped; `data` has `before` and `after`.",
    FULFILLMENT_CREATED="Parcels left the shop; `data` has `fulfillmentId`.",
    SHIPMENT_STATUS_CHANGED="The carrier reported on a parcel; `data` has `shipmentId`, `before` and `after`.",
    MESSAGE_SENT="The customer was written to about it; `data` has `channel` and `template`.",
    NOTE_ADDED="Staff left a word, for themselves: customers do not see it.",
    ORDER_EDITED="What was sold was changed; `data` has `editId`, `totalBeforeMinor` and `totalAfterMinor`.",
    HOLDS_CHANGED="Why it may not be shipped yet is another; `data` has `before` and `after`.",
    PAYMENT_CHANGED="A payment was begun, or is in another state; `data` has `paymentId`, `before`, `after` and "
    "`amountMinor`. For staff.",
    PAYMENT_REQUESTED="The customer was asked to pay a part, or that was settled; `data` has `requestId`, `purpose`, "
    "`state` and `amountMinor`.",
    CAPTURE_ENDED="Money was taken, or the gateway refused; `data` has `paymentId`, `captureId`, `state` and "
    "`amountMinor`. For staff.",
    REFUND_CREATED="Money is to go back; `data` has `refundId`, `state`, `amountMinor`, `source` and `to`.",
    REFUND_CHANGED="It went back, or the gateway refused; `data` is as of REFUND_CREATED.",
    DISPUTE_CHANGED="The buyer disputes a payment, or the dispute is in another state; `data` has `paymentId`, "
    "`disputeId`, `before`, `after`, `amountMinor` and, where the provider tells its fee, `feeMinor` and "
    "`feeCurrencyCode`. For staff.",
    APPROVED="Somebody of the company it was bought for, or of the shop, had approved of it; `data` has `approvalId`.",
    INVOICE_ISSUED="An invoice or a credit note was issued; `data` has `invoiceId`, `number`, `kind` and `totalMinor`.",
)
describe_enum(
    OrderActorKind,
    "Who was behind something.",
    GUEST="Whoever placed the order, without an account.",
    CUSTOMER="The customer, signed in.",
    STAFF="A member of staff.",
    API_KEY="A server of the shop or of an agency, by its key.",
    OPERATOR="Somebody at the command line.",
    SYSTEM="The shop by itself: a worker, a payment provider's or carrier's report.",
)

_FOR_STAFF_ALONE = {
    OrderEventType.NOTE_ADDED,
    OrderEventType.PAYMENT_CHANGED,
    OrderEventType.CAPTURE_ENDED,
    OrderEventType.DISPUTE_CHANGED,
}


@strawberry.type(description="Something that happened to an order; it never changes.")
class OrderEvent:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    type: OrderEventType = strawberry.field(description="What happened.")
    occurred_at: dt.datetime = strawberry.field(description="When.")
    actor: OrderActorKind = strawberry.field(description="Who was behind it.")
    actor_name: str | None = strawberry.field(
        description="Of the member of staff or the key, address of the account that approved; for staff, null for "
        "anybody else."
    )
    reason: str | None = strawberry.field(description="Why, in the words of whoever did it.")
    data: JSON = strawberry.field(description="More about it, by its type: ids, states, amounts in minor units.")

    @classmethod
    def of(cls, row: Mapping[str, Any], *, for_staff: bool) -> "OrderEvent":
        return cls(
            id=strawberry.ID(ids.encode(EVENT_PREFIX, row["id"])),
            type=OrderEventType(row["type"]),
            occurred_at=row["occurred_at"],
            actor=OrderActorKind(row["actor_kind"]),
            actor_name=row["actor_name"] if for_staff else None,
            reason=row["reason"],
            data=orjson.loads(row["data"]),
        )


async def load_timelines(order_ids: Sequence[uuid.UUID], *, for_staff: bool) -> dict[uuid.UUID, list[OrderEvent]]:
    """Oldest first; one statement for any number of orders."""
    return {
        order_id: [
            OrderEvent.of(row, for_staff=for_staff)
            for row in rows
            if for_staff or OrderEventType(row["type"]) not in _FOR_STAFF_ALONE
        ]
        for order_id, rows in (await timeline.of_orders(order_ids)).items()
    }
