"""How much a client and an account may ask for in all."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app import cache, point_budget
from app.main import create_app
from app.point_budget import SHARE_EVERY_SECONDS, PointBudget
from app.settings import Settings
from app.staff.permissions import Permission
from schema.throttling import document_points, throttle_for
from tests.client import Api
from tests.environment import make_settings
from tests.factories import accounts, shop, staff
from tests.patience import patience
from tests.security.test_rate_limits import Clock, redis_away

SHOP = "{ shop { name } }"


@pytest.fixture(autouse=True)
def no_earlier_spending() -> Iterator[None]:
    point_budget.budget.cache_clear()
    yield
    point_budget.budget.cache_clear()


@asynccontextmanager
async def limited(settings: Settings, **more: object) -> AsyncIterator[Api]:
    made = make_settings(settings.database_url, settings.redis_url, **{"rate_limit_client_points": 600, **more})
    client = Api(create_app(made))
    yield client
    await client.close()


async def shared(budget: PointBudget) -> None:
    async with asyncio.timeout(patience(20 * SHARE_EVERY_SECONDS)):
        while budget._sharing and not budget._sharing.done():
            await asyncio.sleep(0.02)


# --- the budget itself ------------------------------------------------------------------------------------------------


async def test_points_come_back_steadily_and_debts_end(clean_database: None) -> None:
    clock = Clock()
    budget = PointBudget("test", 600, clock)
    budget.spend("a", 590)
    assert (budget.available("a"), budget.wait_seconds("a")) == (10, 0)
    budget.spend("a", 1_000_000)
    assert budget.available("a") == -600
    assert budget.wait_seconds("a") == pytest.approx(60.1)
    clock.now += 61
    assert budget.available("a") == 10
    clock.now += 10_000
    assert budget.available("a") == 600
    assert budget.available("b") == 600
    await shared(budget)


async def test_processes_take_over_what_others_counted(clean_database: None) -> None:
    one, other = PointBudget("test", 600), PointBudget("test", 600)
    started = time.monotonic()
    one.spend("a", 400)
    other.spend("a", 1)
    assert other.available("a") > 590
    await shared(one)
    other.spend("a", 1)
    await shared(other)
    await other.share(["a"])
    come_back = 10 * (time.monotonic() - started)
    assert other.available("a") <= 600 - 400 - 2 + come_back + 1, "what the first one spent counts here too"
    assert PointBudget("another kind", 600).available("a") == 600


async def test_redis_may_forget_its_scripts_and_itself(clean_database: None) -> None:
    budget, started = PointBudget("test", 600), time.monotonic()
    budget.spend("a", 100)
    await shared(budget)
    await cache.cache().script_flush()
    await cache.cache().flushdb()
    budget.spend("a", 100)
    await shared(budget)
    come_back = 10 * (time.monotonic() - started)
    assert budget.available("a") <= 600 - 200 + come_back + 1, "this process remembers what it saw"
    (key,) = await cache.cache().keys("*")
    assert ":points:test:" in str(key)


async def test_without_redis_each_process_counts_alone(clean_database: None, settings: Settings) -> None:
    async with redis_away(settings):
        budget = PointBudget("test", 600)
        budget.spend("a", 700)
        await shared(budget)
        assert budget.wait_seconds("a") > 0


async def test_memory_is_bounded(clean_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_budget, "MAX_SUBJECTS", 10)
    budget = PointBudget("test", 600)
    for number in range(50):
        budget.spend(str(number), 1)
    assert len(budget._subjects) == len(budget._unshared) == 10
    await shared(budget)


# --- who pays ---------------------------------------------------------------------------------------------------------


def test_off_unless_set_in_tests_and_on_generously_in_production(settings: Settings) -> None:
    assert throttle_for(settings, "203.0.113.7", None, None) is None
    production = make_settings(
        settings.database_url, settings.redis_url, TRADEWIND_ENV="production", smtp_url="smtp://localhost"
    )
    throttle = throttle_for(production, "203.0.113.7", None, None)
    assert throttle is not None
    assert throttle.status()["maximumAvailable"] == 1_200_000


@pytest.mark.parametrize(
    ("client", "counted"),
    [("10.1.2.3", False), ("10.2.0.1", True), ("2001:db8:1:2::/64", False), ("2001:db9::/64", True), ("", True)],
)
def test_networks_can_be_left_out(settings: Settings, client: str, counted: bool) -> None:
    made = make_settings(
        settings.database_url,
        settings.redis_url,
        rate_limit_client_points=600,
        rate_limit_exempt="10.1.0.0/16, 2001:db8::/32",
    )
    assert (throttle_for(made, client, None, None) is not None) == counted


def test_documents_that_are_not_known_cost_by_their_length() -> None:
    assert [document_points("x" * 50), document_points(None), document_points("x" * 10_000_000)] == [10, 0, 60_000]


# --- what a client sees -----------------------------------------------------------------------------------------------


async def test_an_answer_tells_what_is_left_and_a_refusal_when_to_come_back(
    settings: Settings, clean_database: None
) -> None:
    await shop.shop()
    async with limited(settings) as api:
        first = await api.query(SHOP)
        status = first.extensions["cost"]["throttleStatus"]
        assert (status["maximumAvailable"], status["restoreRate"]) == (600, 10)
        assert status["currentlyAvailable"] == 600 - len(SHOP) // 5 - 2
        known = await api.query(SHOP)
        assert known.extensions["cost"]["throttleStatus"]["currentlyAvailable"] >= status["currentlyAvailable"] - 2

        await api.query("# " + "x" * 5_000 + "\n" + SHOP)
        refused = await api.http.post("/graphql", json={"query": SHOP})
        assert refused.status_code == 429
        (error,) = refused.json()["errors"]
        assert "data" not in refused.json()
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert refused.headers["retry-after"] == str(error["extensions"]["retryAfterSeconds"])
        assert error["extensions"]["retryAfterSeconds"] > 30


async def test_documents_that_are_not_valid_cost_too(settings: Settings, clean_database: None) -> None:
    async with limited(settings) as api:
        statuses = []
        for number in range(8):
            document = "{ nothing }" + " " * 500 + str(number)
            statuses.append((await api.http.post("/graphql", json={"query": document})).status_code)
    assert statuses == [200] * 6 + [429] * 2


async def test_staff_pay_from_their_account_and_customers_from_both(settings: Settings, clean_database: None) -> None:
    await shop.shop()
    member = await staff.signed_in({Permission.PRODUCTS_READ})
    ada = await accounts.signed_in(email="ada@example.com")
    async with limited(settings, rate_limit_account_points=100_000) as api:
        by_staff = await api.query(SHOP, token=member)
        assert by_staff.extensions["cost"]["throttleStatus"]["maximumAvailable"] == 100_000
        await api.query("# " + "x" * 5_000 + "\n" + SHOP, token=ada.token)
        for token, status in ((None, 429), (ada.token, 429), (member, 200)):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            response = await api.http.post("/graphql", json={"query": SHOP}, headers=headers)
            assert response.status_code == status


async def test_a_customers_account_is_limited_wherever_it_asks_from(settings: Settings, clean_database: None) -> None:
    await shop.shop()
    ada = await accounts.signed_in(email="ada@example.com")
    async with limited(settings, trusted_proxies=1) as api:

        async def ask(number: int, document: str) -> int:
            headers = {"Authorization": f"Bearer {ada.token}", "X-Forwarded-For": f"198.51.100.{number}"}
            return (await api.http.post("/graphql", json={"query": document}, headers=headers)).status_code

        assert await ask(1, "# " + "x" * 5_000 + "\n" + SHOP) == 200
        assert [await ask(2, SHOP), await ask(3, SHOP)] == [429, 429]


async def test_subscriptions_and_sockets_pay_too(settings: Settings, clean_database: None) -> None:
    """Over server-sent events here; `handle_subscribe` asks the same for sockets."""
    async with limited(settings) as api:
        body: dict[str, Any] = {"query": "# " + "x" * 5_000 + "\n{ __typename }"}
        headers = {"Accept": "text/event-stream"}
        answer = await api.http.post("/graphql", json=body, headers=headers)
        data = next(line for line in answer.text.splitlines() if line.startswith("data: {"))
        cost = json.loads(data.removeprefix("data: "))["extensions"]["cost"]
        assert cost["requestedValues"] == 1
        assert cost["throttleStatus"]["currentlyAvailable"] == 0
        assert (await api.http.post("/graphql", json=body, headers=headers)).status_code == 429
