"""Codes as shoppers type them: checked, and not to be found by trying."""

from collections.abc import Sequence

from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.kit.text import check_text
from app.promotions.queries import MAX_CODES
from app.promotions.terms import DiscountCodeReason, EnteredCode, same
from app.rate_limit import allow, give_back

MAX_CODE_CHARS = 64
WRONG_CODES = 20
"""That one client may try in a window. Coupons have 45 bits; shops choose words, which are found sooner."""
WINDOW_SECONDS = 600
_LIMIT = "discount-codes"


def checked_codes(codes: Sequence[str], *at: str) -> list[str]:
    """Trimmed, each of them once, in their order.

    Raises:
        DomainErrors: TOO_MANY, REQUIRED for blank ones, TOO_LONG, INVALID; at the path of the list and the place.
    """
    if len(codes) > MAX_CODES:
        raise DomainErrors([DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_CODES} codes.", at)])
    errors: list[DomainError] = []
    by_spelling: dict[str, str] = {}
    for place, code in enumerate(codes):
        trimmed = code.strip()
        if not trimmed:
            errors.append(DomainError(CommonErrorCode.REQUIRED, "A code is empty.", [*at, place]))
        elif wrong := check_text(trimmed, MAX_CODE_CHARS, [*at, place]):
            errors.append(wrong)
        by_spelling.setdefault(same(trimmed), trimmed)
    if errors:
        raise DomainErrors(errors)
    return list(by_spelling.values())


async def try_codes(client: str, codes: Sequence[str]) -> None:
    """Count every code as a wrong one, before anything is said about it: parallel guesses pass no gap.

    Raises:
        DomainError: RATE_LIMITED.
    """
    if codes:
        await allow(_LIMIT, client, limit=WRONG_CODES, window_seconds=WINDOW_SECONDS, attempts=len(codes))


async def forgive(client: str, codes: Sequence[EnteredCode]) -> None:
    """Those that exist were no guesses."""
    known = sum(1 for entered in codes if entered.reason is not DiscountCodeReason.NOT_FOUND)
    await give_back(_LIMIT, client, known)
