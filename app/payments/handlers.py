"""Money follows the goods, and what gateways are asked for, until they have confirmed."""

import uuid
from collections.abc import Awaitable, Callable

from app import db, events
from app.events import Event
from app.gift_cards import credit_parts
from app.orders import cancellation, status
from app.payments import (
    capturing,
    disputes,
    following,
    later_settling,
    refund_asking,
    saved_methods,
    service,
    strays,
    test_gateway,
    transfers,
)
from app.payments.gateway import GatewayUnavailableError
from app.payments.webhooks import NOTIFIED

NOT_PAID_IN_TIME = "The payment did not arrive in time."
FOLLOW_WANTED = "payment.follow_wanted"
MAX_PAUSE_SECONDS = 300.0
MAX_REFUND_PAUSE_SECONDS = 3600.0
"""Banks take days over some refunds; a webhook tells sooner."""


@events.on("fulfillment.created", name="payments.capture")
async def on_fulfillment_created(event: Event) -> None:
    order_id = uuid.UUID(event.payload["orderId"])
    await status.lock_order(order_id)
    await capturing.want_capture(order_id)


@events.on(service.CAPTURE_WANTED, name="payments.capture", transactional=False)
async def on_capture_wanted(event: Event) -> None:
    await _ask(event, capturing.capture)


@events.on(service.VOID_WANTED, name="payments.void", transactional=False)
async def on_void_wanted(event: Event) -> None:
    await _ask(event, service.void)


@events.on(strays.REFUND_WANTED, name="payments.refund", transactional=False)
async def on_refund_wanted(event: Event) -> None:
    part_id = _subject(event)
    again = _tries(event) > 0 or event.attempt > 1
    try:
        decided = await refund_asking.ask(part_id, again=again)
    except GatewayUnavailableError:
        await _again(event, MAX_PAUSE_SECONDS)
        return
    if not decided:
        await _again(event, MAX_REFUND_PAUSE_SECONDS)


@events.on(NOTIFIED, name="payments.follow")
async def on_payment_notified(event: Event) -> None:
    """The gateway says that something happened to a payment. What it was, it is asked: by an event of its own, as who
    settles checkouts wants this one again when the gateway is away, and two would make four of it.
    """
    await events.record(FOLLOW_WANTED, subject_id=_subject(event))


@events.on(FOLLOW_WANTED, name="payments.follow", transactional=False)
async def on_follow_wanted(event: Event) -> None:
    await _ask(event, _follow)


@events.on(disputes.ASK_WANTED, name="payments.dispute", transactional=False)
async def on_dispute_notified(event: Event) -> None:
    try:
        await disputes.ask(event.payload["gateway"], event.payload["reference"])
    except GatewayUnavailableError:
        await _again(event, MAX_PAUSE_SECONDS)


@events.on(disputes.DISPUTED, name="payments.disputed_credit")
async def on_disputed(event: Event) -> None:
    """After the gift cards are switched off: what some of them have become before."""
    if event.payload["orderId"] is not None:
        await credit_parts.settle_order(uuid.UUID(event.payload["orderId"]))


async def _follow(payment_id: uuid.UUID) -> None:
    await later_settling.look(payment_id)
    await following.follow(payment_id)


@events.on(later_settling.WATCH, name="payments.later_watch", transactional=False)
@events.on(later_settling.EXPIRED, name="payments.later_expired", transactional=False)
async def on_look_at_later_payment(event: Event) -> None:
    """Until there is an answer that stays, with longer and longer pauses."""
    try:
        settled = await later_settling.look(_subject(event))
    except GatewayUnavailableError:
        settled = False
    if not settled:
        await _again(event, MAX_PAUSE_SECONDS)


@events.on(saved_methods.FORGET_WANTED, name="payments.forget", transactional=False)
async def on_forget_wanted(event: Event) -> None:
    await _ask(event, saved_methods.forget)


@events.on(transfers.REMINDER_DUE, name="payments.remind")
async def on_transfer_reminder_due(event: Event) -> None:
    await transfers.remind(_subject(event))


@events.on(transfers.TIME_OVER, name="payments.transfer_time_over")
async def on_transfer_time_over(event: Event) -> None:
    """Nobody has said that the money came in: the order is no order any more. One that is paid in part is for staff."""
    order_id = _subject(event)
    await status.lock_order(order_id)
    if await transfers.owed_of([order_id]) and not await transfers.has_part(order_id):
        await cancellation.cancel_order(order_id, NOT_PAID_IN_TIME)


@events.on(test_gateway.CHANGED, name="test_gateway.webhook", transactional=False)
async def on_test_gateway_changed(event: Event) -> None:
    if event.subject_id is not None:
        await test_gateway.notify(event.subject_id)


async def _ask(event: Event, question: Callable[[uuid.UUID], Awaitable[None]]) -> None:
    """A gateway that is away is asked again for as long as it takes; any other failure is the event's to count."""
    try:
        await question(_subject(event))
    except GatewayUnavailableError:
        await _again(event, MAX_PAUSE_SECONDS)


async def _again(event: Event, max_pause_seconds: float) -> None:
    tries = _tries(event) + 1
    async with db.unit_of_work():
        await events.record(
            event.type,
            subject_id=event.subject_id,
            payload={**event.payload, "tries": tries},
            delay_seconds=min(2.0**tries, max_pause_seconds),
        )


def _tries(event: Event) -> int:
    tries: int = event.payload.get("tries", 0)
    return tries


def _subject(event: Event) -> uuid.UUID:
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no subject")
    return event.subject_id
