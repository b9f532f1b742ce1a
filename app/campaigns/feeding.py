"""Writing to those who are due: each receiver in a transaction of their own, so many at a time.

A receiver's transaction locks their row, asks whether the campaign still goes on, decides (`marketing.reserve`) and
notes that they were handled; whatever is killed in between is done again and finds what was decided. A campaign is
always fed by one event or timer, whose revision is the campaign's: one that comes twice finds another revision and
ends.
"""

import asyncio
import uuid
from datetime import datetime, timedelta

import asyncpg
import structlog

from app import clock, db, events
from app.campaigns import rules
from app.campaigns.models import CampaignStatus
from app.campaigns.service import FEED
from app.customers import identification
from app.customers.addresses import address_hashes
from app.events import timers
from app.messaging import marketing
from app.messaging.marketing import Deferred, MarketingMessage, Reserved
from app.messaging.models import MessageChannel

BATCH = 200
AT_ONCE = 4
"""Receivers decided on at the same time: fewer than a process has connections."""
MAX_WAITING = 1000
"""Messages of one campaign that are reserved and not sent yet: other mail must not stand behind a hundred thousand."""
WAITING_PAUSE = timedelta(seconds=2)
FAULT_PAUSE = timedelta(minutes=10)
"""After which a receiver is tried again whose decision failed for a reason that nobody foresaw."""
MAX_TRIES = 6
"""Then the receiver is given up, so that the campaign ends."""
MAX_FAILURE_CHARS = 80

log = structlog.get_logger(__name__)

_DUE = """
    SELECT id, profile_id FROM campaign_recipients
    WHERE campaign_id = $1 AND handled_at IS NULL AND due_at <= business_now()
    ORDER BY due_at, id LIMIT $2
"""
_FAILED = """
    UPDATE campaign_recipients
    SET tries = tries + 1, due_at = business_now() + $2::interval,
        handled_at = CASE WHEN tries + 1 >= $3 THEN business_now() END,
        failure = CASE WHEN tries + 1 >= $3 THEN $4::text END
    WHERE id = $1 AND handled_at IS NULL
    RETURNING handled_at IS NOT NULL
"""


async def feed(campaign_id: uuid.UUID, revision: int) -> None:
    """One round. Outside any unit of work."""
    campaign = await db.fetchrow("SELECT * FROM campaigns WHERE id = $1", campaign_id)
    if campaign is None or campaign["revision"] != revision or campaign["status"] != CampaignStatus.SENDING:
        return
    began_at = await clock.now()
    most, pause = rules.pace(campaign["per_minute"], BATCH)
    room = min(most, MAX_WAITING - await _waiting(campaign_id))
    reserved = await _round(campaign, room) if room > 0 else 0
    await _go_on(campaign, revision, pause=pause if reserved else None, began_at=began_at, full=room <= 0)


async def _waiting(campaign_id: uuid.UUID) -> int:
    count: int = await db.fetchval(
        "SELECT count(*) FROM messages WHERE campaign_id = $1 AND state IN ('RESERVED', 'SENDING')", campaign_id
    )
    return count


async def _round(campaign: db.Record, room: int) -> int:
    """Decide on as many as give `room` messages, or as make a batch. Returns how many messages there are more."""
    reserved = decided = 0
    while reserved < room and decided < BATCH:
        due = await db.fetch(_DUE, campaign["id"], min(room - reserved, BATCH - decided))
        for start in range(0, len(due), AT_ONCE):
            # The next ones begin when all of these are done: in between, pausing gets its turn.
            outcomes = await asyncio.gather(*(_try(campaign, one) for one in due[start : start + AT_ONCE]))
            reserved += outcomes.count(True)
            if None in outcomes:
                return reserved
        decided += len(due)
        if not due:
            break
    return reserved


