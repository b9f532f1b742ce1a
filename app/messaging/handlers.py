"""What the shop writes about, and the sending itself."""

import uuid

from app import events
from app.events import Event
from app.messaging import notices, sending


@events.on("order.placed", name="messaging.order_confirmation")
async def on_order_placed(event: Event) -> None:
    order_id = _subject(event)
    await notices.reserve_notice("order_confirmation", order_id=order_id, subject_id=order_id)


@events.on("order.cancelled", name="messaging.order_cancelled")
async def on_order_cancelled(event: Event) -> None:
    order_id = _subject(event)
    await notices.reserve_notice("order_cancelled", order_id=order_id, subject_id=order_id)


def _subject(event: Event) -> uuid.UUID:
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no subject")
    return event.subject_id


@events.on("message.reserved", name="messaging.send", transactional=False)
async def on_message_reserved(event: Event) -> None:
    await sending.send(_subject(event), attempt=event.attempt)
