"""Campaigns as staff make, schedule, stop and continue them.

A change of status counts up the campaign's `revision`. The work that is under way carries the revision that it began
with, and ends by itself where that is not the campaign's any more.
"""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, TypedDict

from app import clock, db, events
from app.campaigns import rules
from app.campaigns.errors import CampaignErrorCode
from app.campaigns.models import CampaignStatus
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.events import timers
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.messaging import library, marketing_settings, template_service
from app.messaging.errors import MessagingErrorCode
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason
from app.messaging.previewing import About
from app.shop import queries as shop

MAX_NAME_CHARS = 120
MAX_PER_MINUTE = 100_000
MAX_AHEAD = timedelta(days=730)
START, ENLIST, FEED = "campaign.start", "campaign.enlist", "campaign.feed"


class CampaignChange(TypedDict, total=False):
    """What staff gave; left out stays as it is."""

    name: str | None
    template_key: str | None
    segment_id: uuid.UUID | None
    per_minute: int | None


async def create_campaign(change: CampaignChange) -> uuid.UUID:
    """A draft. Raises DomainErrors with all that is wrong, below `input`."""
    async with db.unit_of_work():
        name, template_key, channel, segment_id, per_minute = await _checked(change)
        campaign_id = new_id()
        await db.execute(
            """
            INSERT INTO campaigns (id, name, status, channel, segment_id, template_key, per_minute, revision,
                                   created_at, updated_at)
            VALUES ($1, $2, 'DRAFT', $3, $4, $5, $6, 0, business_now(), business_now())
            """,
            campaign_id,
            name,
            channel,
            segment_id,
            template_key,
            per_minute,
        )
    return campaign_id


async def update_campaign(campaign_id: uuid.UUID, change: CampaignChange) -> None:
    """Until it starts. Raises DomainError(NOT_FOUND, CAMPAIGN_STARTED), DomainErrors with all that is wrong."""
    async with db.unit_of_work():
        row = await _locked(campaign_id)
        _refuse_started(row)
        stored: dict[str, Any] = {name: row[name] for name in CampaignChange.__annotations__}
        merged: CampaignChange = {**stored, **change}  # type: ignore[typeddict-item]
        name, template_key, channel, segment_id, per_minute = await _checked(merged)
        await db.execute(
            """
            UPDATE campaigns SET name = $2, template_key = $3, channel = $4, segment_id = $5, per_minute = $6,
                updated_at = business_now()
            WHERE id = $1
            """,
            campaign_id,
            name,
            template_key,
            channel,
            segment_id,
            per_minute,
        )


async def delete_campaign(campaign_id: uuid.UUID) -> None:
    """Until it starts. Raises DomainError(NOT_FOUND, CAMPAIGN_STARTED)."""
    async with db.unit_of_work():
        _refuse_started(await _locked(campaign_id))
        await timers.cancel(START, subject_id=campaign_id)
        await db.execute("DELETE FROM campaigns WHERE id = $1", campaign_id)


async def schedule_campaign(campaign_id: uuid.UUID, send_at: datetime, *, in_local_time: bool) -> None:
    """Send it at a moment, or when each receiver's clock shows what the shop's shows at that moment.

    Raises:
        DomainError: NOT_FOUND, CAMPAIGN_STARTED, OUT_OF_RANGE for a moment that is over or too far away.
        DomainErrors: what keeps the template from being sent.
    """
    async with db.unit_of_work():
        row = await _locked(campaign_id)
        _refuse_started(row)
        await _refuse_unsendable(row)
        now = await clock.now()
        shop_zone = (await shop.current()).time_zone
        over = rules.last_due_at(send_at, shop_zone) < now if in_local_time else send_at < now
        if over or send_at > now + MAX_AHEAD:
            message = "That moment is over." if over else "That is more than two years ahead."
            raise DomainError(CommonErrorCode.OUT_OF_RANGE, message, ["input", "sendAt"])
        starts_at = rules.first_due_at(send_at, shop_zone) if in_local_time else send_at
        revision = await _become(
            campaign_id,
            CampaignStatus.SCHEDULED,
            scheduled_at=send_at,
            local_time=rules.local_time(send_at, shop_zone) if in_local_time else None,
        )
        await timers.schedule(START, subject_id=campaign_id, due_at=max(starts_at, now), payload={"revision": revision})


