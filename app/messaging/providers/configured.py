"""The providers that the settings name, in the order in which they are tried."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.messaging import dev_inbox, twilio, voice
from app.messaging.models import MessageChannel
from app.messaging.smtp import DEFAULT_CONNECTIONS, SmtpServer, SmtpTransport
from app.messaging.transports import EmailTransport, SmsTransport, TemporarySendError, VoiceTransport
from app.settings import Settings

INBOX = "inbox"


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    transport: EmailTransport | SmsTransport | VoiceTransport
    per_second: float | None = None
    """Messages that it takes; None for as many as come."""
    concurrency: int = DEFAULT_CONNECTIONS
    """Messages that one worker process hands to it at once."""
    is_remote: bool = True
    """Whether it can be slow or away; the developer's inbox cannot."""


def configured(channel: MessageChannel, settings: Settings) -> list[Provider]:
    """The shop's own providers; in development the inbox, where there is none. Empty when the channel has nobody.

    Raises TemporarySendError for a malformed SMTP_URL.
    """
    providers: list[Provider] = []
    account = twilio.TwilioAccount.from_settings(settings)
    match channel:
        case MessageChannel.EMAIL if settings.smtp_url is not None:
            for url in (settings.smtp_url, *settings.smtp_fallback_urls):
                server = _server(url)
                taken = sum(provider.name == server.name for provider in providers)
                name = f"{server.name}-{taken + 1}" if taken else server.name
                transport = SmtpTransport(server, settings.send_timeout_seconds)
                providers.append(Provider(name, transport, server.per_second, server.connections))
        case MessageChannel.SMS if account is not None:
            texts = twilio.TwilioTransport(account, settings.send_timeout_seconds)
            providers.append(Provider("twilio", texts, settings.twilio_per_second))
        case MessageChannel.VOICE if account is not None:
            calls = voice.TwilioCalls(account, settings.send_timeout_seconds)
            providers.append(Provider("twilio-voice", calls, settings.twilio_calls_per_second))
    if not providers and settings.is_development:
        inbox: dict[MessageChannel, Any] = {
            MessageChannel.EMAIL: dev_inbox.DevEmailTransport,
            MessageChannel.SMS: dev_inbox.DevSmsTransport,
            MessageChannel.VOICE: dev_inbox.DevVoiceTransport,
        }
        providers.append(Provider(INBOX, inbox[channel](), is_remote=False))
    return providers


def is_configured(channel: MessageChannel, settings: Settings) -> bool:
    """Whether messages of this channel can leave the shop at all."""
    if channel is MessageChannel.EMAIL:
        return settings.smtp_url is not None or settings.is_development
    return twilio.TwilioAccount.from_settings(settings) is not None or settings.is_development


@lru_cache(maxsize=32)
def _parsed(url: str) -> SmtpServer:
    return SmtpServer.from_url(url)


def _server(url: str) -> SmtpServer:
    try:
        return _parsed(url)
    except ValueError as error:
        raise TemporarySendError(str(error)) from None
