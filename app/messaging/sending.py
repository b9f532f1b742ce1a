"""Sending one row of the ledger: claim it, hand it to the provider outside any transaction, note the outcome.

What is promised: the decision to send is made once, and a message in the ledger is never forgotten. What cannot be:
between handing over and the provider's answer nobody knows whether it went out. A process that dies there, or a
connection that breaks, leaves UNKNOWN; mail about an order is then sent again with the same Message-ID, anything else
waits for a person (`rules.may_repeat`).
"""

import uuid
from datetime import datetime

import structlog

from app import db, events
from app.customers import identification, suppressions, timeline
from app.customers.models import SuppressionReason
from app.events import timers
from app.events.delivery import MAX_ATTEMPTS
from app.kit.leases import renewed
from app.messaging import ledger, message_events, providers, rules, starting, tracked_links, writing
from app.messaging.ledger import LedgerRow
from app.messaging.models import MessageReason, MessageState
from app.messaging.transports import (
    Accepted,
    NotYetError,
    OutgoingMessage,
    PermanentSendError,
    SendError,
    UnknownOutcomeError,
    UnsubscribedError,
)
from app.messaging.writing import UnwritableError, Written
from app.settings import Settings, get_settings

RENEW_EVERY_SECONDS = 1.5
RETRY_FOR_SECONDS = 24 * 3600
"""How long a provider may be away before the message is given up."""
RETRY_PAUSE_SECONDS = 1800.0
"""Between two rounds of an event's attempts."""
MAX_UNANSWERED_ATTEMPTS = 4
"""A server that takes mail and never says so is not sent the same mail for ever."""

log = structlog.get_logger(__name__)


class MessageNotSentError(Exception):
    """The event has to come again. The text is a code, never an address."""


async def send(message_id: uuid.UUID, *, attempt: int) -> None:
    """Do what the ledger row needs, if anything.

    Args:
        attempt: of the event that asks for it; 1 also when staff replayed its dead letter.

    Raises:
        MessageNotSentError: try again later; at the event's last attempt, a dead letter.
    """
    settings = get_settings()
    row = await ledger.find(message_id)
    if row is None or not await _is_due(row, attempt):
        return
    try:
        written = await writing.write(row, settings)
    except UnwritableError as error:
        log.error("message cannot be rendered", message=str(row.id), template=row.template, cause=str(error))
        await ledger.close(row, MessageState.FAILED, MessageReason.RENDERING_FAILED, str(error))
        return
    except PermanentSendError as error:
        await ledger.close(row, MessageState.FAILED, MessageReason.REFUSED, error.detail)
        return
    claim = await _claim(row, written, settings)
    if claim is not None:
        await _hand_over(row, written.message, claim, attempt, settings)


async def _is_due(row: LedgerRow, attempt: int) -> bool:
    match row.state:
        case MessageState.RESERVED:
            return True
        case MessageState.SENDING if row.leased:
            raise MessageNotSentError("another process is sending it")
        case MessageState.SENDING:
            if rules.may_repeat(row.channel, row.purpose):
                return True
            await ledger.close(row, MessageState.UNKNOWN, MessageReason.PROCESS_DIED)
            return False
        case MessageState.UNKNOWN:
            return rules.may_repeat(row.channel, row.purpose) and row.attempts < MAX_UNANSWERED_ATTEMPTS
        case MessageState.FAILED:
            # Staff replayed the dead letter that the last attempt left.
            return row.reason is MessageReason.RETRIES_EXHAUSTED and attempt == 1
        case _:
            return False


async def _claim(row: LedgerRow, written: Written, settings: Settings) -> int | None:
    """Take the row for this process; None when it moved meanwhile, or must not be sent (now)."""
    async with db.unit_of_work():
        ordered = await starting.lock_subject(row)
        current = await ledger.lock(row.id)
        if current is None or (current.state, current.attempts) != (row.state, row.attempts):
            return None
        obstacle = await starting.obstacle(current, ordered=ordered)
        if isinstance(obstacle, datetime):
            await timers.schedule("message.reserved", subject_id=row.id, due_at=obstacle)
            return None
        if obstacle is not None:
            await ledger.close(current, MessageState.SKIPPED, obstacle)
            return None
        await tracked_links.store(row.id, written.urls, settings)
        return await ledger.claim(row.id, segments=written.segments)


