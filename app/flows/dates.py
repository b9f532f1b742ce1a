"""Date triggers: a row and a timer for each person whose date lies ahead, moved whenever the date is.

A date that has passed when it becomes known starts nothing any more; a backfill takes in whom that would leave out.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from app import db, events
from app.customers import identification, timeline
from app.flows import catalogue
from app.flows.calendar import anniversary, at_local, next_local
from app.flows.catalogue import PublishedFlow
from app.flows.definitions import DATE_REACHED, Trigger
from app.flows.execution import zone_of
from app.flows.reading import CUSTOMER_MOMENTS, PROPERTIES

DATE_DUE = "flow.date_due"
"""Timer and event. Its subject stands for flow, person and trigger; its payload names them."""
PLANNING = "flow.dates_planning"
BATCH = 200
"""People whose profiles are held while their dates are written."""
DAYTIME = time(9)
"""When a day that has no time of day is reached, unless the trigger says."""

_COLUMNS = "id, time_zone, lapses_at, next_order_expected_at, last_order_at, first_order_at, properties"
_BATCH = f"""
    SELECT {_COLUMNS}, business_now() AS now, (SELECT time_zone FROM shop WHERE id = 1) AS shop_time_zone
    FROM profiles WHERE merged_into_id IS NULL AND erased_at IS NULL AND ($1::uuid IS NULL OR id > $1)
    ORDER BY id LIMIT $2 FOR SHARE
"""
_PERSON = f"""
    SELECT {_COLUMNS}, business_now() AS now, (SELECT time_zone FROM shop WHERE id = 1) AS shop_time_zone
    FROM profiles WHERE id = $1
"""
# A date that is due and not reached yet stays: its event is on the way, and plans the next one itself.
_SUBJECT = "md5($1::text || d.profile_id::text || d.trigger_index::text)::uuid"
_PLAN = f"""
    WITH d AS (
        SELECT * FROM unnest($2::uuid[], $3::smallint[], $4::timestamptz[]) AS d (profile_id, trigger_index, due_at)
        WHERE NOT EXISTS (
            SELECT FROM flow_dates f
            WHERE f.flow_id = $1 AND f.profile_id = d.profile_id AND f.trigger_index = d.trigger_index
              AND f.due_at <= business_now()
        )
    ), gone AS (
        DELETE FROM flow_dates f USING d
        WHERE f.flow_id = $1 AND f.profile_id = d.profile_id AND f.trigger_index = d.trigger_index AND d.due_at IS NULL
    ), no_timers AS (
        DELETE FROM timers USING d
        WHERE timers.kind = '{DATE_DUE}' AND timers.subject_id = {_SUBJECT} AND d.due_at IS NULL
    ), planned AS (
        INSERT INTO flow_dates (flow_id, profile_id, trigger_index, due_at)
        SELECT $1, profile_id, trigger_index, due_at FROM d WHERE due_at IS NOT NULL
        ON CONFLICT (flow_id, profile_id, trigger_index) DO UPDATE SET due_at = EXCLUDED.due_at
    )
    INSERT INTO timers (id, kind, subject_id, payload, due_at, created_at)
    SELECT gen_random_uuid(), '{DATE_DUE}', {_SUBJECT},
           jsonb_build_object('flowId', $1::text, 'profileId', d.profile_id, 'triggerIndex', d.trigger_index), d.due_at,
           clock_timestamp()
    FROM d WHERE d.due_at IS NOT NULL
    ON CONFLICT (kind, subject_id) DO UPDATE SET due_at = EXCLUDED.due_at, payload = EXCLUDED.payload
