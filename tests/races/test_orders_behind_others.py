"""An order's few statements, each of which waited for somebody: they act on what is there then, not when they began."""

import asyncio
import contextvars
import uuid
from collections.abc import Coroutine
from typing import Any

import pytest

from app import db, invariants
from app.checkout import settlement
from app.customers import identification
from tests.client import Api
from tests.factories import catalogue, checkout, customers, inventory
from tests.factories.catalogue import MadeProduct
from tests.races.test_profile_races import until_blocked

BUYER = "ada@example.com"


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    await checkout.shop_that_ships()
    return await catalogue.product(stock=5)


def begun(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.get_running_loop().create_task(work, context=contextvars.Context())


async def cart_of(given: dict[str, Any], profile_id: uuid.UUID) -> uuid.UUID:
    """Whose cart it is from now on, in the open unit of work if there is one."""
    cart_id = uuid.UUID(hex=given["cartId"].split("_")[1])
    await db.execute("UPDATE carts SET profile_id = $2 WHERE id = $1", cart_id, profile_id)
    return cart_id


@pytest.mark.parametrize(("left", "bought"), [(3, True), (2, False)])
async def test_a_claim_that_waits_for_its_cart_takes_what_is_left(
    api: Api, product: MadeProduct, left: int, bought: bool
) -> None:
    given = await checkout.ready_input(api, (product, 3))
    somebody = await customers.profile(email=BUYER)
    async with db.unit_of_work():
        await cart_of(given, somebody)
        await inventory.stock(product.variant_id, left)
        order = begun(checkout.complete(api, given))
        await until_blocked()
    answer = await order
    assert bool(answer["order"]) is bought, answer["userErrors"]
    assert await inventory.available(product.variant_id) == (0 if bought else left)
    assert await db.fetchval("SELECT count(*) FROM stock_reservations") == int(bought)
    assert await invariants.check() == []


@pytest.mark.parametrize("email", [BUYER, "bob@example.com"])
async def test_an_order_that_waits_while_its_carts_person_is_merged(
    api: Api, product: MadeProduct, monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    """The cart's visitor becomes known, as the buyer or as somebody else, while the order is about to be written."""
    given = await checkout.ready_input(api, (product, 1), email=BUYER)
    visitor_id, before = await customers.visitor()
    cart_id = await cart_of(given, before)
    real, held = settlement._ask, asyncio.Event()

    async def become_known() -> None:
        async with db.unit_of_work():
            await db.execute("SELECT id FROM carts WHERE id = $1 FOR UPDATE", cart_id)
            await identification.identify(email=email, visitor_id=visitor_id, source="NEWSLETTER")
            held.set()
            await until_blocked()

    meanwhile: list[asyncio.Task[Any]] = []

    async def ask(attempt: Any) -> Any:
        word = await real(attempt)
        meanwhile.append(begun(become_known()))
        await held.wait()
        return word

    monkeypatch.setattr(settlement, "_ask", ask)
    assert (await checkout.complete(api, given))["order"]
    await asyncio.gather(*meanwhile)
    people = await db.fetch("SELECT id, email FROM profiles WHERE merged_into_id IS NULL ORDER BY email")
    assert [row["email"] for row in people] == sorted({BUYER, email})
    buyer = next(row["id"] for row in people if row["email"] == BUYER)
    assert await db.fetchval("SELECT profile_id FROM orders") == buyer
    told = await db.fetch("SELECT profile_id FROM profile_events WHERE type = 'order.placed'")
    assert {row["profile_id"] for row in told} == {row["id"] for row in people}
    assert await db.fetchval("SELECT count(*) FROM events WHERE type = 'order.placed'") == 1
    assert await invariants.check() == []


@pytest.mark.parametrize("name", ["first_name", "email"])
async def test_an_order_that_waits_for_its_buyer(
    api: Api, product: MadeProduct, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whose profile changes meanwhile; where it has another address then, the order is somebody else's."""
    given = await checkout.ready_input(api, (product, 1), email=BUYER)
    known = await customers.profile(email=BUYER)
    real, held = settlement._ask, asyncio.Event()

    async def change() -> None:
        async with db.unit_of_work():
            value = "Grace" if name == "first_name" else "grace@example.com"
            await db.execute(f"UPDATE profiles SET {name} = $2 WHERE id = $1", known, value)
            held.set()
            await until_blocked()

    meanwhile: list[asyncio.Task[Any]] = []

    async def ask(attempt: Any) -> Any:
        word = await real(attempt)
        meanwhile.append(begun(change()))
        await held.wait()
        return word

    monkeypatch.setattr(settlement, "_ask", ask)
    assert (await checkout.complete(api, given))["order"]
    await asyncio.gather(*meanwhile)
    row = await db.fetchrow("SELECT p.id, p.email, p.first_name FROM orders o JOIN profiles p ON p.id = o.profile_id")
    assert row is not None
    assert row["email"] == BUYER
    assert (row["id"] == known) is (name == "first_name")
    if name == "first_name":
        assert row["first_name"] == "Grace", "what is typed at a checkout replaces nothing"
    assert await invariants.check() == []
