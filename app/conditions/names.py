"""What conditions can speak of: the names, their types, and what has to be looked up for them.

A need is what a name or function reads: `profile`, `orders`, `carts`, `consent`, `events:<type>`, `segment:<key>`, or
one of the subjects `cart`, `checkout`, `order`, `product`. It decides which facts are fetched, and which events make a
segment look again.
"""

from dataclasses import dataclass

from app.conditions.types import MOMENT, NUMBER, SPAN, TEXT, TEXTS, WHOLE, YES_NO, Kind, Type
from app.customers.models import LifecycleStage
from app.customers.vocabulary import EVENT_TYPES
from app.orders.models import FulfillmentStatus, OrderStatus, PaymentStatus

PROFILE = "profile"
ORDERS = "orders"
CARTS = "carts"
CONSENT = "consent"
ACTIVITY = "activity"
"""When somebody was last seen: whatever they do touches it."""
_KEPT_PER_EVENT = "Kept per event: a moment behind an order that is being placed right now."


def events_need(event_type: str) -> str:
    return f"events:{event_type}"


def segment_need(segment_key: str) -> str:
    return f"segment:{segment_key}"


@dataclass(frozen=True, slots=True)
class Field:
    type: Type
    description: str
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: Type
    constant: bool = False
    """It has to stand there as a literal, since what is fetched depends on it."""
    names_product: bool = False
    """The id or slug of a product: a literal, or a path such as `event.productId`."""
    optional: bool = False
    takes_now: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    parameters: tuple[Parameter, ...]
    returns: Type
    description: str
    needs: tuple[str, ...] = ()
    """`{0}` stands for the first argument."""

    @property
    def signature(self) -> str:
        shown = ", ".join(f"{p.name}: {p.type.kind}" + "?" * p.optional for p in self.parameters)
        return f"{self.name}({shown})"


def _enum(values: object, nullable: bool = False) -> Type:
    return Type(Kind.TEXT, nullable=nullable, choices=frozenset(str(value) for value in values))  # type: ignore[attr-defined]


def _profile(type_: Type, description: str) -> Field:
    return Field(type_, description, frozenset({PROFILE}))


PROPERTIES = "properties"

CUSTOMER: dict[str, Field] = {
    "id": _profile(TEXT, "The profile's UUID."),
    "known": _profile(YES_NO, "Whether there is an email or a phone number."),
    "email": _profile(TEXT.or_null(), "Lower-cased address."),
    "phone": _profile(TEXT.or_null(), "Number as E.164, such as +4930123456."),
    "firstName": _profile(TEXT.or_null(), "First name."),
    "lastName": _profile(TEXT.or_null(), "Last name."),
    "language": _profile(TEXT.or_null(), "Language tag, such as de or pt-BR; null for the shop's."),
    "countryCode": _profile(TEXT.or_null(), "ISO 3166 code, such as DE."),
    "postalCode": _profile(TEXT.or_null(), "Postal code."),
    "timeZone": _profile(TEXT.or_null(), "IANA name, such as Europe/Berlin, where it is known."),
    "stage": _profile(_enum(LifecycleStage), "Where this person stands in their life as a customer."),
    "recencyScore": _profile(WHOLE.or_null(), "1 to 5, 5 for the latest orders; null before the first order."),
    "frequencyScore": _profile(WHOLE.or_null(), "1 to 5, 5 for the most orders; null before the first order."),
    "monetaryScore": _profile(WHOLE.or_null(), "1 to 5, 5 for the most spent; null before the first order."),
    "orderCount": _profile(WHOLE, f"Orders that were not cancelled. {_KEPT_PER_EVENT}"),
    "totalSpent": _profile(NUMBER, f"What they came to, in the shop's currency: 19.9. {_KEPT_PER_EVENT}"),
    "totalSpentMinor": _profile(WHOLE, f"The same in minor units: 1990. {_KEPT_PER_EVENT}"),
    "firstOrderAt": _profile(MOMENT.or_null(), f"When the first was placed. {_KEPT_PER_EVENT}"),
    "lastOrderAt": _profile(MOMENT.or_null(), f"When the last was placed. {_KEPT_PER_EVENT}"),
    "medianIntervalDays": _profile(NUMBER.or_null(), "Days between this person's orders; null before the second."),
    "nextOrderExpectedAt": _profile(MOMENT.or_null(), "The usual time to the next order is over then."),
    "lapsesAt": _profile(MOMENT.or_null(), "The moment for winning back: 60 days, or 1.5 times the usual interval."),
    "marketingHeldUntil": _profile(MOMENT.or_null(), "No marketing before."),
    "createdAt": _profile(MOMENT, "When the profile was made."),
    "lastSeenAt": Field(MOMENT.or_null(), "When they last did something.", frozenset({PROFILE, ACTIVITY})),
    PROPERTIES: _profile(
        Type(Kind.MAP), "The merchant's own, by name: customer.properties.birthday. Null where there is none."
    ),
}

