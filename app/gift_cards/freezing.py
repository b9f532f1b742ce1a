"""Gift cards whose price is on its way back to who bought them: nobody spends them while it is, nor after.

They are switched off by the unit of work that wants the money back, under the same locks as spending is: a card is
spent, or its price goes back, never both. Should the money stay with the shop, they are as good as before.
"""

import uuid
from collections.abc import Mapping

import orjson

from app import db, events

ISSUE_DUE = "gift_card.issue_due"
"""Event: an order has units that are not issued yet."""

# Store credit that the refund is about to go to is locked with them: balances are locked in the order of their ids.
_LOCK = """
    SELECT id FROM stored_values
    WHERE id IN (SELECT id FROM gift_cards WHERE order_id = $1)
       OR customer_id = (SELECT customer_id FROM orders WHERE id = $1)
          AND currency_code = (SELECT currency_code FROM orders WHERE id = $1)
    ORDER BY id FOR NO KEY UPDATE
"""
_BEGUN = """
    SELECT g.order_line_id AS id, count(*)::int AS begun
    FROM gift_cards g JOIN stored_values s ON s.id = g.id
    WHERE g.order_id = $1 AND s.balance_minor < g.initial_minor GROUP BY 1
"""
# What is off for a dispute: a refund takes it over, since a dispute that is settled by giving the money back is won.
_DISPUTED = "EXISTS (SELECT FROM payment_disputes d WHERE d.id = g.frozen_by)"
# Whole ones alone, and first of all those that are off for a refund which came to nothing in part, or for a dispute.
_FREEZE_UNITS = f"""
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset($1::jsonb) AS w (line_id uuid, quantity int)
    ), chosen AS (
        SELECT card.id FROM wanted CROSS JOIN LATERAL (
            SELECT g.id FROM gift_cards g JOIN stored_values s ON s.id = g.id
            LEFT JOIN refunds r ON r.id = g.frozen_by
            WHERE g.order_line_id = wanted.line_id AND s.balance_minor = g.initial_minor
              AND (s.status = 'ACTIVE' OR r.state = 'FAILED' OR {_DISPUTED})
            ORDER BY s.status = 'ACTIVE', g.unit_number DESC LIMIT wanted.quantity
        ) card
    ), frozen AS (
        UPDATE gift_cards g SET frozen_by = $2 FROM chosen WHERE g.id = chosen.id RETURNING g.id
    )
    UPDATE stored_values s SET status = 'DISABLED', updated_at = business_now() FROM frozen WHERE s.id = frozen.id
"""
_FREEZE_ALL = f"""
    WITH frozen AS (
        UPDATE gift_cards g SET frozen_by = $2 FROM stored_values s
        WHERE g.order_id = $1 AND s.id = g.id AND (s.status = 'ACTIVE' OR {_DISPUTED}) RETURNING g.id
    )
    UPDATE stored_values s SET status = 'DISABLED', updated_at = business_now() FROM frozen WHERE s.id = frozen.id
"""
# What went back in part stays off: the shop would pay in money and in goods. What is disputed as well (banks refuse to
# refund what is), or by somebody else, stays off for that.
_THAW = """
    WITH disputed AS (
        SELECT d.id FROM payment_disputes d JOIN payments p ON p.id = d.payment_id
        WHERE p.order_id = $1 AND d.state <> 'WON' ORDER BY d.id LIMIT 1
    ), thawed AS (
        UPDATE gift_cards g SET frozen_by = (SELECT id FROM disputed) FROM orders o
        WHERE g.order_id = $1 AND g.frozen_by = $2 AND o.id = $1 AND o.status <> 'CANCELLED'
          AND NOT EXISTS (SELECT FROM refund_parts p WHERE p.refund_id = $2 AND p.state = 'SUCCEEDED')
        RETURNING g.id, g.frozen_by
    )
    UPDATE stored_values s SET status = 'ACTIVE', updated_at = business_now() FROM thawed
    WHERE s.id = thawed.id AND thawed.frozen_by IS NULL AND s.status = 'DISABLED'
"""
_HAS_ANY = "SELECT EXISTS (SELECT FROM order_lines WHERE order_id = $1 AND product_kind = 'GIFT_CARD')"


async def lock(order_id: uuid.UUID) -> Mapping[uuid.UUID, int]:
    """Keep an order's cards as they are until the unit of work ends.

    Returns:
        How many cards of each line somebody has spent from, or holds something of: their price is not to be given back.
    """
    db.current_unit_of_work()
    await db.execute(_LOCK, order_id)
    return {row["id"]: row["begun"] for row in await db.fetch(_BEGUN, order_id)}


async def freeze_units(refund_id: uuid.UUID, units: Mapping[uuid.UUID, int]) -> None:
    """So many units of each line are refunded: as many of its cards that nobody has begun cannot be spent. Units that
    are not issued yet will not be (`selling.issue_sold`). The cards are locked.
    """
    wanted = [{"line_id": str(line_id), "quantity": quantity} for line_id, quantity in units.items()]
    await db.execute(_FREEZE_UNITS, orjson.dumps(wanted).decode(), refund_id)


async def freeze_all(order_id: uuid.UUID, reason_id: uuid.UUID) -> None:
    """Nothing of the order stays paid, or its payment is disputed. In the open unit of work.

    Args:
        reason_id: of the refund or the dispute.
    """
    await lock(order_id)
    await db.execute(_FREEZE_ALL, order_id, reason_id)


async def thaw(order_id: uuid.UUID, reason_id: uuid.UUID) -> None:
    """The money stays with the shop: the cards are good again, unless the order is cancelled, staff have switched them
    off meanwhile, or another dispute of the order is not won. In the open unit of work."""
    if not await db.fetchval(_HAS_ANY, order_id):
        return
    await lock(order_id)
    await db.execute(_THAW, order_id, reason_id)
    await events.record(ISSUE_DUE, subject_id=order_id)
