"""A checkout keeps its items for the shopper for a while: nobody else gets them, and nobody keeps them for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from app import db, invariants
from app.checkout import service
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout

Advance = Callable[[str], Awaitable[None]]

CHECKOUT = "id reservedUntil problems { code field ... on InsufficientStockError { availableQuantity } }"
CREATE = f"""mutation ($input: CheckoutCreateInput!) {{
    checkoutCreate(input: $input) {{ checkout {{ {CHECKOUT} }} warnings {{ code field }} userErrors {{ code }} }}
}}"""
UPDATE = f"""mutation ($id: ID!, $input: CheckoutUpdateInput!) {{
    checkoutUpdate(checkoutId: $id, input: $input) {{ checkout {{ {CHECKOUT} }} userErrors {{ code }} }}
}}"""
ADD = """mutation ($id: ID!, $lines: [CartLineInput!]!) {
    cartLinesAdd(cartId: $id, lines: $lines) { userErrors { code } warnings { code } }
}"""
REMOVE = "mutation ($id: ID!) { cartClear(cartId: $id) { userErrors { code } } }"


@pytest.fixture(autouse=True)
async def shop(clean_database: None) -> None:
    await checkout.shop_that_ships()


async def create(api: Api, cart: str, **given: Any) -> dict[str, Any]:
    found = await api.ok(CREATE, {"input": {"cartId": cart, "email": checkout.EMAIL, **given}})
    payload: dict[str, Any] = found["checkoutCreate"]
    return payload


async def stock(variant_id: object) -> tuple[int, int]:
    row = await db.fetchrow("SELECT available, reserved FROM stock_levels WHERE variant_id = $1", variant_id)
    assert row is not None
    return row["available"], row["reserved"]


async def minutes_left(shown: dict[str, Any]) -> float:
    now = await db.fetchval("SELECT business_now()")
    left: timedelta = datetime.fromisoformat(shown["reservedUntil"]) - now
    return left.total_seconds() / 60


async def test_who_comes_second_hears_so_before_paying(api: Api, drain: Callable[[], Awaitable[None]]) -> None:
    lantern = await catalogue.product(stock=1)
    first, second = [(await carts.cart((lantern.variant_id, 1))).gid for _ in range(2)]
    mine = await create(api, first)
    assert 9 < await minutes_left(mine["checkout"]) <= 10
    assert mine["warnings"] == []
    assert "INSUFFICIENT_STOCK" not in {problem["code"] for problem in mine["checkout"]["problems"]}

    theirs = await create(api, second)
    assert theirs["checkout"]["reservedUntil"] is None
    assert theirs["warnings"] == [{"code": "OUT_OF_STOCK", "field": ["cart", "lines", "0"]}]
    short = [problem for problem in theirs["checkout"]["problems"] if problem["code"] == "INSUFFICIENT_STOCK"]
    assert short == [
        {"code": "INSUFFICIENT_STOCK", "field": ["cart", "lines", "0", "quantity"], "availableQuantity": 0}
    ]
    seen = "query ($id: ID!) { product(id: $id) { availableForSale } }"
    assert (await api.ok(seen, {"id": lantern.gid}))["product"] == {"availableForSale": False}
    assert await invariants.check() == []

    refused = await checkout.complete(api, await ready(api, second))
    assert [error["code"] for error in refused["userErrors"]] == ["INSUFFICIENT_STOCK"]
    bought = await checkout.complete(api, await ready(api, first))
    assert bought["order"], bought["userErrors"]
    assert await stock(lantern.variant_id) == (0, 1)
    await drain()
    assert await invariants.check() == []


async def ready(api: Api, cart: str, **more: Any) -> dict[str, Any]:
    return {
        "cartId": cart,
        "idempotencyKey": checkout.new_key(),
        "email": checkout.EMAIL,
        "shippingAddress": checkout.ADDRESS,
        "shippingQuoteId": await checkout.quote_for(api, cart),
        "payment": checkout.CARD,
        **more,
    }


async def test_what_is_kept_follows_the_cart_and_is_let_go_of(api: Api, advance: Advance) -> None:
    lantern, stove = await catalogue.product(stock=5), await catalogue.product(stock=5)
    cart = (await carts.cart((lantern.variant_id, 2))).gid
    await create(api, cart)
    assert await stock(lantern.variant_id) == (3, 2)
    await advance("PT8M")
    await api.ok(ADD, {"id": cart, "lines": [{"variantId": stove.variant_gid, "quantity": 4}]})
    assert (await stock(lantern.variant_id), await stock(stove.variant_id)) == ((3, 2), (1, 4))
    # The cart's own units are there for it, and it gets no more than there are.
    added = await api.ok(ADD, {"id": cart, "lines": [{"variantId": stove.variant_gid, "quantity": 4}]})
    assert [warning["code"] for warning in added["cartLinesAdd"]["warnings"]] == ["QUANTITY_CLAMPED"]
    assert await stock(stove.variant_id) == (0, 5)
    await advance("PT8M")
    assert await stock(lantern.variant_id) == (3, 2)
    assert await invariants.check() == []
    await api.ok(REMOVE, {"id": cart})
    assert (await stock(lantern.variant_id), await stock(stove.variant_id)) == ((5, 0), (5, 0))
    assert await invariants.check() == []


async def test_time_ends_it_and_the_checkout_still_completes(api: Api, advance: Advance) -> None:
    lantern = await catalogue.product(stock=2)
    cart = (await carts.cart((lantern.variant_id, 2))).gid
    shown = (await create(api, cart))["checkout"]
    await advance("PT11M")
    assert await stock(lantern.variant_id) == (2, 0)
    read = "query ($id: ID!) { checkout(id: $id) { reservedUntil } }"
    assert (await api.ok(read, {"id": shown["id"]}))["checkout"] == {"reservedUntil": None}
    assert (await checkout.complete(api, await ready(api, cart)))["order"]
    assert await stock(lantern.variant_id) == (0, 2)


async def test_nobody_keeps_items_for_ever(api: Api, advance: Advance) -> None:
    lantern = await catalogue.product(stock=1)
    shown = (await create(api, (await carts.cart((lantern.variant_id, 1))).gid))["checkout"]
    left = []
    for _ in range(7):
        await advance("PT9M")
        answer = await api.ok(UPDATE, {"id": shown["id"], "input": {"phone": "+14155550123"}})
        shown = answer["checkoutUpdate"]["checkout"]
        left.append(round(await minutes_left(shown)) if shown["reservedUntil"] else None)
    assert left == [10, 10, 10, 10, 10, 6, None]
    assert await stock(lantern.variant_id) == (1, 0)
    await advance("P1D")
    answer = await api.ok(UPDATE, {"id": shown["id"], "input": {"phone": "+14155550123"}})
    assert answer["checkoutUpdate"]["checkout"]["reservedUntil"]


async def test_the_shop_sets_how_long_and_how_many(api: Api, staff_token: str) -> None:
    lantern = await catalogue.product(stock=50)
    change = "mutation ($input: ShopInput!) { shopUpdate(input: $input) { userErrors { code field } } }"
    await api.ok(change, {"input": {"reservationMinutes": 30, "reservationUnitLimit": 3}}, token=staff_token)
    shown = (await create(api, (await carts.cart((lantern.variant_id, 10))).gid))["checkout"]
    assert 29 < await minutes_left(shown) <= 30
    assert await stock(lantern.variant_id) == (47, 3)
    await api.ok(change, {"input": {"reservationMinutes": 0}}, token=staff_token)
    shown = (await create(api, (await carts.cart((lantern.variant_id, 10))).gid))["checkout"]
    assert (shown["reservedUntil"], await stock(lantern.variant_id)) == (None, (47, 3))
    wrong = {"input": {"reservationMinutes": 90, "reservationMaxMinutes": 60, "reservationUnitLimit": 0}}
    data = (await api.query(change, wrong, token=staff_token)).data or {}
    assert [error["field"][1] for error in data["shopUpdate"]["userErrors"]] == [
        "reservationMaxMinutes",
        "reservationUnitLimit",
    ]


async def test_one_client_cannot_empty_the_shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_RESERVING_CHECKOUTS", 2)
    lantern = await catalogue.product(stock=10)
    answers = [await create(api, (await carts.cart((lantern.variant_id, 1))).gid) for _ in range(3)]
    assert [bool(one["checkout"]["reservedUntil"]) for one in answers] == [True, True, False]
    assert [warning["code"] for warning in answers[2]["warnings"]] == ["NOT_RESERVED"]
    assert await stock(lantern.variant_id) == (8, 2)


async def test_a_declined_payment_gives_the_items_back_to_the_checkout(api: Api, advance: Advance) -> None:
    lantern = await catalogue.product(stock=1)
    cart = (await carts.cart((lantern.variant_id, 1))).gid
    await create(api, cart)
    declined = {**checkout.CARD, "token": "tok_declined"}
    refused = await checkout.complete(api, await ready(api, cart, payment=declined))
    assert [error["code"] for error in refused["userErrors"]] == ["PAYMENT_DECLINED"]
    assert await stock(lantern.variant_id) == (0, 1)
    assert await invariants.check() == []
    await advance("PT11M")
    assert await stock(lantern.variant_id) == (1, 0)
    assert await invariants.check() == []


async def test_many_checkouts_and_completions_share_what_there_is(
    api: Api, drain: Callable[[], Awaitable[None]]
) -> None:
    """Ten checkouts for six units, each changed and completed at the same time as the others."""
    lantern = await catalogue.product(stock=6)
    made = [(await carts.cart((lantern.variant_id, 1))).gid for _ in range(10)]

    async def buy(cart: str) -> bool:
        await create(api, cart)
        await create(api, cart, phone="+14155550123")
        payload = await checkout.complete(api, await ready(api, cart))
        codes = {error["code"] for error in payload["userErrors"]}
        assert payload["order"] or codes == {"INSUFFICIENT_STOCK"}, codes
        return payload["order"] is not None

    assert sum(await asyncio.gather(*map(buy, made))) == 6
    assert await stock(lantern.variant_id) == (0, 6)
    await drain()
    assert await invariants.check() == []
