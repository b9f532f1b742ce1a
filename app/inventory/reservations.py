"""Who holds which units: taken from what can be sold for a checkout, promised to its order, or given back.

Every function joins the open unit of work. Levels are locked in the order of their ids, by one statement, so that any
number of checkouts can draw on the same levels without a deadlock. Units are known by the checkout attempt that took
them; an order has the same attempt.

    available    on the shelf and promised to nobody; what is back-ordered leaves from it, so the rest can be sold
    reserved     held or promised, still on the shelf: the live reservations' `quantity` less what has shipped of it
    backordered  sold beyond what was there, where the variant allows it: the same of `backordered`

A level's movements add up to what is available and what is held; a hold becomes a movement when it becomes an order.
"""

import uuid
from collections.abc import Sequence
from typing import Any

import orjson

from app import db
from app.alerts import watching
from app.inventory.allocation import Allocation, Demand, Level, Share, allocate
from app.kit.ids import new_id

MOVED_BY_ORDER = "order"
MOVED_BY_CANCELLATION = "cancellation"

# The cart comes first, as it does for whoever changes it and lets its checkout's units follow: the count is worked out
# before the first level is looked at. Levels are read as they are once they are locked, however long that took.
# A statement that waits for a row goes on to see all others as they were before it waited, so that locking and changing
# are statements of their own.
_LOCK = """
    WITH cart AS MATERIALIZED (SELECT id FROM carts WHERE id = $2 FOR NO KEY UPDATE)
    SELECT s.id, s.variant_id, s.available, s.backordered, s.warehouse_id, w.priority
    FROM stock_levels s JOIN warehouses w ON w.id = s.warehouse_id
    WHERE s.variant_id = ANY(ARRAY(SELECT unnest($1::uuid[]))) AND (SELECT count(*) FROM cart) >= 0
    ORDER BY s.id FOR NO KEY UPDATE OF s
"""
_OF_CHECKOUT = """
    SELECT stock_level_id, sum(quantity)::int AS units FROM stock_reservations
    WHERE checkout_id = $1 AND state = 'HELD' GROUP BY stock_level_id
"""
_LOCK_OF_ATTEMPT = """
    WITH cart AS MATERIALIZED (
        SELECT c.id FROM checkout_attempts a JOIN carts c ON c.id = a.cart_id WHERE a.id = $1 FOR NO KEY UPDATE OF c
    )
    SELECT id FROM stock_levels
    WHERE id IN (SELECT stock_level_id FROM stock_reservations WHERE attempt_id = $1 AND state = $2)
      AND (SELECT count(*) FROM cart) >= 0
    ORDER BY id FOR NO KEY UPDATE
"""
SQL_OF_LEVELS = """(
    SELECT json_agg(json_build_array(s.id, s.variant_id, s.available, s.backordered, s.warehouse_id)
                    ORDER BY w.priority, s.id)
    FROM stock_levels s JOIN warehouses w ON w.id = s.warehouse_id
    WHERE s.variant_id IN (SELECT l.variant_id FROM cart_lines l WHERE l.cart_id = c.id)
)"""
"""SQL: the levels of what is in the cart `c`, as they are read without a lock, in the order in which they give."""


def levels_of(rows: Sequence[Sequence[Any]]) -> list[Level]:
    """What `SQL_OF_LEVELS` says, decoded."""
    return [
        Level(uuid.UUID(level_id), uuid.UUID(variant_id), available, owed, uuid.UUID(warehouse_id))
        for level_id, variant_id, available, owed, warehouse_id in rows
    ]


async def find(
    demands: Sequence[Demand], *, cart_id: uuid.UUID | None = None, checkout_id: uuid.UUID | None = None
) -> Allocation:
    """Lock the levels of what is wanted, and decide which of them give how much. Nothing is taken yet.

    Warehouses give in the order of their priority; what goes beyond all of them is back-ordered where that is allowed.

    Args:
        cart_id: what is claimed then; locked before the levels.
        checkout_id: whose units count as available, as they are taken over by what is decided here.
    """
    db.current_unit_of_work()
    if not demands:
        return Allocation([], {})
    found = allocate(demands, await _locked_levels(demands, cart_id, checkout_id))
    unknown = [demand.variant_id for demand in demands if demand.may_backorder and demand.variant_id in found.missing]
    # Sold without ever having been in stock: there has to be a level that owes the units.
    if unknown:
        await _open_empty_levels(unknown)
        found = allocate(demands, await _locked_levels(demands, cart_id, checkout_id))
    return found


