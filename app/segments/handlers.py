"""What segments do when something happens to somebody, or when time has."""

import uuid

from app import db, events
from app.customers import identification
from app.customers.vocabulary import EVENT_TYPES
from app.events import Event
from app.events.delivery import MAX_ATTEMPTS
from app.segments import building, deleting, membership
from app.segments.dependencies import FIRST_MOMENTS, touched

_CONCERNS = """
    SELECT EXISTS (SELECT FROM segments WHERE $1::text[] IS NULL OR depends_on ?| $1)
        OR EXISTS (SELECT FROM segments)
       AND EXISTS (SELECT FROM profiles WHERE id = $2 AND created_at >= $3::timestamptz - $4::interval)
"""
_IS_NEW = "SELECT EXISTS (SELECT FROM profiles WHERE id = $1 AND created_at >= $2::timestamptz - $3::interval)"


async def concerns_a_segment(event: Event) -> bool:
    """Asked without the person's lock: a segment made a moment later has a building that sees what happened."""
    needs, person = touched(event), _person(event)
    if person is None:
        return False
    concerns: bool = await db.fetchval(
        _CONCERNS, None if needs is None else list(needs), person, event.occurred_at, FIRST_MOMENTS
    )
    return concerns


async def on_event(event: Event) -> None:
    needs, person = touched(event), _person(event)
    if person is None:
        return
    try:
        profile_id = await identification.lock(person)
    except LookupError:
        return
    if await db.fetchval(_IS_NEW, person, event.occurred_at, FIRST_MOMENTS):
        needs = None  # nothing tells of visitors but what they do
    if segments := await membership.touched(needs):
        await membership.look(segments, [profile_id])


def _person(event: Event) -> uuid.UUID | None:
    text = event.payload.get("profileId")
    return uuid.UUID(str(text)) if text else None


for _event_type in EVENT_TYPES:
    events.on(_event_type, name="segments.keep", only_if=concerns_a_segment)(on_event)


@events.on(membership.LOOK_DUE, name="segments.keep")
async def on_look_due(event: Event) -> None:
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no subject")
    try:
        profile_id = await identification.lock(event.subject_id)
    except LookupError:
        return
    if segments := await membership.moving():
        await membership.look(segments, [profile_id])


@events.on(building.REQUESTED, name="segments.build", transactional=False)
async def build(event: Event) -> None:
    # Many transactions, each with its checkpoint: a second run goes on where the first one stopped.
    if event.subject_id is not None:
        await building.run(event.subject_id, is_last_attempt=event.attempt >= MAX_ATTEMPTS)


@events.on(deleting.DELETED, name="segments.forget", transactional=False)
async def forget(event: Event) -> None:
    if event.subject_id is not None:
        await deleting.forget_members(event.subject_id)
