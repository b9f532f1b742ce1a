"""One code and many who want it: its limits hold exactly, and nothing waits for itself."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.cart import entering as cart_entering
from app.cart.service import CartKey
from app.kit.ids import new_id
from app.orders.draft import DiscountDraft
from app.promotions import codes, redemptions
from app.promotions.requests import FreeShippingRequest, RequirementsRequest
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, discounts

Drain = Callable[[], Awaitable[None]]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def guests(api: Api, count: int, code: str, **changed: Any) -> list[dict[str, Any]]:
    """Inputs of as many guests with carts and addresses of their own, each with the code."""
    product = await catalogue.product(price_minor=2000, stock=1000)
    first = await checkout.ready_input(api, (product, 1), **changed)
    inputs = []
    for number in range(count):
        cart = await carts.cart((product.variant_id, 1))
        await cart_entering.change_codes(CartKey(cart.id, cart.secret), [code], f"client-{number}")
        email = changed.get("email", f"guest{number}@example.com")
        inputs.append({**first, "cartId": cart.gid, "idempotencyKey": checkout.new_key(), "email": email})
    return inputs


async def answers(api: Api, inputs: list[dict[str, Any]]) -> Counter[str]:
    async def until_answered(given: dict[str, Any]) -> str:
        while True:
            payload = await checkout.complete(api, given)
            outcome = payload["userErrors"][0]["code"] if payload["userErrors"] else "ORDER"
            if outcome != "IN_PROGRESS":
                return str(outcome)
            await asyncio.sleep(0.01)

    return Counter(await asyncio.gather(*(until_answered(given) for given in inputs)))


@pytest.mark.parametrize("payment", [checkout.CARD, checkout.CASH], ids=["card", "cash"])
async def test_a_single_use_code_is_used_once_by_a_hundred(api: Api, drain: Drain, payment: dict[str, Any]) -> None:
    await discounts.discount("ONCE", usage_limit=1)
    found = await answers(api, await guests(api, 100, "ONCE", payment=payment))
    assert found == {"ORDER": 1, "DISCOUNT_USED_UP": 99}
    (order,) = await db.fetch("SELECT total_minor, discount_minor FROM orders")
    assert tuple(order.values()) == (2399, 200)
    assert await db.fetchval("SELECT count(*) FROM discount_redemptions WHERE state <> 'RELEASED'") == 1
    charged = await db.fetch("SELECT amount_minor FROM payments WHERE state <> 'FAILED'")
    assert [row["amount_minor"] for row in charged] == [2399], "nobody else was charged"
    await drain()
    assert await invariants.check() == []


async def test_declined_cards_give_their_uses_to_others(api: Api, drain: Drain) -> None:
    await discounts.discount("FIVE", usage_limit=5)
    inputs = await guests(api, 40, "FIVE")
    for place, given in enumerate(inputs):
        given["payment"] = {**checkout.CARD, "token": ("tok_success", "tok_declined")[place % 2]}
    found = await answers(api, inputs)
    assert set(found) <= {"ORDER", "DISCOUNT_USED_UP", "PAYMENT_DECLINED"}
    assert 1 <= found["ORDER"] <= 5
    assert await db.fetchval("SELECT used_count FROM discounts") == found["ORDER"]
    await drain()
    assert await invariants.check() == []


async def test_one_customer_with_twenty_carts_uses_it_as_often_as_one_may(api: Api, drain: Drain) -> None:
    await discounts.discount("TWICE", usage_limit_per_customer=2)
    found = await answers(api, await guests(api, 20, "TWICE", email=checkout.EMAIL))
    assert found == {"ORDER": 2, "DISCOUNT_ALREADY_USED": 18}
    await drain()
    assert await invariants.check() == []


async def test_one_customer_has_one_first_order_however_many_carts(api: Api, drain: Drain) -> None:
    """While they are paid for, none of them is an order yet that the others could see."""
    await discounts.discount("FIRST", requires=RequirementsRequest(first_order=True))
    found = await answers(api, await guests(api, 10, "FIRST", email=checkout.EMAIL))
    assert found.pop("ORDER") == 1
    assert set(found) <= {"DISCOUNT_ALREADY_USED", "DISCOUNT_EXISTING_CUSTOMER"}
    assert await db.fetchval("SELECT used_count FROM discounts") == 1
    await drain()
    assert await invariants.check() == []


async def test_two_discounts_for_first_orders_are_one_first_order(api: Api, drain: Drain) -> None:
    """They are two rows, and the buyer is one."""
    for code in ("WELCOME", "HELLO"):
        await discounts.discount(code, requires=RequirementsRequest(first_order=True))
    both = [await guests(api, 6, code, email=checkout.EMAIL) for code in ("WELCOME", "HELLO")]
    found = await answers(api, [given for pair in zip(*both, strict=True) for given in pair])
    assert found.pop("ORDER") == 1
    assert set(found) <= {"DISCOUNT_ALREADY_USED", "DISCOUNT_EXISTING_CUSTOMER"}
    assert await db.fetchval("SELECT sum(used_count) FROM discounts") == 1
    # A buyer of their own has a first order, too.
    assert await answers(api, await guests(api, 1, "HELLO", email="grace@example.com")) == {"ORDER": 1}
    await drain()
    assert await invariants.check() == []


async def test_holds_of_first_orders_at_the_same_moment_see_each_other(api: Api) -> None:
    uses = []
    for _ in range(4):
        discount_id = await discounts.discount(requires=RequirementsRequest(first_order=True))
        uses.append(DiscountDraft(id=discount_id, code_id=None, name="Sale", code=None, amount_minor=100))
    all_are_there = asyncio.Barrier(4)

    async def held(*wanted: DiscountDraft) -> bool:
        try:
            async with db.unit_of_work():
                await db.execute("SELECT 1")
                await all_are_there.wait()
                await redemptions.hold(new_id(), wanted, checkout.EMAIL, None)
        except redemptions.TakenMeanwhile:
            return False
        return True

    # Two that go together are one order's.
    tried = (held(uses[0]), held(uses[1]), held(uses[2], uses[3]), held(uses[3], uses[1]))
    assert sum(await asyncio.gather(*tried)) == 1


async def test_holds_of_one_customer_at_the_same_moment_see_each_other(api: Api) -> None:
    discount_id = await discounts.discount(usage_limit_per_customer=1)
    use = DiscountDraft(id=discount_id, code_id=None, name="Sale", code=None, amount_minor=100)
    all_are_there = asyncio.Barrier(5)

    async def held() -> bool:
        try:
            async with db.unit_of_work():
                await db.execute("SELECT 1")
                await all_are_there.wait()
                await redemptions.hold(new_id(), [use], checkout.EMAIL, None)
        except redemptions.TakenMeanwhile:
            return False
        return True

    assert sum(await asyncio.gather(*(held() for _ in range(5)))) == 1
    assert await db.fetchval("SELECT used_count FROM discounts") == 1


async def test_drawn_codes_are_used_once_each_and_free_shipping_as_often_as_it_may(api: Api, drain: Drain) -> None:
    by_code = await discounts.discount(automatic=False)
    await codes.add_codes(by_code, ["DRAWN-1", "DRAWN-2"], 1)
    await discounts.discount(percentage=None, free_shipping=FreeShippingRequest(), usage_limit=3)
    inputs = [*await guests(api, 10, "DRAWN-1"), *await guests(api, 10, "drawn-2")]
    found = await answers(api, inputs)
    # What is used up by itself is no refusal: the next ones pay for shipping.
    assert found == {"ORDER": 2, "DISCOUNT_USED_UP": 18}
    assert await db.fetchval("SELECT sum(used_count) FROM discount_codes") == 2
    assert await db.fetchval("SELECT used_count FROM discounts WHERE automatic") == 2
    assert {row["total_minor"] for row in await db.fetch("SELECT total_minor FROM orders")} == {1800}
    await drain()
    assert await invariants.check() == []


async def test_two_discounts_in_any_order_lock_nobody_out(api: Api, drain: Drain) -> None:
    await discounts.discount("AFTER", usage_limit=10)
    await discounts.discount(usage_limit=15)
    await discounts.discount("BEFORE", usage_limit=10)
    inputs = [*await guests(api, 15, "AFTER"), *await guests(api, 15, "BEFORE")]
    found = await answers(api, inputs)
    assert found["ORDER"] == 20
    assert found["DISCOUNT_USED_UP"] == 10
    counts = [row["used_count"] for row in await db.fetch("SELECT used_count FROM discounts ORDER BY id")]
    assert counts == [10, 15, 10]
    await drain()
    assert await invariants.check() == []
