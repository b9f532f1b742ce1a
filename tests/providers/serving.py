"""A provider's HTTP server in the test's event loop, with the faults that networks and providers have."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from app.payments.registry import gateways
from app.settings import get_settings
from tests.http_receiver import Received, Reply

T = TypeVar("T", bound="ProviderServer")


class Fault(Enum):
    SILENCE = "it does nothing, and never answers"
    ERROR = "it does nothing, and says 500"
    CUT = "it does what it is asked, and the connection breaks before the answer"
    ERROR_AFTER = "it does what it is asked, and says 500"
    TWICE = "the request arrives twice, and the second answer is the one that is heard"


@dataclass
class ProviderServer:
    """`answer` is the provider; `faults` come first, each to one request whose method and path hold its text."""

    port: int = 0
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    before_answer: Callable[[Received], Awaitable[None]] | None = None
    """Awaited once something is done and before it is answered, as for a webhook that overtakes the answer."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, request: Received) -> Reply:
        raise NotImplementedError

    def broken(self, request: Received) -> Reply:
        """What it says with its 500."""
        return Reply(500)

    def fail(self, on: str, fault: Fault) -> None:
        self.faults.append((on, fault))

    def asked(self, on: str) -> list[Received]:
        return [request for request in self.received if on in f"{request.method} {request.path}"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            self.received.append(request)
            reply = await self._reply(request, reader)
            if reply is not None:
                lines = [f"HTTP/1.1 {reply.status} Said", f"Content-Length: {len(reply.body)}", "Connection: close"]
                lines += [f"{name}: {value}" for name, value in reply.headers.items()]
                writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + reply.body)
                await writer.drain()
        finally:
            writer.close()

    async def _reply(self, request: Received, reader: asyncio.StreamReader) -> Reply | None:
        match self._fault(request):
            case Fault.SILENCE:
                await reader.read()  # until who asked has gone
                return None
            case Fault.ERROR:
                return self.broken(request)
            case Fault.CUT:
                self.answer(request)
                return None
            case Fault.ERROR_AFTER:
                self.answer(request)
                return self.broken(request)
            case Fault.TWICE:
                self.answer(request)
        reply = self.answer(request)
        if self.before_answer is not None:
            await self.before_answer(request)
        return reply

    def _fault(self, request: Received) -> Fault | None:
        said = f"{request.method} {request.path}"
        for number, (on, fault) in enumerate(self.faults):
            if on in said:
                del self.faults[number]
                return fault
        return None


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, target, headers, body)


@asynccontextmanager
async def serving(provider: T) -> AsyncIterator[T]:
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()  # and no waiting for what is silent


@contextmanager
def configured(**settings: object) -> Iterator[None]:
    """The gateways of the application under test, with these settings more."""
    values = get_settings()
    before = {name: getattr(values, name) for name in settings}
    try:
        for name, value in settings.items():
            setattr(values, name, value)
        gateways.cache_clear()
        yield
    finally:
        for name, value in before.items():
            setattr(values, name, value)
        gateways.cache_clear()