async def send_campaign(campaign_id: uuid.UUID) -> None:
    """Send it now. Raises DomainError(NOT_FOUND, CAMPAIGN_STARTED), DomainErrors with what keeps it from being sent."""
    async with db.unit_of_work():
        row = await _locked(campaign_id)
        _refuse_started(row)
        await _refuse_unsendable(row)
        await timers.cancel(START, subject_id=campaign_id)
        revision = await _become(campaign_id, CampaignStatus.SCHEDULED, scheduled_at=await clock.now(), local_time=None)
        await events.record(START, subject_id=campaign_id, payload={"revision": revision})


async def pause_campaign(campaign_id: uuid.UUID) -> None:
    """Nobody is written to from the commit on; messages that are reserved wait. Pausing again changes nothing.

    Raises DomainError(NOT_FOUND, CAMPAIGN_STATE).
    """
    async with db.unit_of_work():
        row = await _locked(campaign_id)
        if row["status"] == CampaignStatus.PAUSED:
            return
        _require(row, rules.PAUSABLE)
        await timers.cancel(START, subject_id=campaign_id)
        await timers.cancel(FEED, subject_id=campaign_id)
        await _become(campaign_id, CampaignStatus.PAUSED)


async def resume_campaign(campaign_id: uuid.UUID) -> None:
    """Go on where it stopped; one that had not started starts at its time, or at once where that is over.

    Raises DomainError(NOT_FOUND, CAMPAIGN_STATE).
    """
    async with db.unit_of_work():
        row = await _locked(campaign_id)
        if row["status"] in (CampaignStatus.SENDING, CampaignStatus.SCHEDULED):
            return
        _require(row, {CampaignStatus.PAUSED})
        now = await clock.now()
        if row["started_at"] is None:
            starts_at = row["scheduled_at"]
            if row["local_time"]:
                starts_at = rules.first_due_at(starts_at, (await shop.current()).time_zone)
            revision = await _become(campaign_id, CampaignStatus.SCHEDULED)
            await timers.schedule(
                START, subject_id=campaign_id, due_at=max(starts_at, now), payload={"revision": revision}
            )
            return
        revision = await _become(campaign_id, CampaignStatus.SENDING)
        following = ENLIST if row["audience"] is None else FEED
        await events.record(following, subject_id=campaign_id, payload={"revision": revision})
        # What was reserved before the pause asks again at once.
        await db.execute(
            """
            UPDATE timers SET due_at = business_now() WHERE kind = 'message.reserved' AND subject_id IN (
                SELECT id FROM messages WHERE campaign_id = $1 AND state = 'RESERVED')
            """,
            campaign_id,
        )


async def cancel_campaign(campaign_id: uuid.UUID) -> None:
    """For good. What is reserved and not being sent at this moment is called off. Again, it changes nothing.

    Raises DomainError(NOT_FOUND, CAMPAIGN_STATE).
    """
    async with db.unit_of_work():
        row = await _locked(campaign_id)
        if row["status"] == CampaignStatus.CANCELLED:
            return
        _require(row, rules.CANCELLABLE)
        await timers.cancel(START, subject_id=campaign_id)
        await timers.cancel(FEED, subject_id=campaign_id)
        await _become(campaign_id, CampaignStatus.CANCELLED)
        await db.execute("UPDATE campaigns SET finished_at = business_now() WHERE id = $1", campaign_id)
        await db.execute(
            "UPDATE messages SET state = 'SKIPPED', reason = $2 WHERE campaign_id = $1 AND state = 'RESERVED'",
            campaign_id,
            MessageReason.CAMPAIGN_CANCELLED,
        )


async def send_test(
    campaign_id: uuid.UUID,
    to: str,
    *,
    language: str | None,
    profile_id: uuid.UUID | None,
    staff_id: uuid.UUID | None,
) -> uuid.UUID:
    """Send its template to an address that staff name, marked [Test]; returns the ledger's row.

    Args:
        profile_id: whose data it is filled with; None for examples.

    Raises:
        DomainError: NOT_FOUND, and what `template_service.send_test` raises.
    """
    row = await db.fetchrow(
        """
        SELECT t.id FROM campaigns c JOIN message_templates t ON t.key = c.template_key WHERE c.id = $1
        """,
        campaign_id,
    )
    if row is None:
        raise not_found("campaign", ["id"])
    about = About(profile_id=profile_id)
    return await template_service.send_test(row["id"], to, language=language, about=about, staff_id=staff_id)


