"""What carries a message out of the shop, and how a try can end.

A transport returns what the provider calls the message, or raises one of the `SendError`s. Their `detail` is for the
ledger and for logs: codes of the provider, never an address or a provider's free text, which likes to quote one.
"""

import uuid
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol

from app.messaging.models import MessagePurpose
from app.settings import Settings


class SendError(Exception):
    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class TemporarySendError(SendError):
    """It was certainly not sent, and may be later: the provider is away, busy, or set up wrongly on our side."""


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


class EmailTransport(Protocol):
    async def send(self, email: OutgoingEmail) -> str | None:
        """The provider's reference, if it has one. Raises SendError."""


class SmsTransport(Protocol):
    async def send(self, sms: OutgoingSms) -> str | None:
        """The provider's reference, if it has one. Raises SendError."""


def email_transport(settings: Settings) -> EmailTransport | None:
    """SMTP where `SMTP_URL` is set; otherwise the developer inbox, which production does not have.

    Raises TemporarySendError for a malformed SMTP_URL.
    """
    from app.messaging import dev_inbox, smtp

    if settings.smtp_url is not None:
        try:
            server = smtp.SmtpServer.from_url(settings.smtp_url)
        except ValueError as error:
            raise TemporarySendError(str(error)) from None
        return smtp.SmtpTransport(server, settings.send_timeout_seconds)
    return dev_inbox.DevEmailTransport() if settings.is_development else None


def sms_transport(settings: Settings) -> SmsTransport | None:
    """Twilio where its three settings are set; otherwise the developer inbox, which production does not have."""
    from app.messaging import dev_inbox, twilio

    account = twilio.TwilioAccount.from_settings(settings)
    if account is not None:
        return twilio.TwilioTransport(account, settings.send_timeout_seconds)
    return dev_inbox.DevSmsTransport() if settings.is_development else None
