"""Whoever disappears in the middle of a checkout, and wherever: no order, unit or cent is lost or doubled.

The request is cut off where the process would have died; its lease runs out, and then either the watch that every
attempt leaves behind settles it, or the shopper who asks again.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import orjson
import pytest

from app import db, invariants
from app.checkout import attempts, lease, settlement
from app.inventory import reservations
from app.orders import placing
from app.payments import test_gateway
from app.payments.gateway import Authorisation, GatewayPayment
from app.payments.test_gateway import TestGateway
from app.settings import Settings
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, inventory
from tests.factories.catalogue import MadeProduct
from tests.leases import renewed_lease
from tests.patience import patience

Drain = Callable[[], Awaitable[None]]
Call = Callable[..., Awaitable[Any]]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    return await catalogue.product(stock=5)


class Stop:
    """A place where a call stands still, so that the request around it can be cut off."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: Any, name: str, when: str) -> None:
        self.reached = asyncio.Event()
        original: Call = getattr(owner, name)

        async def stopping(*args: Any, **kwargs: Any) -> Any:
            if when == "before":
                await self.stand_still()
            result = await original(*args, **kwargs)
            if when == "after":
                await self.stand_still()
            return result

        patch.setattr(owner, name, stopping)

    async def stand_still(self) -> None:
        self.reached.set()
        await asyncio.Event().wait()


async def cut_off(api: Api, given: dict[str, Any], owner: Any, name: str, when: str) -> None:
    """Complete the checkout, and lose the request at that call."""
    with pytest.MonkeyPatch.context() as patch:
        if name in NEVER_BEGUN:
            patch.setattr(reservations, "shares_at_once", lambda demands, levels: None)  # one statement has no middle
        stop = Stop(patch, owner, name, when)
        request = asyncio.create_task(checkout.complete(api, given))
        async with asyncio.timeout(patience(5)):
            await stop.reached.wait()
        request.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await request


STEPS: list[Any] = [
    pytest.param(reservations, "find", "after", id="stock locked"),
    pytest.param(attempts, "claim", "after", id="claimed, not committed"),
    pytest.param(TestGateway, "authorise", "before", id="committed, gateway not asked"),
    pytest.param(TestGateway, "authorise", "after", id="gateway answered"),
    pytest.param(settlement, "conclude", "before", id="answer known"),
    pytest.param(attempts, "succeed", "after", id="attempt settled, not committed"),
    pytest.param(placing, "place", "after", id="order written, not committed"),
    pytest.param(settlement, "conclude", "after", id="order committed, not told"),
]
NEVER_BEGUN = {"find", "claim"}


@pytest.mark.parametrize(("owner", "name", "when"), STEPS)
async def test_the_watch_settles_what_was_cut_off(
    api: Api, product: MadeProduct, drain: Drain, owner: Any, name: str, when: str
) -> None:
    given = await checkout.ready_input(api, (product, 2))
    await cut_off(api, given, owner, name, when)
    await checkout.expire_lease()
    await drain()
    assert await invariants.check() == []
    assert await db.fetchval("SELECT count(*) FROM checkout_attempts WHERE state = 'PROCESSING'") == 0
    orders = await db.fetchval("SELECT count(*) FROM orders")
    if (name, when) == ("authorise", "before"):
        # Nobody is charged behind their back.
        assert (orders, await inventory.available(product.variant_id)) == (0, 5)
        assert [error["code"] for error in (await checkout.complete(api, given))["userErrors"]] == [
            "PAYMENT_NOT_COMPLETED"
        ]
        given = {**given, "idempotencyKey": checkout.new_key()}
    else:
        assert orders == (0 if name in NEVER_BEGUN else 1)
    payload = await checkout.complete(api, given)
    assert payload["order"], payload
    assert await inventory.available(product.variant_id) == 3
    await drain()
    assert await db.fetchval("SELECT count(*) FROM orders") == 1
    assert await invariants.check() == []


@pytest.mark.parametrize(("owner", "name", "when"), STEPS)
async def test_the_shopper_who_asks_again_gets_the_order(
    api: Api, product: MadeProduct, drain: Drain, owner: Any, name: str, when: str
) -> None:
    given = await checkout.ready_input(api, (product, 2))
    await cut_off(api, given, owner, name, when)
    if name not in NEVER_BEGUN and (name, when) != ("conclude", "after"):
        payload = await checkout.complete(api, given)
        assert [error["code"] for error in payload["userErrors"]] == ["IN_PROGRESS"], "the lease was still good"
    await checkout.expire_lease()
    payload = await checkout.complete(api, given)
    assert payload["order"], payload
    assert await checkout.complete(api, given) == payload
    await drain()
    footprint = await checkout.footprint()
    assert (footprint["orders"], footprint["asked"]) == (1, 1)
    assert await inventory.available(product.variant_id) == 3
    assert await invariants.check() == []


