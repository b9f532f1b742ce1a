"""What a person's timeline says of a message: ids, and the names that conditions speak of."""

import uuid

from app import db
from app.messaging.ledger import LedgerRow

_flow_keys: dict[uuid.UUID, str] = {}
"""A flow keeps its key for life."""


async def flow_key(flow_id: uuid.UUID | None) -> str | None:
    if flow_id is None:
        return None
    if flow_id not in _flow_keys:
        key = await db.fetchval("SELECT key FROM flows WHERE id = $1", flow_id)
        if key is None:
            return None
        _flow_keys[flow_id] = key
    return _flow_keys[flow_id]


async def data_of(row: LedgerRow, **more: str) -> dict[str, str]:
    """The data of `message.sent` and `message.clicked`, see `vocabulary`; empty where there is no such thing."""
    return {
        "messageId": str(row.id),
        "flowKey": await flow_key(row.flow_id) or "",
        "stepKey": row.step_key or "",
        "channel": row.channel.value,
        "runId": str(row.run_id) if row.run_id else "",
        **more,
    }
