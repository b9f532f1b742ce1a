"""Email through an SMTP server."""

import asyncio
import copy
import math
import re
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from app.errors import DomainError
from app.messaging.mime import address
from app.messaging.smtp_pool import PooledSmtp, SmtpPool, leave, pool_of
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
CONNECT_TIMEOUT_SECONDS = 10.0
"""To connect, encrypt and sign in: what takes longer is away, and another provider may not be."""
DEFAULT_CONNECTIONS = 8
MAX_NAME_CHARS = 40
UNSET_SENDER_DOMAIN = "localhost.localdomain"
_ENHANCED_CODE = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_OPTIONS = ("starttls", "name", "per_second", "connections")
_NAME = re.compile(r"[A-Za-z0-9._:-]{1,40}")
_STARTTLS = {"required": True, "optional": None, "off": False}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail goes.

    `smtps://user:password@host:465` speaks TLS from the start. `smtp://user:password@host:587` upgrades with STARTTLS
    and refuses a server without it; `?starttls=optional` upgrades where it is offered and `?starttls=off` never does,
    for a mail catcher on one's own machine. Certificates are always checked.

    More options, joined by `&`: `name=` is what the ledger calls the server (else its host), `per_second=` how many
    messages it takes, and `connections=` how many each worker process may have at once.
    """

    host: str
    port: int
    use_tls: bool
    start_tls: bool | None
    username: str | None
    password: str | None = field(repr=False)
    name: str
    """What the ledger calls it."""
    per_second: float | None = None
    connections: int = DEFAULT_CONNECTIONS

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Raises ValueError with what is wrong, without the password."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("SMTP_URL must look like smtp://user:password@host:587 or smtps://…:465")
        options = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if unknown := options.keys() - _OPTIONS:
            raise ValueError(f"SMTP_URL has no option {min(unknown)}: it takes {', '.join(_OPTIONS)}")
        starttls = options.get("starttls", "required")
        if starttls not in _STARTTLS:
            raise ValueError("SMTP_URL's option starttls is required, optional or off")
        name = options.get("name", parts.hostname[:MAX_NAME_CHARS])
        if not _NAME.fullmatch(name):
            raise ValueError("SMTP_URL's option name takes up to 40 letters, digits, dots and dashes")
        use_tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if use_tls else 587),
            use_tls=use_tls,
            start_tls=False if use_tls else _STARTTLS[starttls],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            name=name,
            per_second=_number(options, "per_second", 0.01, 10_000),
            connections=int(_number(options, "connections", 1, 100) or DEFAULT_CONNECTIONS),
        )

    def client(self, timeout_seconds: float) -> PooledSmtp:
        return PooledSmtp(
            hostname=self.host,
            port=self.port,
            use_tls=self.use_tls,
            start_tls=self.start_tls,
            username=self.username,
            password=self.password,
            timeout=timeout_seconds,
        )


def _number(options: dict[str, str], name: str, least: float, most: float) -> float | None:
    if name not in options:
        return None
    try:
        number = float(options[name])
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise ValueError(f"SMTP_URL's option {name} is a number from {least:g} to {most:g}")
    return number


class SmtpTransport:
    def __init__(self, server: SmtpServer, timeout_seconds: float) -> None:
        self._server = server
        self._timeout_seconds = timeout_seconds

    async def send(self, email: OutgoingEmail) -> str | None:
        """One mail, over a connection that may have carried others, within the deadline whatever the server does.

        The library's own timeout starts anew with every command, hence the deadline around them all.
        """
        pool = pool_of(self._server, self._timeout_seconds)
        conversation = _Conversation(pool)
        failure: SendError | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await conversation.deliver(email, _marked(email, self._server))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            failure = _failure(error, handed_over=conversation.handed_over)
        finally:
            conversation.end()
        if failure is not None:
            # Outside the handler: the library's own errors quote addresses, and a chain of causes would log them.
            raise failure
        return " ".join(answer.split())[:MAX_REFERENCE_CHARS] or None


class _Conversation:
    """Delivering one mail: over waiting connections while they turn out to be dead, or else over a new one."""

    def __init__(self, pool: SmtpPool) -> None:
        self._pool = pool
        self._client: PooledSmtp | None = None

    @property
    def handed_over(self) -> bool:
        return self._client is not None and self._client.handed_over

    async def deliver(self, email: OutgoingEmail, mime: EmailMessage) -> str:
        while (waiting := self._pool.take()) is not None:
            try:
                return await self._say(waiting, email, mime)
            except (aiosmtplib.SMTPException, OSError) as error:
                # Servers hang up on who says nothing for a while; before the message is under way, nothing was sent.
                if waiting.handed_over or not _hung_up(error):
                    raise
                waiting.close()
        self._client = client = self._pool.new()
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            await client.connect()
        return await self._say(client, email, mime)

    async def _say(self, client: PooledSmtp, email: OutgoingEmail, mime: EmailMessage) -> str:
        self._client = client
        client.handed_over = False
        try:
            _, answer = await client.send_message(mime, sender=email.sender, recipients=[email.recipient])
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError) as error:
            # An answer like any other: the library has reset the conversation, and the next mail may be welcome.
            if not _hung_up(error) and client.is_connected:
                self._client = None
                self._pool.give_back(client)
            raise
        self._client = None
        self._pool.give_back(client)
        return answer

    def end(self) -> None:
        """A connection on which something went wrong is used no more: its state is anybody's guess."""
        if self._client is not None:
            self._client.close()


def _hung_up(error: Exception) -> bool:
    """Whether the connection is gone; 421 announces it (RFC 5321, 3.8)."""
    code = error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None
    return code == 421 or isinstance(error, (aiosmtplib.SMTPServerDisconnected, ConnectionError))


def _marked(email: OutgoingEmail, server: SmtpServer) -> EmailMessage:
    """The mail with what its provider's notices will name it by, where the Message-ID alone does not come back.

    Source: https://postmarkapp.com/developer/user-guide/send-email-with-smtp (metadata, X-PM-KeepID).
    """
    if not server.host.endswith("postmarkapp.com"):
        return email.mime
    mime = copy.deepcopy(email.mime)
    mime["X-PM-KeepID"] = "true"
    mime["X-PM-Metadata-message"] = email.id.hex
    return mime


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
            return _answer(refusal, permanent=refusal.code >= 500, about_receiver=True)
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


def _answer(error: aiosmtplib.SMTPResponseException, *, permanent: bool, about_receiver: bool = False) -> SendError:
    if permanent:
        return PermanentSendError(_code(error))
    return TemporarySendError(_code(error), about_receiver=about_receiver and not _hung_up(error))


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
    for setting, urls in (("SMTP_URL", [settings.smtp_url]), ("SMTP_FALLBACK_URLS", settings.smtp_fallback_urls)):
        for url in urls:
            try:
                problem = await _check_server(SmtpServer.from_url(url), setting)
            except ValueError as error:
                problem = str(error).replace("SMTP_URL", setting)
            if problem is not None:
                return problem
    return None


async def _check_server(server: SmtpServer, setting: str) -> str | None:
    where = f"{server.host}:{server.port}"
    client = server.client(CHECK_TIMEOUT_SECONDS)
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            await client.connect()
            await client.noop()
    except aiosmtplib.SMTPAuthenticationError as error:
        return f"{where} refused the user name or password of {setting} ({_code(error)})"
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
        await leave(client)
    return None
