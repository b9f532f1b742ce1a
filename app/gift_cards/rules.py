"""Which gift cards and credit pay for a cart. Pure: what was read with the cart goes in, what pays comes out.

Gift cards pay in the order in which they were entered, then store credit, each as far as it goes. What buys a gift card
is money alone: a cart with one in it is paid by neither, and no discount touches its line. Otherwise a card that is
about to expire would be made into a new one, and a discount on everything into cash.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from app.errors import DomainError
from app.gift_cards.errors import GiftCardErrorCode
from app.gift_cards.models import ValueKind
from app.pricing.amounts import StoredValue, StoredValueKind


class GiftCardReason(StrEnum):
    """Why a gift card pays nothing of a cart."""

    DISABLED = "DISABLED"
    EXPIRED = "EXPIRED"
    EMPTY = "EMPTY"
    OTHER_CURRENCY = "OTHER_CURRENCY"
    CART_HAS_GIFT_CARD = "CART_HAS_GIFT_CARD"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTerms:
    """A balance that is to pay for a cart, as it was read together with the cart, in its order.

    Attributes:
        balance_minor: in minor units of its own currency.
        last_characters: of a gift card's code; None for store credit.
    """

    id: uuid.UUID
    kind: ValueKind
    balance_minor: int
    currency_code: str
    last_characters: str | None = None
    disabled: bool = False
    expired: bool = False


def sql_of_value(cart: str) -> str:
    """SQL: a JSON list of what is to pay for a cart, for `terms_of`; NULL, for next to nothing, where nothing is.

    Args:
        cart: alias of its row.
    """
    return f"""CASE WHEN {cart}.use_store_credit OR {cart}.gift_card_ids <> '[]'::jsonb THEN (
        SELECT json_agg(json_build_object(
            'id', v.id, 'kind', v.kind, 'balance_minor', v.balance_minor, 'currency_code', v.currency_code,
            'last_characters', g.last_characters, 'disabled', v.status <> 'ACTIVE',
            'expired', coalesce(v.expires_at <= business_now(), false)
        ) ORDER BY chosen.place, v.id)
        FROM (
            SELECT entered.id::uuid AS id, entered.place
            FROM jsonb_array_elements_text({cart}.gift_card_ids) WITH ORDINALITY AS entered (id, place)
            UNION ALL
            SELECT own.id, 1000 FROM stored_values own
            WHERE {cart}.use_store_credit AND own.customer_id = {cart}.customer_id
        ) chosen
        JOIN stored_values v ON v.id = chosen.id
        LEFT JOIN gift_cards g ON g.id = v.id
    ) END"""


def terms_of(text: str | None) -> list[ValueTerms]:
    return [terms(row) for row in orjson.loads(text)] if text else []


def terms(row: dict[str, Any]) -> ValueTerms:
    """Of one object of `sql_of_value`."""
    return ValueTerms(**{**row, "id": uuid.UUID(row["id"]), "kind": ValueKind(row["kind"])})


def reason_against(value: ValueTerms, currency: str, *, has_gift_card: bool) -> GiftCardReason | None:
    """Why it pays nothing of a cart in this currency; None when it does.

    Args:
        has_gift_card: whether the cart has one in it.
    """
    if value.disabled:
        return GiftCardReason.DISABLED
    if value.expired:
        return GiftCardReason.EXPIRED
    if value.currency_code != currency:
        return GiftCardReason.OTHER_CURRENCY
    if has_gift_card:
        return GiftCardReason.CART_HAS_GIFT_CARD
    return None if value.balance_minor else GiftCardReason.EMPTY


def usable(values: Sequence[ValueTerms], currency: str, *, has_gift_card: bool) -> tuple[StoredValue, ...]:
    """What pricing may take from, in this order."""
    return tuple(
        StoredValue(str(value.id), StoredValueKind[value.kind.name], value.balance_minor)
        for value in values
        if reason_against(value, currency, has_gift_card=has_gift_card) is None
    )


_REFUSED = {
    GiftCardReason.DISABLED: (GiftCardErrorCode.GIFT_CARD_DISABLED, "is switched off"),
    GiftCardReason.EXPIRED: (GiftCardErrorCode.GIFT_CARD_EXPIRED, "has expired"),
    GiftCardReason.EMPTY: (GiftCardErrorCode.GIFT_CARD_EMPTY, "is empty"),
}


def refusals(values: Sequence[ValueTerms], currency: str, *, has_gift_card: bool) -> list[DomainError]:
    """What keeps an order from being placed: gift cards that counted when they were entered, and no longer do.

    A shopper who was shown what a card pays is not to find out from the bill that it was spent elsewhere.
    """
    cards = [value for value in values if value.kind is ValueKind.GIFT_CARD]
    reasons = [reason_against(card, currency, has_gift_card=has_gift_card) for card in cards]
    return [
        DomainError(
            _REFUSED[reason][0],
            f"The gift card that ends in {card.last_characters} {_REFUSED[reason][1]}; remove it.",
            ["cart", "giftCards", place],
        )
        for place, (card, reason) in enumerate(zip(cards, reasons, strict=True))
        if reason in _REFUSED
    ]


def entered_refusal(card: ValueTerms, currency: str, at: list[str | int]) -> DomainError | None:
    """Why a code cannot be entered into a cart of this currency; what the cart has in it may change."""
    match reason_against(card, currency, has_gift_card=False):
        case None:
            return None
        case GiftCardReason.OTHER_CURRENCY:
            message = f"This gift card is in {card.currency_code}, and the cart in {currency}."
            return DomainError(GiftCardErrorCode.GIFT_CARD_OTHER_CURRENCY, message, at)
        case reason:
            code, what = _REFUSED[reason]
            return DomainError(code, f"This gift card {what}.", at)
