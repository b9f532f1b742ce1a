"""Money follows the goods: captured when they leave, asked for until the gateway has confirmed."""

import uuid
from collections.abc import Awaitable, Callable

from app import db, events
from app.events import Event
from app.orders import status
from app.payments import saved_methods, service, test_gateway
from app.payments.gateway import GatewayUnavailableError

MAX_PAUSE_SECONDS = 300.0


@events.on("fulfillment.created", name="payments.capture")
async def on_fulfillment_created(event: Event) -> None:
    order_id = uuid.UUID(event.payload["orderId"])
    await status.lock_order(order_id)
    await service.want_capture(order_id)


@events.on(service.CAPTURE_WANTED, name="payments.capture", transactional=False)
async def on_capture_wanted(event: Event) -> None:
    await _ask(event, service.capture)


@events.on(service.VOID_WANTED, name="payments.void", transactional=False)
async def on_void_wanted(event: Event) -> None:
    await _ask(event, service.void)


async def _ask(event: Event, question: Callable[[uuid.UUID], Awaitable[None]]) -> None:
    """A gateway that is away is asked again for as long as it takes; any other failure is the event's to count."""
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no subject")
    try:
        await question(event.subject_id)
    except GatewayUnavailableError:
        tries = event.payload.get("tries", 0) + 1
        async with db.unit_of_work():
            await events.record(
                event.type,
                subject_id=event.subject_id,
                payload={"tries": tries},
                delay_seconds=min(2.0**tries, MAX_PAUSE_SECONDS),
            )


@events.on(saved_methods.FORGET_WANTED, name="payments.forget", transactional=False)
async def on_forget_wanted(event: Event) -> None:
    await _ask(event, saved_methods.forget)


@events.on(test_gateway.CHANGED, name="test_gateway.webhook", transactional=False)
async def on_test_gateway_changed(event: Event) -> None:
    if event.subject_id is not None:
        await test_gateway.notify(event.subject_id)
