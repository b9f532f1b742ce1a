"""Campaigns at work, and their say in whether a reserved message leaves."""

import uuid
from datetime import datetime, timedelta

from app import clock, db, events
from app.campaigns import audience, feeding
from app.campaigns.models import CampaignStatus
from app.campaigns.service import ENLIST, FEED, START
from app.events import Event
from app.messaging import checks
from app.messaging.ledger import LedgerRow
from app.messaging.models import MessageReason

PAUSED_CHECK = timedelta(days=1)
"""Resuming wakes the messages that wait; this is for one that it missed."""


@events.on(START, name="campaigns.start")
async def on_start(event: Event) -> None:
    await audience.start(_subject(event), event.payload["revision"])


@events.on(ENLIST, name="campaigns.enlist")
async def on_enlist(event: Event) -> None:
    await audience.enlist(_subject(event), event.payload["revision"])


@events.on(FEED, name="campaigns.feed", transactional=False)
async def on_feed(event: Event) -> None:
    await feeding.feed(_subject(event), event.payload["revision"])


@checks.before_sending("campaigns")
async def still_wanted(row: LedgerRow) -> MessageReason | datetime | None:
    """A cancelled campaign's messages are called off, a paused one's wait."""
    if row.campaign_id is None:
        return None
    status = await db.fetchval("SELECT status FROM campaigns WHERE id = $1", row.campaign_id)
    if status == CampaignStatus.CANCELLED:
        return MessageReason.CAMPAIGN_CANCELLED
    if status == CampaignStatus.PAUSED:
        return await clock.now() + PAUSED_CHECK
    return None


def _subject(event: Event) -> uuid.UUID:
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no subject")
    return event.subject_id