async def _hand_over(row: LedgerRow, message: OutgoingMessage, claim: int, attempt: int, settings: Settings) -> None:
    outcome: Accepted | SendError
    async with renewed(lambda: ledger.renew(row.id, claim), every_seconds=RENEW_EVERY_SECONDS):
        try:
            outcome = await providers.send(message, settings)
        except SendError as error:
            outcome = error
    if isinstance(outcome, Accepted):
        await _note_sent(row, claim, outcome)
        log.info("message sent", message=str(row.id), template=row.template, channel=row.channel)
        return
    log.warning(
        "message not sent",
        message=str(row.id),
        template=row.template,
        channel=row.channel,
        outcome=type(outcome).__name__,
        detail=outcome.detail,
    )
    await _note_failure(row, outcome, claim, attempt)


async def _note_sent(row: LedgerRow, claim: int, accepted: Accepted) -> None:
    """In the ledger, and for what a flow or campaign sends on the person's timeline."""
    if row.profile_id is None or (row.flow_id is None and row.campaign_id is None):
        await ledger.settle(row.id, claim, MessageState.SENT, accepted=accepted)
        return
    async with db.unit_of_work():
        profile_id = await identification.lock(row.profile_id, or_erased=True)
        if await ledger.settle(row.id, claim, MessageState.SENT, accepted=accepted):
            data = await message_events.data_of(row)
            await timeline.record("message.sent", profile_id=profile_id, data=data)


async def _note_failure(row: LedgerRow, failure: SendError, claim: int, attempt: int) -> None:
    detail = failure.detail
    match failure:
        case UnsubscribedError():
            await _note_unsubscribed(row, claim, detail)
        case PermanentSendError():
            await ledger.settle(row.id, claim, MessageState.FAILED, reason=MessageReason.REFUSED, detail=detail)
        case UnknownOutcomeError():
            await ledger.settle(row.id, claim, MessageState.UNKNOWN, reason=MessageReason.NO_ANSWER, detail=detail)
            if rules.may_repeat(row.channel, row.purpose) and claim < MAX_UNANSWERED_ATTEMPTS:
                raise MessageNotSentError(detail)
        case NotYetError():
            await _wait_for_turn(row, claim, failure)
        case _:
            await _try_later(row, claim, attempt, detail)


async def _wait_for_turn(row: LedgerRow, claim: int, failure: NotYetError) -> None:
    """The provider is well and busy: no attempt has failed, so the message comes again with an event of its own."""
    async with db.unit_of_work():
        if await ledger.settle(row.id, claim, MessageState.RESERVED, detail=failure.detail):
            await events.record(
                "message.reserved", subject_id=row.id, delay_seconds=max(failure.retry_after_seconds, 0.1)
            )


async def _note_unsubscribed(row: LedgerRow, claim: int, detail: str) -> None:
    """The provider was told STOP: nothing more goes there, from anything, until its receiver or staff says so."""
    reason = MessageReason.UNSUBSCRIBED
    async with db.unit_of_work():
        if await ledger.settle(row.id, claim, MessageState.SKIPPED, reason=reason, detail=detail):
            await suppressions.add(row.channel, row.recipient, SuppressionReason.PROVIDER_UNSUBSCRIBED, detail)


async def _try_later(row: LedgerRow, claim: int, attempt: int, detail: str) -> None:
    """Back off with the event; after its last attempt pause and start over, for a day, then give up."""
    if attempt < MAX_ATTEMPTS:
        await ledger.settle(row.id, claim, MessageState.RESERVED, detail=detail)
        raise MessageNotSentError(detail)
    if row.age_seconds < RETRY_FOR_SECONDS:
        async with db.unit_of_work():
            if await ledger.settle(row.id, claim, MessageState.RESERVED, detail=detail):
                await events.record("message.reserved", subject_id=row.id, delay_seconds=RETRY_PAUSE_SECONDS)
        return
    await ledger.settle(row.id, claim, MessageState.FAILED, reason=MessageReason.RETRIES_EXHAUSTED, detail=detail)
    raise MessageNotSentError(detail)
