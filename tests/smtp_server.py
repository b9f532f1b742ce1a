"""A real SMTP server in the test's event loop, which can be made to misbehave."""

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class Mailbox:
    """What the server took, and what it answers. An answer of None hangs up instead."""

    rcpt_answers: list[str] = field(default_factory=list)
    data_answers: list[str | None] = field(default_factory=list)
    received: list[Envelope] = field(default_factory=list)
    answers_after_seconds: float = 0
    answers_after: asyncio.Event | None = None
    """Where it is given, it answers only once that has happened."""
    port: int = 0
    connections: int = 0
    _open: list[SMTP] = field(default_factory=list)

    def hang_up(self) -> None:
        """On everybody, as a server does with who says nothing for too long."""
        for connection in self._open:
            if connection.transport is not None:
                connection.transport.close()
        self._open.clear()

    async def _take_its_time(self) -> None:
        await asyncio.sleep(self.answers_after_seconds)
        if self.answers_after is not None:
            await self.answers_after.wait()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await self._take_its_time()
        answer = self.rcpt_answers.pop(0) if self.rcpt_answers else "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await self._take_its_time()
        answer = self.data_answers.pop(0) if self.data_answers else "250 2.0.0 Ok: queued as 4F9D195432C"
        if answer is None or answer.startswith("2"):
            self.received.append(envelope)
        if answer is None:
            assert server.transport is not None
            server.transport.abort()
            return "250 never seen"
        return answer


@asynccontextmanager
async def smtp_server(
    mailbox: Mailbox, *, tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None, **options: Any
) -> AsyncIterator[Mailbox]:
    """`tls` speaks TLS from the start; `tls_context=` among the options offers STARTTLS."""

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == login, handled=False)

    if login is not None:
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}

    def protocol() -> SMTP:
        mailbox.connections += 1
        mailbox._open.append(connection := SMTP(mailbox, hostname="mx.test", **options))
        return connection

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=tls)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()


@dataclass
class Dripping:
    """A server that drips: where it listens, and how many connections it took."""

    port: int = 0
    connections: int = 0
    hangs_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set, it ends all conversations, and those to come with their first byte."""


@asynccontextmanager
async def dripping_server(line: bytes, seconds_per_byte: float, *, greeting: bytes = b"") -> AsyncIterator[Dripping]:
    """A server that keeps every single read short of a timeout, and never finishes.

    Args:
        line: what drips, again and again.
        greeting: said at once to whoever connects.
    """
    dripping = Dripping()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dripping.connections += 1
        with suppress(OSError), closing(writer):
            writer.write(greeting)
            for byte in itertools.cycle(line):
                writer.write(bytes([byte]))
                await writer.drain()
                with suppress(TimeoutError):
                    await asyncio.wait_for(dripping.hangs_up.wait(), seconds_per_byte)
                    break

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    try:
        dripping.port = server.sockets[0].getsockname()[1]
        yield dripping
    finally:
        dripping.hangs_up.set()
        server.close()
