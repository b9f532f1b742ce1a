"""What templates of the database can print, by name, for each trigger: for documentation, for checks, for samples.

The same description serves all three, and a test prints every name of every trigger with real data as well.
`merge_values` fills it in when a message is sent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from app.customers.vocabulary import EVENT_TYPES, DataType

Example: TypeAlias = str | int | bool


@dataclass(frozen=True, slots=True)
class Name:
    """One value. `kind` is for people: `text`, `number`, `yes or no`, `address (URL)`, `day`, perhaps with `or nil`."""

    kind: str
    description: str
    example: Example


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values with the same names, or of plain text."""

    description: str
    fields: "Fields | Name"


@dataclass(frozen=True, slots=True)
class Open:
    """Names that the merchant's own data gives; what is not there is nil."""

    description: str
    example: Mapping[str, Example]


Spec: TypeAlias = "Name | ListOf | Open | Mapping[str, Spec]"
Fields: TypeAlias = Mapping[str, Spec]

_URL = "address (URL)"
_PRODUCT: Fields = {
    "name": Name("text", "Its name.", "Harbour sweater"),
    "url": Name(_URL, "The storefront's page of it.", "https://shop.example/products/harbour-sweater"),
    "image_url": Name(f"{_URL} or nil", "Its first picture.", "https://shop.example/media/sweater.webp"),
    "image_alt": Name("text", "What the picture shows.", "Harbour sweater"),
    "price": Name("text", "Its price; `from …` where variants differ.", "$64.50"),
    "compare_at_price": Name("text or nil", "What it cost before.", "$79.00"),
    "description": Name("text", "The beginning of its description.", "Knitted in one piece, from wool that lasts."),
    "vendor": Name("text or nil", "Who makes it.", "Harbour Mills"),
}
_LINE: Fields = {
    "name": Name("text", "The product's name.", "Harbour sweater"),
    "options": Name("text or nil", "Which variant.", "Navy / M"),
    "notes": ListOf("What the shopper attached to it.", Name("text", "A note.", "Engraving: For Ada")),
    "quantity": Name("number", "Units.", 2),
    "unit_price": Name("text", "Price of one.", "$64.50"),
    "total": Name("text", "Price of all units.", "$129.00"),
    "image_url": Name(f"{_URL} or nil", "Its picture.", "https://shop.example/media/sweater.webp"),
    "image_alt": Name("text", "What the picture shows.", "Harbour sweater, Navy / M"),
}

COMMON: Fields = {
    "language": Name("text", "The language tag of the text.", "en"),
    "shop": {
        "name": Name("text", "The shop's name.", "Tradewind Supply"),
        "url": Name(f"{_URL} or nil", "The storefront's start page.", "https://shop.example/"),
        "email": Name("text or nil", "The shop's contact address.", "hello@shop.example"),
        "address": ListOf("Its postal address.", Name("text", "A line.", "12 Harbour Street, Portland, ME 04101")),
    },
    "customer": {
        "first_name": Name("text or nil", "Their first name.", "Ada"),
        "last_name": Name("text or nil", "Their last name.", "Lovelace"),
        "email": Name("text or nil", "Their email address.", "ada@customer.example"),
        "phone": Name("text or nil", "Their number.", "+14155550188"),
        "language": Name("text or nil", "The language they read.", "en"),
        "country_code": Name("text or nil", "Where they are.", "US"),
        "order_count": Name("number", "Orders so far.", 2),
        "total_spent": Name("text", "What they came to.", "$181.40"),
        "properties": Open("What the merchant keeps about them.", {"birthday": "1990-12-10"}),
    },
    "links": {
        "shop": Name(_URL, "The storefront's start page.", "https://shop.example/"),
        "unsubscribe": Name(_URL, "Where they opt out; needed in marketing.", "https://api.shop.example/unsubscribe/x"),
        "preferences": Name(_URL, "Where they choose what they get.", "https://api.shop.example/preferences/x"),
        "view": Name(_URL, "The message as a page.", "https://api.shop.example/messages/x"),
    },
    "coupon": {
        "code": Name("text", "The code that the flow issued before; without one, nothing is sent.", "HRBK7RTQWX"),
        "value": Name("text", "What it takes off.", "10%"),
        "percentage": Name("text or nil", "Without the sign.", "10"),
        "amount": Name("text or nil", "In the shop's currency.", "$10.00"),
        "ends_on": Name("day or nil", "Its last day.", "November 25, 2026"),
        "ends_at": Name("text or nil", "The moment, ISO 8601.", "2026-11-25T09:00:00+00:00"),
    },
    "blocks": {
        "recommended": ListOf("Goes with what they looked at, chose or bought.", _PRODUCT),
        "viewed": ListOf("What they looked at last.", _PRODUCT),
        "bought_together": ListOf("Often in the same orders.", _PRODUCT),
        "left_in_cart": ListOf("What their cart holds.", _PRODUCT),
    },
}
_CART: Fields = {
    "lines": ListOf("What is in it.", {**_LINE, "url": Name(_URL, "The product's page.", "https://shop.example/p")}),
    "more_lines": Name("number", "Lines that are not listed.", 0),
    "has_images": Name("yes or no", "Whether any line has a picture.", True),
    "item_count": Name("number", "Units in all.", 2),
    "subtotal": Name("text", "Before discounts.", "$129.00"),
    "discount": Name("text or nil", "What comes off.", "-$12.90"),
    "total": Name("text", "What it comes to, without shipping.", "$116.10"),
    "restore_url": Name(_URL, "Brings the cart back on any device.", "https://api.shop.example/cart/restore/x"),
}
_RESTORE: Fields = {
    "links": {"restore_cart": Name(_URL, "Brings the cart back.", "https://api.shop.example/cart/restore/x")}
}
_ORDER: Fields = {
    "order": {
        "number": Name("text", "Its number.", "1001"),
        "placed_on": Name("day", "When it was placed.", "November 22, 2026"),
        "url": Name(f"{_URL} or nil", "The storefront's page of it.", "https://shop.example/orders/x"),
        "total": Name("text", "What was paid.", "$134.90"),
        "lines": ListOf("What was bought.", _LINE),
        "more_lines": Name("number", "Lines that are not listed.", 0),
    },
    "survey": {
        "scores": ListOf(
            "How likely they are to recommend the shop.",
            {
                "score": Name("number", "0 to 10.", 10),
                "url": Name(_URL, "Answers with it.", "https://api.shop.example/surveys/x"),
            },
        )
    },
    "links": {
        "order": Name(_URL, "Their order, or the shop.", "https://shop.example/orders/x"),
        "review": Name(_URL, "Where they write a review: their order, or the shop.", "https://shop.example/orders/x"),
    },
}
_ABOUT_PRODUCT: Fields = {"product": _PRODUCT}
_PRICE_DROP: Fields = {
    "alert": {
        "variant": Name("text", "The variant they asked about.", "Navy / M"),
        "old_price": Name("text or nil", "Before.", "$79.00"),
        "new_price": Name("text", "Now.", "$64.50"),
    }
}
_COLLECTION: Fields = {
    "collection": {
        "name": Name("text", "The collection that was looked at.", "Knitwear"),
        "products": ListOf("What stands in it first.", _PRODUCT),
    }
}

