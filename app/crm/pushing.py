"""Sending profiles as they are now. What counts is the revision: what was wanted when it was read is in step then."""

import uuid
from collections.abc import Sequence
from decimal import Decimal

import structlog

from app import db
from app.crm import service
from app.crm.adapter import Contact, CrmError, Pushed
from app.customers.addresses import address_hashes
from app.kit.money import Money
from app.messaging.models import MessageChannel
from app.shop import queries as shop

PAUSES_SECONDS = (15, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
"""Between attempts, in real time; then it is given up until the profile changes again."""
MAX_FAILURE_CHARS = 200

log = structlog.get_logger(__name__)

_LOAD = """
    SELECT c.id, c.connection_id, c.profile_id, c.wanted_revision, p.email, p.phone, p.first_name, p.last_name,
           p.language, p.country_code, p.order_count, p.total_spent_minor, p.last_order_at
    FROM crm_contacts c
    JOIN profiles p ON p.id = c.profile_id
    WHERE c.id = ANY($1) AND c.synced_revision < c.wanted_revision AND p.email IS NOT NULL
    ORDER BY c.id
"""
_SETTLE = """
    UPDATE crm_contacts c
    SET synced_revision = greatest(c.synced_revision, s.revision),
        synced_at = CASE WHEN s.failure IS NULL THEN clock_timestamp() ELSE c.synced_at END,
        remote_id = coalesce(s.remote_id, c.remote_id), failure = s.failure
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) AS s (id, revision, remote_id, failure)
    WHERE c.id = s.id
    RETURNING c.id, c.synced_revision < c.wanted_revision AS behind
"""


async def push(contact_ids: Sequence[int], attempt: int) -> None:
    """Send what is behind among these, each connection's in batches of its adapter."""
    rows = await db.fetch(_LOAD, list(contact_ids))
    by_connection: dict[uuid.UUID, list[db.Record]] = {}
    for row in rows:
        by_connection.setdefault(row["connection_id"], []).append(row)
    for connection_id, behind in by_connection.items():
        connection = await db.fetchrow("SELECT * FROM crm_connections WHERE id = $1 AND enabled", connection_id)
        if connection is None:
            await _settle(behind, [Pushed(failure="the connection was switched off")] * len(behind))
        else:
            await _push(connection, behind, attempt)


async def _push(connection: db.Record, rows: list[db.Record], attempt: int) -> None:
    """What is not taken yet when the other system stops answering waits for the next attempt together."""
    done = 0
    try:
        adapter = service.open_adapter(connection)
        contacts = await _contacts(rows)
        for start in range(0, len(rows), adapter.batch_size):
            batch = slice(start, start + adapter.batch_size)
            await _settle(rows[batch], await adapter.push(contacts[batch]))
            done = start + len(rows[batch])
    except CrmError as error:
        left = rows[done:]
        if error.temporary and attempt < len(PAUSES_SECONDS):
            pause = max(PAUSES_SECONDS[attempt], error.retry_after_seconds)
            async with db.unit_of_work():
                await service.wanted([row["id"] for row in left], attempt=attempt + 1, delay_seconds=pause)
        else:
            log.warning("contacts not taken", connection=str(connection["id"]), detail=error.detail, count=len(left))
            await _settle(left, [Pushed(failure=error.detail)] * len(left))


async def _settle(rows: Sequence[db.Record], outcomes: Sequence[Pushed]) -> None:
    """A refused contact counts as in step: it is tried again when the profile changes, not for ever."""
    async with db.unit_of_work():
        settled = await db.fetch(
            _SETTLE,
            [row["id"] for row in rows],
            [row["wanted_revision"] for row in rows],
            [outcome.remote_id for outcome in outcomes],
            [outcome.failure and outcome.failure[:MAX_FAILURE_CHARS] for outcome in outcomes],
        )
        if behind := [row["id"] for row in settled if row["behind"]]:
            await service.wanted(behind)


async def _contacts(rows: Sequence[db.Record]) -> list[Contact]:
    currency = (await shop.current()).currency_code
    return [
        Contact(
            profile_id=row["profile_id"],
            email=row["email"],
            phone=row["phone"],
            first_name=row["first_name"],
            last_name=row["last_name"],
            language=row["language"],
            country_code=row["country_code"],
            email_consent=await _email_consent(row["email"]),
            order_count=row["order_count"],
            total_spent=Decimal(Money(row["total_spent_minor"], currency).decimal),
            last_order_at=row["last_order_at"],
        )
        for row in rows
    ]


async def _email_consent(email: str) -> bool | None:
    """A suppression says no whatever was agreed to; an unconfirmed opt-in says nothing yet."""
    row = await db.fetchrow(
        """
        SELECT (SELECT action FROM consents WHERE channel = 'EMAIL' AND address_hash = ANY($1)
                ORDER BY id DESC LIMIT 1) AS action,
               EXISTS (SELECT FROM suppressions
                       WHERE channel = 'EMAIL' AND address_hash = ANY($1) AND lifted_at IS NULL) AS suppressed
        """,
        address_hashes(MessageChannel.EMAIL, email),
    )
    if row is None or row["suppressed"] or row["action"] == "REVOKED":
        return False
    return True if row["action"] == "GRANTED" else None
