"""Settling attempts whose process died, whose answer got lost, or that wait for somebody."""

import uuid

from app import db, events
from app.checkout import attempts, settlement
from app.checkout.answers import ActionRequired, Undecided
from app.checkout.models import AttemptState
from app.checkout.paying import WATCH
from app.events import Event
from app.payments.gateway import GatewayUnavailableError
from app.payments.webhooks import NOTIFIED

MAX_PAUSE_SECONDS = 60.0


@events.on(WATCH, name="checkout.watch", transactional=False)
async def on_attempt_watch(event: Event) -> None:
    """Left behind by every attempt that asks a gateway, and withdrawn by it when it is done."""
    attempt_id = _subject(event)
    attempt, row = await attempts.load(attempt_id)
    if attempt is None or row["state"] == AttemptState.REQUIRES_ACTION:
        return
    if row["leased"]:
        await _look_later(event, _tries(event), max(0.0, row["lease_seconds"]) + 0.5)
        return
    await _look(event, attempt_id)


@events.on(settlement.HOLD_EXPIRED, name="checkout.hold_expired", transactional=False)
async def on_hold_expired(event: Event) -> None:
    await _look(event, _subject(event))


@events.on(NOTIFIED, name="checkout.payment_notified", transactional=False)
async def on_payment_notified(event: Event) -> None:
    """The gateway says that something happened to a payment. What it was, it is asked."""
    attempt_id = await attempts.id_of_payment(_subject(event))
    if attempt_id is None:
        return
    try:
        await settlement.look(attempt_id)
    except GatewayUnavailableError:
        await _look_later(event, _tries(event) + 1)


async def _look(event: Event, attempt_id: uuid.UUID) -> None:
    """Until there is an answer that stays, with longer and longer pauses.

    A timer can fire, and its attempt still have a moment left, when the database's clock was set back in between.
    """
    try:
        answer = await settlement.look(attempt_id)
    except GatewayUnavailableError:
        answer = Undecided()
    if isinstance(answer, (Undecided, ActionRequired)):
        await _look_later(event, _tries(event) + 1)


async def _look_later(event: Event, tries: int, seconds: float | None = None) -> None:
    pause = min(2.0**tries, MAX_PAUSE_SECONDS) if seconds is None else seconds
    async with db.unit_of_work():
        await events.record(event.type, subject_id=event.subject_id, payload={"tries": tries}, delay_seconds=pause)


def _tries(event: Event) -> int:
    tries: int = event.payload.get("tries", 0)
    return tries


def _subject(event: Event) -> uuid.UUID:
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no subject")
    return event.subject_id
