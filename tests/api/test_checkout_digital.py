"""Digital goods and services: nothing ships, so nothing of shipping is asked for, and paid is done."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import invariants
from tests.client import Api
from tests.factories import catalogue, checkout

NOTHING_SHIPS: dict[str, Any] = {"shippingQuoteId": None, "shippingAddress": None}
READ = """query ($id: ID!) { order(id: $id) {
    status paymentStatus fulfillmentStatus shippingAddress { city } cost { shipping { amount } total { amount } }
} }"""
FULFILL = "mutation ($id: ID!) { fulfillmentCreate(input: { orderId: $id }) { userErrors { code } } }"


@pytest.fixture(autouse=True)
async def shop(clean_database: None) -> None:
    await checkout.shop_that_ships()


@pytest.mark.parametrize("kind", ["DIGITAL", "SERVICE"])
async def test_what_does_not_ship_is_done_when_it_is_paid(
    api: Api, staff_token: str, drain: Callable[[], Awaitable[None]], kind: str
) -> None:
    course = await catalogue.product(
        kind=kind, requires_shipping=False, track_inventory=False, stock=None, price_minor=30_00
    )
    placed = await checkout.placed(api, (course, 1), **NOTHING_SHIPS)
    assert placed["order"]["fulfillmentStatus"] == "NOT_REQUIRED"
    await drain()
    order = (await api.ok(READ, {"id": placed["order"]["id"]}, token=staff_token))["order"]
    assert (order["status"], order["paymentStatus"], order["shippingAddress"]) == ("COMPLETED", "PAID", None)
    assert order["cost"] == {"shipping": {"amount": "0.00"}, "total": {"amount": "30.00"}}
    assert await invariants.check() == []


async def test_a_mixed_cart_ships_only_what_ships(
    api: Api, staff_token: str, drain: Callable[[], Awaitable[None]]
) -> None:
    course = await catalogue.product(kind="DIGITAL", requires_shipping=False, track_inventory=False, stock=None)
    lantern = await catalogue.product(stock=3)
    refused = await checkout.complete(api, await checkout.ready_input(api, (course, 1), (lantern, 1), **NOTHING_SHIPS))
    assert [error["field"] for error in refused["userErrors"]] == [["input", "shippingAddress"]]
    placed = await checkout.placed(api, (course, 1), (lantern, 1))
    await drain()
    order_id = placed["order"]["id"]
    before = (await api.ok(READ, {"id": order_id}, token=staff_token))["order"]
    assert (before["status"], before["fulfillmentStatus"]) == ("OPEN", "UNFULFILLED")
    await api.ok(FULFILL, {"id": order_id}, token=staff_token)
    await drain()
    after = (await api.ok(READ, {"id": order_id}, token=staff_token))["order"]
    assert (after["status"], after["fulfillmentStatus"]) == ("COMPLETED", "FULFILLED")
    assert await invariants.check() == []