@pytest.mark.parametrize(
    ("owner", "name", "when"),
    [
        pytest.param(TestGateway, "authorise", "after", id="gateway answered"),
        pytest.param(attempts, "refuse", "after", id="attempt refused, not committed"),
        pytest.param(reservations, "release", "after", id="stock released, not committed"),
        pytest.param(settlement, "conclude", "after", id="refused, not told"),
    ],
)
async def test_a_declined_payment_that_was_cut_off(
    api: Api, product: MadeProduct, drain: Drain, owner: Any, name: str, when: str
) -> None:
    given = await checkout.ready_input(api, (product, 2), payment={**checkout.CARD, "token": "tok_declined"})
    await cut_off(api, given, owner, name, when)
    await checkout.expire_lease()
    await drain()
    payload = await checkout.complete(api, given)
    assert [error["code"] for error in payload["userErrors"]] == ["PAYMENT_DECLINED"]
    assert await inventory.available(product.variant_id) == 5
    assert await invariants.check() == []


async def test_cash_on_delivery_is_all_or_nothing(api: Api, product: MadeProduct, drain: Drain) -> None:
    for owner, name, when in (
        (attempts, "claim", "after"),
        (attempts, "succeed", "after"),
        (placing, "place", "after"),
    ):
        given = await checkout.ready_input(api, (product, 1), payment=checkout.CASH)
        before = await checkout.footprint()
        await cut_off(api, given, owner, name, when)
        assert await checkout.footprint() == before
        assert await db.fetchval("SELECT count(*) FROM checkout_attempts WHERE state <> 'SUCCEEDED'") == 0
        assert (await checkout.complete(api, given))["order"]
    await drain()
    assert await invariants.check() == []


# --- two processes at one attempt -------------------------------------------------------------------------------------


@asynccontextmanager
async def held_up(
    patch: pytest.MonkeyPatch, *, knows_the_void: bool, renews_every_seconds: float = patience(600)
) -> AsyncIterator[tuple[asyncio.Event, asyncio.Event]]:
    """The gateway gets a request only when it is let through: the process in between was thought dead, as it did not
    renew its lease either."""
    reached, let_through = asyncio.Event(), asyncio.Event()
    original = TestGateway.authorise

    async def late(self: TestGateway, request: Authorisation) -> GatewayPayment:
        reached.set()
        await let_through.wait()
        if not knows_the_void:
            # A provider that cannot refuse in advance what it was never asked for.
            await db.execute(
                "DELETE FROM test_gateway_payments WHERE idempotency_key = $1 AND token = ''", str(request.payment_id)
            )
        return await original(self, request)

    with patch.context() as inner:
        inner.setattr(TestGateway, "authorise", late)
        inner.setattr(lease, "RENEW_EVERY_SECONDS", renews_every_seconds)
        yield reached, let_through


@pytest.mark.parametrize("knows_the_void", [True, False])
async def test_a_process_that_wakes_up_after_it_was_given_up(
    api: Api, product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch, knows_the_void: bool
) -> None:
    given = await checkout.ready_input(api, (product, 2))
    async with held_up(monkeypatch, knows_the_void=knows_the_void) as (reached, let_through):
        sleeper = asyncio.create_task(checkout.complete(api, given))
        await reached.wait()
        await checkout.expire_lease()
        await drain()
        assert await inventory.available(product.variant_id) == 5
        assert await db.fetchval("SELECT state FROM payments") == "VOIDED"
        let_through.set()
        payload = await sleeper
    assert [error["code"] for error in payload["userErrors"]] == ["PAYMENT_NOT_COMPLETED"]
    await drain()
    assert await db.fetchval("SELECT state FROM payments") == "VOIDED"
    assert await db.fetchval("SELECT state FROM test_gateway_payments") == "VOIDED", "money was kept for no order"
    assert (await checkout.footprint())["orders"] == 0
    assert await invariants.check() == []


