"""Settling who gets a campaign: once, when it starts, some hundreds at a time.

Each batch is a transaction with the receipt of its event, so a killed worker repeats none and leaves none out. Nothing
grows with the audience but the table of receivers.
"""

import uuid
from datetime import datetime, timedelta

from app import clock, db, events
from app.campaigns import rules
from app.campaigns.models import CampaignStatus
from app.campaigns.service import ENLIST, FEED, START
from app.events import timers
from app.messaging.models import MessageChannel
from app.segments.models import SegmentStatus
from app.shop import queries as shop

BATCH = 500
BUILDING_PAUSE = timedelta(minutes=1)

_OF_SEGMENT = """
    SELECT p.id, p.time_zone, true AS consented
    FROM segment_memberships s JOIN profiles p ON p.id = s.profile_id
    WHERE s.segment_id = $1 AND s.member AND p.merged_into_id IS NULL AND p.erased_at IS NULL
      AND ($2::uuid IS NULL OR s.profile_id > $2)
    ORDER BY s.profile_id LIMIT $3
"""
# Whoever ever consented on the channel: `marketing.reserve` asks how it stands now, and under which address.
_OF_EVERYBODY = """
    SELECT p.id, p.time_zone, EXISTS (
        SELECT FROM consents c WHERE c.channel = $1 AND c.action = 'GRANTED' AND c.profile_id IN (
            SELECT id FROM profiles m WHERE m.id = p.id OR m.merged_into_id = p.id)) AS consented
    FROM profiles p
    WHERE p.merged_into_id IS NULL AND p.erased_at IS NULL AND ($2::uuid IS NULL OR p.id > $2)
    ORDER BY p.id LIMIT $3
"""


async def start(campaign_id: uuid.UUID, revision: int) -> None:
    """Its time has come. Inside the unit of work of the event."""
    row = await _current(campaign_id, revision, CampaignStatus.SCHEDULED)
    if row is None:
        return
    status = await db.fetchval("SELECT status FROM segments WHERE id = $1", row["segment_id"])
    if status == SegmentStatus.BUILDING:
        # Who is in it is not known yet.
        due_at = await clock.now() + BUILDING_PAUSE
        await timers.schedule(START, subject_id=campaign_id, due_at=due_at, payload={"revision": revision})
        return
    following: int = await db.fetchval(
        """
        UPDATE campaigns SET status = 'SENDING', revision = revision + 1, started_at = business_now(),
            updated_at = business_now()
        WHERE id = $1 RETURNING revision
        """,
        campaign_id,
    )
    await events.record(ENLIST, subject_id=campaign_id, payload={"revision": following})


async def enlist(campaign_id: uuid.UUID, revision: int) -> None:
    """One batch of receivers. Inside the unit of work of the event."""
    row = await _current(campaign_id, revision, CampaignStatus.SENDING)
    if row is None or row["audience"] is not None:
        return
    looked_at = await _candidates(row)
    settings, now = await shop.current(), await clock.now()
    chosen = [person for person in looked_at if person["consented"]]
    await db.execute(
        """
        INSERT INTO campaign_recipients (campaign_id, profile_id, due_at)
        SELECT $1::uuid, r.profile_id, r.due_at FROM unnest($2::uuid[], $3::timestamptz[]) AS r (profile_id, due_at)
        ON CONFLICT (campaign_id, profile_id) DO NOTHING
        """,
        campaign_id,
        [person["id"] for person in chosen],
        [_due_at(row, settings.time_zone, person["time_zone"], now) for person in chosen],
    )
    following = ENLIST if len(looked_at) == BATCH else FEED
    await db.execute(
        """
        UPDATE campaigns SET revision = revision + 1, enlisted_until = coalesce($2, enlisted_until),
            audience = CASE WHEN $3 THEN (SELECT count(*) FROM campaign_recipients WHERE campaign_id = $1) END
        WHERE id = $1
        """,
        campaign_id,
        looked_at[-1]["id"] if looked_at else None,
        following == FEED,
    )
    await events.record(following, subject_id=campaign_id, payload={"revision": revision + 1})


async def _candidates(row: db.Record) -> list[db.Record]:
    if row["segment_id"] is not None:
        return await db.fetch(_OF_SEGMENT, row["segment_id"], row["enlisted_until"], BATCH)
    channel = MessageChannel.SMS if row["channel"] == MessageChannel.VOICE else MessageChannel(row["channel"])
    return await db.fetch(_OF_EVERYBODY, channel, row["enlisted_until"], BATCH)


def _due_at(row: db.Record, shop_zone: str, own_zone: str | None, now: datetime) -> datetime:
    """Whose local time is over already is due at once."""
    return max(now, rules.due_at(row["scheduled_at"], row["local_time"], shop_zone, own_zone))


async def _current(campaign_id: uuid.UUID, revision: int, status: CampaignStatus) -> db.Record | None:
    """The campaign, locked, where it is still as it was when the event was recorded."""
    row = await db.fetchrow("SELECT * FROM campaigns WHERE id = $1 FOR UPDATE", campaign_id)
    if row is None or row["revision"] != revision or row["status"] != status:
        return None
    return row
