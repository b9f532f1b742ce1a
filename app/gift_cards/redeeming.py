"""A gift card made into store credit of an account: all that is left on it, at once."""

import uuid

from app import db
from app.errors import DomainError, DomainErrors, not_found
from app.gift_cards import credit, entering
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


async def redeem(typed: str, customer_id: uuid.UUID, client: str) -> uuid.UUID:
    """Owe the customer what is left on the card, in its currency. What checkouts hold of it stays theirs.

    Args:
        typed: the card's code.
        client: who asks, for the limit on guessing.

    Returns:
        The credit's id.

    Raises:
        DomainErrors: as `entering.card_of`; GIFT_CARD_NOT_REDEEMABLE for a card that ends: credit does not, and would
            outlive it.
        DomainError: RATE_LIMITED; NOT_FOUND for an account that is closed meanwhile.
    """
    found = await entering.card_of(typed, client)
    async with db.unit_of_work():
        if not await db.fetchval("SELECT id FROM customers WHERE id = $1 FOR KEY SHARE", customer_id):
            raise not_found("customer")
        credit_id = await credit.open_account(customer_id, found.currency_code)
        rows = {row["id"]: row for row in await db.fetch(_LOCK, found.id, credit_id)}
        card, minor = rows[found.id], rows[found.id]["balance_minor"]
        _check(card)
        check_result(rows[credit_id]["balance_minor"] + minor)
        key = f"redeem:{new_id().hex}"
        taken = (found.id, EntryKind.ADJUST.value, -minor, f"{key}:card", "Turned into store credit")
        given = (credit_id, EntryKind.ISSUE.value, minor, f"{key}:credit", f"Gift card {card['last_characters']}")
        for entry in (taken, given):
            await db.execute(MOVE, *entry)
        return credit_id


def _check(card: db.Record) -> None:
    """Once more, holding it: somebody else may have spent it since."""
    if card["status"] != ValueStatus.ACTIVE:
        code, message = GiftCardErrorCode.GIFT_CARD_DISABLED, "This gift card is switched off."
    elif card["expires_at"] is not None:
        message = "This gift card has an end, and store credit has none: spend it at a checkout."
        code = GiftCardErrorCode.GIFT_CARD_NOT_REDEEMABLE
    elif card["balance_minor"] == 0:
        code, message = GiftCardErrorCode.GIFT_CARD_EMPTY, "This gift card is empty."
    else:
        return
    raise DomainErrors([DomainError(code, message, ["code"])])
