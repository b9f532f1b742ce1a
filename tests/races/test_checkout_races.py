"""Many guests at once: the last unit is sold once, one key is one order, and nothing waits for itself."""

import asyncio
import contextvars
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from types import ModuleType
from typing import Any

import httpx2
import pytest

from app import db, invariants
from app.cart import queries as cart_queries
from app.checkout import queries as checkouts
from app.checkout import settlement
from app.kit.ids import new_id
from app.payments import test_gateway
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, inventory
from tests.factories.catalogue import MadeProduct

pytestmark = pytest.mark.long

Drain = Callable[[], Awaitable[None]]
Action = Callable[[], Coroutine[Any, Any, None]]

CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id) { order { id } userErrors { code } } }"
FULFILL = """mutation ($id: ID!) {
    fulfillmentCreate(input: { orderId: $id }) { fulfillment { id } userErrors { code } }
}"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


def outcome(payload: dict[str, Any]) -> str:
    if payload["order"]:
        return "ORDER"
    (code,) = {error["code"] for error in payload["userErrors"]}
    return str(code)


async def until_answered(api: Api, given: dict[str, Any]) -> dict[str, Any]:
    """As a storefront does: IN_PROGRESS is asked again, with the same key."""
    while outcome(payload := await checkout.complete(api, given)) == "IN_PROGRESS":
        await asyncio.sleep(0.01)
    return payload


async def guests(api: Api, count: int, product: MadeProduct, units: int = 1) -> list[dict[str, Any]]:
    """Inputs of as many guests, each with a cart of their own."""
    first = await checkout.ready_input(api, (product, units))
    rest = [await carts.cart((product.variant_id, units)) for _ in range(count - 1)]
    # A quote is bound to what is in the cart, not to the cart.
    return [first] + [{**first, "cartId": cart.gid, "idempotencyKey": checkout.new_key()} for cart in rest]


async def test_two_hundred_guests_for_the_last_twenty_units(api: Api, drain: Drain) -> None:
    product = await catalogue.product(stock=20)
    inputs = await guests(api, 200, product)
    answers = await asyncio.gather(*(checkout.complete(api, given) for given in inputs))
    assert Counter(map(outcome, answers)) == {"ORDER": 20, "INSUFFICIENT_STOCK": 180}
    assert {error["availableQuantity"] for answer in answers for error in answer["userErrors"]} <= set(range(1))
    assert await inventory.available(product.variant_id) == 0
    assert await db.fetchval("SELECT count(*) FROM orders") == 20
    assert len({answer["order"]["number"] for answer in answers if answer["order"]}) == 20
    # Each of them is told the same again.
    for given, answer in random.sample(list(zip(inputs, answers, strict=True)), 10):
        assert await checkout.complete(api, given) == answer
    await drain()
    assert await invariants.check() == []


async def test_units_that_a_declined_card_lets_go_are_sold_to_others(api: Api, drain: Drain) -> None:
    product = await catalogue.product(stock=10)
    inputs = await guests(api, 60, product, units=2)
    for place, given in enumerate(inputs):
        token = ("tok_success", "tok_declined", "tok_timeout")[place % 3]
        given["payment"] = {**checkout.CARD, "token": token}
    answers = await asyncio.gather(*(until_answered(api, given) for given in inputs))
    found = Counter(map(outcome, answers))
    assert set(found) <= {"ORDER", "INSUFFICIENT_STOCK", "PAYMENT_DECLINED"}
    assert 1 <= found["ORDER"] <= 5
    assert await inventory.available(product.variant_id) == 10 - 2 * found["ORDER"]
    await drain()
    assert await invariants.check() == []


async def test_one_key_fifty_times_is_one_order(api: Api, drain: Drain) -> None:
    product = await catalogue.product(stock=100)
    for given in (
        await checkout.ready_input(api, (product, 1)),
        await checkout.ready_input(api, (product, 1), payment=checkout.CASH),
        await checkout.ready_input(api, (product, 1), payment={**checkout.CARD, "token": "tok_timeout"}),
    ):
        before = await db.fetchval("SELECT count(*) FROM orders")
        first = await asyncio.gather(*(checkout.complete(api, given) for _ in range(50)))
        assert set(map(outcome, first)) <= {"ORDER", "IN_PROGRESS"}
        last = await asyncio.gather(*(until_answered(api, given) for _ in range(50)))
        told = {(answer["order"]["id"], answer["orderToken"]) for answer in [*first, *last] if answer["order"]}
        assert len(told) == 1
        assert await db.fetchval("SELECT count(*) FROM orders") == before + 1
    assert await inventory.available(product.variant_id) == 97
    assert (await checkout.footprint())["asked"] == 2
    await drain()
    assert await invariants.check() == []


async def test_one_refusal_fifty_times_is_one_refusal(api: Api) -> None:
    product = await catalogue.product(stock=5)
    given = await checkout.ready_input(api, (product, 1), payment={**checkout.CARD, "token": "tok_declined"})
    answers = await asyncio.gather(*(until_answered(api, given) for _ in range(50)))
    assert Counter(map(outcome, answers)) == {"PAYMENT_DECLINED": 50}
    assert (await checkout.footprint())["asked"] == 1
    assert await invariants.check() == []


async def test_one_cart_under_many_keys_is_one_order(api: Api, drain: Drain) -> None:
    product = await catalogue.product(stock=100)
    for payment in (checkout.CARD, checkout.CASH):
        given = await checkout.ready_input(api, (product, 1), payment=payment)
        inputs = [{**given, "idempotencyKey": checkout.new_key()} for _ in range(20)]
        answers = await asyncio.gather(*(until_answered(api, one) for one in inputs))
        assert Counter(map(outcome, answers)) == {"ORDER": 1, "CART_COMPLETED": 19}
    assert await inventory.available(product.variant_id) == 98
    await drain()
    assert await invariants.check() == []


async def test_carts_that_want_the_same_things_in_another_order(api: Api, drain: Drain) -> None:
    """Levels are locked in one order, so nobody waits in a circle."""
    products = [await catalogue.product(stock=500) for _ in range(6)]
    inputs = []
    for _ in range(40):
        lines = random.sample(products, 4)
        cart = await carts.cart(*((product.variant_id, random.randint(1, 3)) for product in lines))
        inputs.append(
            {
                "cartId": cart.gid,
                "idempotencyKey": checkout.new_key(),
                "email": checkout.EMAIL,
                "shippingAddress": checkout.ADDRESS,
                "shippingQuoteId": await checkout.quote_for(api, cart.gid),
                "payment": {**checkout.CARD, "token": random.choice(["tok_success", "tok_declined"])},
            }
        )
    answers = await asyncio.gather(*(checkout.complete(api, given) for given in inputs))
    assert set(map(outcome, answers)) <= {"ORDER", "PAYMENT_DECLINED"}
    await drain()
    assert await invariants.check() == []


async def test_a_cart_that_changes_while_it_is_ordered(api: Api, drain: Drain) -> None:
    """The order has exactly what its cart has: a change comes before, or is refused."""
    download = {"kind": "DIGITAL", "requires_shipping": False, "stock": None}
    products = [await catalogue.product(**download) for _ in range(5)]
    add = """mutation ($id: ID!, $lines: [CartLineInput!]!) {
        cartLinesAdd(cartId: $id, lines: $lines) { userErrors { code } }
    }"""
    for _ in range(10):
        cart = await carts.cart((products[0].variant_id, 1), email=checkout.EMAIL)
        given = {"cartId": cart.gid, "idempotencyKey": checkout.new_key(), "payment": checkout.CARD}
        changes = [
            api.query(add, {"id": cart.gid, "lines": [{"variantId": product.variant_gid}]}) for product in products
        ]
        work = [until_answered(api, given), *changes]
        random.shuffle(work)
        results = await asyncio.gather(*work)
        (answer,) = [result for result in results if isinstance(result, dict)]
        assert outcome(answer) == "ORDER"
    differing = await db.fetch(
        """
        SELECT o.id FROM orders o
        WHERE (SELECT array_agg((variant_id, quantity) ORDER BY variant_id) FROM order_lines WHERE order_id = o.id)
           <> (SELECT array_agg((variant_id, quantity) ORDER BY variant_id) FROM cart_lines WHERE cart_id = o.cart_id)
        """
    )
    assert differing == []
    await drain()
    assert await invariants.check() == []


async def test_cancelled_or_shipped_never_both(api: Api, staff_token: str, drain: Drain) -> None:
    product = await catalogue.product(stock=30)
    order_ids = [(await checkout.placed(api, (product, 1)))["order"]["id"] for _ in range(10)]
    work = [
        api.query(document, {"id": order_id}, token=staff_token)
        for order_id in order_ids
        for document in (CANCEL, FULFILL, CANCEL, FULFILL)
    ]
    random.shuffle(work)
    results = await asyncio.gather(*work)
    assert [result.errors for result in results if result.errors] == []
    payloads = [next(iter((result.data or {}).values())) for result in results]
    assert sum(not payload["userErrors"] for payload in payloads) == len(order_ids)
    await drain()
    assert await db.fetchval("SELECT count(*) FROM orders WHERE status NOT IN ('CANCELLED', 'COMPLETED')") == 0
    assert (
        await db.fetchval(
            "SELECT count(*) FROM fulfillments f JOIN orders o ON o.id = f.order_id AND o.status = 'CANCELLED'"
        )
        == 0
    )
    assert await invariants.check() == []


async def test_everybody_settles_one_attempt_at_once(api: Api, drain: Drain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shopper who asks again, the gateway's webhooks, and the end of the hold, in the same moment."""

    async def nowhere(url: str, body: bytes, headers: dict[str, str]) -> httpx2.Response:
        return httpx2.Response(204, request=httpx2.Request("POST", url))

    monkeypatch.setattr(test_gateway, "post", nowhere)
    product = await catalogue.product(stock=100)
    for decision in ("approve", "decline", None) * 3:
        given = await checkout.ready_input(api, (product, 1), payment={**checkout.CARD, "token": "tok_requires_action"})
        waiting = await checkout.complete(api, given)
        attempt_id = await db.fetchval("SELECT id FROM checkout_attempts WHERE state = 'REQUIRES_ACTION'")
        await db.execute("UPDATE checkout_attempts SET hold_until = business_now() WHERE id = $1", attempt_id)
        work: list[Awaitable[Any]] = [settlement.look(attempt_id) for _ in range(5)]
        work += [checkout.complete(api, given) for _ in range(5)]
        if decision:
            work.append(api.http.post(waiting["paymentAction"]["url"], data={"decision": decision}))
        random.shuffle(work)
        await asyncio.gather(*work)
        await settlement.look(attempt_id)
        await drain()
        answer = outcome(await checkout.complete(api, given))
        assert answer in {"ORDER", "PAYMENT_DECLINED", "PAYMENT_EXPIRED"}
        assert await invariants.check() == []
    orders = await db.fetchval("SELECT count(*) FROM orders")
    assert await inventory.available(product.variant_id) == 100 - orders