async def _locked_levels(
    demands: Sequence[Demand], cart_id: uuid.UUID | None, checkout_id: uuid.UUID | None
) -> list[Level]:
    rows = await db.fetch(_LOCK, [demand.variant_id for demand in demands], cart_id)
    own: dict[uuid.UUID, int] = {}
    if checkout_id is not None:
        # After the lock: until then they may be let go of.
        own = {row["stock_level_id"]: row["units"] for row in await db.fetch(_OF_CHECKOUT, checkout_id)}
    rows.sort(key=lambda row: (row["priority"], row["id"]))
    return [
        Level(
            row["id"],
            row["variant_id"],
            row["available"] + own.get(row["id"], 0),
            row["backordered"],
            row["warehouse_id"],
        )
        for row in rows
    ]


async def _open_empty_levels(variant_ids: Sequence[uuid.UUID]) -> None:
    """Where somebody else makes the same levels, theirs are there once this returns."""
    await db.execute(
        """
        INSERT INTO stock_levels (id, variant_id, warehouse_id, available, reserved, backordered, updated_at)
        SELECT n.id, n.variant_id, h.id, 0, 0, 0, business_now()
        FROM unnest($1::uuid[], $2::uuid[]) AS n (id, variant_id)
        JOIN product_variants v ON v.id = n.variant_id
        CROSS JOIN (SELECT id FROM warehouses ORDER BY is_default DESC, priority, id LIMIT 1) h
        ORDER BY n.variant_id
        ON CONFLICT DO NOTHING
        """,
        [new_id() for _ in variant_ids],
        list(variant_ids),
    )


def shares_json(shares: Sequence[Share]) -> str:
    """For `sql_to_hold` and `sql_to_fit`."""
    return orjson.dumps(
        [[share.level_id.hex, share.variant_id.hex, share.quantity, share.backordered] for share in shares]
    ).decode()


def shares_at_once(demands: Sequence[Demand], levels: Sequence[Level]) -> list[Share] | None:
    """What would be taken of levels that were read and are not locked; for `sql_to_fit`.

    Returns:
        None where it takes `find` to say: too little is there, or something is owed, so that all levels of a variant
        count for each of its units.
    """
    if any(level.owed for level in levels):
        return None
    found = allocate(demands, levels)
    return None if found.missing or any(share.backordered for share in found.shares) else found.shares


def sql_to_fit(cart: str, shares: str, levels: str) -> str:
    """SQL: lock the levels of shares that were found without a lock, and say in a CTE `fit (all_there)` whether they
    can be taken: as many levels as were read, nothing owed by any, and enough in each that gives.

    It waits for nobody: a level that somebody has locked at this moment is left out, and then it does not fit. So what
    is taken by the same statement is taken of levels as they stand, and no two statements wait for each other.

    Args:
        cart: a CTE with the cart, which has it locked; without a row in it nothing is locked here.
        shares, levels: the statement's parameters: of `shares_json`, and how many levels of their variants were read.
    """
    return f"""
    level AS MATERIALIZED (
        SELECT s.id, s.available, s.backordered FROM stock_levels s
        WHERE s.variant_id = ANY(ARRAY(SELECT (w ->> 1)::uuid FROM jsonb_array_elements({shares}::jsonb) AS w))
          AND (SELECT count(*) FROM {cart}) > 0
        FOR NO KEY UPDATE SKIP LOCKED
    ), fit AS MATERIALIZED (
        SELECT count(*) = {levels}::int AND coalesce(
                   bool_and(level.backordered = 0 AND level.available >= coalesce((w ->> 2)::int, 0)), true
               ) AS all_there
        FROM level LEFT JOIN jsonb_array_elements({shares}::jsonb) AS w ON (w ->> 0)::uuid = level.id
    )
    """


def sql_to_hold(shares: str, until: str, checkout: str | None = None) -> str:
    """SQL: take shares out of what can be sold, and of what a checkout keeps, for an attempt that is being paid.

    Part of the one statement that begins an attempt; it reads a CTE `attempt (id)`. Nothing lets go of the units by
    itself: `until` is for people who look at the rows. That the levels are named twice keeps the planner, which takes
    a JSON list for a hundred rows, from reading all levels of the shop.

    Args:
        shares, until, checkout: the statement's parameters, such as `$7`: of `shares_json`, a business time, and the
            id of a checkout that keeps nothing from then on, or null. Without the last, nobody keeps anything.
    """
    moved = _WITHOUT_KEEPER if checkout is None else _sql_to_take_over(f"{checkout}::uuid")
    return f"""
    share AS (
        SELECT attempt.id AS attempt_id, (s ->> 0)::uuid AS level_id, (s ->> 1)::uuid AS variant_id,
               (s ->> 2)::int AS quantity, (s ->> 3)::int AS backordered
        FROM attempt, jsonb_array_elements({shares}::jsonb) AS s
    ), {moved}, taken AS (
        UPDATE stock_levels l
        SET available = l.available - moved.quantity, reserved = l.reserved + moved.quantity,
            backordered = l.backordered + moved.backordered, updated_at = business_now()
        FROM moved WHERE l.id = moved.level_id AND l.id = ANY(ARRAY(SELECT level_id FROM moved))
    ), held AS (
        INSERT INTO stock_reservations (id, attempt_id, stock_level_id, variant_id, quantity, backordered, state,
                                        shipped_quantity, expires_at, created_at)
        SELECT gen_random_uuid(), attempt_id, level_id, variant_id, quantity, backordered, 'HELD', 0, {until},
               business_now()
        FROM share
    )
    """


