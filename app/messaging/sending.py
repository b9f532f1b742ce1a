"""Sending one row of the ledger: claim it, hand it to the provider outside any transaction, note the outcome.

What is promised: the decision to send is made once, and a message in the ledger is never forgotten. What cannot be:
between handing over and the provider's answer nobody knows whether it went out. A process that dies there, or a
connection that breaks, leaves UNKNOWN; mail about an order is then sent again with the same Message-ID, anything else
waits for a person (`rules.may_repeat`).
"""

import uuid
from typing import cast

import structlog

from app import db, events
from app.events.delivery import MAX_ATTEMPTS
from app.fulfillments.models import ShipmentStatus
from app.kit.leases import renewed
from app.messaging import ledger, mime, order_context, providers, rendering, rules
from app.messaging.ledger import LedgerRow
from app.messaging.models import MessageChannel, MessageReason, MessageState
from app.messaging.order_values import ShopValues
from app.messaging.transports import (
    Accepted,
    NotYetError,
    OutgoingMessage,
    OutgoingSms,
    PermanentSendError,
    SendError,
    UnknownOutcomeError,
    UnsubscribedError,
)
from app.orders.models import OrderStatus
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
        message = await _write(row, settings)
    except (rendering.RenderingError, order_context.OrderNotFoundError) as error:
        log.error("message cannot be rendered", message=str(row.id), template=row.template, cause=str(error))
        await ledger.close(row, MessageState.FAILED, MessageReason.RENDERING_FAILED, str(error))
        return
    except PermanentSendError as error:
        await ledger.close(row, MessageState.FAILED, MessageReason.REFUSED, error.detail)
        return
    claim = await _claim(row)
    if claim is not None:
        await _hand_over(row, message, claim, attempt, settings)


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


async def _write(row: LedgerRow, settings: Settings) -> OutgoingMessage:
    """The message as it will leave the shop, the same at every try."""
    if row.order_id is None:
        raise order_context.OrderNotFoundError("the message belongs to no order")
    values = await order_context.build(row.template, row.order_id, row.context, settings)
    if row.channel is MessageChannel.SMS:
        text = rendering.render_sms(row.template, values)
        return OutgoingSms(row.id, row.purpose, row.template, row.recipient, text)
    shop = cast(ShopValues, values["shop"])
    return mime.compose(
        message_id=row.id,
        purpose=row.purpose,
        template=row.template,
        rendered=rendering.render_email(row.template, values),
        recipient=row.recipient,
        email_from=settings.email_from,
        reply_to=settings.email_reply_to or mime.mailbox_or_none(shop["email"]),
        shop_name=shop["name"],
        written_at=row.created_at,
    )


async def _claim(row: LedgerRow) -> int | None:
    """Take the row for this process; None when it moved meanwhile, or must not be sent any more."""
    async with db.unit_of_work():
        current = await ledger.lock(row.id)
        if current is None or (current.state, current.attempts) != (row.state, row.attempts):
            return None
        reason = await obsolete_reason(row)
        if reason is not None:
            await ledger.close(current, MessageState.SKIPPED, reason)
            return None
        return await ledger.claim(row.id)


async def obsolete_reason(row: LedgerRow) -> MessageReason | None:
    """Why the row must not be sent any more, by what is committed now."""
    shipment = row.context.get("shipmentId")
    facts = await db.fetchrow(
        "SELECT o.status, (SELECT status FROM shipments WHERE id = $2) AS shipment FROM orders o WHERE o.id = $1",
        row.order_id,
        uuid.UUID(shipment) if shipment else None,
    )
    if facts is None:
        return None
    status = ShipmentStatus(facts["shipment"]) if facts["shipment"] else None
    return rules.obsolete(row.template, OrderStatus(facts["status"]), status)


async def _hand_over(row: LedgerRow, message: OutgoingMessage, claim: int, attempt: int, settings: Settings) -> None:
    outcome: Accepted | SendError
    async with renewed(lambda: ledger.renew(row.id, claim), every_seconds=RENEW_EVERY_SECONDS):
        try:
            outcome = await providers.send(message, settings)
        except SendError as error:
            outcome = error
    if isinstance(outcome, Accepted):
        await ledger.settle(row.id, claim, MessageState.SENT, accepted=outcome)
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


async def _note_failure(row: LedgerRow, failure: SendError, claim: int, attempt: int) -> None:
    detail = failure.detail
    match failure:
        case UnsubscribedError():
            await ledger.settle(row.id, claim, MessageState.SKIPPED, reason=MessageReason.UNSUBSCRIBED, detail=detail)
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
