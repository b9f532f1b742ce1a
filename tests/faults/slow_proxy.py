"""A way to a server on which every answer takes its time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.dev.ports import LOOPBACK


@dataclass
class SlowWay:
    port: int
    seconds: float = 0.0
    """By which each answer is late; to be changed at any time."""


@asynccontextmanager
async def slow_way_to(target_port: int) -> AsyncIterator[SlowWay]:
    tasks: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if back and way.seconds:
                    await asyncio.sleep(way.seconds)
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(LOOPBACK, target_port)
        for one in (carry(reader, there_writer, back=False), carry(there_reader, writer, back=True)):
            task = asyncio.create_task(one)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, LOOPBACK, 0)
    way = SlowWay(server.sockets[0].getsockname()[1])
    try:
        yield way
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