async def test_changes_of_one_checkout_all_take_effect(api: Api) -> None:
    cart = await carts.cart(((await catalogue.product()).variant_id, 1))
    create = """mutation ($input: CheckoutCreateInput!) {
        checkoutCreate(input: $input) { checkout { id } userErrors { code } }
    }"""
    made = await asyncio.gather(*(api.ok(create, {"input": {"cartId": cart.gid}}) for _ in range(10)))
    (checkout_id,) = {one["checkoutCreate"]["checkout"]["id"] for one in made}
    update = """mutation ($id: ID!, $input: CheckoutUpdateInput!) {
        checkoutUpdate(checkoutId: $id, input: $input) { userErrors { code } }
    }"""
    changes: list[dict[str, Any]] = [
        {"email": "ada@example.com"},
        {"phone": "+14155550123"},
        {"shippingAddress": checkout.ADDRESS},
        {"billingAddress": {**checkout.ADDRESS, "lastName": "Byron"}},
    ]
    await asyncio.gather(*(api.ok(update, {"id": checkout_id, "input": change}) for change in changes))
    row = await db.fetchrow("SELECT * FROM checkouts")
    assert row is not None
    assert (row["email"], row["phone"]) == ("ada@example.com", "+14155550123")
    assert '"Lovelace"' in row["shipping_address"]
    assert '"Byron"' in row["billing_address"]


