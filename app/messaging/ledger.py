"""The send ledger: one row for each reason to write to somebody, and the only place where its state changes.

    RESERVED -> SENDING -> SENT | FAILED | UNKNOWN        RESERVED -> SKIPPED        SENDING -> RESERVED (try later)

A change names the state that it starts from, and everything after a claim also the claim's number, so a process that
was thought dead cannot overwrite what its successor found out.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app import db, events
from app.kit.ids import new_id
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason, MessageState
from app.messaging.transports import Accepted

LEASE_SECONDS = 5.0
MAX_DETAIL_CHARS = 200

_COLUMNS = """
    id, channel, purpose, template, recipient, order_id, context, state, reason, attempts, created_at,
    profile_id, flow_id, run_id, step_key, campaign_id, cart_id, template_version_id, priority,
    coalesce(leased_until > clock_timestamp(), false) AS leased,
    extract(epoch FROM business_now() - created_at)::float8 AS age_seconds
"""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    id: uuid.UUID
    channel: MessageChannel
    purpose: MessagePurpose
    template: str
    recipient: str
    order_id: uuid.UUID | None
    context: dict[str, Any]
    state: MessageState
    reason: MessageReason | None
    attempts: int
    created_at: datetime
    leased: bool
    """Whether a process is sending it right now."""
    age_seconds: float
    profile_id: uuid.UUID | None
    flow_id: uuid.UUID | None
    run_id: uuid.UUID | None
    step_key: str | None
    campaign_id: uuid.UUID | None
    cart_id: uuid.UUID | None
    """The cart that it reminds of."""
    template_version_id: uuid.UUID | None
    """None for the notices that are built in."""
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whom a message of a flow, of a campaign or about an account is for, and what asked for it."""

    profile_id: uuid.UUID | None = None
    flow_id: uuid.UUID | None = None
    run_id: uuid.UUID | None = None
    step_key: str | None = None
    campaign_id: uuid.UUID | None = None
    cart_id: uuid.UUID | None = None
    template_version_id: uuid.UUID | None = None
    priority: int = 0


_NO_ORIGIN = Origin()


def _row(record: db.Record) -> LedgerRow:
    return LedgerRow(
        id=record["id"],
        channel=MessageChannel(record["channel"]),
        purpose=MessagePurpose(record["purpose"]),
        template=record["template"],
        recipient=record["recipient"],
        order_id=record["order_id"],
        context=orjson.loads(record["context"]),
        state=MessageState(record["state"]),
        reason=MessageReason(record["reason"]) if record["reason"] else None,
        attempts=record["attempts"],
        created_at=record["created_at"],
        leased=record["leased"],
        age_seconds=record["age_seconds"],
        profile_id=record["profile_id"],
        flow_id=record["flow_id"],
        run_id=record["run_id"],
        step_key=record["step_key"],
        campaign_id=record["campaign_id"],
        cart_id=record["cart_id"],
        template_version_id=record["template_version_id"],
        priority=record["priority"],
    )


async def reserve(
    *,
    dedupe_key: str,
    channel: MessageChannel,
    purpose: MessagePurpose,
    template: str,
    recipient: str,
    order_id: uuid.UUID | None,
    context: Mapping[str, str],
    skipped: MessageReason | None = None,
    resend_of: uuid.UUID | None = None,
    origin: Origin = _NO_ORIGIN,
) -> uuid.UUID | None:
    """Decide, in the open unit of work, to write to somebody; or, with `skipped`, note why not.

    Returns the row's id, or None when this reason to write, or this step of a run, has its row already.
    """
    state = MessageState.SKIPPED if skipped else MessageState.RESERVED
    message_id: uuid.UUID | None = await db.fetchval(
        """
        INSERT INTO messages (id, dedupe_key, channel, purpose, template, recipient, order_id, context, state, reason,
                              attempts, resend_of, profile_id, flow_id, run_id, step_key, campaign_id, cart_id,
                              template_version_id, priority, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13, $14, $15, $16, $17, $18, $19, business_now())
        ON CONFLICT DO NOTHING
        RETURNING id
        """,
        new_id(),
        dedupe_key,
        channel,
        purpose,
        template,
        recipient,
        order_id,
        orjson.dumps(dict(context)).decode(),
        state,
        skipped,
        resend_of,
        origin.profile_id,
        origin.flow_id,
        origin.run_id,
        origin.step_key,
        origin.campaign_id,
        origin.cart_id,
        origin.template_version_id,
        origin.priority,
    )
    if message_id is not None and not skipped:
        await events.record("message.reserved", subject_id=message_id)
    return message_id


async def find(message_id: uuid.UUID) -> LedgerRow | None:
    record = await db.fetchrow(f"SELECT {_COLUMNS} FROM messages WHERE id = $1", message_id)
    return _row(record) if record else None


async def lock(message_id: uuid.UUID) -> LedgerRow | None:
    """The row as it is now, held until the unit of work ends."""
    db.current_unit_of_work()
    record = await db.fetchrow(f"SELECT {_COLUMNS} FROM messages WHERE id = $1 FOR UPDATE", message_id)
    return _row(record) if record else None


async def claim(message_id: uuid.UUID, *, segments: int | None = None) -> int:
    """Start sending a row that is locked in the open unit of work. Returns the claim's number.

    Args:
        segments: of a text message, as it is billed.
    """
    db.current_unit_of_work()
    number: int = await db.fetchval(
        """
        UPDATE messages SET state = 'SENDING', reason = NULL, detail = NULL, attempts = attempts + 1,
            leased_until = clock_timestamp() + $2 * interval '1 second', segments = coalesce($3, segments)
        WHERE id = $1 RETURNING attempts
        """,
        message_id,
        LEASE_SECONDS,
        segments,
    )
    return number


async def renew(message_id: uuid.UUID, claim: int) -> None:
    await db.execute(
        """
        UPDATE messages SET leased_until = clock_timestamp() + $3 * interval '1 second'
        WHERE id = $1 AND state = 'SENDING' AND attempts = $2
        """,
        message_id,
        claim,
        LEASE_SECONDS,
    )


async def settle(
    message_id: uuid.UUID,
    claim: int,
    state: MessageState,
    *,
    reason: MessageReason | None = None,
    detail: str | None = None,
    accepted: Accepted | None = None,
) -> bool:
    """Note how a claim ended. False when it is no longer this claim's to say."""
    changed = await db.execute(
        """
        UPDATE messages SET state = $3::text, reason = $4, detail = $5, leased_until = NULL,
            provider = coalesce($6, provider), provider_reference = coalesce($7, provider_reference),
            sent_at = CASE WHEN $3::text = 'SENT' THEN business_now() END
        WHERE id = $1 AND state = 'SENDING' AND attempts = $2
        """,
        message_id,
        claim,
        state,
        reason,
        detail[:MAX_DETAIL_CHARS] if detail else None,
        accepted.provider if accepted else None,
        accepted.reference if accepted else None,
    )
    return changed == 1


async def close(row: LedgerRow, state: MessageState, reason: MessageReason, detail: str | None = None) -> bool:
    """End a row that nobody is sending. False when somebody else moved it meanwhile."""
    changed = await db.execute(
        """
        UPDATE messages SET state = $4, reason = $5, detail = $6, leased_until = NULL
        WHERE id = $1 AND state = $2 AND attempts = $3
        """,
        row.id,
        row.state,
        row.attempts,
        state,
        reason,
        detail[:MAX_DETAIL_CHARS] if detail else None,
    )
    return changed == 1
