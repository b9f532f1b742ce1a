"""What a server asks of PostgreSQL, counted on the wire by a proxy that reads the messages of the server's client.

Neither server knows of it, so both are counted alike. The proxy costs time: servers are counted behind it and measured
without it.

A statement is an `Execute` of the extended protocol or a `Query` of the simple one (`BEGIN` and `COMMIT` among them). A
round trip ends with a `Sync` or a `Query`: there the client waits for all answers.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

_SSL_REQUEST = 80_877_103
_CHUNK_BYTES = 65_536
DEFAULT_PORT = 5432


@dataclass(slots=True)
class Counts:
    statements: int = 0
    round_trips: int = 0

    def clear(self) -> None:
        self.statements = self.round_trips = 0

    def note(self, kind: bytes) -> None:
        self.statements += kind in (b"E", b"Q")
        self.round_trips += kind in (b"S", b"Q")


@contextmanager
def counted(database_url: str) -> Iterator[tuple[str, Counts]]:
    """The URL of the same database behind a proxy in a thread of its own, and what has gone through so far."""
    parts = urlsplit(database_url)
    counts = Counts()
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    ports: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection(parts.hostname, parts.port or DEFAULT_PORT)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await asyncio.gather(_count(reader, to_writer, counts), _copy(to_reader, writer))
        to_writer.close()

    async def run(until: asyncio.Event) -> None:
        async with await asyncio.start_server(serve, "127.0.0.1") as server:
            ports.append(server.sockets[0].getsockname()[1])
            ready.set()
            await until.wait()

    until = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run(until)), daemon=True)
    thread.start()
    ready.wait()
    credentials, at, _ = parts.netloc.rpartition("@")
    try:
        yield urlunsplit(parts._replace(netloc=f"{credentials}{at}127.0.0.1:{ports[0]}")), counts
    finally:
        loop.call_soon_threadsafe(until.set)
        thread.join()


async def _count(client: asyncio.StreamReader, server: asyncio.StreamWriter, counts: Counts) -> None:
    # What opens a connection has no kind before its length; a wish for TLS comes before it.
    is_open = False
    while not is_open:
        length = await client.readexactly(4)
        body = await client.readexactly(int.from_bytes(length) - 4)
        is_open = int.from_bytes(body[:4]) != _SSL_REQUEST
        server.write(length + body)
    while True:
        head = await client.readexactly(5)
        body = await client.readexactly(int.from_bytes(head[1:]) - 4)
        counts.note(head[:1])
        server.write(head + body)
        await server.drain()


async def _copy(server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
    while chunk := await server.read(_CHUNK_BYTES):
        client.write(chunk)
        await client.drain()
    client.close()