UPDATE = """mutation ($id: ID!, $input: CheckoutUpdateInput!) {
    checkoutUpdate(checkoutId: $id, input: $input) { checkout { email } userErrors { code } }
}"""


def once_after(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, action: Action) -> None:
    """Something happens right after a function of `module` has read what it reads, for the first time."""
    real, calls = getattr(module, name), itertools.count()

    async def read(*args: Any, **kwargs: Any) -> Any:
        first, found = next(calls) == 0, await real(*args, **kwargs)
        if first:
            await asyncio.create_task(action(), context=contextvars.Context())
        return found

    monkeypatch.setattr(module, name, read)


async def checkout_of(api: Api, product: MadeProduct) -> tuple[str, dict[str, Any]]:
    """A checkout with an email, and the input that completes its cart without naming one."""
    given = await checkout.ready_input(api, (product, 1), email=None)
    made = await api.ok(
        "mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) { checkout { id } } }",
        {"input": {"cartId": given["cartId"], "email": "before@example.com"}},
    )
    return made["checkoutCreate"]["checkout"]["id"], given


@pytest.mark.parametrize(("module", "name"), [(checkouts, "standing_with_cart"), (cart_queries, "described")])
async def test_an_order_has_what_was_changed_before_it(
    api: Api, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    checkout_id, given = await checkout_of(api, await catalogue.product(stock=5))

    async def change() -> None:
        await api.ok(UPDATE, {"id": checkout_id, "input": {"email": "after@example.com"}})

    once_after(monkeypatch, module, name, change)
    assert (await checkout.complete(api, given))["order"]
    assert await db.fetchval("SELECT email FROM orders") == "after@example.com"
    assert await invariants.check() == []


async def test_a_change_that_comes_after_the_order_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not answered as if it had been kept."""
    checkout_id, given = await checkout_of(api, await catalogue.product(stock=5))

    async def order() -> None:
        assert (await checkout.complete(api, given))["order"]

    once_after(monkeypatch, checkouts, "standing", order)
    (error,) = await api.refused(UPDATE, {"id": checkout_id, "input": {"email": "after@example.com"}})
    assert error["code"] == "CART_COMPLETED"
    assert await db.fetchval("SELECT email FROM checkouts") == "before@example.com"
    assert await db.fetchval("SELECT email FROM orders") == "before@example.com"


async def test_a_payment_id_is_asked_for_once_however_often_it_is_asked(api: Api) -> None:
    """What the whole design leans on, of the test gateway itself."""
    gateway = test_gateway.TestGateway()
    payment_id = new_id()
    request = test_gateway.Authorisation(payment_id=payment_id, amount_minor=100, currency="USD", token="tok_success")
    answers = await asyncio.gather(*(gateway.authorise(request) for _ in range(20)))
    assert len({answer.reference for answer in answers}) == 1
    assert await db.fetchval("SELECT count(*) FROM test_gateway_payments") == 1
