"""Real servers for as long as a block runs, for tests and scripts. `tradewind dev` supervises the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.dev import processes
from app.dev.folder import exclusive
from app.dev.postgres import PostgresServer
from app.dev.valkey import ValkeyServer


@contextmanager
def embedded_postgres(data_dir: Path, *, port: int | None = None, durable: bool = True) -> Iterator[str]:
    """Runs PostgreSQL on `data_dir`, made when it is missing, and yields its URL. For the main thread.

    Raises:
        DevelopmentError: it cannot start; says why.
    """
    yield from _serve(PostgresServer, data_dir, port, durable)


@contextmanager
def embedded_valkey(data_dir: Path, *, port: int | None = None, durable: bool = True) -> Iterator[str]:
    """Runs Valkey on `data_dir`, made when it is missing, and yields its URL. For the main thread.

    Raises:
        DevelopmentError: it cannot start; says why.
    """
    yield from _serve(ValkeyServer, data_dir, port, durable)


def _serve(
    kind: type[PostgresServer] | type[ValkeyServer], data_dir: Path, port: int | None, durable: bool
) -> Iterator[str]:
    with exclusive(data_dir):
        server = kind(data_dir, port=port, durable=durable)
        server.prepare()
        process = server.start()
        try:
            yield server.url
        finally:
            processes.stop(process, *server.stop_signals)
