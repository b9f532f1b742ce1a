"""Campaigns and the people who get them, many at once."""

import uuid
from typing import Any

from app import db
from app.campaigns import service
from app.customers.addresses import address_hashes
from app.kit.ids import new_id
from app.messaging.models import MessageChannel
from tests.factories import customers


async def campaign(template_key: str = "news", **more: Any) -> uuid.UUID:
    """A draft to everybody who consented; the template has to be there."""
    change: Any = {"name": "Spring news", "template_key": template_key, **more}
    return await service.create_campaign(change)


async def subscribers(count: int, *, time_zone: str | None = None, prefix: str = "person") -> list[uuid.UUID]:
    """Living profiles with an address and consent to mail, written at once and announced to nobody."""
    text_id = await customers.consent_text(MessageChannel.EMAIL)
    ids = [new_id() for _ in range(count)]
    emails = [f"{prefix}-{number}@customers.example" for number in range(count)]
    await db.execute(
        """
        INSERT INTO profiles (id, email, time_zone, properties, stage, order_count, total_spent_minor, created_at,
                              updated_at)
        SELECT p.id, p.email, $3, '{}', 'LEAD', 0, 0, business_now(), business_now()
        FROM unnest($1::uuid[], $2::text[]) AS p (id, email)
        """,
        ids,
        emails,
        time_zone,
    )
    await db.execute(
        """
        INSERT INTO consents (id, profile_id, channel, address, address_hash, action, purpose, source, text_id,
                              recorded_at)
        SELECT c.id, c.profile_id, 'EMAIL', c.email, c.hash, 'GRANTED', 'MARKETING', 'NEWSLETTER', $5, business_now()
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[]) AS c (id, profile_id, email, hash)
        """,
        [new_id() for _ in ids],
        ids,
        emails,
        [address_hashes(MessageChannel.EMAIL, email)[0] for email in emails],
        text_id,
    )
    return ids


async def segment(*profile_ids: uuid.UUID, key: str = "vip", status: str = "READY") -> uuid.UUID:
    """A segment with these members, as rows."""
    segment_id = new_id()
    await db.execute(
        """
        INSERT INTO segments (id, key, name, condition, revision, status, depends_on, time_dependent, created_at,
                              updated_at)
        VALUES ($1, $2, $2, 'true', 1, $3, '[]', false, business_now(), business_now())
        """,
        segment_id,
        key,
        status,
    )
    await db.execute(
        """
        INSERT INTO segment_memberships (segment_id, profile_id, member, changed_at)
        SELECT $1, p.id, true, business_now() FROM unnest($2::uuid[]) AS p (id)
        """,
        segment_id,
        list(profile_ids),
    )
    return segment_id
