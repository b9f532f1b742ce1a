"""The record of consent, suppressed addresses and received texts, as staff see them."""

import uuid

from app import db
from app.kit.pagination import PageRequest
from app.messaging.models import MessageChannel

# Profiles that were joined to this one keep their rows under their own id: the record is append-only.
_OF_PROFILE = "c.profile_id IN (SELECT id FROM profiles WHERE id = $1 OR merged_into_id = $1)"


async def consents(profile_id: uuid.UUID, request: PageRequest) -> list[db.Record]:
    """Newest first, with the wording, and with the moment at which a request was confirmed."""
    return await db.fetch(
        f"""
        SELECT c.id, c.channel, c.address, c.action, c.purpose, c.source, c.ip, c.user_agent, c.detail, c.recorded_at,
               c.text_id, c.confirms_id, t.language, t.version, t.text,
               (SELECT recorded_at FROM consents WHERE confirms_id = c.id) AS confirmed_at
        FROM consents c LEFT JOIN consent_texts t ON t.id = c.text_id
        WHERE {_OF_PROFILE} AND ($2::uuid IS NULL OR c.id < $2)
        ORDER BY c.id DESC LIMIT $3
        """,
        profile_id,
        request.cursor_id(),
        request.fetch_limit,
    )


async def count_consents(profile_id: uuid.UUID) -> int:
    total: int = await db.fetchval(f"SELECT count(*) FROM consents c WHERE {_OF_PROFILE}", profile_id)
    return total


_SUPPRESSED = "($1::text IS NULL OR channel = $1) AND ($2::bool IS NULL OR (lifted_at IS NULL) = $2)"


async def suppressions(request: PageRequest, channel: MessageChannel | None, active: bool | None) -> list[db.Record]:
    """Newest first."""
    return await db.fetch(
        f"""
        SELECT id, channel, address, reason, detail, created_at, lifted_at FROM suppressions
        WHERE {_SUPPRESSED} AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4
        """,
        channel,
        active,
        request.cursor_id(),
        request.fetch_limit,
    )


async def count_suppressions(channel: MessageChannel | None, active: bool | None) -> int:
    total: int = await db.fetchval(f"SELECT count(*) FROM suppressions WHERE {_SUPPRESSED}", channel, active)
    return total


async def received_texts(request: PageRequest) -> list[db.Record]:
    """Newest first."""
    return await db.fetch(
        """
        SELECT id, sender, body, keyword, profile_id, received_at FROM inbound_sms
        WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2
        """,
        request.cursor_id(),
        request.fetch_limit,
    )


async def count_received_texts() -> int:
    total: int = await db.fetchval("SELECT count(*) FROM inbound_sms")
    return total