async def _try(campaign: db.Record, recipient: db.Record) -> bool | None:
    try:
        return await _decide(campaign, recipient["id"], recipient["profile_id"])
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
        raise  # the event comes again
    except Exception as error:  # noqa: BLE001 - one receiver must not stop a campaign
        kind = type(error).__name__
        given_up = await db.fetchval(_FAILED, recipient["id"], FAULT_PAUSE, MAX_TRIES, kind[:MAX_FAILURE_CHARS])
        log.error(
            "receiver of a campaign given up" if given_up else "receiver of a campaign put off",
            campaign=str(campaign["id"]),
            recipient=recipient["id"],
            error=kind,
        )
        return False


async def _decide(campaign: db.Record, recipient_id: int, profile_id: uuid.UUID) -> bool | None:
    """Whether a message was reserved; None when the campaign does not go on."""
    campaign_id: uuid.UUID = campaign["id"]
    async with db.unit_of_work():
        mine = await db.fetchval(
            "SELECT true FROM campaign_recipients WHERE id = $1 AND handled_at IS NULL FOR UPDATE SKIP LOCKED",
            recipient_id,
        )
        # Held until the end: pausing and cancelling wait for this decision, and none comes after them.
        status = await db.fetchval("SELECT status FROM campaigns WHERE id = $1 FOR SHARE", campaign_id)
        if status != CampaignStatus.SENDING:
            return None
        if not mine:
            return False
        try:
            living_id = await identification.lock(profile_id)
        except LookupError:
            # Erased since the audience was settled.
            await _handled(recipient_id)
            return False
        channel = MessageChannel(campaign["channel"])
        outcome = await marketing.reserve(
            MarketingMessage(
                profile_id=living_id,
                channel=channel,
                template_key=campaign["template_key"],
                dedupe_key=await _dedupe_key(campaign_id, living_id, channel),
                campaign_id=campaign_id,
            )
        )
        if isinstance(outcome, Deferred):
            await _put_off(recipient_id, outcome.until)
            return False
        await _handled(recipient_id)
        return isinstance(outcome, Reserved)


async def _dedupe_key(campaign_id: uuid.UUID, profile_id: uuid.UUID, channel: MessageChannel) -> str:
    """One message for each person; on the phone one for each number, as households share them."""
    if channel is MessageChannel.EMAIL:
        return f"camp:{campaign_id.hex}:{profile_id.hex}"
    phone = await db.fetchval("SELECT phone FROM profiles WHERE id = $1", profile_id)
    whose = address_hashes(channel, phone)[0].hex() if phone else profile_id.hex
    return f"camp:{campaign_id.hex}:{whose}"


async def _handled(recipient_id: int) -> None:
    await db.execute("UPDATE campaign_recipients SET handled_at = business_now() WHERE id = $1", recipient_id)


async def _put_off(recipient_id: int, until: datetime) -> None:
    await db.execute("UPDATE campaign_recipients SET due_at = $2 WHERE id = $1", recipient_id, until)


async def _go_on(
    campaign: db.Record, revision: int, *, pause: timedelta | None, began_at: datetime, full: bool
) -> None:
    """Leave the next round to an event or a timer, or note that the campaign is through."""
    campaign_id: uuid.UUID = campaign["id"]
    async with db.unit_of_work():
        following: int | None = await db.fetchval(
            """
            UPDATE campaigns SET revision = revision + 1 WHERE id = $1 AND revision = $2 AND status = 'SENDING'
            RETURNING revision
            """,
            campaign_id,
            revision,
        )
        if following is None:
            return
        payload = {"revision": following}
        now = await clock.now()
        next_due: datetime | None = await db.fetchval(
            "SELECT min(due_at) FROM campaign_recipients WHERE campaign_id = $1 AND handled_at IS NULL", campaign_id
        )
        if next_due is None:
            await db.execute(
                """
                UPDATE campaigns SET status = 'SENT', finished_at = business_now(), updated_at = business_now()
                WHERE id = $1
                """,
                campaign_id,
            )
            return
        if full:
            next_due = max(next_due, now + WAITING_PAUSE)
        elif pause is not None:
            next_due = max(next_due, began_at + pause)
        if next_due <= now:
            await events.record(FEED, subject_id=campaign_id, payload=payload)
        else:
            await timers.schedule(FEED, subject_id=campaign_id, due_at=next_due, payload=payload)
