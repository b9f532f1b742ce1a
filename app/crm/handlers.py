"""Profiles that changed, and sending them."""

import uuid

from app import events
from app.crm import forgetting, pushing, service, syncing
from app.events import Event
from app.events.delivery import MAX_ATTEMPTS

CHANGES = ("profile.created", "profile.updated", "consent.granted", "consent.revoked", "order.placed")


async def _changed(event: Event) -> None:
    if profile_id := event.payload.get("profileId"):
        await service.mark(uuid.UUID(profile_id))


for _name in CHANGES:
    events.on(_name, name="crm.mark")(_changed)


@events.on(service.PUSH, name="crm.push", transactional=False)
async def on_push(event: Event) -> None:
    await pushing.push(event.payload["contactIds"], event.payload["attempt"])


@events.on(forgetting.FORGET, name="crm.forget", transactional=False)
async def on_forget(event: Event) -> None:
    await forgetting.forget(uuid.UUID(event.payload["profileId"]), event.payload["attempt"])


@events.on(syncing.REQUESTED, name="crm.sync", transactional=False)
async def on_sync_requested(event: Event) -> None:
    # Many transactions, each with its checkpoint: a second run goes on where the first one stopped.
    if event.subject_id is not None:
        await syncing.run(event.subject_id, is_last_attempt=event.attempt >= MAX_ATTEMPTS)
