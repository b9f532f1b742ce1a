"""Email through an SMTP server."""

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from app.errors import DomainError
from app.messaging.mime import address
from app.messaging.transports import (
    OutgoingEmail,
    PermanentSendError,
    SendError,
    TemporarySendError,
    UnknownOutcomeError,
)
from app.settings import Settings

MAX_REFERENCE_CHARS = 255
CHECK_TIMEOUT_SECONDS = 10.0
UNSET_SENDER_DOMAIN = "localhost.localdomain"
_ENHANCED_CODE = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_STARTTLS = {"required": True, "optional": None, "off": False}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail goes.

    `smtps://user:password@host:465` speaks TLS from the start. `smtp://user:password@host:587` upgrades with STARTTLS
    and refuses a server without it; `?starttls=optional` upgrades where it is offered and `?starttls=off` never does,
    for a mail catcher on one's own machine. Certificates are always checked.
    """

    host: str
    port: int
    use_tls: bool
    start_tls: bool | None
    username: str | None
    password: str | None

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Raises ValueError with what is wrong, without the password."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("SMTP_URL must look like smtp://user:password@host:587 or smtps://…:465")
        options = parse_qs(parts.query)
        starttls = options.pop("starttls", ["required"])[-1]
        if options or starttls not in _STARTTLS:
            raise ValueError("SMTP_URL takes one option, starttls=required, optional or off")
        use_tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if use_tls else 587),
            use_tls=use_tls,
            start_tls=False if use_tls else _STARTTLS[starttls],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    def client(self, timeout_seconds: float) -> "_Client":
        return _Client(
            hostname=self.host,
            port=self.port,
            use_tls=self.use_tls,
            start_tls=self.start_tls,
            username=self.username,
            password=self.password,
            timeout=timeout_seconds,
        )


class _Client(aiosmtplib.SMTP):
    """Knows whether the message itself was under way: before that, a broken connection has sent nothing."""

    handed_over = False

    async def data(self, message: str | bytes, /, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        self.handed_over = True
        return await super().data(message, **kwargs)


class SmtpTransport:
    def __init__(self, server: SmtpServer, timeout_seconds: float) -> None:
        self._server = server
        self._timeout_seconds = timeout_seconds

    async def send(self, email: OutgoingEmail) -> str | None:
        """One mail over a connection of its own, within the deadline whatever the server does.

        The library's own timeout starts anew with every command, hence the deadline around them all.
        """
        client = self._server.client(self._timeout_seconds)
        failure: SendError | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await client.connect()
                _, answer = await client.send_message(email.mime, sender=email.sender, recipients=[email.recipient])
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            failure = _failure(error, handed_over=client.handed_over)
        finally:
            await _leave(client)
        if failure is not None:
            # Outside the handler: the library's own errors quote addresses, and a chain of causes would log them.
            raise failure
        return " ".join(answer.split())[:MAX_REFERENCE_CHARS] or None


async def _leave(client: aiosmtplib.SMTP) -> None:
    """The mail is accepted or not by now: saying goodbye may take a moment, and may fail."""
    if client.is_connected:
        with suppress(aiosmtplib.SMTPException, OSError):
            async with asyncio.timeout(1):
                await client.quit()
    client.close()


def _code(error: aiosmtplib.SMTPResponseException) -> str:
    enhanced = _ENHANCED_CODE.match(error.message)
    return f"{error.code} {enhanced[1]}" if enhanced else str(error.code)


def _failure(error: Exception, *, handed_over: bool) -> SendError:
    """What an error means for this message.

    Only an answer about the recipient or the content is final. A refused login, sender or TLS is our own set-up, which
    somebody will mend, so the message waits for that.
    """
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[refusal, *_]):
            return _answer(refusal, permanent=refusal.code >= 500)
        case aiosmtplib.SMTPDataError():
            return _answer(error, permanent=error.code >= 500)
        case aiosmtplib.SMTPResponseException():
            return _answer(error, permanent=False)
        case _ if _tls_error(error):
            return TemporarySendError("TLS failed")
        case _ if _lacks_feature(error):
            return TemporarySendError("the server lacks STARTTLS or authentication")
        case _ if handed_over:
            return UnknownOutcomeError(f"{type(error).__name__} after the message was handed over")
        case _:
            return TemporarySendError(f"{type(error).__name__} before the message was handed over")


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """The TLS error in a chain of causes: the library wraps those of connecting."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__
    return error


def _lacks_feature(error: Exception) -> bool:
    """The library has no type of its own for a server without STARTTLS or AUTH: it raises its base class."""
    return type(error) is aiosmtplib.SMTPException or isinstance(error, aiosmtplib.SMTPNotSupported)


def _answer(error: aiosmtplib.SMTPResponseException, *, permanent: bool) -> SendError:
    return PermanentSendError(_code(error)) if permanent else TemporarySendError(_code(error))


async def check_smtp(settings: Settings) -> str | None:
    """Connect, encrypt and sign in as for a real mail, and send none. The problem in words, or None."""
    for name, sender in (("EMAIL_FROM", settings.email_from), ("EMAIL_REPLY_TO", settings.email_reply_to)):
        try:
            mailbox = address(sender) if sender else None
        except DomainError:
            return f"{name} is not an email address"
        if mailbox is not None and settings.is_production and mailbox.domain == UNSET_SENDER_DOMAIN:
            return f"{name} is not set: mail needs a sender that can be answered"
    if settings.smtp_url is None:
        return "SMTP_URL is not set" if settings.is_production else None
    try:
        server = SmtpServer.from_url(settings.smtp_url)
    except ValueError as error:
        return str(error)
    where = f"{server.host}:{server.port}"
    client = server.client(CHECK_TIMEOUT_SECONDS)
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            await client.connect()
            await client.noop()
    except aiosmtplib.SMTPAuthenticationError as error:
        return f"{where} refused the user name or password of SMTP_URL ({_code(error)})"
    except aiosmtplib.SMTPResponseException as error:
        return f"{where} answered {_code(error)}"
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        if (tls_error := _tls_error(error)) is not None:
            cause = getattr(tls_error, "verify_message", None) or tls_error.reason
            return f"{where}: no trusted TLS connection, certificate or protocol refused ({cause})"
        if _lacks_feature(error):
            return f"{where} offers no STARTTLS or no sign-in: use smtps://, or ?starttls=optional on a trusted network"
        return f"{where} cannot be reached ({type(error).__name__})"
    finally:
        await _leave(client)
    return None
