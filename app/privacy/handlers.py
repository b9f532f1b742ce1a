"""Erasures and exports, done by workers."""

from app import db, events
from app.events import Event
from app.privacy import erasing, erasure, exporting


async def on_given_up(event: Event) -> None:
    """A replay of the dead letter goes on with it."""
    await db.execute(
        "UPDATE privacy_requests SET status = 'FAILED' WHERE id = $1 AND status <> 'DONE'", event.subject_id
    )


async def on_erasure(event: Event) -> None:
    # Many transactions: a second run finds what the first one left.
    if event.subject_id is not None:
        await erasing.run(event.subject_id)


for _name in (erasure.REQUESTED, erasing.DUE):
    events.on(_name, name="privacy.erase", transactional=False, gave_up=on_given_up)(on_erasure)


@events.on(exporting.REQUESTED, name="privacy.export", transactional=False, gave_up=on_given_up)
async def on_export(event: Event) -> None:
    if event.subject_id is not None:
        await exporting.run(event.subject_id)
