"""What promotions do when something happens."""

from app import events
from app.events import Event
from app.events.delivery import MAX_ATTEMPTS
from app.promotions import generating


@events.on(generating.REQUESTED, name="promotions.discount_codes", transactional=False)
async def draw_codes(event: Event) -> None:
    # Many transactions, each with its checkpoint: a second run goes on where the first one stopped.
    if event.subject_id is not None:
        await generating.run(event.subject_id, is_last_attempt=event.attempt >= MAX_ATTEMPTS)