"""


def dated(flow: PublishedFlow) -> list[Trigger]:
    return [trigger for trigger in flow.definition.triggers if trigger.date is not None]


def due_at(trigger: Trigger, person: Mapping[str, Any]) -> datetime | None:
    """The next time that the trigger's date is reached; None where there is none, or it has passed.

    Args:
        person: a row of profiles with `now` and `shop_time_zone`.
    """
    zone = zone_of(person["time_zone"], person["shop_time_zone"])
    value = _value(trigger.date or "", person)
    now: datetime = person["now"]
    if trigger.yearly:
        day = value if not isinstance(value, datetime) else value.astimezone(zone).date()
        return None if day is None else _next_anniversary(trigger, day, zone, now)
    if isinstance(value, datetime):
        due = value + trigger.offset
        due = next_local(due, zone, trigger.at) if trigger.at else due
    elif isinstance(value, date):
        due = _on_day(trigger, value, zone)
    else:
        return None
    return due if due > now else None


def has_passed(trigger: Trigger, person: Mapping[str, Any]) -> bool:
    """Whether the date is known and over. `person` as for `due_at`."""
    return _value(trigger.date or "", person) is not None and due_at(trigger, person) is None


def _next_anniversary(trigger: Trigger, born: date, zone: ZoneInfo, now: datetime) -> datetime | None:
    this_year = now.astimezone(zone).year
    # With an offset of up to a year, the day that counts may lie in a neighbouring year.
    for year in range(this_year - 1, this_year + 3):
        due = _on_day(trigger, anniversary(born, year), zone)
        if due > now:
            return due
    return None


def _on_day(trigger: Trigger, day: date, zone: ZoneInfo) -> datetime:
    """Days of the offset are days of the calendar; the rest of it is time."""
    days = timedelta(days=trigger.offset.days)
    return at_local(day + days, trigger.at or DAYTIME, zone) + (trigger.offset - days)


def _value(name: str, person: Mapping[str, Any]) -> datetime | date | None:
    if name in CUSTOMER_MOMENTS:
        moment: datetime | None = person[CUSTOMER_MOMENTS[name]]
        return moment
    text = orjson.loads(person["properties"]).get(name.removeprefix(PROPERTIES))
    if not isinstance(text, str):
        return None
    try:
        if text.startswith("--"):
            return date.fromisoformat(f"2000{text[1:]}")  # a birthday without its year, as in vCard (RFC 6350)
        if len(text) == len("2026-11-22"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone_of(person["time_zone"], person["shop_time_zone"]))


async def plan_everybody(flow_id: uuid.UUID) -> None:
    """After a publish, in the open unit of work: dates of triggers that are no more go, everybody's are written."""
    flow = await _published(flow_id)
    indexes = [trigger.index for trigger in dated(flow)] if flow else []
    await db.execute(
        "DELETE FROM flow_dates WHERE flow_id = $1 AND trigger_index <> ALL($2::smallint[])", flow_id, indexes
    )
    if flow is not None and indexes:
        await events.record(PLANNING, subject_id=flow_id, payload={"versionId": str(flow.version_id)})


async def plan_batch(flow_id: uuid.UUID, version_id: uuid.UUID, *, after: uuid.UUID | None) -> None:
    """Write the dates of some people, in the open unit of work; the next ones are an event."""
    flow = await _published(flow_id)
    if flow is None or flow.version_id != version_id:
        return  # another version is published by now, and plans for itself
    people = await db.fetch(_BATCH, after, BATCH)
    await _plan(flow, people)
    if len(people) == BATCH:
        payload = {"versionId": str(version_id), "after": str(people[-1]["id"])}
        await events.record(PLANNING, subject_id=flow_id, payload=payload)


async def plan_person(profile_id: uuid.UUID) -> None:
    """Write the dates of one person for every published flow, in the open unit of work."""
    try:
        profile_id = await identification.lock(profile_id)
    except LookupError:
        return
    person = await db.fetchrow(_PERSON, profile_id)
    if person is not None:
        for flow in (await catalogue.current()).dated:
            await _plan(flow, [person])


async def _plan(
    flow: PublishedFlow, people: Sequence[Mapping[str, Any]], triggers: Sequence[Trigger] | None = None
) -> None:
    chosen = dated(flow) if triggers is None else triggers
    rows = [(person["id"], trigger.index, due_at(trigger, person)) for person in people for trigger in chosen]
    if rows:
        await db.execute(_PLAN, flow.id, *(list(column) for column in zip(*rows, strict=True)))


async def reach(flow_id: uuid.UUID, profile_id: uuid.UUID, trigger_index: int) -> None:
    """A date is due: note it on the person's timeline, which starts the flow, and plan the next one where it is yearly.

    A date that was moved meanwhile has another timer, and this one does nothing.
    """
    flow = await _published(flow_id)
    try:
        profile_id = await identification.lock(profile_id)
    except LookupError:
        return
    reached = await db.execute(
        """
        DELETE FROM flow_dates
        WHERE flow_id = $1 AND profile_id = $2 AND trigger_index = $3 AND due_at <= business_now()
        """,
        flow_id,
        profile_id,
        trigger_index,
    )
    triggers = [] if flow is None else [trigger for trigger in dated(flow) if trigger.index == trigger_index]
    if not reached or flow is None or not triggers:
        return
    facts = {"property": triggers[0].date, "flowKey": flow.key, "triggerIndex": trigger_index}
    await timeline.record(DATE_REACHED, profile_id=profile_id, data=facts)
    person = await db.fetchrow(_PERSON, profile_id)
    if person is not None:
        await _plan(flow, [person], triggers)  # next year's, or where the date was moved meanwhile


async def _published(flow_id: uuid.UUID) -> PublishedFlow | None:
    return next((flow for flow in (await catalogue.current()).flows if flow.id == flow_id), None)
