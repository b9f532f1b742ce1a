"""Looking up the numbers of businesses."""

from app import events
from app.events import Event
from app.tax import registers


async def _gave_up(event: Event) -> None:
    """Nobody waits for this answer any more, so the number may be asked about anew."""
    if event.subject_id is not None:
        await registers.give_up(event.subject_id)


@events.on(registers.CHECK, name="tax.look_up", transactional=False, gave_up=_gave_up)
async def on_check_wanted(event: Event) -> None:
    if event.subject_id is not None:
        await registers.look_up(event.subject_id, event.payload["attempt"])
