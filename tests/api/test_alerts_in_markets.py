"""What is written to people about products: at the prices of the market that they asked in, or of their cart."""

import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from app import db
from app.kit.money import Money
from app.markets import price_lists, service
from app.messaging import merge_values
from app.messaging.merge_values import Subject
from app.messaging.models import MessageChannel
from app.settings import Settings
from schema.cart.inputs import cart_key
from tests.api.cart_operations import payload
from tests.client import Api
from tests.factories import catalogue, customers, markets, shop
from tests.factories.terms import ENGRAVING, terms

Drain = Callable[[], Awaitable[None]]

DROP = """mutation ($input: ProductAlertInput!) @inContext(country: {country}) {{
    priceDropSubscribe(input: $input) {{ alertId userErrors {{ code }} }} }}"""
CREATE = "mutation ($input: CartInput) { cartCreate(input: $input) { cart { id } userErrors { code } } }"


async def told() -> list[dict[str, Any]]:
    rows = await db.fetch("SELECT data FROM profile_events WHERE type = 'alert.price_drop' ORDER BY id")
    return [json.loads(row["data"]) for row in rows]


async def values(context: dict[str, Any], settings: Settings, *uses: str, cart: str | None = None) -> dict[str, Any]:
    """As a message about this prints it."""
    known = await db.fetchval("SELECT id FROM profiles WHERE email = 'ada@example.com'")
    subject = Subject(
        profile_id=known or await customers.profile(email="ada@example.com"),
        channel=MessageChannel.EMAIL,
        address="ada@example.com",
        context=context,
        cart_id=cart_key(cart).id if cart else None,
    )
    return await merge_values.build(subject, trigger=None, language="en", uses=frozenset(uses), settings=settings)


async def test_a_price_drops_where_somebody_asked(api: Api, drain: Drain, settings: Settings) -> None:
    await shop.shop()
    euros = await markets.price_list("EUR", rate="0.9")
    market = await markets.market("eu", ("DE",), euros)
    pen = await catalogue.product(name="Pen", price_minor=10_00)
    for country, email in (("DE", "ada@example.com"), ("US", "bob@example.com")):
        given = {"variantId": pen.variant_gid, "email": email}
        await api.ok(DROP.format(country=country), {"input": given})
    await drain()
    assert await told() == []

    # Nine euros, as the rate makes of ten dollars; an own price of more than that is no drop, one of less is.
    for price in ("9.50", "8.00"):
        await markets.prices(euros, pen.variant_id, {1: (price, "EUR")})
        await drain()
    (facts,) = await told()
    known = {name: facts[name] for name in ("oldPriceMinor", "newPriceMinor", "currencyCode", "marketId")}
    assert known == {"oldPriceMinor": 900, "newPriceMinor": 800, "currencyCode": "EUR", "marketId": str(market)}
    shown = await values({**facts, "productId": str(pen.id)}, settings, "alert.new_price", "product.price")
    assert shown["alert"] == {"variant": "Pen", "old_price": "€9.00", "new_price": "€8.00"}
    assert shown["product"]["price"] == "€8.00"


@pytest.mark.parametrize(
    "ending", [lambda market: service.update_market(market, {"price_list_id": None}), service.delete_market]
)
async def test_a_dear_list_that_a_market_gives_up_is_a_new_price(api: Api, drain: Drain, ending: Any) -> None:
    await shop.shop()
    market = await markets.market("eu", ("DE",), await markets.price_list("USD", rate=None, percentage="20"))
    pen = await catalogue.product(name="Pen", price_minor=10_00)
    await api.ok(DROP.format(country="DE"), {"input": {"variantId": pen.variant_gid, "email": "ada@example.com"}})
    await drain()
    assert await told() == []
    await ending(market)
    await drain()
    assert [(facts["oldPriceMinor"], facts["newPriceMinor"]) for facts in await told()] == [(12_00, 10_00)]


async def test_a_new_rate_is_a_new_price(api: Api, drain: Drain) -> None:
    await shop.shop()
    euros = await markets.price_list("EUR", rate="0.9")
    await markets.market("eu", ("DE",), euros)
    pen = await catalogue.product(name="Pen", price_minor=10_00)
    given = {"variantId": pen.variant_gid, "email": "ada@example.com"}
    await api.ok(DROP.format(country="DE"), {"input": given})
    await price_lists.update_price_list(euros, {"exchange_rate": Decimal("0.8")})
    await drain()
    (facts,) = await told()
    assert (facts["oldPriceMinor"], facts["newPriceMinor"], facts["currencyCode"]) == (900, 800, "EUR")


async def test_a_market_that_changes_its_currency_has_no_drop(api: Api, drain: Drain) -> None:
    await shop.shop()
    yen = await markets.price_list("JPY", rate="150")
    await markets.market("jp", ("JP",), yen)
    pen = await catalogue.product(name="Pen", price_minor=10_00)
    given = {"variantId": pen.variant_gid, "email": "ada@example.com"}
    await api.ok(DROP.format(country="JP"), {"input": given})
    euros = await markets.price_list("EUR", rate="0.9")
    await db.execute("UPDATE markets SET price_list_id = $1 WHERE code = 'jp'", euros)
    await price_lists.set_prices(euros, [price_lists.PriceGiven(pen.variant_id, 1, Money(899, "EUR"), None)], [])
    await drain()
    assert await told() == []


async def test_a_mail_about_a_cart_shows_products_at_the_carts_prices(api: Api, settings: Settings) -> None:
    await shop.shop()
    euros = await markets.price_list("EUR", rate="0.9")
    await markets.market("eu", ("DE",), euros)
    pen = await catalogue.product(name="Pen", price_minor=10_00)
    await terms(pen.id, ENGRAVING)
    line = {"variantId": pen.variant_gid, "quantity": 2, "customizations": [{"key": "engraving", "value": "Ada"}]}
    given = {"lines": [line], "buyerIdentity": {"countryCode": "DE", "email": "ada@example.com"}}
    cart = (await payload(api, CREATE, input=given))["cart"]["id"]
    shown = await values({}, settings, "cart.total", "blocks.left_in_cart", cart=cart)
    (block,) = shown["blocks"]["left_in_cart"]
    assert (block["name"], block["price"]) == ("Pen", "€9.00")
    # 9.00 and 8.10 for the engraving
    (of_cart,) = shown["cart"]["lines"]
    assert (of_cart["unit_price"], of_cart["total"], of_cart["notes"]) == ("€17.10", "€34.20", ["Engraving: Ada"])
    # About no cart and no market: where they shopped last.
    later = await values({"productId": str(pen.id)}, settings, "product.price")
    assert later["product"]["price"] == "€9.00"
