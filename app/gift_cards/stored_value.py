"""Spending stored value: held while an order is paid for, redeemed with the order, given back otherwise.

All of it joins the open unit of work. Balances are locked in the order of their ids and after everything else that a
checkout locks, discounts included. A hold takes the amount at once, so that any number of carts spend one card without
loss; every change of a balance is a line of the ledger, written by the same statement.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from app import db
from app.gift_cards import credit_parts, expiring


class Spending(Protocol):
    """What an order takes of one balance, in minor units."""

    @property
    def id(self) -> uuid.UUID | str: ...
    @property
    def amount_minor(self) -> int: ...


# A statement that waits for a row goes on to see all others as they were before it waited, so that locking and changing
# are statements of their own.
_LOCK = "SELECT id FROM stored_values WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"
_HOLD = """
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset($1::jsonb) AS w (id uuid, amount_minor bigint)
    ), taken AS (
        UPDATE stored_values s SET balance_minor = s.balance_minor - wanted.amount_minor, updated_at = business_now()
        FROM wanted
        WHERE s.id = wanted.id AND s.status = 'ACTIVE' AND s.balance_minor >= wanted.amount_minor
          AND (s.expires_at IS NULL OR s.expires_at > business_now())
        RETURNING s.id, wanted.amount_minor
    ), noted AS (
        INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, attempt_id, created_at)
        SELECT id, 'HOLD', -amount_minor, $2, business_now() FROM taken ORDER BY id
    )
    SELECT count(*) FROM taken
"""
_UNSETTLED = """
    SELECT e.stored_value_id, e.amount_minor FROM stored_value_entries e
    WHERE e.attempt_id = $1 AND e.kind = 'HOLD' AND NOT EXISTS (
        SELECT FROM stored_value_entries s
        WHERE s.attempt_id = e.attempt_id AND s.stored_value_id = e.stored_value_id AND s.kind IN ('REDEEM', 'RELEASE')
    )
    ORDER BY e.stored_value_id
"""
_REDEEM = f"""
    INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, attempt_id, order_id, created_at)
    SELECT held.stored_value_id, 'REDEEM', 0, $1, $2, business_now() FROM ({_UNSETTLED}) AS held
"""
_LOCK_OF_ATTEMPT = """
    SELECT id FROM stored_values
    WHERE id IN (SELECT stored_value_id FROM stored_value_entries WHERE attempt_id = $1)
    ORDER BY id FOR NO KEY UPDATE
"""
# Whether gift cards became a part of it, which has its own end, and may be disputed.
_OF_CARDS = """EXISTS (
        SELECT FROM stored_value_entries made
        WHERE made.stored_value_id = s.id AND made.source_key LIKE 'redeem:%:credit'
    )"""
_RELEASE = f"""
    WITH released AS (
        INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, attempt_id, created_at)
        SELECT held.stored_value_id, 'RELEASE', -held.amount_minor, $1, business_now() FROM ({_UNSETTLED}) AS held
        RETURNING stored_value_id, amount_minor
    )
    UPDATE stored_values s SET balance_minor = s.balance_minor + released.amount_minor, updated_at = business_now()
    FROM released WHERE s.id = released.stored_value_id
    RETURNING s.id, s.expires_at, {_OF_CARDS} AS of_cards
"""


class TakenMeanwhile(Exception):  # noqa: N818 - takes the transaction back, and is no error
    """A balance was spent, switched off or over after the order was priced."""


async def hold(attempt_id: uuid.UUID, drafts: Sequence[Spending]) -> None:
    """Take these amounts for an attempt that has just begun.

    Raises:
        TakenMeanwhile: when any of them is no longer there; the unit of work has to be rolled back.
    """
    db.current_unit_of_work()
    if not drafts:
        return
    await db.execute(_LOCK, [str(draft.id) for draft in drafts])
    wanted = [{"id": str(draft.id), "amount_minor": draft.amount_minor} for draft in drafts]
    taken = await db.fetchval(_HOLD, orjson.dumps(wanted).decode(), attempt_id)
    if taken != len(drafts):
        raise TakenMeanwhile


async def redeem(attempt_id: uuid.UUID, order_id: uuid.UUID) -> None:
    """The attempt's order is placed: what was held is spent. Repeating changes nothing."""
    db.current_unit_of_work()
    await db.execute(_REDEEM, attempt_id, order_id)