async def _checked(change: CampaignChange) -> tuple[str, str, MessageChannel, uuid.UUID | None, int | None]:
    problems = Problems()
    name = problems.required_line(change.get("name"), "A name", "name", max_chars=MAX_NAME_CHARS)
    key = change.get("template_key") or ""
    template = await db.fetchrow("SELECT channel, purpose, trigger FROM message_templates WHERE key = $1", key)
    channel = MessageChannel.EMAIL
    if template is None:
        problems.add(CommonErrorCode.NOT_FOUND, "There is no such template.", "templateKey")
    else:
        channel = MessageChannel(template["channel"])
        if template["purpose"] != MessagePurpose.MARKETING:
            message = "This template is for messages about orders: it would go out without consent."
            problems.add(CampaignErrorCode.CAMPAIGN_NOT_MARKETING, message, "templateKey")
        if template["trigger"] is not None:
            message = f"This template speaks of an event, {template['trigger']}, and a campaign has none."
            problems.add(CommonErrorCode.INVALID, message, "templateKey")
    segment_id = change.get("segment_id")
    if segment_id is not None and not await db.fetchval("SELECT true FROM segments WHERE id = $1", segment_id):
        problems.add(CommonErrorCode.NOT_FOUND, "There is no such segment.", "segmentId")
    per_minute = change.get("per_minute")
    if per_minute is not None and not 1 <= per_minute <= MAX_PER_MINUTE:
        message = f"From 1 to {MAX_PER_MINUTE:,} messages a minute, or null."
        problems.add(CommonErrorCode.OUT_OF_RANGE, message, "perMinute")
    problems.raise_if_any()
    return name, key, channel, segment_id, per_minute


async def _refuse_unsendable(row: db.Record) -> None:
    # A template or a segment may have changed since the campaign was saved.
    await _checked({name: row[name] for name in CampaignChange.__annotations__})  # type: ignore[arg-type]
    if not await library.newest_versions(row["template_key"], published=True):
        message = "The campaign's template has no published version."
        raise DomainErrors([DomainError(MessagingErrorCode.TEMPLATE_NOT_PUBLISHED, message, ["id"])])
    if row["channel"] == MessageChannel.VOICE and not (await marketing_settings.current()).voice_enabled:
        raise DomainError(
            CampaignErrorCode.CHANNEL_DISABLED, "Calls are switched off in the marketing settings.", ["id"]
        )


async def _locked(campaign_id: uuid.UUID) -> db.Record:
    row = await db.fetchrow("SELECT * FROM campaigns WHERE id = $1 FOR UPDATE", campaign_id)
    if row is None:
        raise not_found("campaign", ["id"])
    return row


def _refuse_started(row: db.Record) -> None:
    paused_before_start = row["status"] == CampaignStatus.PAUSED and row["started_at"] is None
    if row["status"] not in rules.NOT_STARTED and not paused_before_start:
        raise DomainError(CampaignErrorCode.CAMPAIGN_STARTED, "The campaign has started already.", ["id"])


def _require(row: db.Record, allowed: Collection[CampaignStatus]) -> None:
    if row["status"] not in allowed:
        message = f"This cannot be done with a campaign that is {row['status']}."
        raise DomainError(CampaignErrorCode.CAMPAIGN_STATE, message, ["id"])


async def _become(campaign_id: uuid.UUID, status: CampaignStatus, **columns: object) -> int:
    """Returns the new revision."""
    names = list(columns)
    more = "".join(f", {name} = ${index}" for index, name in enumerate(names, start=3))
    revision: int = await db.fetchval(
        f"""
        UPDATE campaigns SET status = $2, revision = revision + 1, updated_at = business_now(){more}
        WHERE id = $1 RETURNING revision
        """,
        campaign_id,
        status,
        *columns.values(),
    )
    return revision
