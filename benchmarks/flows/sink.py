"""A mail server in a process of its own that takes everything, keeps nothing and counts."""

import asyncio
import ctypes
import multiprocessing
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from typing import cast

import uvloop

from app.kit.parent import die_with_parent

START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Sink:
    url: str
    """As `SMTP_URL`."""
    _taken: "Synchronized[int]"

    @property
    def taken(self) -> int:
        """Mails since the start."""
        return self._taken.value


class _Conversation(asyncio.Protocol):
    """Enough of RFC 5321 for a client that pipelines nothing, without looking at what it is given."""

    def __init__(self, taken: "Synchronized[int]") -> None:
        self._taken = taken
        self._buffer = bytearray()
        self._in_message = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._take():
            pass

    def _take(self) -> bool:
        end = b"\r\n.\r\n" if self._in_message else b"\r\n"
        place = self._buffer.find(end)
        if place < 0:
            return False
        line = bytes(self._buffer[:4]).upper()
        del self._buffer[: place + len(end)]
        if self._in_message:
            self._in_message = False
            # One process and one thread write it.
            self._taken.value += 1
            self._transport.write(b"250 OK taken\r\n")
        elif line == b"DATA":
            self._in_message = True
            self._transport.write(b"354 go on\r\n")
        elif line == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
        else:
            self._transport.write(b"250 OK\r\n")
        return True


def _serve(listening: socket.socket, taken: "Synchronized[int]", parent: int) -> None:
    die_with_parent(parent)

    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Conversation(taken), sock=listening)
        await server.serve_forever()

    uvloop.run(forever())


@contextmanager
def running_sink() -> Iterator[Sink]:
    context = multiprocessing.get_context("fork")
    taken = context.Value(ctypes.c_long, 0, lock=True)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        process = context.Process(target=_serve, args=(listening, taken, os.getpid()), daemon=True)
        process.start()
        try:
            yield Sink(f"smtp://127.0.0.1:{listening.getsockname()[1]}?starttls=off", taken)
        finally:
            process.terminate()
            process.join()