# A level gives one share at the most, unless what a checkout gives up goes back to it.
_WITHOUT_KEEPER = "moved AS (SELECT level_id, quantity, backordered FROM share)"


def _sql_to_take_over(checkout: str) -> str:
    return f"""
    given_up AS (
        DELETE FROM stock_reservations r USING attempt WHERE r.checkout_id = {checkout} AND r.state = 'HELD'
        RETURNING r.stock_level_id, r.quantity
    ), moved AS (
        SELECT level_id, sum(quantity)::int AS quantity, sum(backordered)::int AS backordered FROM (
            SELECT level_id, quantity, backordered FROM share
            UNION ALL SELECT stock_level_id, -quantity, 0 FROM given_up
        ) both_ways GROUP BY level_id
    )"""


SQL_TO_COMMIT = f"""
    committed AS (
        UPDATE stock_reservations r SET state = 'COMMITTED', expires_at = NULL FROM attempt
        WHERE r.attempt_id = attempt.id AND r.state = 'HELD'
        RETURNING r.stock_level_id, r.quantity, attempt.order_id
    ), promised AS (
        INSERT INTO stock_movements (id, stock_level_id, available_delta, reason, reference_id, created_at)
        SELECT gen_random_uuid(), stock_level_id, -quantity, '{MOVED_BY_ORDER}', order_id, business_now()
        FROM committed WHERE quantity > 0
    )
"""
"""The checkout became an order: what was held is promised, and what can be sold stays as it is.

Part of the one statement that settles an attempt; it reads a CTE `attempt (id, order_id)`.
"""


# $2: the state to end, HELD or COMMITTED; $3: whether the units can be sold again. The levels are locked before.
_GIVE_BACK = """
    WITH released AS (
        UPDATE stock_reservations SET state = 'RELEASED', expires_at = NULL WHERE attempt_id = $1 AND state = $2
        RETURNING stock_level_id, quantity, backordered
    ), returned AS (
        UPDATE stock_levels l
        SET available = l.available + CASE WHEN $3::bool THEN back.quantity ELSE 0 END,
            reserved = l.reserved - back.quantity, backordered = l.backordered - back.backordered,
            updated_at = business_now()
        FROM (
            SELECT stock_level_id, sum(quantity)::int AS quantity, sum(backordered)::int AS backordered
            FROM released GROUP BY stock_level_id
        ) back
        WHERE l.id = back.stock_level_id
        RETURNING l.id, back.quantity
    )
"""


# The levels do not change: the same units are held for somebody else.
_HAND_BACK = """
    UPDATE stock_reservations r SET attempt_id = NULL, checkout_id = k.id, expires_at = k.reserved_until
    FROM checkout_attempts a JOIN checkouts k ON k.cart_id = a.cart_id
    WHERE a.id = $1 AND r.attempt_id = $1 AND r.state = 'HELD' AND r.quantity > 0 AND r.backordered = 0
      AND k.reserved_until > business_now()
"""


async def release(attempt_id: uuid.UUID) -> None:
    """The attempt came to nothing: what it held can be sold again. Repeating it changes nothing.

    A checkout that has kept units gets them back for the rest of its time, to be paid in another way.
    """
    await db.execute(_LOCK_OF_ATTEMPT, attempt_id, "HELD")
    await db.execute(_HAND_BACK, attempt_id)
    await db.execute(f"{_GIVE_BACK} SELECT count(*) FROM returned", attempt_id, "HELD", True)
    await watching.given_back(attempt_id)


async def end(attempt_id: uuid.UUID, order_id: uuid.UUID, *, restock: bool) -> None:
    """The order is cancelled before any of it shipped: its units can be sold again, or are lost. Repeating it changes
    nothing."""
    await db.execute(_LOCK_OF_ATTEMPT, attempt_id, "COMMITTED")
    await db.execute(
        f"""
        {_GIVE_BACK}
        INSERT INTO stock_movements (id, stock_level_id, available_delta, reason, reference_id, created_at)
        SELECT gen_random_uuid(), id, quantity, $5, $4, business_now() FROM returned WHERE quantity > 0 AND $3
        """,
        attempt_id,
        "COMMITTED",
        restock,
        order_id,
        MOVED_BY_CANCELLATION,
    )
    if restock:
        await watching.given_back(attempt_id)
