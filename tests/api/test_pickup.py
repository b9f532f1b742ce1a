"""Fetching an order from a store: offered where everything is, taken from there, packed, handed over."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, inventory, markets

STORE = {
    "lastName": "Tradewind Store",
    "address1": "5 Pier Road",
    "city": "Portland",
    "provinceCode": "OR",
    "postalCode": "97204",
    "countryCode": "US",
}
SET_UP = """mutation ($id: ID!, $input: WarehouseInput!) {
    warehouseUpdate(id: $id, input: $input) {
        warehouse { pickupEnabled openingHours { weekday opens } address { city } } userErrors { code field }
    }
}"""
QUOTES = """query ($input: ShippingQuotesInput!) { shippingQuotes(input: $input) {
    quotes { id kind service price { amount } readyAt pickupLocation { name readyHours address { city } } }
    userErrors { code }
} }"""
ORDER = """query ($id: ID!) { order(id: $id) {
    status fulfillmentStatus shippingAddress { city }
    pickup { state readyAt pickedUpAt location { name address { city } instructions } }
} }"""


@pytest.fixture
async def store(api: Api, staff_token: str) -> Any:
    await checkout.shop_that_ships()
    await inventory.default_warehouse()
    store_id = await inventory.warehouse(code="STORE", name="Pier Store", priority=9)
    given = {
        "pickupEnabled": True,
        "address": STORE,
        "openingHours": [{"weekday": 2, "opens": "09:00", "closes": "18:00"}],
        "pickupInstructions": "Ring twice.",
        "pickupReadyHours": 2,
    }
    await api.ok(SET_UP, {"id": f"wh_{store_id.hex}", "input": given}, token=staff_token)
    return store_id


async def pickups(api: Api, cart: str) -> list[dict[str, Any]]:
    found = await api.ok(QUOTES, {"input": {"cartId": cart, "address": {"countryCode": "US"}}})
    return [one for one in found["shippingQuotes"]["quotes"] if one["kind"] == "PICKUP"]


async def test_an_order_is_fetched_from_the_store_that_has_it(
    api: Api, staff_token: str, store: Any, drain: Callable[[], Awaitable[None]]
) -> None:
    lantern, stove = await catalogue.product(stock=5), await catalogue.product(stock=5)
    shelf = await inventory.stock(lantern.variant_id, 2, warehouse_id=store)
    assert await pickups(api, (await carts.cart((lantern.variant_id, 3))).gid) == []
    assert await pickups(api, (await carts.cart((lantern.variant_id, 1), (stove.variant_id, 1))).gid) == []
    cart = (await carts.cart((lantern.variant_id, 2), country_code="US")).gid
    (quote,) = await pickups(api, cart)
    assert (quote["service"], quote["price"]["amount"]) == ("Pier Store", "0.00")
    assert quote["pickupLocation"] == {"name": "Pier Store", "readyHours": 2, "address": {"city": "Portland"}}

    create = """mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) {
        checkout { id shippingQuotes { kind } problems { code field } } userErrors { code }
    } }"""
    made = (await api.ok(create, {"input": {"cartId": cart, "email": checkout.EMAIL}}))["checkoutCreate"]["checkout"]
    assert made["shippingQuotes"] == [{"kind": "PICKUP"}]
    choose = """mutation ($id: ID!, $quote: ID!) { checkoutUpdate(checkoutId: $id, input: { shippingQuoteId: $quote }) {
        checkout { problems { code field } shippingQuote { kind } } userErrors { code }
    } }"""
    chosen = (await api.ok(choose, {"id": made["id"], "quote": quote["id"]}))["checkoutUpdate"]["checkout"]
    assert chosen == {"problems": [], "shippingQuote": {"kind": "PICKUP"}}

    given = {"checkoutId": made["id"], "idempotencyKey": checkout.new_key(), "payment": checkout.CARD}
    payload = await checkout.complete(api, given)
    assert payload["order"], payload["userErrors"]
    assert await db.fetchval("SELECT reserved FROM stock_levels WHERE id = $1", shelf) == 2
    order = payload["order"]["id"]
    shown = (await api.ok(ORDER, {"id": order}, token=staff_token))["order"]
    assert (shown["shippingAddress"], shown["fulfillmentStatus"]) == (None, "UNFULFILLED")
    assert (shown["pickup"]["state"], shown["pickup"]["location"]) == (
        "PREPARING",
        {"name": "Pier Store", "address": {"city": "Portland"}, "instructions": "Ring twice."},
    )

    ship = """mutation ($input: FulfillmentCreateInput!) { fulfillmentCreate(input: $input) { userErrors { code } } }"""
    refused = (await api.query(ship, {"input": {"orderId": order}}, token=staff_token)).data or {}
    assert [one["code"] for one in refused["fulfillmentCreate"]["userErrors"]] == ["ORDER_NOT_FULFILLABLE"]
    for _ in range(2):
        await step(api, staff_token, "orderPickupReady", order, "READY")
    await drain()
    told = await db.fetchval("SELECT count(*) FROM messages WHERE template = 'order_ready_for_pickup'")
    assert told == 1
    for _ in range(2):
        await step(api, staff_token, "orderPickupComplete", order, "PICKED_UP")
    await drain()
    shown = (await api.ok(ORDER, {"id": order}, token=staff_token))["order"]
    assert (shown["status"], shown["fulfillmentStatus"]) == ("COMPLETED", "FULFILLED")
    assert await db.fetchval("SELECT reserved FROM stock_levels WHERE id = $1", shelf) == 0
    assert await invariants.check() == []


async def step(api: Api, token: str, mutation: str, order: str, state: str) -> None:
    answer = "{ order { pickup { state } } userErrors { code } }"
    document = f"mutation ($id: ID!) {{ {mutation}(orderId: $id) {answer} }}"
    done = await api.ok(document, {"id": order}, token=token)
    assert done[mutation]["order"]["pickup"]["state"] == state


async def test_a_store_that_sold_it_meanwhile_refuses_and_takes_nothing(api: Api, store: Any) -> None:
    lantern = await catalogue.product(stock=5)
    await inventory.stock(lantern.variant_id, 1, warehouse_id=store)
    cart = (await carts.cart((lantern.variant_id, 1))).gid
    (quote,) = await pickups(api, cart)
    await inventory.stock(lantern.variant_id, 0, warehouse_id=store)
    before = await checkout.footprint()
    given = await checkout.ready_input(api, (lantern, 1), shippingQuoteId=quote["id"], shippingAddress=None)
    refused = await checkout.complete(api, {**given, "cartId": cart})
    assert [one["code"] for one in refused["userErrors"]] == ["QUOTE_NOT_APPLICABLE"]
    assert await checkout.footprint() == before


async def test_stores_near_by_come_first(api: Api, store: Any) -> None:
    query = "query ($near: NearInput) { pickupLocations(near: $near) { name openingHours { weekday } } }"
    other = await inventory.warehouse(code="BAY", name="Bay Store", priority=1)
    await db.execute(
        """
        UPDATE warehouses SET pickup_enabled = true, address = (
            SELECT address || '{"postal_code": "94103"}' FROM warehouses WHERE id = $2
        ) WHERE id = $1
        """,
        other,
        store,
    )
    near = await api.ok(query, {"near": {"countryCode": "US", "postalCode": "97 201"}})
    assert [one["name"] for one in near["pickupLocations"]] == ["Pier Store", "Bay Store"]
    assert [one["name"] for one in (await api.ok(query))["pickupLocations"]] == ["Bay Store", "Pier Store"]
    assert (await api.ok(query, {"near": {"countryCode": "DE"}}))["pickupLocations"] == []


async def test_a_store_without_an_address_cannot_be_come_to(api: Api, staff_token: str) -> None:
    await checkout.shop_that_ships()
    warehouse = f"wh_{(await inventory.default_warehouse()).hex}"
    wrong = {"pickupEnabled": True, "openingHours": [{"weekday": 8, "opens": "9", "closes": "18:00"}]}
    data = (await api.query(SET_UP, {"id": warehouse, "input": wrong}, token=staff_token)).data or {}
    assert [one["field"] for one in data["warehouseUpdate"]["userErrors"]] == [
        ["input", "openingHours", "0"],
        ["input", "address"],
    ]
    assert not await db.fetchval("SELECT pickup_enabled FROM warehouses")


@pytest.mark.parametrize("with_address", [False, True], ids=["cart", "address"])
async def test_what_is_fetched_is_bought_in_the_market_of_its_store(api: Api, store: Any, with_address: bool) -> None:
    """Neither a cart from a cheaper market in the same currency nor an address there brings its prices along."""
    lantern = await catalogue.product(price_minor=10000, stock=5)
    await inventory.stock(lantern.variant_id, 2, warehouse_id=store)
    await markets.market("ca", ("CA",), await markets.price_list("USD", rate="1", percentage="-90"), languages=("en",))
    cart = await carts.cart((lantern.variant_id, 1), country_code="US" if with_address else "CA")
    (quote,) = await pickups(api, cart.gid)
    given = {"cartId": cart.gid, "email": checkout.EMAIL, "payment": checkout.CARD, "shippingQuoteId": quote["id"]}
    if with_address:
        given["shippingAddress"] = checkout.ADDRESS | {
            "countryCode": "CA",
            "provinceCode": "ON",
            "postalCode": "K1A 0B1",
        }
    there, here = ({"amount": amount, "currencyCode": "USD"} for amount in ("10.00", "100.00"))
    refused = await checkout.complete(api, {**given, "idempotencyKey": checkout.new_key(), "expectedTotal": there})
    assert [(one["code"], one["total"]) for one in refused["userErrors"]] == [("TOTAL_CHANGED", here)]
    assert await db.fetchval("SELECT count(*) FROM orders") == 0
    placed = await checkout.complete(api, {**given, "idempotencyKey": checkout.new_key(), "expectedTotal": here})
    assert placed["order"]["cost"]["total"]["amount"] == "100.00"


async def test_nothing_on_hold_is_handed_over(api: Api, staff_token: str, store: Any) -> None:
    lantern = await catalogue.product(stock=5)
    await inventory.stock(lantern.variant_id, 1, warehouse_id=store)
    cart = (await carts.cart((lantern.variant_id, 1), country_code="US")).gid
    (quote,) = await pickups(api, cart)
    given = {"cartId": cart, "idempotencyKey": checkout.new_key(), "email": checkout.EMAIL, "payment": checkout.CARD}
    order = (await checkout.complete(api, {**given, "shippingQuoteId": quote["id"]}))["order"]["id"]
    await db.execute("UPDATE orders SET holds = ARRAY['GUARANTEE']")
    for mutation in ("orderPickupReady", "orderPickupComplete"):
        document = f"mutation ($id: ID!) {{ {mutation}(orderId: $id) {{ userErrors {{ code field }} }} }}"
        refused = (await api.query(document, {"id": order}, token=staff_token)).data or {}
        assert refused[mutation]["userErrors"] == [{"code": "ORDER_ON_HOLD", "field": ["orderId"]}], mutation
    row = await db.fetchrow("SELECT pickup_ready_at, picked_up_at, fulfillment_status FROM orders")
    assert row
    assert dict(row) == {"pickup_ready_at": None, "picked_up_at": None, "fulfillment_status": "UNFULFILLED"}
    release = """mutation ($id: ID!) {
        orderHoldRelease(orderId: $id, hold: GUARANTEE, reason: "The bank wrote") { userErrors { code } }
    }"""
    await api.ok(release, {"id": order}, token=staff_token)
    await step(api, staff_token, "orderPickupReady", order, "READY")
    await step(api, staff_token, "orderPickupComplete", order, "PICKED_UP")
