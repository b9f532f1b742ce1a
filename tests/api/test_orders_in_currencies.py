"""Orders in several currencies: what they come to together is in the shop's."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from app import clock, db, invariants
from app.conditions import facts
from app.conditions.facts import Wanted
from app.conditions.names import ORDERS
from app.conditions.typed import FactCall
from app.flows.simulation import history
from app.flows.simulation.facts import profile_at
from app.flows.statistics import lift_of
from app.kit import ids
from app.markets import price_lists
from schema.order_lines import LINE_PREFIX
from tests.api.cart_operations import CREATE, payload
from tests.client import Api
from tests.factories import catalogue, checkout, flow_rows, markets, orders, shipping, shop
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]
DAY = timedelta(days=1)
BERLIN = {"firstName": "Ada", "lastName": "Lovelace", "address1": "Unter den Linden 1", "city": "Berlin",
          "postalCode": "10117", "countryCode": "DE"}  # fmt: skip
PROFILE = "{ profiles(first: 5) { nodes { totalSpent { amount currencyCode } } } }"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    """9.00 EUR are 10.00 USD, and 150 JPY are 1.00 USD."""
    await shop.shop(countries=("US", "DE", "JP"))
    await shipping.zone("US", "DE", "JP")
    await markets.market("eu", ("DE",), await markets.price_list("EUR", rate="0.9"))
    await markets.market("jp", ("JP",), await markets.price_list("JPY", rate="150"), languages=("ja", "en"))


async def bought(
    api: Api, product: MadeProduct, address: dict[str, Any], document: str = checkout.COMPLETE
) -> uuid.UUID:
    buyer = {"countryCode": address["countryCode"]}
    lines = [{"variantId": product.variant_gid, "quantity": 1}]
    made = await payload(api, CREATE, input={"lines": lines, "buyerIdentity": buyer})
    cart_gid = made["cart"]["id"]
    place: dict[str, Any] = {
        name: address[name] for name in ("countryCode", "provinceCode", "postalCode", "city") if name in address
    }
    given = {
        "cartId": cart_gid, "idempotencyKey": checkout.new_key(), "email": checkout.EMAIL, "payment": checkout.CARD,
        "shippingAddress": address, "shippingQuoteId": await checkout.quote_for(api, cart_gid, place),
    }  # fmt: skip
    answer = await checkout.complete(api, given, document)
    assert answer["userErrors"] == []
    found: uuid.UUID = await db.fetchval("SELECT id FROM orders ORDER BY number DESC LIMIT 1")
    return found


async def test_what_somebody_spent_is_added_up_in_the_shops_currency(api: Api, drain: Drain) -> None:
    pen = await catalogue.product(price_minor=1000)
    for address in (checkout.ADDRESS, BERLIN):
        await bought(api, pen, address)
    await drain()
    rows = await db.fetch("SELECT currency_code, total_minor, shop_rate, profile_id FROM orders ORDER BY number")
    assert [(row["currency_code"], row["total_minor"]) for row in rows] == [("USD", 1599), ("EUR", 1439)]
    assert rows[0]["shop_rate"] is None
    buyer = rows[0]["profile_id"]
    assert rows[1]["profile_id"] == buyer
    both = 1599 + 1599  # 14.39 EUR are 15.99 USD
    assert await db.fetchval("SELECT total_spent_minor FROM profiles WHERE id = $1", buyer) == both
    assert await invariants.check() == []

    now = await clock.now()
    asked = Wanted(frozenset({ORDERS}), frozenset({FactCall("spentIn", (DAY,))}))
    assert (await facts.load(asked, [buyer]))[buyer].spent_minor[DAY].count == both
    (past,) = await history.load(None, 5, types=(), until=now, flow_id=uuid.uuid4(), with_products=False)
    assert profile_at(past, now)["total_spent_minor"] == both


async def test_revenue_of_flows_is_in_the_shops_currency(api: Api, drain: Drain) -> None:
    pen = await catalogue.product(price_minor=1000)
    await bought(api, pen, checkout.ADDRESS)
    await drain()
    buyer = await db.fetchval("SELECT id FROM profiles")
    flow = await flow_rows.flow()
    run = await flow_rows.run(flow, buyer, status="COMPLETED", entered_ago=DAY)
    await flow_rows.run(flow, await flow_rows.profile(), status="COMPLETED", holdout=True, entered_ago=DAY)
    await flow_rows.click(await flow_rows.message(run, "remind-1"), ago=timedelta(hours=1))
    await bought(api, pen, BERLIN)
    await drain()
    assert await db.fetchval("SELECT revenue_minor FROM attributions") == 1599
    lift = (await lift_of([flow]))[flow]
    assert lift is not None
    assert lift.treated.revenue_minor == 1599 + 1599


async def test_currencies_without_hundredths_and_orders_of_unknown_rate(api: Api, drain: Drain) -> None:
    pen = await catalogue.product(price_minor=1000)
    tokyo = {**BERLIN, "city": "Tokyo", "postalCode": "100-0001", "countryCode": "JP", "provinceCode": "13"}
    order_id = await bought(api, pen, tokyo)
    row = await db.fetchrow("SELECT currency_code, total_minor, shop_rate FROM orders WHERE id = $1", order_id)
    assert row is not None
    assert (row["currency_code"], row["total_minor"], round(row["shop_rate"], 4)) == ("JPY", 2399, Decimal("0.6667"))
    await drain()
    assert await db.fetchval("SELECT total_spent_minor FROM profiles") == 1599
    # As a release before would have written it: nobody knows what it was in dollars.
    await orders.rewrite("UPDATE orders SET shop_rate = NULL")
    await bought(api, pen, checkout.ADDRESS)
    await drain()
    assert await db.fetchval("SELECT total_spent_minor FROM profiles") == 1599


async def test_a_later_rate_changes_no_order_and_an_edit_is_counted_at_the_old_one(
    api: Api, staff_token: str, drain: Drain
) -> None:
    pen = await catalogue.product(price_minor=1000)
    order_id = await bought(api, pen, BERLIN)
    list_id = await db.fetchval("SELECT id FROM price_lists WHERE currency_code = 'EUR'")
    await price_lists.update_price_list(list_id, {"exchange_rate": Decimal("0.5")})
    with pytest.raises(asyncpg.PostgresError):
        await db.execute("UPDATE orders SET shop_rate = 2")
    line_id = await db.fetchval("SELECT id FROM order_lines")
    more = [{"orderLineId": ids.encode(LINE_PREFIX, line_id), "quantity": 2}]
    edited = await orders.edit(api, staff_token, ids.encode("ord", order_id), lines=more)
    assert edited["userErrors"] == []
    total = await db.fetchval("SELECT total_minor FROM orders")
    assert total > 1439
    await drain()
    assert await db.fetchval("SELECT total_spent_minor FROM profiles") == round(total / Decimal("0.9"))


async def test_an_order_is_in_the_language_that_was_asked_for(api: Api) -> None:
    pen = await catalogue.product(price_minor=1000)
    in_french = checkout.COMPLETE.replace(") {", ') @inContext(language: "fr-CH") {', 1)
    for document in (checkout.COMPLETE, in_french):
        await bought(api, pen, BERLIN, document=document)
    rows = await db.fetch("SELECT language FROM orders ORDER BY number")
    assert [row["language"] for row in rows] == ["de", "fr"], "the market's first one, and what was asked for"
