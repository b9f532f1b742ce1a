"""The moment in which a sending starts: the last one in which it can be called off.

The cart, the profile and the row are locked in this order, as placing an order locks the first two. An order, a
withdrawal of consent or the end of a run that committed before is seen here, and the message is skipped. What commits
after it comes too late: from here until the provider has answered, nothing can be called back.
"""

import uuid
from datetime import datetime

from app import db
from app.customers import identification, permission
from app.fulfillments.models import ShipmentStatus
from app.messaging import account_context, checks, marketing_settings, quiet_hours, rules
from app.messaging.ledger import LedgerRow
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason
from app.orders.models import OrderStatus

NOT_AFTER = "notAfter"
"""In a row's context: business time past which it is worth nothing, ISO 8601."""
TEST = "test"
"""In a row's context: staff sent it to try a template."""


async def lock_subject(row: LedgerRow) -> bool:
    """Lock what the message is about, before its row. Returns whether its cart has become an order."""
    db.current_unit_of_work()
    state = None
    if row.cart_id is not None:
        state = await db.fetchval("SELECT state FROM carts WHERE id = $1 FOR UPDATE", row.cart_id)
    if row.profile_id is not None and row.purpose is MessagePurpose.MARKETING:
        await identification.lock(row.profile_id, or_erased=True)
    return state == "COMPLETED"


async def obstacle(row: LedgerRow, *, ordered: bool) -> MessageReason | datetime | None:
    """Why the row must not be sent any more, or when it may be; None when it may now.

    Args:
        ordered: see `lock_subject`.
    """
    if TEST in row.context:
        return None
    if ordered and row.order_id is None:
        return MessageReason.ORDER_PLACED
    if row.purpose is MessagePurpose.MARKETING:
        reason: MessageReason | datetime | None = await _marketing_obstacle(row)
    else:
        reason = await obsolete_reason(row) or await _transactional_obstacle(row)
    return reason or await checks.reason_against(row)


async def obsolete_reason(row: LedgerRow) -> MessageReason | None:
    """Why a notice about an order says nothing true any more, by what is committed now."""
    if row.template_version_id is not None or row.order_id is None:
        return None
    shipment = row.context.get("shipmentId")
    facts = await db.fetchrow(
        "SELECT o.status, (SELECT status FROM shipments WHERE id = $2) AS shipment FROM orders o WHERE o.id = $1",
        row.order_id,
        uuid.UUID(shipment) if shipment else None,
    )
    if facts is None:
        return None
    status = ShipmentStatus(facts["shipment"]) if facts["shipment"] else None
    return rules.obsolete(row.template, OrderStatus(facts["status"]), status)


async def _transactional_obstacle(row: LedgerRow) -> MessageReason | None:
    # The answer to STOP goes out although, and because, nothing else does any more; `checks` asks for the others.
    if row.template in account_context.TEMPLATES:
        return None
    return await permission.transactional(row.channel, row.recipient)


async def _marketing_obstacle(row: LedgerRow) -> MessageReason | datetime | None:
    refused = await permission.marketing(row.channel, row.recipient)
    if refused is not None:
        return refused
    facts = await db.fetchrow(
        """
        SELECT business_now() AS now, time_zone, marketing_held_until > business_now() AS held,
               EXISTS (
                   SELECT FROM carts c LEFT JOIN profiles o ON o.id = c.profile_id
                   WHERE c.id = $2 AND coalesce(o.merged_into_id, c.profile_id) IS DISTINCT FROM p.id
               ) AS is_anothers
        FROM profiles p WHERE id = (SELECT coalesce(merged_into_id, id) FROM profiles WHERE id = $1)
        """,
        row.profile_id,
        row.cart_id if row.order_id is None else None,
    )
    if facts is None:
        return MessageReason.NO_CONSENT
    if facts["is_anothers"]:
        return MessageReason.EXITED
    if facts["held"]:
        return MessageReason.MARKETING_HELD
    not_after = row.context.get(NOT_AFTER)
    latest = datetime.fromisoformat(not_after) if not_after else None
    now: datetime = facts["now"]
    if latest is not None and now > latest:
        return MessageReason.TOO_LATE
    if row.channel is MessageChannel.EMAIL:
        return None
    settings = await marketing_settings.current()
    zones = quiet_hours.zones_of(facts["time_zone"], row.recipient)
    waking = quiet_hours.next_allowed(now, zones, settings.quiet_from, settings.quiet_until)
    if waking is None or (latest is not None and waking > latest):
        return MessageReason.QUIET_HOURS
    return waking if waking > now else None
