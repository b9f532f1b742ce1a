"""What follows from a notice. Each effect happens once and none undoes another, so that their order does not matter."""

import uuid
from typing import Any

import structlog

from app import db
from app.customers import consent, identification, suppressions, timeline
from app.customers.models import ConsentSource, SuppressionReason
from app.messaging.models import MessageChannel
from app.messaging.provider_notices.keeping import NoticeKind

ATTEMPTS_UNTIL_UNKNOWN = 5
"""A provider may report before the sender has noted what the provider calls the message: some seconds at most."""

_FIND = """
    SELECT m.id, m.channel, m.recipient, coalesce(m.profile_id, o.profile_id) AS profile_id
    FROM messages m LEFT JOIN orders o ON o.id = m.order_id
    WHERE m.id = $1::uuid OR ($1::uuid IS NULL AND m.provider_reference = ANY($2::text[]))
    LIMIT 1
"""

log = structlog.get_logger(__name__)


class MessageNotFoundError(Exception):
    """The message that a notice speaks of is not in the ledger (yet)."""


async def apply(notice_id: uuid.UUID, payload: dict[str, Any], *, attempt: int) -> None:
    """Inside the unit of work of the notice's event.

    Raises:
        MessageNotFoundError: try again; after some attempts the message is taken for somebody else's.
    """
    kind, code = NoticeKind(payload["kind"]), payload["code"]
    message_id = uuid.UUID(payload["messageId"]) if payload["messageId"] else None
    row = await db.fetchrow(_FIND, message_id, _spellings(payload["reference"]))
    if row is None:
        if message_id is None and attempt < ATTEMPTS_UNTIL_UNKNOWN:
            raise MessageNotFoundError("no message has this reference")
        log.info("notice about a message that is not ours", notice=str(notice_id), kind=kind)
        return
    # The profile's lock comes before the message's, wherever both are needed.
    profile_id = await identification.lock(row["profile_id"], or_erased=True) if row["profile_id"] else None
    await db.execute("UPDATE provider_notices SET message_id = $2 WHERE id = $1", notice_id, row["id"])
    channel, address = MessageChannel(row["channel"]), row["recipient"]
    match kind:
        case NoticeKind.DELIVERED:
            await _delivered(row["id"])
        case NoticeKind.HARD_BOUNCE:
            if await _note(row["id"], "bounced_at", code):
                await _suppress(channel, address, SuppressionReason.HARD_BOUNCE, code)
                await _tell("message.bounced", profile_id, row)
        case NoticeKind.COMPLAINT:
            if await _note(row["id"], "complained_at", code):
                await _suppress(channel, address, SuppressionReason.COMPLAINT, code)
                await _tell("message.complained", profile_id, row)
        case NoticeKind.UNSUBSCRIBED:
            if await _note(row["id"], "unsubscribed_at", code):
                await _suppress(channel, address, SuppressionReason.PROVIDER_UNSUBSCRIBED, code)
                if profile_id is not None and address:
                    await consent.revoke(
                        profile_id=profile_id,
                        channel=MessageChannel.SMS if channel is MessageChannel.VOICE else channel,
                        address=address,
                        source=ConsentSource.PROVIDER,
                    )
        case NoticeKind.SOFT_BOUNCE | NoticeKind.FAILED:
            await db.execute("UPDATE messages SET detail = $2 WHERE id = $1", row["id"], f"{kind} {code or ''}".strip())


async def _delivered(message_id: uuid.UUID) -> None:
    """It settles an unknown outcome, too: what arrived was sent."""
    await db.execute(
        """
        UPDATE messages SET delivered_at = coalesce(delivered_at, business_now()),
            state = CASE WHEN state = 'UNKNOWN' THEN 'SENT' ELSE state END,
            reason = CASE WHEN state = 'UNKNOWN' THEN NULL ELSE reason END,
            sent_at = CASE WHEN state = 'UNKNOWN' THEN coalesce(sent_at, business_now()) ELSE sent_at END
        WHERE id = $1
        """,
        message_id,
    )


async def _note(message_id: uuid.UUID, column: str, code: str | None) -> bool:
    """False when another notice has said it before."""
    changed = await db.execute(
        f"""
        UPDATE messages SET {column} = business_now(), detail = coalesce($2, detail)
        WHERE id = $1 AND {column} IS NULL
        """,
        message_id,
        code,
    )
    return changed == 1


async def _suppress(channel: MessageChannel, address: str, reason: SuppressionReason, code: str | None) -> None:
    """The address that we wrote to, whatever the notice calls it: an erased one is suppressed by its hash already."""
    if address:
        await suppressions.add(channel, address, reason, code)


async def _tell(event_type: str, profile_id: uuid.UUID | None, row: db.Record) -> None:
    if profile_id is not None:
        data = {"messageId": str(row["id"]), "channel": row["channel"]}
        await timeline.record(event_type, profile_id=profile_id, subject_id=row["id"], data=data)


def _spellings(reference: str | None) -> list[str]:
    """SMTP servers wrap the id that their notices name in words: `Ok 0102…` is what Amazon SES answers."""
    return [reference, f"Ok {reference}"] if reference else []