_KIND: Mapping[DataType, tuple[str, Example]] = {
    DataType.TEXT: ("text", "text"),
    DataType.WHOLE: ("number", 1),
    DataType.NUMBER: ("number", 1),
    DataType.YES_NO: ("yes or no", True),
    DataType.MOMENT: ("text", "2026-11-22T09:00:00+00:00"),
}


def fields_of(trigger: str | None) -> Fields:
    """Everything that a template for this trigger can print. None: what every template can.

    Raises:
        KeyError: there is no such event type.
    """
    if trigger is None:
        return COMMON
    data = EVENT_TYPES[trigger].data
    names = {
        name: Name(f"{_KIND[kind][0]} or nil", f"`{name}` of the event.", _KIND[kind][1]) for name, kind in data.items()
    }
    found: dict[str, Spec] = {**COMMON, "event": names}
    for part in _parts(trigger, data):
        for root, spec in part.items():
            known = found.get(root)
            joins = isinstance(known, Mapping) and isinstance(spec, Mapping)
            found[root] = {**known, **spec} if joins else spec  # type: ignore[dict-item]
    return found


def _parts(trigger: str, data: Mapping[str, DataType]) -> Iterator[Fields]:
    if trigger in ("cart.updated", "checkout.started"):
        yield {"cart": _CART, **_RESTORE}
    if trigger == "checkout.started":
        yield {"checkout": {"started_on": Name("day", "When it was begun.", "November 22, 2026")}}
    if "orderId" in data:
        yield _ORDER
    if "productId" in data:
        yield _ABOUT_PRODUCT
    if trigger.startswith("alert."):
        yield _PRICE_DROP
    if "collectionId" in data:
        yield _COLLECTION


@dataclass(frozen=True, slots=True)
class DescribedName:
    path: str
    """`customer.first_name`; of a list `cart.lines[].name`."""
    kind: str
    description: str
    example: Example | None


def describe(trigger: str | None) -> list[DescribedName]:
    """Every name, for the manual."""
    return list(_described("", fields_of(trigger)))


def _described(path: str, spec: Spec) -> Iterator[DescribedName]:
    match spec:
        case Name():
            yield DescribedName(path, spec.kind, spec.description, spec.example)
        case ListOf(fields=Name() as item):
            yield DescribedName(path, f"list of {item.kind}", spec.description, item.example)
        case ListOf():
            yield DescribedName(path, "list", spec.description, None)
            yield from _described(f"{path}[]", spec.fields)
        case Open():
            yield DescribedName(path, "your own names", spec.description, None)
        case _:
            for name, below in spec.items():
                yield from _described(f"{path}.{name}" if path else name, below)


def sample(trigger: str | None) -> dict[str, object]:
    """Every name filled with its example; lists have one item."""
    return {name: _example(spec) for name, spec in fields_of(trigger).items()}


def _example(spec: Spec) -> object:
    match spec:
        case Name():
            return spec.example
        case ListOf():
            return [_example(spec.fields)]
        case Open():
            return OpenNames(spec.example)
        case _:
            return {name: _example(below) for name, below in spec.items()}


class OpenNames(dict[str, object]):
    """A dictionary whose missing names are nil: what is in it differs from person to person."""

    def __missing__(self, name: str) -> None:
        return None

    def __contains__(self, name: object) -> bool:
        return True
