"""What an order was sold on stays as agreed when it is edited: prices, discounts, wraps, dates, stores, currencies."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import orjson
import pytest

from app import db
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, discounts, drafts, fulfillments, inventory, markets, shipping, shop
from tests.factories.catalogue import MadeProduct
from tests.factories.orders import Bought, bought, cancel, codes, edit, of, stands
from tests.factories.terms import ENGRAVING, terms

pytestmark = pytest.mark.usefixtures("clean_database")

Drain = Callable[[], Awaitable[None]]

BERLIN = {"firstName": "Ada", "lastName": "Lovelace", "address1": "Unter den Linden 1", "city": "Berlin",
          "postalCode": "10117", "countryCode": "DE"}  # fmt: skip
GIFTS = """mutation ($input: GiftSettingsInput!) { giftSettingsUpdate(input: $input) { userErrors { code } } }"""
STORE = """mutation ($id: ID!, $input: WarehouseInput!) { warehouseUpdate(id: $id, input: $input) {
    userErrors { code } } }"""
FETCHED = """mutation ($id: ID!, $unpaid: Boolean) { orderPickupComplete(orderId: $id, allowUnpaid: $unpaid) {
    userErrors { code } } }"""
QUOTES = """query ($input: ShippingQuotesInput!) { shippingQuotes(input: $input) { quotes { id kind } } }"""


async def total(api: Api, token: str, order: Bought, drain: Drain) -> str:
    """Once everything adds up."""
    await drain()
    shown: str = (await stands(api, token, order.gid))["cost"]["total"]["amount"]
    return shown


async def changed(api: Api, token: str, order: Bought, *quantities: int, **more: Any) -> dict[str, Any]:
    lines = [{"orderLineId": line, "quantity": n} for line, n in zip(order.lines, quantities, strict=False)]
    return await edit(api, token, order.gid, **({"lines": lines} if lines else {}), **more)


def added(product: MadeProduct, quantity: int = 1, **more: Any) -> list[dict[str, Any]]:
    return [{"variantId": product.variant_gid, "quantity": quantity, **more}]


async def test_each_unit_keeps_its_wrap_and_the_order_its_own(api: Api, staff_token: str, drain: Drain) -> None:
    """2 x 20.00, wrapped at 1.50 each and at 5.00 for all of it, and shipping of 5.99."""
    await checkout.shop_that_ships()
    prices = [{"order": drafts.usd("5"), "unit": drafts.usd("1.50")}]
    await api.ok(GIFTS, {"input": {"wrappingEnabled": True, "prices": prices}}, token=staff_token)
    lamp, rug = await catalogue.product(price_minor=2000), await catalogue.product(price_minor=1000)
    order = await bought(api, (lamp, 2), wraps=True, payment=checkout.CASH)
    assert await total(api, staff_token, order, drain) == "53.99"
    prices = [{"order": drafts.usd("9"), "unit": drafts.usd("9")}]
    await api.ok(GIFTS, {"input": {"wrappingEnabled": True, "prices": prices}}, token=staff_token)
    assert codes(await changed(api, staff_token, order, 3)) == []
    assert await total(api, staff_token, order, drain) == "75.49", "one more, wrapped: 21.50"
    assert codes(await changed(api, staff_token, order, 1, addLines=added(rug))) == []
    assert await total(api, staff_token, order, drain) == "42.49", "20.00 + 1.50 + 5.00 + 5.99 + 10.00, unwrapped"


async def test_an_order_that_is_fetched_takes_from_its_store_alone(api: Api, staff_token: str, drain: Drain) -> None:
    await checkout.shop_that_ships()
    await inventory.default_warehouse()
    store = await inventory.warehouse(code="STORE", name="Pier Store", priority=9)
    given = {"pickupEnabled": True, "address": {**checkout.ADDRESS, "lastName": "Store"}}
    await api.ok(STORE, {"id": f"wh_{store.hex}", "input": given}, token=staff_token)
    lamp, rug = await catalogue.product(price_minor=2000, stock=5), await catalogue.product(price_minor=700, stock=5)
    await inventory.stock(lamp.variant_id, 3, warehouse_id=store)
    cart = await carts.cart((lamp.variant_id, 2), country_code="US")
    found = await api.ok(QUOTES, {"input": {"cartId": cart.gid, "address": {"countryCode": "US"}}})
    (quote,) = [one["id"] for one in found["shippingQuotes"]["quotes"] if one["kind"] == "PICKUP"]
    payment = {"cartId": cart.gid, "email": checkout.EMAIL, "shippingQuoteId": quote, "payment": checkout.CASH}
    payload = await checkout.complete(api, {**payment, "idempotencyKey": checkout.new_key()})
    order = await of(payload["order"]["id"])
    await drain()
    before = await checkout.footprint()
    for wrong, code in (
        ({"lines": [{"orderLineId": order.lines[0], "quantity": 4}]}, "INSUFFICIENT_STOCK"),
        ({"addLines": added(rug)}, "INSUFFICIENT_STOCK"),
        ({"shippingAddress": checkout.ADDRESS}, "INVALID"),
    ):
        assert codes(await edit(api, staff_token, order.gid, **wrong)) == [code], wrong
    assert await checkout.footprint() == before
    assert codes(await changed(api, staff_token, order, 3)) == []
    assert await total(api, staff_token, order, drain) == "60.00"
    rows = await db.fetch("SELECT available, reserved FROM stock_levels WHERE warehouse_id = $1", store)
    assert [tuple(row.values()) for row in rows] == [(0, 3)]
    # What is paid at the counter is; what was to be paid before is not handed over.
    await db.execute("UPDATE payments SET gateway = 'bank_transfer', method = 'BANK_TRANSFER'")
    refused = await api.query(FETCHED, {"id": order.gid}, token=staff_token)
    assert codes((refused.data or {})["orderPickupComplete"]) == ["ORDER_UNPAID"]
    await api.ok(FETCHED, {"id": order.gid, "unpaid": True}, token=staff_token)
    assert await db.fetchval("SELECT fulfillment_status FROM orders") == "FULFILLED"


async def test_what_is_not_there_is_promised_for_its_day(api: Api, staff_token: str, drain: Drain) -> None:
    await checkout.shop_that_ships()
    lamp = await catalogue.product(price_minor=2000, stock=3, inventory_policy="CONTINUE")
    game = await catalogue.product(price_minor=1000, stock=2)
    order = await bought(api, (lamp, 2), payment=checkout.CASH)
    soon = await db.fetchval(
        "UPDATE product_variants SET restock_expected_at = business_now() + interval '9 days' WHERE id = $1 "
        "RETURNING restock_expected_at",
        lamp.variant_id,
    )
    release = await db.fetchval(
        "UPDATE product_variants SET available_from = business_now() + interval '30 days' WHERE id = $1 "
        "RETURNING available_from",
        game.variant_id,
    )
    level = "SELECT available, reserved, backordered FROM stock_levels WHERE variant_id = $1"

    async def seen() -> tuple[list[Any], tuple[int, ...]]:
        dates = await db.fetch("SELECT expected_at FROM order_lines ORDER BY position")
        row = await db.fetchrow(level, lamp.variant_id)
        return [one["expected_at"] for one in dates], tuple((row or {}).values())

    assert codes(await changed(api, staff_token, order, 3)) == []
    assert await seen() == ([None], (0, 3, 0)), "that one was there"
    assert codes(await changed(api, staff_token, order, 5, addLines=added(game))) == []
    assert await seen() == ([soon, release], (0, 3, 2))
    refused = await edit(api, staff_token, order.gid, addLines=added(game, 2))
    assert codes(refused) == ["INSUFFICIENT_STOCK"]
    assert codes(await changed(api, staff_token, order, 2)) == []
    assert await seen() == ([soon, release], (1, 2, 0)), "what was owed is not any more, first of all"
    assert await total(api, staff_token, order, drain) == "55.99"


async def test_what_is_made_to_order_stays_made_so(api: Api, staff_token: str, drain: Drain) -> None:
    """20.00 with an engraving at 9.00, which is not offered any more."""
    await checkout.shop_that_ships()
    lamp = await catalogue.product(price_minor=2000)
    await terms(lamp.id, ENGRAVING)
    add = """mutation ($id: ID!, $lines: [CartLineInput!]!) { cartLinesAdd(cartId: $id, lines: $lines) {
        userErrors { code } } }"""
    cart = await carts.cart()
    made = {"variantId": lamp.variant_gid, "quantity": 2, "customizations": [{"key": "engraving", "value": "Ada"}]}
    await api.ok(add, {"id": cart.gid, "lines": [made]})
    payment = {
        "cartId": cart.gid,
        "email": checkout.EMAIL,
        "payment": checkout.CASH,
        "shippingAddress": checkout.ADDRESS,
    }
    quote = await checkout.quote_for(api, cart.gid)
    payload = await checkout.complete(api, {**payment, "shippingQuoteId": quote, "idempotencyKey": checkout.new_key()})
    order = await of(payload["order"]["id"])
    await terms(lamp.id)
    assert codes(await changed(api, staff_token, order, 3, addLines=added(lamp))) == []
    assert await total(api, staff_token, order, drain) == "112.99", "3 x 29.00 + 20.00 + 5.99"
    kept = await db.fetch("SELECT customizations FROM order_lines ORDER BY position")
    assert [len(orjson.loads(row["customizations"])) for row in kept] == [1, 0]


async def test_each_market_edits_in_its_currency_at_its_prices(api: Api, staff_token: str, drain: Drain) -> None:
    """9.00 EUR are 10.00 USD; in Switzerland, all is rounded to 0.05."""
    await shop.shop(countries=("US", "DE", "CH"))
    await shipping.zone("US", "DE", "CH")
    await markets.market("eu", ("DE",), await markets.price_list("EUR", rate="0.9"))
    await markets.market("ch", ("CH",), await markets.price_list("CHF", rate="0.8"), cash_rounding="0.05")
    lamp, rug = await catalogue.product(price_minor=2000), await catalogue.product(price_minor=1011)
    order = await bought(api, (lamp, 1), country="DE", shippingAddress=BERLIN, payment=checkout.CASH)
    assert await total(api, staff_token, order, drain) == "23.39", "18.00 + 5.39"
    await catalogue.reprice(lamp, 9000)
    assert codes(await changed(api, staff_token, order, 2, addLines=added(rug))) == []
    assert await total(api, staff_token, order, drain) == "50.49", "2 x 18.00 + 9.10 + 5.39"
    for wrong in ({"shippingPrice": drafts.usd("1")}, {"addLines": added(rug, unitPrice=drafts.usd("1"))}):
        assert codes(await edit(api, staff_token, order.gid, **wrong)) == ["INVALID"], wrong

    swiss = {**BERLIN, "city": "Bern", "postalCode": "3011", "countryCode": "CH"}
    order = await bought(api, (rug, 1), country="CH", shippingAddress=swiss, payment=checkout.CASH)
    assert await total(api, staff_token, order, drain) == "12.90", "8.09 + 4.79 are 12.88"
    assert codes(await changed(api, staff_token, order, 2)) == []
    assert await total(api, staff_token, order, drain) == "20.95", "16.18 + 4.79 are 20.97"


async def test_a_code_stays_used_once_and_takes_its_part(api: Api, staff_token: str, drain: Drain) -> None:
    """15 % off 3 x 19.99 from 50.00 on, once: 8.9955, so 9.00; and shipping is free."""
    await checkout.shop_that_ships()
    code_id = await discounts.discount(
        "FIFTEEN", percentage=Decimal(15), usage_limit=1, minimum_subtotal=discounts.dollars("50")
    )
    lamp, rug = await catalogue.product(price_minor=1999), await catalogue.product(price_minor=1000)
    order = await bought(api, (lamp, 3), codes=["FIFTEEN"], payment=checkout.CASH)
    assert await total(api, staff_token, order, drain) == "56.96"
    await db.execute("UPDATE discounts SET status = 'DISABLED' WHERE id = $1", code_id)
    assert codes(await changed(api, staff_token, order, 2)) == []
    assert await total(api, staff_token, order, drain) == "39.97", "6.00 of 9.00, though it is below the minimum"
    assert codes(await changed(api, staff_token, order, 3, addLines=added(rug))) == []
    assert await total(api, staff_token, order, drain) == "66.96", "9.00 again, and nothing off the rug"
    row = await db.fetchrow("SELECT amount_minor, state FROM discount_redemptions")
    assert row is not None
    assert tuple(row.values()) == (900, "REDEEMED")
    assert await db.fetchval("SELECT used_count FROM discounts") == 1
    assert codes(await changed(api, staff_token, order, 0)) == []
    assert await total(api, staff_token, order, drain) == "15.99"
    assert await db.fetchval("SELECT amount_minor FROM discount_redemptions") == 0
    assert await db.fetchval("SELECT used_count FROM discounts") == 1, "whoever used it has used it"


async def test_what_staff_have_agreed_on_stays(api: Api, staff_token: str, drain: Drain) -> None:
    """A draft: a lamp of 20.00 for 12.00, work for 50.00, shipping for 3.00, and 10 % off."""
    await checkout.shop_that_ships()
    lamp = await catalogue.product(price_minor=2000, stock=9)
    draft = await drafts.created(
        api,
        staff_token,
        lines=[{"variantId": lamp.variant_gid, "quantity": 2, "unitPrice": drafts.usd("12")}, drafts.custom()],
        shipping={"title": "Van", "price": drafts.usd("3")},
        discount={"percentage": "10", "reason": "Regular"},
    )
    await drafts.marked_complete(api, staff_token, draft["id"], daysToPay=14)
    order = await of(f"ord_{(await db.fetchval('SELECT id FROM orders')).hex}")
    assert await total(api, staff_token, order, drain) == "69.60", "74.00 - 7.40 + 3.00"
    await catalogue.reprice(lamp, 9900)
    assert codes(await changed(api, staff_token, order, 3)) == []
    assert await total(api, staff_token, order, drain) == "80.40", "86.00 - 8.60 + 3.00"
    assert codes(await edit(api, staff_token, order.gid, shippingPrice=drafts.usd("0"))) == []
    assert await total(api, staff_token, order, drain) == "77.40"
    assert (await stands(api, staff_token, order.gid))["outstanding"] == {"amount": "77.40"}
    row = await db.fetchrow("SELECT quantity, unit_price_minor FROM order_lines ORDER BY position LIMIT 1")
    assert row is not None
    assert tuple(row.values()) == (3, 1200)


async def test_what_cannot_be_in_an_edit_is_refused_by_line(api: Api, staff_token: str, drain: Drain) -> None:
    await checkout.shop_that_ships()
    course = await catalogue.product(price_minor=1000, kind="DIGITAL", requires_shipping=False, stock=None)
    lamp, gone = await catalogue.product(price_minor=2000), await catalogue.product_with_many_variants(2)
    card = await catalogue.product(price_minor=5000, kind="GIFT_CARD", requires_shipping=False, stock=None)
    await db.execute("UPDATE product_variants SET removed_at = business_now() WHERE id = $1", gone.variant_id)
    draft = await drafts.created(
        api,
        staff_token,
        lines=[{"variantId": one.variant_gid, "quantity": 1} for one in (course, card)],
        shippingAddress=None,
    )
    await drafts.marked_complete(api, staff_token, draft["id"], daysToPay=9)
    order = await of(f"ord_{(await db.fetchval('SELECT id FROM orders')).hex}")
    before = await db.fetchrow("SELECT * FROM orders")
    at = ["input", "addLines", "0", "variantId"]
    for wrong, code, field in (
        ({"addLines": added(card)}, "PRODUCT_UNAVAILABLE", at),
        ({"addLines": added(gone)}, "PRODUCT_UNAVAILABLE", at),
        ({"addLines": [{"variantId": f"var_{'1' * 32}", "quantity": 1}]}, "NOT_FOUND", at),
        ({"addLines": added(lamp)}, "REQUIRED", ["input", "shippingAddress"]),
        (
            {"lines": [{"orderLineId": order.lines[1], "quantity": 2}]},
            "LINE_NOT_EDITABLE",
            ["input", "lines", "0", "orderLineId"],
        ),
    ):
        payload = await edit(api, staff_token, order.gid, **wrong)  # type: ignore[arg-type]
        assert [(one["code"], one["field"]) for one in payload["userErrors"]] == [(code, field)], wrong
    assert await db.fetchrow("SELECT * FROM orders") == before
    payload = await edit(api, staff_token, order.gid, addLines=added(lamp), shippingAddress=checkout.ADDRESS)
    assert (codes(payload), payload["order"]["fulfillmentStatus"]) == ([], "UNFULFILLED")
    assert await total(api, staff_token, order, drain) == "80.00"


async def test_what_is_over_is_not_edited(api: Api, staff_token: str, drain: Drain) -> None:
    await checkout.shop_that_ships()
    lamp = await catalogue.product(price_minor=2000)
    cancelled, shipped = [await bought(api, (lamp, 1), payment=checkout.CASH) for _ in range(2)]
    assert codes(await cancel(api, staff_token, cancelled.gid)) == []
    await fulfillments.fulfill(api, staff_token, shipped.gid)
    before = await db.fetch("SELECT * FROM orders ORDER BY id")
    for order in (cancelled, shipped):
        payload = await edit(api, staff_token, order.gid, addLines=added(lamp))
        assert [(one["code"], one["field"]) for one in payload["userErrors"]] == [("ORDER_NOT_EDITABLE", ["orderId"])]
    assert await db.fetch("SELECT * FROM orders ORDER BY id") == before
