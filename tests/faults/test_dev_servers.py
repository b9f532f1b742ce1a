"""The development databases: theirs alone, closed to others, and not to be confused by what a crash left."""

import asyncio
import os
import subprocess
from pathlib import Path

import asyncpg
import pytest
from redis import AuthenticationError, Redis

from app.dev import processes
from app.dev.errors import DevelopmentError
from app.dev.ports import free_port
from app.dev.servers import embedded_postgres, embedded_valkey

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Closed to other users, with a space, and longer than the path of a Unix socket may be."""
    made = tmp_path_factory.mktemp("closed") / ("a folder with a long name " * 5).strip() / "postgres"
    made.parent.mkdir(mode=0o700)
    return made


def ask(url: str, statement: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def test_it_starts_in_an_awkward_folder_and_keeps_what_it_is_given(folder: Path) -> None:
    with embedded_postgres(folder) as url:
        assert ask(url, "SHOW listen_addresses") == "127.0.0.1"
        assert ask(url, "CREATE TABLE kept AS SELECT 1 AS one") is None
    with embedded_postgres(folder) as again:
        assert again == url, "a developer's own tools find it on the same port"
        assert ask(again, "SELECT one FROM kept") == 1
    assert folder.parent.stat().st_mode & 0o777 == 0o700


def test_it_takes_only_its_password(folder: Path) -> None:
    with embedded_postgres(folder) as url:
        password = (folder / "password").read_text()
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(url.replace(password, "guessed"), "SELECT 1")
        assert (folder / "password").stat().st_mode & 0o777 == 0o600


def test_a_folder_has_one_server(folder: Path) -> None:
    with embedded_postgres(folder) as url:
        with pytest.raises(DevelopmentError, match="in use by another Tradewind"), embedded_postgres(folder):
            pass
        assert ask(url, "SELECT 1") == 1


def test_the_number_of_a_killed_server_may_be_taken_by_another_program(folder: Path) -> None:
    """After a restart of the machine small numbers come round again, and PostgreSQL would take it for itself."""
    with embedded_postgres(folder):
        pass
    owner = (folder / "cluster").stat()
    user = processes.User(owner.st_uid, owner.st_gid) if os.geteuid() == 0 else None
    other = subprocess.Popen(processes.launch_command(["/bin/sleep", "600"], user=user))
    try:
        lock = folder / "cluster" / "postmaster.pid"
        lock.write_text(f"{other.pid}\n{folder / 'cluster'}\n")
        os.chown(lock, owner.st_uid, owner.st_gid)
        with embedded_postgres(folder) as url:
            assert ask(url, "SELECT 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_folder_of_another_postgresql_is_named(folder: Path) -> None:
    with embedded_postgres(folder):
        pass
    version = folder / "cluster" / "PG_VERSION"
    ours = version.read_text()
    version.write_text("15\n")
    try:
        said = pytest.raises(DevelopmentError, match="made by PostgreSQL 15, and this is PostgreSQL 18")
        with said, embedded_postgres(folder):
            pass
    finally:
        version.write_text(ours)


def test_a_creation_that_was_broken_off_is_done_again(folder: Path) -> None:
    fresh = folder.parent / "fresh"
    (fresh / "cluster.new").mkdir(parents=True)
    (fresh / "cluster.new" / "PG_VERSION").write_text("18\n")
    with embedded_postgres(fresh) as url:
        assert ask(url, "SELECT current_database()") == "tradewind"


def test_a_taken_port_is_said(folder: Path) -> None:
    port = free_port()
    said = pytest.raises(DevelopmentError, match="does not start")
    with embedded_valkey(folder.parent / "other", port=port), said, embedded_postgres(folder, port=port):
        pass


def test_valkey_keeps_its_data_and_takes_only_its_password(folder: Path) -> None:
    place = folder.parent / "valkey"
    with embedded_valkey(place) as url, Redis.from_url(url) as redis:
        redis.set("kept", "yes")
        guessed = url.replace((place / "password").read_text(), "guessed")
        with Redis.from_url(guessed) as stranger, pytest.raises(AuthenticationError):
            stranger.ping()
    with embedded_valkey(place) as url, Redis.from_url(url) as redis:
        assert redis.get("kept") == b"yes"