_PRODUCT = Parameter("product", TEXT, names_product=True)
_EVENT_TYPE = Parameter("type", Type(Kind.TEXT, choices=frozenset(EVENT_TYPES)), constant=True)
_SINCE = Parameter("since", MOMENT.or_null(), takes_now=True)
_WITHIN = Parameter("within", SPAN, constant=True)
_WITHIN_OR_EVER = Parameter("within", SPAN, constant=True, optional=True)
MARKETING_CHANNELS = frozenset({"EMAIL", "SMS"})

FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function(
            "orderedSince",
            (_SINCE,),
            YES_NO,
            "Whether an order was placed after that moment, also one that was cancelled later. False for null.",
            (ORDERS,),
        ),
        Function(
            "spentIn",
            (_WITHIN,),
            NUMBER,
            "What orders of the last while came to, cancelled ones left out: customer.spentIn(duration('P365D')).",
            (ORDERS,),
        ),
        Function(
            "bought", (_PRODUCT,), YES_NO, "Whether an order that stands has this product (id or slug).", (ORDERS,)
        ),
        Function(
            "boughtType",
            (Parameter("productType", TEXT, constant=True),),
            YES_NO,
            "Whether an order that stands has a product of this type, in any case: customer.boughtType('Tea').",
            (ORDERS,),
        ),
        Function(
            "viewCount",
            (_PRODUCT, _WITHIN_OR_EVER),
            WHOLE,
            "How often they looked at a product: customer.viewCount(event.productId, duration('P7D')) >= 3.",
            ("events:product.viewed",),
        ),
        Function(
            "eventCount",
            (_EVENT_TYPE, _WITHIN_OR_EVER),
            WHOLE,
            "How often something happened, up to 1000: customer.eventCount('message.clicked', duration('P30D')).",
            ("events:{0}",),
        ),
        Function(
            "eventSince",
            (_EVENT_TYPE, _SINCE),
            YES_NO,
            "Whether something happened after that moment: customer.eventSince('cart.updated', event.occurredAt).",
            ("events:{0}",),
        ),
        Function(
            "lastEventAt", (_EVENT_TYPE,), MOMENT.or_null(), "When something last happened; null for never.",
            ("events:{0}",),
        ),
        Function("hasOpenCart", (), YES_NO, "Whether a cart with something in it is open.", (CARTS,)),
        Function("hasOpenCheckout", (), YES_NO, "Whether a checkout was started and is open.", (CARTS,)),
        Function(
            "couponIssuedSince",
            (_SINCE,),
            YES_NO,
            "Whether a single-use code was made for them after that moment.",
            ("events:coupon.issued",),
        ),
        Function(
            "inSegment",
            (Parameter("key", TEXT, constant=True),),
            YES_NO,
            "Whether they are in the segment with this key. False for a segment that does not exist.",
            ("segment:{0}",),
        ),
        Function(
            "consented",
            (Parameter("channel", Type(Kind.TEXT, choices=MARKETING_CHANNELS), constant=True),),
            YES_NO,
            "Whether consent to marketing holds for their address: customer.consented('SMS').",
            (CONSENT, PROFILE),
        ),
    )
}  # fmt: skip
"""Of `customer`."""