async def release(attempt_id: uuid.UUID) -> None:
    """The checkout came to nothing: what was held is back. Repeating changes nothing, nor does it undo an order."""
    db.current_unit_of_work()
    await db.execute(_LOCK_OF_ATTEMPT, attempt_id)
    for row in await db.fetch(_RELEASE, attempt_id):
        if row["expires_at"] is not None:
            await expiring.watch(row["id"], row["expires_at"])
        if row["of_cards"]:
            await credit_parts.settle(row["id"])


# --- back from an order -----------------------------------------------------------------------------------------------

_LOCK_OF_ORDER = """
    SELECT id FROM stored_values
    WHERE id IN (SELECT stored_value_id FROM stored_value_entries WHERE order_id = $1 AND kind = 'REDEEM')
    ORDER BY id FOR NO KEY UPDATE
"""
_SPENT = """
    SELECT held.stored_value_id, -held.amount_minor AS spent_minor, (
        SELECT coalesce(sum(b.amount_minor), 0)::bigint FROM stored_value_entries b
        WHERE b.order_id = $1 AND b.stored_value_id = held.stored_value_id AND b.kind = 'REFUND'
          AND b.source_key IS NULL
    ) AS returned_minor
    FROM stored_value_entries paid
    JOIN stored_value_entries held
      ON held.attempt_id = paid.attempt_id AND held.stored_value_id = paid.stored_value_id AND held.kind = 'HOLD'
    WHERE paid.order_id = $1 AND paid.kind = 'REDEEM'
    ORDER BY held.id DESC
"""
_GIVE_BACK = f"""
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset($1::jsonb) AS w (id uuid, amount_minor bigint)
    ), noted AS (
        INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, order_id, refund_id, created_at)
        SELECT id, 'REFUND', amount_minor, $2, $3, business_now() FROM wanted ORDER BY id
    )
    UPDATE stored_values s
    SET balance_minor = s.balance_minor + wanted.amount_minor, updated_at = business_now(),
        expires_at = CASE WHEN s.expires_at > business_now() THEN s.expires_at END
    FROM wanted WHERE s.id = wanted.id
    RETURNING s.id, {_OF_CARDS} AS of_cards
"""


@dataclass(frozen=True, slots=True)
class Returned:
    """What went back to one balance, in minor units."""

    id: uuid.UUID
    amount_minor: int


async def spent_on(order_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """What each balance has paid of an order and did not get back, in minor units of the order's currency."""
    rows = await db.fetch(_SPENT, order_id)
    return {row["stored_value_id"]: row["spent_minor"] - row["returned_minor"] for row in rows}


async def refundable(order_id: uuid.UUID) -> int:
    """What of an order was paid with stored value and not given back yet, in minor units of the order's currency."""
    return sum((await spent_on(order_id)).values())


async def refund(order_id: uuid.UUID, refund_id: uuid.UUID, amount_minor: int | None = None) -> list[Returned]:
    """Give back what an order was paid with, to the balances that it came from; what was spent last comes back first.

    A card that has expired meanwhile is good again, without an end: the shop cannot keep what it owes back. One that
    staff have switched off gets its amount and stays off. Repeating it for the same refund changes nothing.

    Args:
        refund_id: of the refund, or of whatever else is the one reason for it.
        amount_minor: in the order's currency; None for all that is left.

    Raises:
        ValueError: for more than `refundable`.
    """
    db.current_unit_of_work()
    await db.execute(_LOCK_OF_ORDER, order_id)
    known = await db.fetch(
        "SELECT stored_value_id, amount_minor FROM stored_value_entries WHERE refund_id = $1 ORDER BY id", refund_id
    )
    if known:
        return [Returned(row["stored_value_id"], row["amount_minor"]) for row in known]
    spent = await db.fetch(_SPENT, order_id)
    left = sum(row["spent_minor"] - row["returned_minor"] for row in spent) if amount_minor is None else amount_minor
    returned = []
    for row in spent:
        if part := min(left, row["spent_minor"] - row["returned_minor"]):
            returned.append(Returned(row["stored_value_id"], part))
            left -= part
    if left:
        raise ValueError("more than was paid with stored value cannot go back to it")
    if returned:
        wanted = [{"id": str(part.id), "amount_minor": part.amount_minor} for part in returned]
        for row in await db.fetch(_GIVE_BACK, orjson.dumps(wanted).decode(), order_id, refund_id):
            if row["of_cards"]:
                await credit_parts.settle(row["id"])
    return returned