async def test_a_process_that_wakes_up_after_the_shopper_was_served(
    api: Api, product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = await checkout.ready_input(api, (product, 2))
    async with held_up(monkeypatch, knows_the_void=True) as (reached, let_through):
        sleeper = asyncio.create_task(checkout.complete(api, given))
        await reached.wait()
        await checkout.expire_lease()
        reached.clear()
        other = asyncio.create_task(checkout.complete(api, given))
        async with asyncio.timeout(patience(5)):
            await reached.wait()
        let_through.set()
        first, second = await sleeper, await other
    assert first["order"]
    assert first == second
    await drain()
    footprint = await checkout.footprint()
    assert (footprint["orders"], footprint["asked"]) == (1, 1)
    assert await invariants.check() == []


async def test_a_webhook_that_comes_before_the_request_that_it_is_about(
    api: Api, product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway knows nothing of the payment yet; only who is about to ask may take that for an answer."""
    given = await checkout.ready_input(api, (product, 2))
    async with held_up(monkeypatch, knows_the_void=True) as (reached, let_through):
        slow = asyncio.create_task(checkout.complete(api, given))
        await reached.wait()
        body = orjson.dumps({"payment": str(await db.fetchval("SELECT id FROM payments"))})
        answer = await api.http.post("/webhooks/payments/test", content=body, headers=test_gateway.signed_headers(body))
        assert answer.status_code == 204
        await drain()
        assert await db.fetchval("SELECT state FROM checkout_attempts") == "PROCESSING"
        let_through.set()
        assert (await slow)["order"]
    assert await invariants.check() == []


async def test_a_slow_gateway_keeps_its_lease(
    api: Api, product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_SECONDS", patience(5))
    monkeypatch.setattr(attempts, "LEASE_SECONDS", patience(5))
    given = await checkout.ready_input(api, (product, 2))
    async with held_up(monkeypatch, knows_the_void=True, renews_every_seconds=0.05) as (reached, let_through):
        slow = asyncio.create_task(checkout.complete(api, given))
        await reached.wait()
        leased_until: datetime | None = None
        for _ in range(4):
            leased_until = await renewed_lease("SELECT leased_until FROM checkout_attempts", after=leased_until)
            await checkout.watches_due()
            await drain()
            payload = await checkout.complete(api, given)
            assert [error["code"] for error in payload["userErrors"]] == ["IN_PROGRESS"]
        let_through.set()
        assert (await slow)["order"]
    assert await invariants.check() == []


async def test_a_gateway_that_never_answers_is_waited_for_so_long(
    api: Api, product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = await checkout.ready_input(api, (product, 2))
    with monkeypatch.context() as patch:
        patch.setattr("app.payments.service.GATEWAY_TIMEOUT_SECONDS", 0.1)
        async with held_up(monkeypatch, knows_the_void=True):
            payload = await checkout.complete(api, given)
    assert [error["code"] for error in payload["userErrors"]] == ["IN_PROGRESS"]
    assert await inventory.available(product.variant_id) == 3
    assert (await checkout.complete(api, given))["order"]
    await drain()
    assert await invariants.check() == []


# --- wherever it happens ----------------------------------------------------------------------------------------------


async def test_requests_lost_at_random_moments(
    api: Api, drain: Drain, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "overloaded_after_seconds", patience(60))  # eighty at once, on any machine
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    product = await catalogue.product(stock=40)
    first = await checkout.ready_input(api, (product, 1))
    tokens = ["tok_success"] * 4 + ["tok_declined", "tok_timeout"]
    inputs = []
    for _ in range(80):
        payment = checkout.CASH if chance.random() < 0.2 else {**checkout.CARD, "token": chance.choice(tokens)}
        cart = await carts.cart((product.variant_id, 1))
        inputs.append({**first, "cartId": cart.gid, "idempotencyKey": checkout.new_key(), "payment": payment})

    async def lost(given: dict[str, Any]) -> None:
        request = asyncio.create_task(checkout.complete(api, given))
        await asyncio.sleep(chance.uniform(0, 0.15))
        request.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await request

    for start in range(0, len(inputs), 10):
        await asyncio.gather(*(lost(given) for given in inputs[start : start + 10]))
    await checkout.expire_lease()
    await drain()
    assert await invariants.check() == [], seed

    async def answered(given: dict[str, Any]) -> str:
        while True:
            payload = await checkout.complete(api, given)
            (code,) = {error["code"] for error in payload["userErrors"]} or {"ORDER"}
            if code != "IN_PROGRESS":
                return code

    codes = Counter(await asyncio.gather(*(answered(given) for given in inputs)))
    assert set(codes) <= {"ORDER", "PAYMENT_DECLINED", "PAYMENT_NOT_COMPLETED", "INSUFFICIENT_STOCK"}, seed
    await drain()
    assert await invariants.check() == [], seed
    orders = await db.fetchval("SELECT count(*) FROM orders")
    assert orders == codes["ORDER"] <= 40, seed
    assert await inventory.available(product.variant_id) == 40 - orders, seed
    assert await db.fetchval("SELECT count(*) FROM messages WHERE template = 'order_confirmation'") == orders, seed
