"""Handing one message to the first provider that takes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from app import tracing
from app.messaging.models import MessageChannel, MessagePurpose
from app.messaging.providers import admission
from app.messaging.providers.bulkhead import bulkhead
from app.messaging.providers.configured import Provider, configured
from app.messaging.transports import (
    Accepted,
    NotYetError,
    OutgoingCall,
    OutgoingEmail,
    OutgoingMessage,
    OutgoingSms,
    PermanentSendError,
    SendError,
    TemporarySendError,
    UnknownOutcomeError,
)
from app.metrics import instruments
from app.settings import Settings

_CHANNELS = {
    OutgoingEmail: MessageChannel.EMAIL,
    OutgoingSms: MessageChannel.SMS,
    OutgoingCall: MessageChannel.VOICE,
}

log = structlog.get_logger(__name__)


async def send(message: OutgoingMessage, settings: Settings) -> Accepted:
    """Outside any transaction. Each provider has the deadline of `send_timeout_seconds` for itself.

    The next provider is asked only where the one before has certainly not taken the message. An unknown outcome ends
    it: two providers would make two messages of one.

    Raises:
        NotYetError: the provider is well, and this message's turn comes later.
        SendError: what the last provider that was asked made of it.
    """
    channel = _CHANNELS[type(message)]
    failure: SendError = PermanentSendError(f"no provider for {channel} is set up")
    for provider in configured(channel, settings):
        try:
            with (
                _counted(channel, provider.name),
                tracing.span(f"send {channel.lower()}", provider=provider.name, message_id=str(message.id)),
            ):
                return Accepted(provider.name, await _hand_to(provider, message))
        except NotYetError:
            raise
        except TemporarySendError as error:
            failure = error
            log.warning("provider did not take a message", provider=provider.name, detail=error.detail)
    raise failure


_OUTCOMES: dict[type[SendError], str] = {
    NotYetError: "later",
    TemporarySendError: "away",
    PermanentSendError: "refused",
    UnknownOutcomeError: "unknown",
}


@contextmanager
def _counted(channel: MessageChannel, provider: str) -> Iterator[None]:
    outcome = "fault"
    try:
        yield
        outcome = "accepted"
    except SendError as error:
        outcome = next((name for kind, name in _OUTCOMES.items() if isinstance(error, kind)), outcome)
        raise
    finally:
        instruments.message_handed_over(channel, provider, outcome)


async def _hand_to(provider: Provider, message: OutgoingMessage) -> str | None:
    transport: Any = provider.transport
    reference: str | None
    if not provider.is_remote:
        reference = await transport.send(message)
        return reference
    urgent = message.purpose is MessagePurpose.TRANSACTIONAL
    async with bulkhead(provider.name, provider.concurrency).place():
        troubled = await admission.admit(provider.name, message.id, per_second=provider.per_second, urgent=urgent)
        try:
            reference = await transport.send(message)
        except SendError as error:
            if _is_its_own_fault(error):
                await admission.failed(provider.name)
            elif troubled:
                await admission.succeeded(provider.name)
            raise
        if troubled:
            await admission.succeeded(provider.name)
        return reference


def _is_its_own_fault(error: SendError) -> bool:
    if isinstance(error, TemporarySendError):
        return not error.about_receiver
    return isinstance(error, UnknownOutcomeError)
