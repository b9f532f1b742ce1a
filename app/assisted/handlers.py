"""What becomes of draft orders by themselves: mailed when they are sent, over when it is time."""

from app import events
from app.assisted import service
from app.events import Event
from app.messaging import draft_order_mails, staff_notices


@events.on(service.SENT, name="draft_orders.mail")
async def on_sent(event: Event) -> None:
    if event.subject_id is not None:
        await draft_order_mails.reserve(event.subject_id, event.id)


@events.on(service.REQUESTED, name="draft_orders.staff_notice")
async def on_requested(event: Event) -> None:
    if event.subject_id is not None:
        await staff_notices.reserve(
            dedupe_key=f"quotation:{event.subject_id.hex}",
            subject="A buyer asks for a quotation",
            text="It is among the draft orders that are REQUESTED: price it with draftOrderUpdate, and send it with "
            "draftOrderSend.",
        )


@events.on(service.EXPIRES, name="draft_orders.expire")
async def on_expires(event: Event) -> None:
    if event.subject_id is not None:
        await service.expire(event.subject_id)
