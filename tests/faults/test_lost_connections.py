"""PostgreSQL drops connections at random while guests buy and staff work; what was told stays true."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from app import db, invariants
from app.events.delivery import MAX_ATTEMPTS
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]

CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id) { userErrors { code } } }"
FULFILL = "mutation ($id: ID!) { fulfillmentCreate(input: { orderId: $id }) { userErrors { code } } }"
DROP_ONE = """
    SELECT pg_terminate_backend(pid) FROM (
        SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        ORDER BY random() LIMIT 1
    ) one
"""


async def inputs_of(api: Api, products: list[MadeProduct], chance: random.Random) -> list[dict[str, Any]]:
    inputs = []
    for _ in range(16):
        cart = await carts.cart(*((product.variant_id, chance.randint(1, 3)) for product in chance.sample(products, 2)))
        token = chance.choice(["tok_success", "tok_success", "tok_declined", "tok_timeout"])
        inputs.append(
            {
                "cartId": cart.gid,
                "idempotencyKey": checkout.new_key(),
                "email": checkout.EMAIL,
                "shippingAddress": checkout.ADDRESS,
                "shippingQuoteId": await checkout.quote_for(api, cart.gid),
                "payment": chance.choice([checkout.CASH, *[{**checkout.CARD, "token": token}] * 3]),
            }
        )
    return inputs


def final(payload: dict[str, Any]) -> str | None:
    """The order's id, or the codes of a refusal; None while nothing is decided."""
    codes = [error["code"] for error in payload["userErrors"]]
    if set(codes) & {"IN_PROGRESS", "CONFLICT"}:
        return None
    return payload["order"]["id"] if payload["order"] else " ".join(codes)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Faults by the dozen are what this is about; printing one takes seconds."""
    with capture_logs():
        yield


@pytest.mark.faults
async def test_guests_and_staff_through_lost_connections(api: Api, staff_token: str, drain: Drain) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    await checkout.shop_that_ships()
    products = [await catalogue.product(stock=20) for _ in range(3)]
    products.append(await catalogue.product(stock=0, inventory_policy="CONTINUE"))
    inputs = await inputs_of(api, products, chance)
    told: dict[str, set[str]] = {given["idempotencyKey"]: set() for given in inputs}
    over = asyncio.Event()

    async def ask(given: dict[str, Any]) -> None:
        result = await api.query(checkout.COMPLETE, {"input": given})
        if result.data and (answer := final(result.data["checkoutComplete"])):
            told[given["idempotencyKey"]].add(answer)

    async def buy(given: dict[str, Any]) -> None:
        for _ in range(3):
            await ask(given)
            await asyncio.sleep(chance.uniform(0, 0.1))

    async def drop_connections() -> None:
        while not over.is_set():
            with contextlib.suppress(asyncpg.PostgresError, OSError):
                await db.execute(DROP_ONE)
            await asyncio.sleep(chance.uniform(0, 0.1))

    async def work() -> None:
        while not over.is_set():
            orders = [one for answers in told.values() for one in answers if one.startswith("ord_")]
            if orders:
                await api.query(chance.choice([CANCEL, FULFILL]), {"id": chance.choice(orders)}, token=staff_token)
            await asyncio.sleep(0.02)

    others = [asyncio.create_task(one()) for one in (drop_connections, work)]
    await asyncio.gather(*(buy(given) for given in inputs))
    over.set()
    await asyncio.gather(*others)

    await checkout.expire_lease()
    for _ in range(MAX_ATTEMPTS):
        await db.execute("UPDATE events SET attempts = 0, leased_until = NULL WHERE acknowledged_at IS NULL")
        await drain()
    for given in inputs:
        await ask(given)
        # Whoever never got through begins only now, and the answer of a gateway may be lost once.
        await ask(given)
    assert [answers for answers in told.values() if len(answers) != 1] == [], seed
    await drain()
    assert await invariants.check() == [], seed
    orders = await db.fetchval("SELECT count(*) FROM orders")
    assert orders == sum(answer.startswith("ord_") for answers in told.values() for answer in answers), seed
