"""Servers of one test's own, to be killed, filled and slowed down.

While they are open this process works on them, too: factories, queries, invariants and the processes that it starts.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from app import cache, db
from app.dev import processes
from app.dev.postgres import PostgresServer
from app.dev.valkey import ValkeyServer
from app.runtime import running
from app.settings import Settings, get_settings
from tests.environment import make_settings


class Postgres:
    """A PostgreSQL that loses nothing of what it has confirmed: the run's own gives that up for speed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._server = PostgresServer(folder, durable=True)
        self._server.prepare()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> float:
        """On the same port as before; the seconds until it takes connections, recovery included."""
        start = time.monotonic()
        self._process = self._server.start()
        return time.monotonic() - start

    def kill(self) -> None:
        """SIGKILL to the server and every process of it, at once."""
        assert self._process is not None
        postmaster = self._process.pid
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in (postmaster, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process, *self._server.stop_signals)


class Valkey:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._server = ValkeyServer(folder, durable=False)
        self._server.prepare()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def port(self) -> int:
        return self._server.port

    def start(self) -> None:
        """On the same port as before."""
        self._process = self._server.start()

    def kill(self) -> None:
        """With everything in it, as it keeps nothing on disk."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process, *self._server.stop_signals)


@contextmanager
def postgres_on(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def valkey_on(folder: Path) -> Iterator[Valkey]:
    server = Valkey(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def moved_to(database_url: str, redis_url: str) -> AsyncIterator[Settings]:
    """This process, and those that it starts, leave the run's servers for these, which get a shop's tables first."""
    usual = get_settings()
    own = make_settings(database_url, redis_url)
    await cache.close_cache()
    await db.close_pool()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABASE_URL", database_url)
            patch.setenv("REDIS_URL", redis_url)
            get_settings.cache_clear()
            await db.migrate(own)
            async with running(own):
                yield own
    finally:
        get_settings.cache_clear()
        await db.open_pool(usual)
        cache.open_cache(usual)
