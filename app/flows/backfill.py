"""Taking in those whom a flow would have taken in already, had it been published before: a job that takes its time.

Who qualifies is asked when their turn comes, by the same code as for everybody else: entry, re-entry, exits. An event
id made from flow and person lets it happen once for both, whatever is killed and started again. See
docs/decisions/backfill.md.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from app import clock, db, events
from app.customers import identification, timeline
from app.errors import CommonErrorCode, DomainError, not_found
from app.events import timers
from app.flows import asking, catalogue, dates, enrolment
from app.flows.asking import Happened
from app.flows.catalogue import PublishedFlow
from app.flows.definitions import BACKFILL, DATE_REACHED, SEGMENT_EVENTS, Trigger
from app.flows.errors import FlowErrorCode
from app.flows.models import FlowStatus
from app.flows.reading import CUSTOMER_MOMENTS, PROPERTIES
from app.jobs import service as jobs
from app.jobs.models import JobStatus
from app.jobs.service import RunningJob, Superseded

JOB_KIND = "FLOW_BACKFILL"
SLICE = "flow.backfill_slice"
"""Timer and event: the job's next share is due."""
BATCH = 50
"""People whose profiles are locked at once."""
DEFAULT_PER_HOUR, MAX_PER_HOUR = 1_000, 100_000
DEFAULT_DAYS, MAX_DAYS = 30, 365
MAX_LIMIT = 1_000_000
SLICE_LENGTH = timedelta(minutes=5)
PAUSED_FOR = timedelta(minutes=15)
"""Until a backfill of a paused flow looks again."""


async def request_backfill(
    flow_id: uuid.UUID,
    *,
    limit: int | None = None,
    per_hour: int | None = None,
    days: int | None = None,
    created_by: uuid.UUID | None = None,
) -> uuid.UUID:
    """Queue the backfill of a published flow; the job's id. Joins an open unit of work.

    Args:
        limit: how many are taken in at most; None for all.
        per_hour: how many begin within an hour of business time; 1,000 unless said.
        days: how far back an event may lie that a flow with event triggers starts on; 30 unless said.

    Raises:
        DomainError: NOT_FOUND; FLOW_NOT_PUBLISHED; OUT_OF_RANGE.
    """
    _check("limit", limit, MAX_LIMIT)
    _check("perHour", per_hour, MAX_PER_HOUR)
    _check("days", days, MAX_DAYS)
    async with db.unit_of_work():
        status = await db.fetchval("SELECT status FROM flows WHERE id = $1 FOR SHARE", flow_id)
        if status is None:
            raise not_found("flow", ["id"])
        if status != FlowStatus.PUBLISHED:
            raise DomainError(FlowErrorCode.FLOW_NOT_PUBLISHED, "Only a published flow takes people in.", ["id"])
        job_input = {
            "flowId": str(flow_id),
            "limit": limit,
            "perHour": per_hour or DEFAULT_PER_HOUR,
            "days": days or DEFAULT_DAYS,
        }
        job_id = await jobs.create(JOB_KIND, job_input, created_by=created_by)
        await events.record(SLICE, subject_id=job_id)
    return job_id


def _check(name: str, value: int | None, most: int) -> None:
    if value is not None and not 1 <= value <= most:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, f"{name} must be from 1 to {most:,}.", [name])


async def at_first_publish(flow_id: uuid.UUID) -> None:
    """Begin the backfill that the definition asks for, in the open unit of work."""
    flow = await _published(flow_id)
    if flow is not None and flow.definition.backfill:
        await request_backfill(flow_id)


# --- the job ----------------------------------------------------------------------------------------------------------


async def run_slice(job_id: uuid.UUID) -> None:
    """Take in the next share, or go on with it where another worker was interrupted."""
    job = await jobs.start(job_id)
    if job is None:
        return
    try:
        while await _batch(job):
            pass
    except Superseded:
        return


