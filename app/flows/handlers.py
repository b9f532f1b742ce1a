"""What flows do when something happens. One handler listens to every type of the vocabulary, and none knows a flow."""

import uuid
from collections.abc import Collection
from contextlib import suppress

from app import events
from app.customers import identification
from app.customers.vocabulary import EVENT_TYPES
from app.events import Event
from app.flows import backfill, catalogue, dates, ending, enrolment, exits, resuming, running, runs, service, versions
from app.flows.asking import Happened
from app.flows.simulation import job as simulation

NAME = "flows.engine"
_PERSON = "profileId"
_PROFILES = (_PERSON, "cartProfileId")
"""Whom an event is about: the person, and whose the cart was, where an order was placed by somebody else."""


async def is_listened_to(event: Event) -> bool:
    return (await catalogue.current()).listens_to(event.type)


async def on_happening(event: Event) -> None:
    """End, wake and begin runs. In this order: a newer checkout ends the run of the older one, and then has its own.

    An order of somebody else's cart also ends and wakes what runs for the cart's person, and begins nothing for them.
    """
    named, known = _profiles_of(event), await catalogue.current()
    living = await _locked(set(named.values()))
    facts = {name: value for name, value in event.payload.items() if name not in _PROFILES}
    happened = Happened(event.id, event.type, event.occurred_at, facts)
    if event.type in known.ending:
        for profile_id in sorted(set(living.values())):
            await exits.by_event(profile_id, happened)
            await ending.wake(profile_id, event.type)
    if (person := named.get(_PERSON)) in living:
        await enrolment.by_event(known, living[person], happened)


for _event_type in EVENT_TYPES:
    events.on(_event_type, name=NAME, only_if=is_listened_to)(on_happening)


async def on_given_up(event: Event) -> None:
    if event.subject_id is not None:
        await ending.fail(event.subject_id, event.payload["revision"])


@events.on(runs.RUN_DUE, name="flows.run", gave_up=on_given_up)
async def on_run_due(event: Event) -> None:
    if event.subject_id is not None:
        await running.advance(event.subject_id, event.payload["revision"])


@events.on(resuming.RESUMED, name="flows.resume")
async def on_resumed(event: Event) -> None:
    if event.subject_id is not None:
        await resuming.wake_batch(event.subject_id, after=_cursor(event))


@events.on(service.PUBLISHED, name="flows.dates")
async def on_published(event: Event) -> None:
    if event.subject_id is not None:
        await dates.plan_everybody(event.subject_id)


@events.on(service.PUBLISHED, name="flows.backfill")
async def on_first_published(event: Event) -> None:
    if event.subject_id is not None and event.payload["first"]:
        await backfill.at_first_publish(event.subject_id)


@events.on(backfill.SLICE, name="flows.backfill", transactional=False)
async def on_backfill_slice(event: Event) -> None:
    # Many transactions, each with its checkpoint: a second run goes on where the first one stopped.
    if event.subject_id is not None:
        await backfill.run_slice(event.subject_id)


@events.on(dates.PLANNING, name="flows.dates")
async def on_planning(event: Event) -> None:
    if event.subject_id is not None:
        await dates.plan_batch(event.subject_id, uuid.UUID(event.payload["versionId"]), after=_cursor(event))


async def moves_a_date(event: Event) -> bool:
    """A profile that has just been made has all of its dates for the first time."""
    names = (await catalogue.current()).date_names
    if not names or event.type == identification.PROFILE_CREATED:
        return bool(names)
    return any(name in names or name.partition(".")[0] in names for name in event.payload.get("changed", "").split(","))


async def on_profile_changed(event: Event) -> None:
    if (profile_id := _profile_of(event)) is not None:
        await dates.plan_person(profile_id)


for _event_type in (identification.PROFILE_CREATED, identification.PROFILE_UPDATED):
    events.on(_event_type, name="flows.dates", only_if=moves_a_date)(on_profile_changed)


@events.on(dates.DATE_DUE, name="flows.date_due")
async def on_date_due(event: Event) -> None:
    facts = event.payload
    await dates.reach(uuid.UUID(facts["flowId"]), uuid.UUID(facts["profileId"]), facts["triggerIndex"])


@events.on(simulation.REQUESTED, name="flows.simulation", transactional=False)
async def on_simulation(event: Event) -> None:
    if event.subject_id is not None:
        await simulation.run_simulation(event.subject_id)


@events.on(versions.MIGRATION, name="flows.migrate", transactional=False)
async def on_migration(event: Event) -> None:
    # Many transactions, each with its checkpoint: a second run goes on where the first one stopped.
    if event.subject_id is not None:
        await versions.run_migration(event.subject_id)


def _profile_of(event: Event) -> uuid.UUID | None:
    return _profiles_of(event).get(_PERSON)


def _profiles_of(event: Event) -> dict[str, uuid.UUID]:
    return {name: uuid.UUID(value) for name in _PROFILES if (value := event.payload.get(name))}


async def _locked(profile_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The living profile of each, locked in the order of their ids, as placing an order locks them; erased ones are
    left out."""
    living = {}
    for profile_id in sorted(profile_ids):
        with suppress(LookupError):
            living[profile_id] = await identification.lock(profile_id)
    return living


def _cursor(event: Event) -> uuid.UUID | None:
    after = event.payload.get("after")
    return uuid.UUID(after) if after else None
