"""Codes of gift cards as shoppers type them, not to be found by trying. A code is cash: it is never stored as typed."""

from collections.abc import Sequence

from app import db
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.gift_cards import codes, queries
from app.gift_cards.errors import GiftCardErrorCode
from app.gift_cards.rules import ValueTerms, entered_refusal
from app.kit.text import check_text
from app.rate_limit import allow, give_back

MAX_CODES = 10
"""On one cart."""
WRONG_CODES = 20
"""That one client may try in a window, in carts and when asking for balances together."""
WINDOW_SECONDS = 600
_LIMIT = "gift-card-codes"


def checked_codes(typed: Sequence[str], *at: str) -> list[str]:
    """As they are hashed, each of them once, in their order.

    Raises:
        DomainErrors: TOO_MANY, REQUIRED for blank ones, TOO_LONG, INVALID; at the path of the list and the place.
    """
    if len(typed) > MAX_CODES:
        raise DomainErrors([DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_CODES} gift cards.", at)])
    errors: list[DomainError] = []
    found: dict[str, None] = {}
    for place, code in enumerate(typed):
        normalised = codes.normalised(code.strip())
        if wrong := check_text(code, codes.MAX_TYPED_CHARS, [*at, place]):
            errors.append(wrong)
        elif not normalised:
            errors.append(DomainError(CommonErrorCode.REQUIRED, "A code is empty.", [*at, place]))
        found.setdefault(normalised)
    if errors:
        raise DomainErrors(errors)
    return list(found)


async def try_codes(client: str, normalised: Sequence[str]) -> None:
    """Count every code as a wrong one, before anything is said about it. Raises DomainError(RATE_LIMITED)."""
    if normalised:
        await allow(_LIMIT, client, limit=WRONG_CODES, window_seconds=WINDOW_SECONDS, attempts=len(normalised))


async def forgive(client: str, known: int) -> None:
    """So many of them exist, and were no guesses."""
    await give_back(_LIMIT, client, known)


async def cards_of(typed: Sequence[str], client: str) -> list[ValueTerms]:
    """The cards that these codes open, in their order.

    Raises:
        DomainErrors: as `checked_codes`, and GIFT_CARD_NOT_FOUND, GIFT_CARD_DISABLED, GIFT_CARD_EXPIRED or
            GIFT_CARD_EMPTY for cards that cannot be spent; at `codes` and the place.
        DomainError: RATE_LIMITED.
    """
    normalised = checked_codes(typed, "codes")
    await try_codes(client, normalised)
    cards = await queries.terms_by_codes(normalised) if normalised else []
    await forgive(client, sum(card is not None for card in cards))
    errors: list[DomainError] = []
    for place, card in enumerate(cards):
        if card is None:
            message = "There is no gift card with this code."
            errors.append(DomainError(GiftCardErrorCode.GIFT_CARD_NOT_FOUND, message, ["codes", place]))
        elif wrong := entered_refusal(card, card.currency_code, ["codes", place]):
            errors.append(wrong)
    if errors:
        raise DomainErrors(errors)
    return [card for card in cards if card is not None]


async def card_of(typed: str, client: str) -> ValueTerms:
    """As `cards_of` for one code; errors are at `code`."""
    try:
        (card,) = await cards_of([typed], client)
    except DomainErrors as wrong:
        raise _of_one(wrong) from None
    return card


def check_currency(cards: Sequence[ValueTerms], currency: str) -> None:
    """Raises DomainErrors with GIFT_CARD_OTHER_CURRENCY, at `codes` and the place."""
    errors = [entered_refusal(card, currency, ["codes", place]) for place, card in enumerate(cards)]
    if any(errors):
        raise DomainErrors([error for error in errors if error is not None])


async def balance_of(typed: str, client: str) -> db.Record | None:
    """The card that a code opens; None for no card.

    Raises:
        DomainErrors: as `checked_codes`, at `code`.
        DomainError: RATE_LIMITED.
    """
    try:
        (normalised,) = checked_codes([typed])
    except DomainErrors as wrong:
        raise _of_one(wrong) from None
    await try_codes(client, [normalised])
    card = await queries.card_by_code(normalised)
    if card is not None:
        await forgive(client, 1)
    return card


def _of_one(wrong: DomainErrors) -> DomainErrors:
    return DomainErrors([DomainError(error.code, error.message, ["code"]) for error in wrong.errors])
