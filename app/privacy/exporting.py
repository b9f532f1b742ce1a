"""Everything that the shop keeps about a person, as JSON (GDPR, Art. 15 and 20): what `inventory` says is theirs.

All of it is read from one snapshot. Secrets stay out, hashes too, and so does what is somebody else's.
"""

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from app import db, events
from app.errors import not_found
from app.kit.ids import new_id
from app.messaging import ledger, writing
from app.messaging.models import MessageState
from app.messaging.transports import OutgoingEmail, OutgoingMessage
from app.messaging.writing import UnwritableError
from app.privacy import retention
from app.privacy.inventory import TABLES
from app.privacy.retention import RetentionKind
from app.privacy.tables import Subject, Table, bound
from app.settings import get_settings
from app.shop import queries as shop_queries

REQUESTED = "privacy.export_requested"
FORMAT = "tradewind-personal-data/1"
LINK = re.compile(r"https?://[^\s<>\"]+")
"""Links of messages open things for whoever has them."""

# What the exported rows speak of.
_EXPLAINED = {
    "consentTexts": f"""
        SELECT id, channel, language, version, text FROM consent_texts
        WHERE id IN (SELECT t.text_id FROM consents t WHERE {TABLES["consents"].rows})
    """,
    "segmentNames": f"""
        SELECT id, key, name FROM segments
        WHERE id IN (SELECT t.segment_id FROM segment_memberships t WHERE {TABLES["segment_memberships"].rows})
    """,
    "flowNames": f"""
        SELECT id, key, name FROM flows WHERE id IN (SELECT t.flow_id FROM flow_runs t WHERE {TABLES["flow_runs"].rows})
    """,
    "staffActions": f"""
        SELECT id, occurred_at AS "occurredAt", action FROM audit_entries
        WHERE id IN (SELECT t.entry_id FROM audit_changes t WHERE {TABLES["audit_changes"].rows})
    """,
}


async def request(
    *, profile_id: uuid.UUID | None, customer_id: uuid.UUID | None = None, by_staff: uuid.UUID | None = None
) -> uuid.UUID:
    """Have the document made; the PrivacyRequest's id. One that is being made for the same asker is not begun anew.

    Raises:
        DomainError: NOT_FOUND where there is no such profile, or nobody is left of it.
    """
    async with db.unit_of_work():
        living = await db.fetchval(
            """
            SELECT id FROM profiles
            WHERE id = (SELECT coalesce(merged_into_id, id) FROM profiles WHERE id = $1) AND erased_at IS NULL
            FOR UPDATE
            """,
            profile_id,
        )
        if living is None:
            raise not_found("profile", ["profileId"])
        if customer_id is None:
            customer_id = await db.fetchval("SELECT id FROM customers WHERE profile_id = $1", living)
        under_way: uuid.UUID | None = await db.fetchval(
            """
            SELECT id FROM privacy_requests
            WHERE profile_id = $1 AND kind = 'EXPORT' AND status IN ('PENDING', 'RUNNING')
              AND requested_by_staff_id IS NOT DISTINCT FROM $2
            """,
            living,
            by_staff,
        )
        if under_way is not None:
            return under_way
        request_id = new_id()
        await db.execute(
            """
            INSERT INTO privacy_requests (id, kind, status, profile_id, customer_id, requested_by_staff_id, created_at)
            VALUES ($1, 'EXPORT', 'PENDING', $2, $3, $4, clock_timestamp())
            """,
            request_id,
            living,
            customer_id,
            by_staff,
        )
        await events.record(REQUESTED, subject_id=request_id)
    return request_id


async def run(request_id: uuid.UUID) -> None:
    """Make the document. Repeating it, after a crash or by chance, makes it anew as long as it was not done."""
    row = await db.fetchrow(
        """
        UPDATE privacy_requests SET status = 'RUNNING'
        WHERE id = $1 AND kind = 'EXPORT' AND status <> 'DONE' RETURNING profile_id, customer_id
        """,
        request_id,
    )
    if row is None:
        return
    document = await document_of(row["profile_id"], row["customer_id"])
    await db.execute(
        """
        UPDATE privacy_requests r
        SET status = 'DONE', result = $2::jsonb, finished_at = clock_timestamp(),
            expires_at = clock_timestamp() + $3 * interval '1 day'
        WHERE r.id = $1 AND r.status = 'RUNNING'
          AND EXISTS (SELECT FROM profiles p WHERE p.id = r.profile_id AND p.erased_at IS NULL FOR SHARE)
        """,
        request_id,
        orjson.dumps(document).decode(),
        await retention.days_of(RetentionKind.PRIVACY_EXPORTS),
    )


async def document_of(profile_id: uuid.UUID, customer_id: uuid.UUID | None) -> dict[str, Any]:
    """Sections by name, each with its rows as the shop keeps them."""
    async with db.unit_of_work():
        await db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        subject = await _subject(profile_id, customer_id)
        sections: dict[str, Any] = {}
        for table in TABLES.values():
            if table.section is not None:
                sections[table.section] = await _rows(table, subject)
        for name, sql in _EXPLAINED.items():
            asked, arguments = bound(sql, subject)
            rows = await db.fetch(f"SELECT to_jsonb(x)::text AS row FROM ({asked} ORDER BY id) x", *arguments)
            sections[name] = [orjson.loads(row["row"]) for row in rows]
    for message in sections["messages"]:
        message["said"] = await _said(uuid.UUID(message["id"]))
    shop = await shop_queries.current()
    return {
        "format": FORMAT,
        "madeAt": datetime.now(UTC).isoformat(),
        "controller": {"name": shop.legal_name or shop.name, "email": shop.contact_email},
        "data": sections,
    }


async def _subject(profile_id: uuid.UUID, customer_id: uuid.UUID | None) -> Subject:
    rows = await db.fetch("SELECT * FROM profiles WHERE id = $1 OR merged_into_id = $1 ORDER BY id", profile_id)
    living = next((row for row in rows if row["id"] == profile_id), None)
    subject = Subject(profiles=tuple(row["id"] for row in rows), customers=(customer_id,) if customer_id else ())
    if living is None:
        return subject
    return replace(
        subject,
        emails=(living["email"].lower(),) if living["email"] else (),
        phones=(living["phone"],) if living["phone"] else (),
    )


async def _rows(table: Table, subject: Subject) -> list[dict[str, Any]]:
    shown = ", ".join(f't."{name}" AS "{_camel(name)}"' for name in table.exported)
    sql, arguments = bound(
        f'SELECT to_jsonb(x)::text AS row FROM (SELECT {shown} FROM "{table.name}" t '
        f'WHERE {table.rows} ORDER BY t."{table.key}") x',
        subject,
    )
    return [orjson.loads(row["row"]) for row in await db.fetch(sql, *arguments)]


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


async def _said(message_id: uuid.UUID) -> dict[str, str] | None:
    """A message as it would be written today; no copy of it is kept. None where it was never sent, or cannot be."""
    row = await ledger.find(message_id)
    if row is None or row.state not in (MessageState.SENT, MessageState.UNKNOWN):
        return None
    try:
        message = (await writing.write(row, get_settings())).message
    except UnwritableError:
        return None
    return {name: LINK.sub("[link]", text) for name, text in _texts(message).items()}


def _texts(message: OutgoingMessage) -> dict[str, str]:
    if not isinstance(message, OutgoingEmail):
        return {"text": message.text}
    plain = message.mime.get_body(("plain",))
    return {"subject": str(message.mime["subject"]), "text": plain.get_content() if plain else ""}
