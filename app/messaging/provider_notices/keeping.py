"""Keeping notices: each once, in one short transaction, with an event for what follows."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app import db, events
from app.kit.ids import new_id

EVENT = "provider.notice"
MAX_CODE_CHARS = 60
MAX_REFERENCE_CHARS = 255


class NoticeKind(StrEnum):
    DELIVERED = "DELIVERED"
    HARD_BOUNCE = "HARD_BOUNCE"
    """The address does not exist, or will never take mail or texts."""
    SOFT_BOUNCE = "SOFT_BOUNCE"
    """It came back this time: the mailbox is full, the phone is off, a filter refused it."""
    COMPLAINT = "COMPLAINT"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    """The receiver told the provider, or their mail program did."""
    FAILED = "FAILED"
    """It did not arrive for a reason of ours or of the provider's."""


@dataclass(frozen=True, slots=True)
class Notice:
    provider: str
    external_id: str
    """What the provider calls this notice; the same for its repetitions."""
    kind: NoticeKind
    message_id: uuid.UUID | None
    """The ledger row, by our Message-ID or by what the provider was given with the message."""
    reference: str | None = None
    """What the provider calls the message."""
    code: str | None = None
    """A status or error code; no free text, as that likes to quote addresses."""


async def keep(notices: Sequence[Notice]) -> int:
    """Returns how many of them are new. Those about nothing that we could have sent are left out."""
    ours = [notice for notice in notices if notice.message_id is not None or notice.reference]
    if not ours:
        return 0
    async with db.unit_of_work():
        rows = await db.fetch(
            """
            INSERT INTO provider_notices (id, provider, external_id, kind, message_id, received_at)
            SELECT n.id, n.provider, n.external_id, n.kind, n.message_id, clock_timestamp()
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[])
                 AS n (id, provider, external_id, kind, message_id)
            ON CONFLICT DO NOTHING
            RETURNING id, provider, external_id, kind
            """,
            [new_id() for _ in ours],
            [notice.provider for notice in ours],
            [notice.external_id[:255] for notice in ours],
            [notice.kind for notice in ours],
            [notice.message_id for notice in ours],
        )
        by_key = {(notice.provider, notice.external_id[:255], notice.kind): notice for notice in reversed(ours)}
        for row in rows:
            notice = by_key[row["provider"], row["external_id"], NoticeKind(row["kind"])]
            await events.record(
                EVENT,
                subject_id=row["id"],
                payload={
                    "kind": notice.kind,
                    "messageId": str(notice.message_id) if notice.message_id else None,
                    "reference": notice.reference[:MAX_REFERENCE_CHARS] if notice.reference else None,
                    "code": notice.code[:MAX_CODE_CHARS] if notice.code else None,
                },
            )
    return len(rows)
