"""Connections to mail servers that stay open for a while: signing in takes longer than a mail.

A pool belongs to one event loop, hence to one process. Nothing limits how many connections are out; the provider's
bulkhead does.
"""

import asyncio
import contextvars
import time
import weakref
from contextlib import suppress
from typing import Any, Protocol

import aiosmtplib

IDLE_SECONDS = 5.0
"""Shorter than what servers allow; long enough for the next mail of a rush."""
MAX_MAILS = 100
"""Over one connection: many servers hang up after as many, or would rather spread the load."""
QUIT_TIMEOUT_SECONDS = 1.0


class Server(Protocol):
    def client(self, timeout_seconds: float, /) -> "PooledSmtp": ...
    def __hash__(self) -> int: ...


class PooledSmtp(aiosmtplib.SMTP):
    """Knows whether the message itself was under way: before that, a broken connection has sent nothing."""

    handed_over = False
    carried = 0
    idle_since = 0.0

    async def data(self, message: str | bytes, /, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        self.handed_over = True
        return await super().data(message, **kwargs)


class SmtpPool:
    def __init__(self, server: Server, timeout_seconds: float) -> None:
        self._server = server
        self._timeout_seconds = timeout_seconds
        self._waiting: list[PooledSmtp] = []
        self._leaving: set[asyncio.Task[None]] = set()

    def new(self) -> PooledSmtp:
        return self._server.client(self._timeout_seconds)

    def take(self) -> PooledSmtp | None:
        """The connection that was used last, so that those of a rush before become old and are closed."""
        while self._waiting:
            client = self._waiting.pop()
            if client.is_connected and time.monotonic() - client.idle_since < IDLE_SECONDS:
                return client
            self._leave(client)
        return None

    def give_back(self, client: PooledSmtp) -> None:
        client.carried += 1
        if client.carried >= MAX_MAILS:
            self._leave(client)
            return
        client.idle_since = time.monotonic()
        self._waiting.append(client)
        # In a context of its own, here and below: this outlives the sender's, which may hold a transaction.
        asyncio.get_running_loop().call_later(IDLE_SECONDS, self._close_old, context=contextvars.Context())

    def _close_old(self) -> None:
        while self._waiting and time.monotonic() - self._waiting[0].idle_since >= IDLE_SECONDS - 0.01:
            self._leave(self._waiting.pop(0))

    def _leave(self, client: PooledSmtp) -> None:
        """Say goodbye without making anybody wait for it."""
        task = asyncio.get_running_loop().create_task(leave(client), context=contextvars.Context())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def leave(client: aiosmtplib.SMTP) -> None:
    """What was sent is accepted or not by now: saying goodbye may take a moment, and may fail."""
    if client.is_connected:
        with suppress(aiosmtplib.SMTPException, OSError):
            async with asyncio.timeout(QUIT_TIMEOUT_SECONDS):
                await client.quit()
    client.close()


_pools: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Server, SmtpPool]]" = weakref.WeakKeyDictionary()


def pool_of(server: Server, timeout_seconds: float) -> SmtpPool:
    """The running event loop's pool of a server."""
    pools = _pools.setdefault(asyncio.get_running_loop(), {})
    if server not in pools:
        pools[server] = SmtpPool(server, timeout_seconds)
    return pools[server]
