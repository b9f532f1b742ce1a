"""What a cart becomes when another one is put into it. Pure: two carts go in, one comes out, or errors alone.

Everything that the cart has stays, and what it lacks comes from the other one.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

from app.cart import rules
from app.cart.attributes import MAX_ATTRIBUTES
from app.cart.snapshots import CartLineSnapshot, CartSnapshot
from app.cart.warnings import CartWarning, line_warnings
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.gift_cards.entering import MAX_CODES as MAX_GIFT_CARDS
from app.gift_cards.models import ValueKind
from app.gifting.options import GiftOptions
from app.promotions.queries import MAX_CODES
from app.promotions.terms import same

FIELD = ["cartId"]


def joined(cart: CartSnapshot, other: CartSnapshot, lines: list[CartLineSnapshot]) -> CartSnapshot:
    """`cart` with all of `other`.

    Args:
        lines: the other's, under ids of their own.

    Raises:
        DomainErrors: TOO_MANY, OUT_OF_RANGE, TOO_LONG: together they are more than a cart can hold.
    """
    errors: list[DomainError] = []
    try:
        cart = replace(cart, lines=rules.join_lines(cart.lines, lines).lines)
    except DomainErrors as wrong:
        errors = [DomainError(error.code, error.message, FIELD) for error in wrong.errors]
    attributes, codes = _attributes(cart, other), codes_of(cart, other)
    if len(attributes) > MAX_ATTRIBUTES:
        errors.append(DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_ATTRIBUTES} attributes.", FIELD))
    if len(codes) > MAX_CODES:
        errors.append(DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_CODES} codes.", FIELD))
    paying = _paying(cart, other)
    if len(paying["gift_card_ids"]) > MAX_GIFT_CARDS:
        errors.append(DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_GIFT_CARDS} gift cards.", FIELD))
    if errors:
        raise DomainErrors(errors)
    email, phone = _contact(cart, other)
    return replace(
        cart,
        email=email,
        phone=phone,
        country_code=cart.country_code or other.country_code,
        **_number(cart, other),
        note=cart.note or other.note,
        attributes=attributes,
        discount_codes=codes,
        gift_options=GiftOptions.of(cart.gift_options).joined(GiftOptions.of(other.gift_options)).to_json(),
        wrap_terms=cart.wrap_terms or other.wrap_terms,
        **paying,
    )


def warnings(before: CartSnapshot, after: CartSnapshot) -> list[CartWarning]:
    """What is to be known of the lines that came in or grew, such as that there is less in stock by now."""
    units: Counter[object] = Counter()
    for line in after.lines:
        units[line.variant_id] += line.quantity
    had = {line.id: line.quantity for line in before.lines}
    changed = [line for line in after.lines if had.get(line.id) != line.quantity]
    about = [warning for line in changed for warning in line_warnings(line, units[line.variant_id])]
    return [replace(warning, field=FIELD) for warning in about]


def codes_of(cart: CartSnapshot, other: CartSnapshot) -> list[str]:
    """The codes of both: the cart's in their order, then those that only the other one has."""
    by_spelling: dict[str, str] = {}
    for code in (*cart.discount_codes, *other.discount_codes):
        by_spelling.setdefault(same(code), code)
    return list(by_spelling.values())


def _number(cart: CartSnapshot, other: CartSnapshot) -> dict[str, Any]:
    """The tax number of either, with what the register said of it."""
    if cart.tax_id is not None or other.tax_id is None:
        return {}
    facts = replace(cart.tax_facts, tax_id_state=other.tax_facts.tax_id_state)
    return {"tax_id": other.tax_id, "tax_facts": facts}


def _paying(cart: CartSnapshot, other: CartSnapshot) -> dict[str, Any]:
    """The gift cards of both, in that order; credit is spent where either was to. A card is in a cart once."""
    ids = list(dict.fromkeys([*cart.gift_card_ids, *other.gift_card_ids]))
    known = {str(value.id): value for value in (*other.stored_value, *cart.stored_value)}
    cards = [known[card_id] for card_id in ids if card_id in known]
    credit = [value for value in known.values() if value.kind is ValueKind.STORE_CREDIT]
    return {
        "gift_card_ids": ids,
        "use_store_credit": cart.use_store_credit or other.use_store_credit,
        "stored_value": [*cards, *credit],
    }


def _attributes(cart: CartSnapshot, other: CartSnapshot) -> list[dict[str, str]]:
    had = {attribute["key"] for attribute in cart.attributes}
    return [*cart.attributes, *(attribute for attribute in other.attributes if attribute["key"] not in had)]


def _contact(cart: CartSnapshot, other: CartSnapshot) -> tuple[str | None, str | None]:
    """What reaches one person: where the two name different ones, nobody's number is put beside another's email."""
    (email, phone), (other_email, other_phone) = cart.contact, other.contact
    if (email and other_email and email != other_email) or (phone and other_phone and phone != other_phone):
        return cart.email, cart.phone
    return cart.email or (None if email else other_email), cart.phone or (None if phone else other_phone)
