"""What happens to stock as time goes by."""

from app import events
from app.events import Event
from app.inventory import checkout_holds


@events.on(checkout_holds.RESERVATION_ENDED, name="inventory.reservation_ended", transactional=False)
async def on_reservation_ended(event: Event) -> None:
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no subject")
    await checkout_holds.end(event.subject_id)
