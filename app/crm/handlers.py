"""Profiles that changed, and sending them."""

import uuid

from app import events
from app.crm import pushing, service
from app.events import Event

CHANGES = ("profile.created", "profile.updated", "consent.granted", "consent.revoked", "order.placed")


async def _changed(event: Event) -> None:
    if profile_id := event.payload.get("profileId"):
        await service.mark(uuid.UUID(profile_id))


for _name in CHANGES:
    events.on(_name, name="crm.mark")(_changed)


@events.on(service.PUSH, name="crm.push", transactional=False)
async def on_push(event: Event) -> None:
    await pushing.push(event.payload["contactIds"], event.payload["attempt"])
