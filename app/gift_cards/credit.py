"""Store credit: what the shop owes a customer, an account's balance in each currency."""

import uuid

from app import db
from app.errors import not_found
from app.gift_cards.models import EntryKind
from app.kit.ids import new_id
from app.kit.money import Money

_OPEN = """
    INSERT INTO stored_values (id, kind, status, currency_code, balance_minor, customer_id, created_at, updated_at)
    VALUES ($1, 'STORE_CREDIT', 'ACTIVE', $3, 0, $2, business_now(), business_now())
    ON CONFLICT (customer_id, currency_code) WHERE customer_id IS NOT NULL DO NOTHING
"""
_FIND = "SELECT id FROM stored_values WHERE customer_id = $1 AND currency_code = $2"
_ADD = """
    WITH noted AS (
        INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, order_id, refund_id, source_key, reason,
                                          created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, business_now())
        ON CONFLICT DO NOTHING
        RETURNING stored_value_id, amount_minor
    )
    UPDATE stored_values s SET balance_minor = s.balance_minor + noted.amount_minor, updated_at = business_now()
    FROM noted WHERE s.id = noted.stored_value_id
"""


async def credit(
    customer_id: uuid.UUID,
    amount: Money,
    reason: str | None,
    source_key: str,
    *,
    order_id: uuid.UUID | None = None,
    refund_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Owe a customer more, in the open unit of work. Calls with the same `source_key` count once.

    Args:
        amount: above zero.
        reason: for the customer and staff; nothing personal where nobody wrote it.
        order_id, refund_id: what it is given back for; without a refund it is newly granted.

    Returns:
        The balance's id, for `node` a store credit account.

    Raises:
        DomainError: NOT_FOUND for no such account.
    """
    db.current_unit_of_work()
    if amount.amount_minor <= 0:
        raise ValueError("credit is above zero")
    if not await db.fetchval("SELECT id FROM customers WHERE id = $1 FOR KEY SHARE", customer_id):
        raise not_found("customer", ["customerId"])
    await open_account(customer_id, amount.currency)
    value_id: uuid.UUID = await db.fetchval(f"{_FIND} FOR NO KEY UPDATE", customer_id, amount.currency)
    kind = EntryKind.REFUND if refund_id else EntryKind.ISSUE
    await db.execute(_ADD, value_id, kind.value, amount.amount_minor, order_id, refund_id, source_key, reason)
    return value_id


async def open_account(customer_id: uuid.UUID, currency: str) -> uuid.UUID:
    """The balance of a customer in a currency, which begins with nothing where there is none. It is not locked: with
    other balances it is by the order of their ids."""
    db.current_unit_of_work()
    await db.execute(_OPEN, new_id(), customer_id, currency)
    value_id: uuid.UUID = await db.fetchval(_FIND, customer_id, currency)
    return value_id
