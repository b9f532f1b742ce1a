"""Which currencies the shop can owe anybody anything in: those that it sells in, or it could never be spent."""

from app import db
from app.errors import CommonErrorCode, DomainError
from app.kit.money import Money

_SOLD_IN = """
    SELECT EXISTS (
        SELECT FROM shop WHERE id = 1 AND currency_code = $1
        UNION ALL
        SELECT FROM markets m JOIN price_lists l ON l.id = m.price_list_id WHERE l.currency_code = $1
    )
"""


async def problem_with(amount: Money) -> DomainError | None:
    """INVALID at `input.amount.currencyCode` for a currency that no market sells in."""
    if await db.fetchval(_SOLD_IN, amount.currency):
        return None
    field = ["input", "amount", "currencyCode"]
    return DomainError(CommonErrorCode.INVALID, "The shop does not sell in this currency.", field)
