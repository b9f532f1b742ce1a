"""The events that other systems can hear of, and what each of them carries: ids and facts.

No personal data, and nothing that opens anything: no cart's secret, no order's token, no code of a coupon. Who needs
more asks the GraphQL API with the ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.kit import ids


@dataclass(frozen=True, slots=True)
class Datum:
    """Something in an event's `data`.

    Attributes:
        prefix: of ids that the API knows; None for a fact as it is.
    """

    name: str
    description: str
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class PublicEvent:
    name: str
    description: str
    data: tuple[Datum, ...]


_PROFILE = Datum("profileId", "Whose it is; left out where nobody is known.", "prof")
_ORDER = Datum("orderId", "Which order.", "ord")
_PRODUCT = Datum("productId", "Which product.", "prod")
_VARIANT = Datum("variantId", "Which variant.", "var")
_MESSAGE = Datum("messageId", "Which message of the ledger.", "msg")
_SEGMENT = (Datum("segmentId", "Which segment.", "seg"), Datum("segmentKey", "The segment's key."))
_CHANNEL = Datum("channel", "EMAIL, SMS or VOICE.")

TEST = "webhook.test"

_LIST = (
    PublicEvent(
        "order.placed",
        "An order was placed.",
        (_ORDER, _PROFILE, Datum("totalMinor", "In minor units."), Datum("currencyCode", "ISO 4217.")),
    ),
    PublicEvent("order.paid", "The order's money is in.", (_ORDER, _PROFILE)),
    PublicEvent("order.edited", "What was sold with the order was changed.", (_ORDER, _PROFILE)),
    PublicEvent("order.cancelled", "The order was cancelled.", (_ORDER, _PROFILE)),
    PublicEvent(
        "order.refunded",
        "Money of the order went back to its buyer.",
        (
            _ORDER,
            _PROFILE,
            Datum("refundId", "Which refund.", "ref"),
            Datum("amountMinor", "In minor units."),
            Datum("currencyCode", "ISO 4217."),
        ),
    ),
    PublicEvent(
        "payment.disputed",
        "A buyer disputes a payment at the provider's, or the dispute is in another state.",
        (
            _ORDER,
            Datum("disputeId", "Which dispute.", "dsp"),
            Datum("state", "INQUIRY, NEEDS_RESPONSE, UNDER_REVIEW, WON or LOST."),
            Datum("amountMinor", "In minor units."),
            Datum("currencyCode", "ISO 4217."),
            Datum("feeMinor", "What the provider has charged for it so far, where it says so; in minor units."),
            Datum("feeCurrencyCode", "Of that fee, ISO 4217."),
            Datum("respondBy", "By when the shop has to answer at the provider's."),
        ),
    ),
    PublicEvent(
        "fulfillment.created",
        "Something of the order was sent out.",
        (_ORDER, _PROFILE, Datum("fulfillmentId", "Which fulfilment.", "ful")),
    ),
    PublicEvent("order.fulfilled", "The last of the order was sent out.", (_ORDER, _PROFILE)),
    PublicEvent("shipment.delivered", "A parcel arrived.", (_ORDER, _PROFILE)),
    PublicEvent("order.delivered", "The last parcel of a fulfilled order arrived.", (_ORDER, _PROFILE)),
    PublicEvent("order.returned", "A parcel of the order came back.", (_ORDER, _PROFILE)),
    PublicEvent("checkout.started", "A checkout has somebody who can be written to.", (_PROFILE,)),
    PublicEvent("profile.created", "Somebody became known for the first time.", (_PROFILE,)),
    PublicEvent("profile.updated", "A profile changed.", (_PROFILE,)),
    PublicEvent("consent.granted", "Consent to marketing holds from now on.", (_PROFILE, _CHANNEL)),
    PublicEvent("consent.revoked", "Consent to marketing was withdrawn.", (_PROFILE, _CHANNEL)),
    PublicEvent("segment.entered", "The profile came into a segment.", (_PROFILE, *_SEGMENT)),
    PublicEvent("segment.left", "The profile left a segment.", (_PROFILE, *_SEGMENT)),
    PublicEvent("message.clicked", "A person followed a link in a message.", (_PROFILE, _MESSAGE, _CHANNEL)),
    PublicEvent("message.bounced", "A message came back for good.", (_PROFILE, _MESSAGE, _CHANNEL)),
    PublicEvent("message.complained", "A message was reported as spam.", (_PROFILE, _MESSAGE, _CHANNEL)),
    PublicEvent("coupon.issued", "A single-use code was made for a person.", (_PROFILE, Datum("endsAt", "ISO 8601."))),
    PublicEvent("coupon.redeemed", "A person's single-use code was used.", (_PROFILE, _ORDER)),
    PublicEvent("alert.back_in_stock", "What somebody asked about can be had again.", (_PROFILE, _PRODUCT, _VARIANT)),
    PublicEvent("alert.price_drop", "What somebody asked about costs less.", (_PROFILE, _PRODUCT, _VARIANT)),
    PublicEvent(
        "survey.responded",
        "A survey was answered.",
        (_PROFILE, _ORDER, Datum("survey", "Which survey."), Datum("score", "0 to 10.")),
    ),
    PublicEvent("referral.rewarded", "A friend's first order was paid for, and the reward issued.", (_PROFILE,)),
)
PUBLIC_EVENTS: Mapping[str, PublicEvent] = {event.name: event for event in _LIST}


def public_data(event: PublicEvent, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What of an event's payload goes out: what is documented and nothing else."""
    shown = {}
    for datum in event.data:
        if (value := payload.get(datum.name)) is not None:
            shown[datum.name] = ids.encode(datum.prefix, UUID(value)) if datum.prefix else value
    return shown
