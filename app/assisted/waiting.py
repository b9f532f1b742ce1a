"""Payments that a buyer began on the page of a link and has not finished: what to send them back to."""

import uuid
from dataclasses import dataclass
from datetime import datetime

import orjson

from app import db

KEY_PREFIX = "page-"
"""Of the idempotency keys that the page makes."""
_OF_DRAFT = """
    SELECT a.idempotency_key, a.hold_until, p.method, p.gateway, p.action
    FROM checkout_attempts a JOIN payments p ON p.id = a.payment_id
    WHERE a.cart_id = $1 AND a.state IN ('PROCESSING', 'REQUIRES_ACTION')
"""
_OF_ORDER = """
    SELECT idempotency_key, hold_until, method, gateway, action FROM payments
    WHERE order_id = $1 AND attempt_id IS NULL AND state IN ('PENDING', 'REQUIRES_ACTION')
      AND idempotency_key IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """
    Attributes:
        url: where the provider asks the buyer; None while nobody knows what the provider says.
        until: business time.
        key: with which it is asked for again.
        is_ours: the page began it, and can finish it.
    """

    key: str
    method: str
    gateway: str
    url: str | None
    until: datetime | None

    @property
    def is_ours(self) -> bool:
        return self.key.startswith(KEY_PREFIX)


async def find(draft_id: uuid.UUID, order_id: uuid.UUID | None) -> Waiting | None:
    """For the draft, or for what is left of the order that it became. Reads only."""
    row = await db.fetchrow(_OF_ORDER if order_id else _OF_DRAFT, order_id or draft_id)
    if row is None:
        return None
    action = orjson.loads(row["action"]) if row["action"] else {}
    return Waiting(
        key=row["idempotency_key"],
        method=row["method"],
        gateway=row["gateway"],
        url=action.get("url"),
        until=row["hold_until"],
    )
