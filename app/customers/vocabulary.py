"""The events that a person's timeline knows: what flows start on, conditions read and templates show.

Each names its data, so that conditions and templates can be checked when they are saved. Ids in the data are the bare
UUIDs as text.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class DataType(StrEnum):
    """As CEL sees it."""

    TEXT = "string"
    WHOLE = "int"
    NUMBER = "double"
    YES_NO = "bool"
    MOMENT = "timestamp"


@dataclass(frozen=True, slots=True)
class EventType:
    name: str
    description: str
    data: dict[str, DataType] = field(default_factory=dict)
    key: str | None = None
    """The datum that says what a run is about; None where one run for each person is meant."""


def _ids(*names: str) -> dict[str, DataType]:
    return dict.fromkeys(names, DataType.TEXT)


_LIST = [
    EventType("cart.updated", "A cart of somebody known was changed.", _ids("cartId"), key="cartId"),
    EventType(
        "checkout.started",
        "A checkout has somebody who can be written to; once for each checkout.",
        {**_ids("cartId", "checkoutId"), "startedAt": DataType.MOMENT},
        key="cartId",
    ),
    EventType(
        "order.placed",
        "An order was placed.",
        {**_ids("orderId", "cartId"), "totalMinor": DataType.WHOLE, "currencyCode": DataType.TEXT},
        key="orderId",
    ),
    EventType("order.paid", "The order's money is in.", _ids("orderId"), key="orderId"),
    EventType("order.cancelled", "The order was cancelled.", _ids("orderId"), key="orderId"),
    EventType(
        "order.refunded",
        "Money of the order went back to its buyer.",
        {**_ids("orderId", "refundId"), "amountMinor": DataType.WHOLE, "currencyCode": DataType.TEXT},
        key="orderId",
    ),
    EventType(
        "fulfillment.created", "Something of the order was sent out.", _ids("orderId", "fulfillmentId"), key="orderId"
    ),
    EventType("order.fulfilled", "The last of the order was sent out.", _ids("orderId"), key="orderId"),
    EventType("shipment.delivered", "A parcel arrived.", _ids("orderId", "shipmentId"), key="orderId"),
    EventType("order.delivered", "The last parcel of a fulfilled order arrived.", _ids("orderId"), key="orderId"),
    EventType("order.returned", "A parcel of the order came back.", _ids("orderId", "shipmentId"), key="orderId"),
    EventType("product.viewed", "A product's page was looked at.", _ids("productId", "visitorId"), key="productId"),
    EventType(
        "collection.viewed", "A collection was looked at.", _ids("collectionId", "visitorId"), key="collectionId"
    ),
    EventType("search.performed", "The shop was searched.", _ids("query", "visitorId")),
    EventType("profile.created", "Somebody became known for the first time.", _ids("source")),
    EventType(
        "customer.verified",
        "This person's account was verified: they have shown that the address is theirs.",
        _ids("customerId"),
    ),
    EventType("profile.updated", "A profile changed: its own data, its figures or its stage.", _ids("changed")),
    EventType("consent.requested", "A confirmation of consent was asked for.", _ids("channel", "source")),
    EventType(
        "consent.granted",
        "Consent to marketing holds from now on, confirmed where that was needed.",
        _ids("channel", "source"),
    ),
    EventType("consent.revoked", "Consent to marketing was withdrawn.", _ids("channel", "source")),
    EventType(
        "message.sent",
        "A message was handed to its provider.",
        _ids("messageId", "flowKey", "stepKey", "channel", "runId"),
    ),
    EventType(
        "message.clicked",
        "A person followed a link in a message.",
        _ids("messageId", "flowKey", "stepKey", "channel", "runId", "url"),
    ),
    EventType("message.bounced", "A message came back for good.", _ids("messageId", "channel")),
    EventType("message.complained", "A message was reported as spam.", _ids("messageId", "channel")),
    EventType("sms.received", "A text message came in that was no keyword.", {}),
    EventType("segment.entered", "The profile came into a segment.", _ids("segmentKey", "segmentId"), key="segmentId"),
    EventType("segment.left", "The profile left a segment.", _ids("segmentKey", "segmentId"), key="segmentId"),
    EventType(
        "coupon.issued",
        "A single-use code was made for this person. `source` tells by what, such as `flow:welcome:code`.",
        {**_ids("code", "source"), "endsAt": DataType.MOMENT},
    ),
    EventType("coupon.redeemed", "This person's single-use code was used.", _ids("code", "orderId")),
    EventType(
        "alert.back_in_stock",
        "A variant that this person asked about can be had again.",
        _ids("productId", "variantId", "alertId", "marketId", "companyId"),
        key="variantId",
    ),
    EventType(
        "alert.price_drop",
        "A variant that this person asked about costs less.",
        {
            **_ids("productId", "variantId", "alertId", "marketId", "companyId", "currencyCode"),
            "oldPriceMinor": DataType.WHOLE,
            "newPriceMinor": DataType.WHOLE,
        },
        key="variantId",
    ),
    EventType(
        "survey.responded",
        "A survey was answered.",
        {**_ids("survey", "orderId"), "score": DataType.WHOLE},
        key="orderId",
    ),
    EventType(
        "referral.rewarded", "A friend's first order was paid for, and the reward issued.", _ids("referralId", "code")
    ),
    EventType(
        "date.reached",
        "A date trigger of a flow came due.",
        {**_ids("property", "flowKey"), "triggerIndex": DataType.WHOLE},
    ),
    EventType("backfill", "The profile was enrolled by a backfill.", _ids("flowKey")),
]

EVENT_TYPES: dict[str, EventType] = {event_type.name: event_type for event_type in _LIST}
