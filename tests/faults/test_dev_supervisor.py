"""`tradewind dev` taken apart: nothing stays behind, nothing is lost, and it says what is wrong in plain words."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from redis import ConnectionError as RedisConnectionError
from redis import Redis

from app.dev import processes
from app.dev.ports import LOOPBACK, free_port
from tests.faults.dev_shop import GONE_SECONDS, OPEN_SECONDS, DevShop, until

pytestmark = [
    pytest.mark.long,
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc"),
]

USERS = ["root", "ordinary"] if os.geteuid() == 0 else ["ordinary"]
# What does not hang on who runs it is tried once.
once = pytest.mark.parametrize("user", USERS[:1], indirect=True, scope="module")
PARTS = ["app.cli api", "app.cli worker", "app.cli scheduler", "valkey-server", "bin/postgres"]


@pytest.fixture(scope="module", params=USERS)
def user(request: pytest.FixtureRequest) -> processes.User | None:
    """Whom the shop runs as; None is who we are."""
    return processes.ordinary_user() if request.param == "ordinary" and os.geteuid() == 0 else None


@pytest.fixture(scope="module")
def folder(user: processes.User | None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shops")
    if user is not None:
        os.chown(made, user.uid, user.gid)
    return made


@pytest.fixture(scope="module")
def started(folder: Path, user: processes.User | None) -> Iterator[DevShop]:
    shop = DevShop(folder / "first", user)
    yield shop
    shop.end_by_force()


@pytest.fixture
def shop(started: DevShop) -> DevShop:
    """A shop that is open: the same one from test to test, opened again where a test closed it."""
    if started.has_ended():
        started.open()
    return started


@pytest.fixture
def second(folder: Path, user: processes.User | None) -> Iterator[DevShop]:
    made = DevShop(folder / "second", user)
    yield made
    made.end_by_force()


def keep_a_note(shop: DevShop) -> None:
    """Leaves something in both databases."""

    async def in_postgres() -> None:
        connection = await asyncpg.connect(shop.settings()["DATABASE_URL"])
        await connection.execute("CREATE TABLE IF NOT EXISTS note (text text); INSERT INTO note VALUES ('kept')")
        await connection.close()

    wait_for_databases(shop)
    asyncio.run(in_postgres())
    with Redis.from_url(shop.settings()["REDIS_URL"]) as redis:
        redis.set("note", "kept")


def note_is_kept(shop: DevShop) -> bool:
    async def in_postgres() -> object:
        connection = await asyncpg.connect(shop.settings()["DATABASE_URL"])
        try:
            return await connection.fetchval("SELECT text FROM note LIMIT 1")
        finally:
            await connection.close()

    wait_for_databases(shop)
    with Redis.from_url(shop.settings()["REDIS_URL"]) as redis:
        return asyncio.run(in_postgres()) == "kept" and redis.get("note") == b"kept"


def wait_for_databases(shop: DevShop) -> None:
    """Started anew, they first read what they have: their process is there, and its API may still tell the answer
    that it keeps for a second, while nobody can connect to them."""

    async def postgres_answers() -> bool:
        try:
            connection = await asyncpg.connect(shop.settings()["DATABASE_URL"])
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
            return False
        await connection.close()
        return True

    def valkey_answers() -> bool:
        with Redis.from_url(shop.settings()["REDIS_URL"]) as redis, contextlib.suppress(RedisConnectionError):
            return bool(redis.ping())
        return False

    until(lambda: asyncio.run(postgres_answers()), OPEN_SECONDS, "PostgreSQL takes connections")
    until(valkey_answers, OPEN_SECONDS, "Valkey takes connections")


def test_a_second_one_on_the_same_folder_is_refused(shop: DevShop) -> None:
    said = shop.refused(port=free_port())
    assert "in use by another Tradewind" in said
    assert str(shop.pid) in said
    until(shop.is_served, OPEN_SECONDS, "served as before")


@once
def test_a_taken_port_is_named(shop: DevShop, folder: Path) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        said = shop.refused(folder=folder / "unused", port=other.getsockname()[1])
    assert "is taken by another program" in said
    assert "--port" in said


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_is_killed_comes_back(shop: DevShop, name: str) -> None:
    keep_a_note(shop)
    old = shop.part(name)
    assert old is not None
    of_old = {pid for pid in shop.processes() if pid == old or _is_below(pid, old)}
    os.kill(old, signal.SIGKILL)
    until(lambda: shop.part(name) not in (None, old), OPEN_SECONDS, f"{name} runs again")
    wait_for_databases(shop)
    until(shop.is_served, OPEN_SECONDS, "served again")
    # What it had started itself is gone too: a worker without its master would take jobs for ever.
    until(lambda: not of_old & shop.processes().keys(), GONE_SECONDS, "nothing left of the killed one")
    assert note_is_kept(shop)


def test_its_own_kill_leaves_nothing_running_and_loses_nothing(shop: DevShop) -> None:
    keep_a_note(shop)
    assert len(shop.processes()) >= 6
    shop.signal(signal.SIGKILL)
    until(lambda: not shop.processes(), GONE_SECONDS, f"nothing left: {shop.processes()}")
    shop.wait_for_end()
    shop.open()
    assert note_is_kept(shop)


@once
@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.0])
def test_stopped_while_it_starts(second: DevShop, seconds: float) -> None:
    second.start()
    with contextlib.suppress(AssertionError):
        until(second.has_ended, seconds, "a moment passes")
    second.signal(signal.SIGTERM)
    second.wait_for_end()
    assert second.processes() == {}
    assert not second.said("Traceback")


@once
def test_two_side_by_side_and_closing_the_window_of_one_ends_that_one(shop: DevShop, second: DevShop) -> None:
    window = second.start_in_window()
    until(second.is_served, OPEN_SECONDS, "open")
    assert second.settings()["DATABASE_URL"] != shop.settings()["DATABASE_URL"]
    window.close()
    assert second.wait_for_end() == 0
    assert second.processes() == {}
    until(shop.is_served, OPEN_SECONDS, "served as before")


def test_sigterm_and_ctrl_c_stop_everything_and_the_data_is_kept(shop: DevShop) -> None:
    keep_a_note(shop)
    shop.signal(signal.SIGTERM)
    assert shop.wait_for_end() == 0
    assert shop.processes() == {}
    shop.open()
    assert note_is_kept(shop)
    shop.signal(signal.SIGINT)
    assert shop.wait_for_end() == 0
    assert shop.processes() == {}
    assert shop.said("Stopped.")


def _is_below(pid: int, ancestor: int) -> bool:
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
        if pid == ancestor:
            return True
    return False
