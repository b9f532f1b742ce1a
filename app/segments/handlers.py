"""What segments do when something happens to somebody, or when time has."""

import uuid

from app import db, events
from app.customers import identification
from app.customers.vocabulary import EVENT_TYPES
from app.events import Event
from app.events.delivery import MAX_ATTEMPTS
from app.segments import building, deleting, membership
from app.segments.dependencies import FIRST_MOMENTS, touched

_ANY_TOUCHED = "SELECT EXISTS (SELECT FROM segments WHERE $1::text[] IS NULL OR depends_on ?| $1)"
_IS_NEW = "SELECT created_at >= $2::timestamptz - $3::interval FROM profiles WHERE id = $1"


async def on_event(event: Event) -> None:
    text = event.payload.get("profileId")
    if not text:
        return
    needs = touched(event)
    if not await db.fetchval("SELECT EXISTS (SELECT FROM segments)"):
        return
    profile_id = uuid.UUID(str(text))
    if needs is not None and await db.fetchval(_IS_NEW, profile_id, event.occurred_at, FIRST_MOMENTS):
        needs = None  # nothing tells of visitors but what they do
    if not await db.fetchval(_ANY_TOUCHED, None if needs is None else list(needs)):
        return
    try:
        profile_id = await identification.lock(profile_id)
    except LookupError:
        return
    if segments := await membership.touched(needs):
        await membership.look(segments, [profile_id])


for _event_type in EVENT_TYPES:
    events.on(_event_type, name="segments.keep")(on_event)


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
