"""What carries a message out of the shop, and how a try can end.

A transport returns what the provider calls the message, or raises one of the `SendError`s. Their `detail` is for the
ledger and for logs: codes of the provider, never an address or a provider's free text, which likes to quote one.
"""

import uuid
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol

from app.messaging.models import MessagePurpose


class SendError(Exception):
    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class TemporarySendError(SendError):
    """It was certainly not sent, and may be later: the provider is away, busy, or set up wrongly on our side."""

    def __init__(self, detail: str, *, about_receiver: bool = False) -> None:
        super().__init__(detail)
        self.about_receiver = about_receiver
        """The provider itself is well: it would have taken a message for somebody else."""


class NotYetError(TemporarySendError):
    """The provider is well and has enough to do; this message's turn comes. That is no failed attempt."""

    def __init__(self, detail: str, retry_after_seconds: float) -> None:
        super().__init__(detail, about_receiver=True)
        self.retry_after_seconds = retry_after_seconds


class PermanentSendError(SendError):
    """It was certainly not sent, and this message never will be."""


class UnsubscribedError(PermanentSendError):
    """The provider knows that this receiver wants nothing from us."""


class UnknownOutcomeError(SendError):
    """The connection broke, or time ran out, after the message was handed over and before the answer came."""


@dataclass(frozen=True, slots=True)
class OutgoingEmail:
    id: uuid.UUID
    """Of the ledger row."""
    purpose: MessagePurpose
    template: str
    sender: str
    """Envelope sender: a bare address, where bounces go."""
    recipient: str
    mime: EmailMessage


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    id: uuid.UUID
    purpose: MessagePurpose
    template: str
    recipient: str
    """E.164."""
    text: str


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    id: uuid.UUID
    purpose: MessagePurpose
    template: str
    recipient: str
    """E.164."""
    text: str
    """What is read aloud."""
    language: str
    """BCP 47, of the text."""


OutgoingMessage = OutgoingEmail | OutgoingSms | OutgoingCall


@dataclass(frozen=True, slots=True)
class Accepted:
    """A provider took the message. Whether it arrives is told later, if at all."""

    provider: str
    """Which of the shop's providers."""
    reference: str | None
    """What the provider calls it, if it has a name for it."""


class EmailTransport(Protocol):
    async def send(self, email: OutgoingEmail, /) -> str | None:
        """The provider's reference, if it has one. Raises SendError."""


class SmsTransport(Protocol):
    async def send(self, sms: OutgoingSms, /) -> str | None:
        """The provider's reference, if it has one. Raises SendError."""


class VoiceTransport(Protocol):
    async def send(self, call: OutgoingCall, /) -> str | None:
        """The provider's reference, if it has one. Raises SendError."""