async def _batch(job: RunningJob) -> bool:
    """One batch in one transaction. False when the job is over, or waits for its next share."""
    flow = await _published(uuid.UUID(job.input["flowId"]))
    now = await clock.now()
    async with db.unit_of_work():
        if flow is None:
            await timers.schedule(SLICE, subject_id=job.id, due_at=now + PAUSED_FOR)
            return False
        began = datetime.fromisoformat(job.checkpoint["began"]) if job.checkpoint else now
        enrolled, seen = job.checkpoint.get("enrolled", 0), job.checkpoint.get("seen", 0)
        limit, per_hour = job.input["limit"], job.input["perHour"]
        room = _share(began, now, per_hour) - enrolled
        if limit is not None:
            room = min(room, limit - enrolled)
        if room <= 0 and (limit is None or enrolled < limit):
            await timers.schedule(SLICE, subject_id=job.id, due_at=_next_share(began, enrolled, per_hour))
            return False
        after = job.checkpoint.get("after")
        wanted = min(BATCH, room)
        people = await _candidates(flow, uuid.UUID(after) if after else None, wanted, job, now) if room > 0 else []
        for person in people:
            enrolled += await _enrol(flow, person, now)
        if people:
            checkpoint = {
                "began": began.isoformat(),
                "after": str(people[-1].profile_id),
                "enrolled": enrolled,
                "seen": seen + len(people),
            }
            await jobs.save_progress(job, done=seen + len(people), checkpoint=checkpoint)
            return True
    result = {"candidates": seen, "enrolled": enrolled}
    await jobs.finish(job, JobStatus.SUCCEEDED, result=result)
    return False


def _share(began: datetime, now: datetime, per_hour: int) -> int:
    """How many may have been taken in by now: at the beginning of each slice, those of the whole slice."""
    slices = (now - began) // SLICE_LENGTH + 1
    return max(1, int(slices * SLICE_LENGTH / timedelta(hours=1) * per_hour))


def _next_share(began: datetime, enrolled: int, per_hour: int) -> datetime:
    """The beginning of the first slice that has room for one more."""
    slices = timedelta(hours=1) * (enrolled + 1) / per_hour // SLICE_LENGTH
    moment = began + max(0, slices - 1) * SLICE_LENGTH
    while _share(began, moment, per_hour) <= enrolled:
        moment += SLICE_LENGTH
    return moment


# --- who --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Candidate:
    profile_id: uuid.UUID
    trigger: Trigger
    facts: Mapping[str, Any]
    since: datetime | None
    """When the event happened that it would have started on."""


_BY_MOMENT = """
    SELECT id AS profile_id FROM profiles
    WHERE merged_into_id IS NULL AND erased_at IS NULL AND {column} IS NOT NULL AND {column} + $3::interval <= $4
      AND ($1::uuid IS NULL OR id > $1)
    ORDER BY id LIMIT $2
"""
_BY_PROPERTY = """
    SELECT id AS profile_id, id, time_zone, lapses_at, next_order_expected_at, last_order_at, first_order_at,
           properties, $4::timestamptz AS now, (SELECT time_zone FROM shop WHERE id = 1) AS shop_time_zone
    FROM profiles
    WHERE merged_into_id IS NULL AND erased_at IS NULL AND properties ? $3 AND ($1::uuid IS NULL OR id > $1)
    ORDER BY id LIMIT $2
"""
_BY_SEGMENT = """
    SELECT m.profile_id, s.id AS segment_id FROM segment_memberships m JOIN segments s ON s.id = m.segment_id
    WHERE s.key = $3 AND m.member AND ($1::uuid IS NULL OR m.profile_id > $1) ORDER BY m.profile_id LIMIT $2
"""
# Each person by the last event of the type, as that is what they would stand in the flow for.
_BY_EVENT = """
    SELECT p.id AS profile_id, e.occurred_at, e.data FROM profiles p
    CROSS JOIN LATERAL (
        SELECT occurred_at, data FROM profile_events
        WHERE profile_id = p.id AND type = $3 ORDER BY occurred_at DESC LIMIT 1
    ) e
    WHERE p.merged_into_id IS NULL AND p.erased_at IS NULL AND e.occurred_at BETWEEN $4 AND $5
      AND ($1::uuid IS NULL OR p.id > $1)
    ORDER BY p.id LIMIT $2
"""


