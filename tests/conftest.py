"""Real servers for the whole run, empty tables for every test."""

import contextlib
import gc
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from datetime import timedelta
from pathlib import Path

import hypothesis
import pytest
import structlog
from argon2 import PasswordHasher

from app import cache as redis_cache
from app import db, point_budget, rate_limit
from app.cache import cache
from app.dev.servers import embedded_postgres, embedded_valkey
from app.events.delivery import deliver
from app.events.ticking import advance as advance_clock
from app.events.ticking import tick
from app.main import create_app
from app.payments import service as payments
from app.runtime import running
from app.sessions import passwords
from app.settings import Settings, get_settings
from app.staff.permissions import Permission
from tests.client import Api
from tests.emptying import Tables
from tests.environment import AS_VARIABLES, make_settings
from tests.factories import staff as staff_factory
from tests.live_server import LiveServer
from tests.patience import patience
from workers import subscriptions

pytest_plugins = ["tests.side_by_side", "tests.faults.report"]

# What is loaded until the tests begin stays: looking through it for what could be freed takes a third of the loading.
gc.disable()

# Faults are told as the shop tells them. structlog by itself paints each frame with the code around it: a tenth of a
# second for each, which was a sixth of the time of tests that cause many.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

# No test here is about time, and a busy machine would make one of any.
hypothesis.settings.register_profile(
    "tradewind", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tradewind")


@pytest.fixture(scope="session", autouse=True)
def shops_hasher() -> Iterator[PasswordHasher]:
    """Hashes passwords in this process at a thousandth of what it costs a shop; yields how a shop does it."""
    with pytest.MonkeyPatch.context() as patch:
        found = passwords._hasher
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=128, parallelism=1))
        yield found


@pytest.fixture(scope="session", autouse=True)
def patient_process() -> Iterator[None]:
    """As `tests.environment.TIME_LIMITS`, of what no setting says: in this process hundreds ask at once, and on a busy
    machine each answer waits in it for longer than it would take a shop to give up its servers."""
    limits = [
        (db, "ACQUIRE_TIMEOUT_SECONDS"),
        (db, "CONNECT_TIMEOUT_SECONDS"),
        (redis_cache, "CONNECT_TIMEOUT_SECONDS"),
        (redis_cache, "ANSWER_TIMEOUT_SECONDS"),
        (rate_limit, "ANSWER_SECONDS"),
        (point_budget, "ANSWER_SECONDS"),
        (payments, "GATEWAY_TIMEOUT_SECONDS"),  # the test gateway asks the same database as everybody
    ]
    with pytest.MonkeyPatch.context() as patch:
        for module, name in limits:
            patch.setattr(module, name, patience(getattr(module, name)))
        yield


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """PostgreSQL and Valkey of this run; TRADEWIND_TEST_DATABASE_URL names another, empty PostgreSQL."""
    folder: Path = tmp_path_factory.mktemp("servers")
    with contextlib.ExitStack() as running_servers:
        start = running_servers.enter_context
        redis_url = start(embedded_valkey(folder / "valkey", durable=False))
        database_url = os.environ.get("TRADEWIND_TEST_DATABASE_URL")
        yield database_url or start(embedded_postgres(folder / "postgres", durable=False)), redis_url


@pytest.fixture(scope="session")
def settings(servers: tuple[str, str]) -> Iterator[Settings]:
    """The run's settings, which `get_settings()` gives too: for the application and for processes that tests start."""
    made = make_settings(*servers)
    environment = {
        "TRADEWIND_ENV": "test",
        "DATABASE_URL": made.database_url,
        "REDIS_URL": made.redis_url,
        "SECRET_KEYS": ",".join(made.secret_keys),
        "PUBLIC_URL": made.public_url,
        **AS_VARIABLES,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        yield made
        get_settings.cache_clear()


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Tables]:
    """The migrated database, open in this process; yields what empties its tables."""
    await db.migrate(settings)
    subscriptions.load()
    async with running(settings):
        tables = Tables(settings.database_url)
        yield tables
        await tables.close()


@pytest.fixture
async def clean_database(database: Tables) -> None:
    await database.empty()
    await cache().flushdb()


@pytest.fixture(scope="session")
async def _application(settings: Settings, database: Tables) -> AsyncIterator[Api]:
    client = Api(create_app(settings))
    yield client
    await client.close()


@pytest.fixture
def api(_application: Api, clean_database: None) -> Api:
    return _application


@pytest.fixture(scope="session")
def live_server(database: Tables) -> Iterator[LiveServer]:
    """The API as a process of its own, for what needs a real connection."""
    with LiveServer() as server:
        yield server


@pytest.fixture
async def staff_token(clean_database: None) -> str:
    """An access token of staff who may do everything."""
    return await staff_factory.signed_in(set(Permission))


@pytest.fixture
def drain(clean_database: None) -> Callable[[], Awaitable[None]]:
    """Deliver every due event and timer, in this process, until nothing is due."""

    async def run() -> None:
        while True:
            await tick()
            rows = await db.fetch(
                """
                SELECT id FROM events WHERE acknowledged_at IS NULL AND attempts = 0 AND leased_until IS NULL
                ORDER BY id
                """
            )
            if not rows:
                return
            for row in rows:
                await deliver(row["id"])

    return run


@pytest.fixture
def advance(drain: Callable[[], Awaitable[None]]) -> Callable[[str], Awaitable[None]]:
    """Let business time pass, `PT4H` or `P3D`, through everything that becomes due on the way."""

    async def run(by: str) -> None:
        await advance_clock(parse_period(by), drain)

    return run


def parse_period(text: str) -> timedelta:
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    assert match, text
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything has to be there (CI), a skipped test is a failed one."""
    report = yield
    if report.skipped and os.environ.get("TRADEWIND_REQUIRE_ALL") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"{reason}\nTRADEWIND_REQUIRE_ALL allows no test to be skipped."
    return report
