"""A gift card made into store credit of an account: all that is left on it, at once."""

import uuid
from datetime import datetime

from app import clock, db
from app.errors import DomainError, DomainErrors, not_found
from app.gift_cards import credit, credit_parts, entering
from app.gift_cards.errors import GiftCardErrorCode
from app.gift_cards.managing import MOVE, check_result
from app.gift_cards.models import EntryKind, ValueStatus
from app.kit.ids import new_id

# Balances are locked in the order of their ids, whoever locks them.
_LOCK = """
    SELECT s.id, s.status, s.balance_minor, s.expires_at, g.last_characters
    FROM stored_values s LEFT JOIN gift_cards g ON g.id = s.id
    WHERE s.id IN ($1, $2) ORDER BY s.id FOR NO KEY UPDATE OF s
"""

_GIVE = """
    WITH noted AS (
        INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, source_key, reason, expires_at,
                                          created_at)
        VALUES ($1, 'ISSUE', $2, $3, $4, $5, business_now())
        RETURNING stored_value_id, amount_minor
    )
    UPDATE stored_values s SET balance_minor = s.balance_minor + noted.amount_minor, updated_at = business_now()
    FROM noted WHERE s.id = noted.stored_value_id
"""


async def redeem(typed: str, customer_id: uuid.UUID, client: str) -> uuid.UUID:
    """Owe the customer what is left on the card, in its currency, until the card would have ended. What checkouts hold
    of it stays theirs.

    Args:
        typed: the card's code.
        client: who asks, for the limit on guessing.

    Returns:
        The credit's id.

    Raises:
        DomainErrors: as `entering.card_of`.
        DomainError: RATE_LIMITED; NOT_FOUND for an account that is closed meanwhile.
    """
    found = await entering.card_of(typed, client)
    async with db.unit_of_work():
        if not await db.fetchval("SELECT id FROM customers WHERE id = $1 FOR KEY SHARE", customer_id):
            raise not_found("customer")
        credit_id = await credit.open_account(customer_id, found.currency_code)
        rows = {row["id"]: row for row in await db.fetch(_LOCK, found.id, credit_id)}
        card = rows[found.id]
        minor, last = card["balance_minor"], card["last_characters"]
        _check(card, await clock.now())
        check_result(rows[credit_id]["balance_minor"] + minor)
        key = f"redeem:{new_id().hex}"
        taken = (found.id, EntryKind.ADJUST.value, -minor, f"{key}:card", "Turned into store credit")
        await db.execute(MOVE, *taken)
        await db.execute(_GIVE, credit_id, minor, f"{key}:credit", f"Gift card {last}", card["expires_at"])
        await credit_parts.settle(credit_id)
        return credit_id


def _check(card: db.Record, now: datetime) -> None:
    """Once more, holding it: somebody else may have spent it since."""
    if card["status"] != ValueStatus.ACTIVE:
        code, message = GiftCardErrorCode.GIFT_CARD_DISABLED, "This gift card is switched off."
    elif card["expires_at"] is not None and card["expires_at"] <= now:
        code, message = GiftCardErrorCode.GIFT_CARD_EXPIRED, "This gift card is over."
    elif card["balance_minor"] == 0:
        code, message = GiftCardErrorCode.GIFT_CARD_EMPTY, "This gift card is empty."
    else:
        return
    raise DomainErrors([DomainError(code, message, ["code"])])