async def _candidates(
    flow: PublishedFlow, after: uuid.UUID | None, wanted: int, job: RunningJob, now: datetime
) -> list[_Candidate]:
    """The next people in the order of their ids, each with the first trigger that they are a candidate for."""
    found: dict[uuid.UUID, _Candidate] = {}
    for trigger in flow.definition.triggers:
        for candidate in await _of_trigger(flow, trigger, after, wanted, days=job.input["days"], now=now):
            found.setdefault(candidate.profile_id, candidate)
    return sorted(found.values(), key=lambda candidate: candidate.profile_id)[:wanted]


async def _of_trigger(
    flow: PublishedFlow, trigger: Trigger, after: uuid.UUID | None, wanted: int, *, days: int, now: datetime
) -> list[_Candidate]:
    if trigger.segment is not None:
        if trigger.event != SEGMENT_EVENTS["entered"]:
            return []  # whoever left a segment is like anybody who was never in it
        rows = await db.fetch(_BY_SEGMENT, after, wanted, trigger.segment)
        return [
            _Candidate(
                row["profile_id"],
                trigger,
                {"segmentKey": trigger.segment, "segmentId": str(row["segment_id"])},
                None,
            )
            for row in rows
        ]
    if trigger.event == DATE_REACHED:
        facts = {"property": trigger.date, "flowKey": flow.key, "triggerIndex": trigger.index}
        return [
            _Candidate(row["profile_id"], trigger, facts, None) for row in await _by_date(trigger, after, wanted, now)
        ]
    latest = now - (trigger.quiet_for or timedelta())
    rows = await db.fetch(_BY_EVENT, after, wanted, trigger.event, now - timedelta(days=days), latest)
    return [_Candidate(row["profile_id"], trigger, orjson.loads(row["data"]), row["occurred_at"]) for row in rows]


async def _by_date(
    trigger: Trigger, after: uuid.UUID | None, wanted: int, now: datetime
) -> Sequence[Mapping[str, Any]]:
    """People whose date has passed. A yearly one comes again by itself."""
    if trigger.yearly or trigger.date is None:
        return []
    if trigger.date in CUSTOMER_MOMENTS:
        column = CUSTOMER_MOMENTS[trigger.date]
        return await db.fetch(_BY_MOMENT.format(column=column), after, wanted, trigger.offset, now)
    name = trigger.date.removeprefix(PROPERTIES)
    passed: list[Mapping[str, Any]] = []
    while len(passed) < wanted:
        rows = await db.fetch(_BY_PROPERTY, after, BATCH, name, now)
        passed += [row for row in rows if dates.has_passed(trigger, row)]
        if len(rows) < BATCH:
            break
        after = rows[-1]["profile_id"]
    return passed[:wanted]


async def _enrol(flow: PublishedFlow, candidate: _Candidate, now: datetime) -> bool:
    try:
        profile_id = await identification.lock(candidate.profile_id)
    except LookupError:
        return False
    happened = Happened(_event_id(flow.id, profile_id), BACKFILL, now, candidate.facts)
    if await _has_left_since(flow, candidate, profile_id):
        return False
    trigger = replace(candidate.trigger, quiet_for=None)  # it has been quiet for long enough
    run_id = await enrolment.enrol(await catalogue.current(), flow, trigger, profile_id, happened)
    if run_id is None:
        return False
    await timeline.record(BACKFILL, profile_id=profile_id, data={"flowKey": flow.key})
    return True


async def _has_left_since(flow: PublishedFlow, candidate: _Candidate, profile_id: uuid.UUID) -> bool:
    """Whether something happened after the event that would have ended the run by now."""
    if candidate.since is None:
        return False
    happened = Happened(_event_id(flow.id, profile_id), candidate.trigger.event, candidate.since, candidate.facts)
    key = enrolment.key_of(candidate.trigger, happened)
    as_then = enrolment.new_run(flow, candidate.trigger, profile_id, happened, key)
    return await asking.exit_by_timeline(flow.definition, as_then) is not None


def _event_id(flow_id: uuid.UUID, profile_id: uuid.UUID) -> uuid.UUID:
    """The same for the same flow and person: no second run starts on it."""
    return uuid.uuid5(flow_id, f"backfill:{profile_id}")


async def _published(flow_id: uuid.UUID) -> PublishedFlow | None:
    return next((flow for flow in (await catalogue.current()).flows if flow.id == flow_id), None)
