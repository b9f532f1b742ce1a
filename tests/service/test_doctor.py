"""The doctor finds what is wrong, says what to do, and never waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from app import db, doctor, events
from app.cache import cache
from app.doctor import configuration, queueing
from app.doctor.database import clock
from app.doctor.finding import Finding
from app.kit.ids import new_id
from app.settings import Environment, Settings
from app.upkeep import claims
from tests.environment import make_settings
from tests.factories import refunds
from tests.patience import patience
from tests.silent_server import silent_server

pytestmark = pytest.mark.usefixtures("clean_database")


@pytest.fixture
def told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> "Told":
    return Told(settings, monkeypatch)


class Told:
    def __init__(self, settings: Settings, patch: pytest.MonkeyPatch) -> None:
        self._settings = settings
        self._patch = patch

    async def of(self, settings: Settings | None = None) -> dict[str, Finding]:
        self._patch.setattr(doctor, "get_settings", lambda: settings or self._settings)
        return {finding.name: finding for finding in await doctor.examine()}


async def test_a_shop_that_is_well(told: Told) -> None:
    await claims.done(claims.TICK)
    found = await told.of()
    assert [finding for finding in found.values() if not finding.ok] == []
    assert found["database"].said.startswith("PostgreSQL")
    assert found["scheduler"].said == "at work"
    assert {"connections", "durability", "clock of PostgreSQL", "clock of Redis", "migrations", "workers"} <= set(found)


async def test_servers_that_hang_are_told_and_not_waited_for(told: Told) -> None:
    with silent_server() as port:
        hanging = make_settings(f"postgres://u:hush@127.0.0.1:{port}/shop", f"redis://:hush@127.0.0.1:{port}/0")
        found = await asyncio.wait_for(told.of(hanging), patience(30))
    assert not found["database"].ok
    assert not found["redis"].ok
    assert "TimeoutError" in found["database"].said
    assert "hush" not in repr(found)


async def test_an_evicting_redis_is_no_broker(told: Told, settings: Settings) -> None:
    await cache().config_set("maxmemory-policy", "allkeys-lru")
    try:
        found = (await told.of())["redis"]
        (beside_rabbitmq, _) = await queueing.redis(settings.model_copy(update={"broker_url": "amqp://elsewhere"}))
    finally:
        await cache().config_set("maxmemory-policy", "noeviction")
    assert (found.ok, "maxmemory-policy allkeys-lru" in found.said) == (False, True)
    assert beside_rabbitmq.ok


async def test_migrations_of_a_newer_release_are_named(told: Told) -> None:
    await db.execute(
        "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ($1, '9999_of_tomorrow', now())", db.APP_LABEL
    )
    try:
        found = (await told.of())["migrations"]
    finally:
        await db.execute("DELETE FROM tortoise_migrations WHERE name = '9999_of_tomorrow'")
    assert found.ok
    assert "newer release (9999_of_tomorrow)" in found.said


@pytest.fixture
async def clerk(settings: Settings) -> AsyncIterator[Settings]:
    """Settings of a database user who may read nothing and connect thrice."""
    name = f"clerk_{new_id().hex[:8]}"
    await db.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'clerk' CONNECTION LIMIT 3")
    url = urlsplit(settings.database_url)
    yield settings.model_copy(
        update={"database_url": url._replace(netloc=f"{name}:clerk@{url.hostname}:{url.port}").geturl()}
    )
    await db.execute(f"DROP ROLE {name}")


async def test_a_user_without_rights_and_with_few_connections(told: Told, clerk: Settings) -> None:
    found = await told.of(clerk)
    assert not found["permissions"].ok
    assert (found["connections"].ok, "DATABASE_POOL_MAX" in found["connections"].advice) == (False, True)


async def test_work_that_nobody_does_is_told(told: Told, settings: Settings) -> None:
    await db.execute("INSERT INTO upkeep (name, done_at) VALUES ('tick', clock_timestamp() - interval '5 min')")
    await db.execute("INSERT INTO invariant_results (name, violations, checked_at) VALUES ('a_lie', 2, now())")
    async with db.unit_of_work():
        event_id = await events.record("test.nobody_listens")
    await db.execute("UPDATE events SET created_at = created_at - interval '1 h' WHERE id = $1", event_id)
    await db.execute(
        """
        INSERT INTO dead_letters (id, event_id, event_type, handler, cause, attempts, created_at)
        VALUES ($1, $1, 'test', 'test', '', 12, now())
        """,
        event_id,
    )
    await refunds.discrepancy()
    await db.execute(
        """
        INSERT INTO payments (id, attempt_id, gateway, method, amount_minor, currency_code, state, captured_minor,
                              refunded_minor, authorized_until, created_at, updated_at)
        VALUES ($1, $1, 'test', 'CARD', 100, 'USD', 'AUTHORIZED', 0, 0, now() + interval '1 hour', now(), now())
        """,
        event_id,
    )
    found = await told.of(settings.model_copy(update={"environment": Environment.PRODUCTION}))
    wrong = {name for name, finding in found.items() if not finding.ok}
    assert {"scheduler", "workers", "dead letters", "books", "payments", "authorizations"} <= wrong
    assert found["scheduler"].said == "silent for 300 s"


def test_clocks_that_differ_are_told() -> None:
    assert clock("Redis", 0.5).ok
    assert clock("Redis", -600).said == "600 s behind this machine's"
    assert not clock("Redis", 600).ok


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"email_from": "Shop <orders@shop.example>"}, "sender"),
        ({"email_from": "harbour@gmail.com"}, "sender"),
        ({"public_url": "http://api.harbour.com"}, "public address"),
        ({"smtp_url": "smtp://u:p@email-smtp.eu-west-1.amazonaws.com:587"}, "mail notices"),
        ({"smtp_fallback_urls": ["smtp://u:p@smtp.postmarkapp.com:587"]}, "mail notices"),
        ({"twilio_from": "+15550100"}, "text messages"),
    ],
)
def test_what_the_configuration_forgot(settings: Settings, given: dict[str, object], name: str) -> None:
    right = settings.model_copy(
        update={
            "environment": Environment.PRODUCTION,
            "public_url": "https://api.harbour.com",
            "email_from": "Harbour <orders@harbour.com>",
            "smtp_url": "smtps://u:p@mail.harbour.com",
        }
    )
    assert all(finding.ok for finding in configuration.examine(right))
    wrong = [finding for finding in configuration.examine(right.model_copy(update=given)) if not finding.ok]
    assert [finding.name for finding in wrong] == [name]
    assert wrong[0].advice
