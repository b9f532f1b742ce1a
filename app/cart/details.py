"""A cart's note and attributes: the buyer's words and the storefront's own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

from app.cart.attributes import Attribute, check_attributes
from app.cart.snapshots import CartSnapshot
from app.errors import DomainErrors
from app.kit.text import check_text

MAX_NOTE_CHARS = 5_000


class CartDetails(TypedDict, total=False):
    """What is given changes; None and an empty list take it out of the cart."""

    note: str | None
    attributes: Sequence[Attribute]


def check_details(details: CartDetails) -> None:
    """Raises DomainErrors with TOO_LONG, INVALID, and what `check_attributes` finds."""
    errors = check_attributes(details.get("attributes", ()), ["attributes"])
    if wrong := check_text(details.get("note") or "", MAX_NOTE_CHARS, ["note"]):
        errors.append(wrong)
    if errors:
        raise DomainErrors(errors)


def with_details(cart: CartSnapshot, details: CartDetails) -> CartSnapshot:
    if "note" in details:
        cart = replace(cart, note=details["note"] or None)
    if "attributes" in details:
        cart = replace(cart, attributes=[attribute.as_json() for attribute in details["attributes"]])
    return cart
