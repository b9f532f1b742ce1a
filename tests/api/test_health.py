"""Whether a server says the truth about itself to those who decide if it gets requests."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from app import cache, db, events
from app.main import create_app
from app.settings import Settings
from app.upkeep import claims
from app.web import health, shutdown
from tests.client import Api
from tests.environment import make_settings
from tests.live_server import LiveServer
from tests.patience import patience
from tests.silent_server import silent_server

IN_TIME_SECONDS = patience(6)
"""One that hangs takes for ever."""


@pytest.fixture(autouse=True)
def _not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT_SECONDS", 0)


@pytest.fixture
def redis_hangs(api: Api, settings: Settings) -> Iterator[None]:
    usual = cache._client
    with silent_server() as port:
        cache.open_cache(make_settings(settings.database_url, f"redis://127.0.0.1:{port}/0"))
        yield
        cache._client = usual


@asynccontextmanager
async def application(settings: Settings) -> AsyncIterator[Api]:
    api = Api(create_app(settings))
    try:
        yield api
    finally:
        await api.close()


async def ready(api: Api) -> tuple[int, dict[str, str]]:
    response = await asyncio.wait_for(api.http.get("/health/ready"), IN_TIME_SECONDS)
    return response.status_code, response.json()


async def test_all_is_well(api: Api) -> None:
    await claims.done(claims.TICK)
    status, found = await ready(api)
    assert (status, found) == (
        200,
        {"status": "ok", "database": "ok", "migrations": "ok", "redis": "ok", "scheduler": "ok", "workers": "ok"},
    )


async def test_a_server_whose_migrations_are_pending_gets_no_requests(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "migrations_on_disk", lambda: ["0001_initial", "9998_next", "9999_last"])
    status, found = await ready(api)
    assert (status, found["migrations"], found["database"]) == (503, "2 pending", "ok")


async def test_migrations_of_a_newer_release_leave_it_ready(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a rolling deploy the database is ahead of the servers that are still to be replaced."""
    monkeypatch.setattr(db, "migrations_on_disk", lambda: ["0001_initial"])
    status, found = await ready(api)
    assert (status, found["migrations"]) == (200, "ok")


@pytest.mark.usefixtures("clean_database")
async def test_a_database_that_hangs_makes_it_unready_in_time_and_leaves_it_alive(settings: Settings) -> None:
    with silent_server() as port:
        url = f"postgres://tradewind:secret@127.0.0.1:{port}/shop"
        async with application(make_settings(url, settings.redis_url)) as api:
            status, found = await ready(api)
            assert (status, found["status"], found["database"]) == (503, "unavailable", "unavailable")
            assert found["redis"] == "ok"
            assert (await api.http.get("/health/live")).status_code == 200


@pytest.mark.usefixtures("redis_hangs")
async def test_redis_that_hangs_is_said_in_time(api: Api) -> None:
    status, found = await ready(api)
    assert (status, found["status"], found["redis"]) == (503, "unavailable", "unavailable")
    assert found["database"] == "ok"


async def test_a_silent_scheduler_and_late_workers_are_told(api: Api) -> None:
    assert (await ready(api))[1]["scheduler"] == "none has run"
    await claims.done(claims.TICK)
    await db.execute("UPDATE upkeep SET done_at = done_at - interval '10 min'")
    async with db.unit_of_work():
        event_id = await events.record("test.nobody_listens")
    await db.execute("UPDATE events SET created_at = created_at - interval '5 min' WHERE id = $1", event_id)
    status, found = await ready(api)
    assert (status, found["status"]) == (200, "degraded")
    assert found["scheduler"] == "silent for 600 s"
    assert found["workers"].startswith("behind by 30")


async def test_many_who_ask_are_one_question(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    look = health.Readiness._look

    async def counted(self: health.Readiness) -> dict[str, str]:
        nonlocal looks
        looks += 1
        return await look(self)

    monkeypatch.setattr(health, "KEPT_SECONDS", 60)
    monkeypatch.setattr(health.Readiness, "_look", counted)
    async with application(api.app.state.settings) as other:
        await asyncio.gather(*(ready(other) for _ in range(20)))
    assert looks == 1


@pytest.mark.faults
async def test_a_server_that_is_told_to_stop_is_unready_before_its_port_closes(database: str) -> None:
    with LiveServer(DRAIN_SECONDS="4") as server:
        async with httpx2.AsyncClient(base_url=server.url, timeout=patience(5)) as client:
            asked = await client.post("/graphql", json={"query": "{ __typename }"})  # whose like is quick from now on
            assert (await client.get("/health/ready")).status_code == 200
            server.signal(signal.SIGTERM)
            while (answer := await client.get("/health/ready")).status_code == 200:
                pass
            assert (answer.status_code, answer.json()) == (503, {"status": "draining"})
            # Whoever was sent here meanwhile is served, also over a new connection.
            async with httpx2.AsyncClient(base_url=server.url, timeout=patience(5)) as newcomer:
                asked = await newcomer.post("/graphql", json={"query": "{ __typename }"})
            assert asked.json()["data"] == {"__typename": "Query"}
            assert (await client.get("/health/live")).status_code == 200
        assert await asyncio.to_thread(server.wait, patience(15)) in (0, -signal.SIGTERM)
    assert not shutdown.is_draining()