def _of(subject: str, fields: dict[str, tuple[Type, str]]) -> dict[str, Field]:
    return {name: Field(type_, text, frozenset({subject})) for name, (type_, text) in fields.items()}


_LINES: dict[str, tuple[Type, str]] = {
    "total": (NUMBER, "Its lines at today's prices, before discounts, shipping and added tax: 19.9."),
    "totalMinor": (WHOLE, "The same in minor units: 1990."),
    "currencyCode": (TEXT.or_null(), "ISO 4217 code, such as EUR."),
    "itemCount": (WHOLE, "Units in it, over all lines."),
    "inStock": (YES_NO, "Whether at least one line can be bought now."),
    "isOpen": (YES_NO, "Whether it is not ordered yet."),
    "hasContact": (YES_NO, "Whether an email or phone number was given."),
    "productIds": (TEXTS, "UUIDs of its products, up to 100."),
    "productTypes": (TEXTS, "Types of its products, up to 100."),
    "createdAt": (MOMENT.or_null(), "When it was made."),
    "updatedAt": (MOMENT.or_null(), "When it was last changed."),
}

SUBJECTS: dict[str, dict[str, Field]] = {
    "cart": _of("cart", {"id": (TEXT.or_null(), "The cart's UUID."), **_LINES}),
    "checkout": _of(
        "checkout",
        {
            "id": (TEXT.or_null(), "The checkout's UUID."),
            "startedAt": (MOMENT.or_null(), "When it first had somebody who can be written to."),
            **_LINES,
        },
    ),
    "order": _of(
        "order",
        {
            "id": (TEXT.or_null(), "The order's UUID."),
            "total": (NUMBER, "What was charged: 19.9."),
            "totalMinor": (WHOLE, "The same in minor units: 1990."),
            "currencyCode": (TEXT.or_null(), "ISO 4217 code, such as EUR."),
            "itemCount": (WHOLE, "Units in it, over all lines."),
            "isFirst": (YES_NO, "Whether this person had placed none before, cancelled ones left out."),
            "status": (_enum(OrderStatus, nullable=True), "Whether it is open."),
            "paymentStatus": (_enum(PaymentStatus, nullable=True), "Whether the money is in."),
            "fulfillmentStatus": (_enum(FulfillmentStatus, nullable=True), "Whether it was sent out."),
            "placedAt": (MOMENT.or_null(), "When it was placed."),
            "countryCode": (TEXT.or_null(), "ISO 3166 code of where it goes."),
            "discountCodes": (TEXTS, "Codes that took something off, up to 100."),
            "productIds": (TEXTS, "UUIDs of its products, up to 100."),
            "productTypes": (TEXTS, "Types of its products, up to 100."),
        },
    ),
    "product": _of(
        "product",
        {
            "id": (TEXT.or_null(), "The product's UUID."),
            "slug": (TEXT.or_null(), "Its name in addresses."),
            "name": (TEXT.or_null(), "Its name."),
            "vendor": (TEXT.or_null(), "Who makes it."),
            "type": (TEXT.or_null(), "Its type."),
            "tags": (TEXTS, "Its tags, up to 100."),
            "price": (NUMBER, "The lowest price of its variants: 19.9."),
            "priceMinor": (WHOLE, "The same in minor units: 1990."),
            "inStock": (YES_NO, "Whether a variant can be bought now."),
        },
    ),
}
"""What the event, or else the run's trigger, names. Of one that does not exist: false, 0, null or empty."""

SUBJECT_IDS: dict[str, tuple[str, ...]] = {
    "cart": ("cartId",),
    "checkout": ("checkoutId", "cartId"),
    "order": ("orderId",),
    "product": ("productId",),
}
"""The data of an event by which it names a subject."""
