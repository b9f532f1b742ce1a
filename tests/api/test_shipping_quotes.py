"""Shipping quotes as a storefront asks for them."""

import datetime as dt
from typing import Any

import pytest

from app import clock, db
from app.kit import ids
from app.kit.crypto import hash_token
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import catalogue, inventory, shipping
from tests.factories import shop as shop_factory

QUOTES = """
query Quotes($input: ShippingQuotesInput!) {
  shippingQuotes(input: $input) {
    quotes {
      id carrier service expiresAt
      price { amount currencyCode }
      estimatedDelivery { from to }
    }
    userErrors { code field message }
  }
}
"""
US = {"countryCode": "US"}
WHITE_HOUSE = {"countryCode": "US", "provinceCode": "DC", "postalCode": "20500", "city": "Washington"}


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop_factory.shop(time_zone="America/New_York")


async def _quotes(api: Api, address: dict[str, str], **what: Any) -> list[dict[str, Any]]:
    data = await api.ok(QUOTES, {"input": {"address": address, **what}})
    quotes: list[dict[str, Any]] = data["shippingQuotes"]["quotes"]
    return quotes


async def _refused(api: Api, address: dict[str, str], **what: Any) -> list[tuple[str, list[str]]]:
    errors = await api.refused(QUOTES, {"input": {"address": address, **what}})
    return [(error["code"], error["field"]) for error in errors]


def _lines(product: catalogue.MadeProduct, quantity: int = 1) -> list[dict[str, Any]]:
    return [{"variantId": product.variant_gid, "quantity": quantity}]


async def _cart(*lines: tuple[catalogue.MadeProduct, int]) -> str:
    cart_id, secret = new_id(), "a-secret-of-a-guest-0123"
    await db.execute(
        """
        INSERT INTO carts (id, secret_hash, state, currency_code, attributes, created_at, updated_at)
        VALUES ($1, $2, 'OPEN', 'USD', '[]', clock_timestamp(), clock_timestamp())
        """,
        cart_id,
        hash_token(secret),
    )
    for product, quantity in lines:
        await db.execute(
            """
            INSERT INTO cart_lines (id, cart_id, variant_id, quantity, attributes, attributes_key, created_at)
            VALUES ($1, $2, $3, $4, '[]', '', clock_timestamp())
            """,
            new_id(),
            cart_id,
            product.variant_id,
            quantity,
        )
    return ids.encode_with_secret("cart", cart_id, secret)


async def test_a_shopper_sees_what_shipping_costs_and_when_it_arrives(api: Api) -> None:
    await shipping.zone(
        "US",
        methods=[
            {"carrier": "FedEx", "service": "2Day", "rate": {"kind": "FLAT", "price_minor": 1999}, "delivery": {}},
            {"rate": {"kind": "PER_ITEM", "price_minor": 300, "per_item_minor": 100}},
            {"service": "Retired", "is_active": False},
        ],
    )
    product = await catalogue.product(weight_grams=400)
    before = await clock.now()
    ground, express = await _quotes(api, US, lines=_lines(product, 3))
    assert (ground["carrier"], ground["service"]) == ("UPS", "Ground")
    assert ground["price"] == {"amount": "6.00", "currencyCode": "USD"}
    assert before.date().isoformat() < ground["estimatedDelivery"]["from"] <= ground["estimatedDelivery"]["to"]
    assert (express["carrier"], express["price"]["amount"], express["estimatedDelivery"]) == ("FedEx", "19.99", None)
    left = dt.datetime.fromisoformat(ground["expiresAt"]) - before
    assert dt.timedelta(minutes=29) < left <= dt.timedelta(minutes=31)


async def test_a_cart_and_its_bare_variants_are_quoted_alike(api: Api) -> None:
    brackets = [{"up_to_grams": 1000, "price_minor": 500}, {"up_to_grams": None, "price_minor": 1500}]
    await shipping.zone("US", methods=[{"rate": {"kind": "BY_WEIGHT", "brackets": brackets}}])
    shirt = await catalogue.product(weight_grams=300)
    book = await catalogue.product(kind="DIGITAL", requires_shipping=False, stock=None, weight_grams=9000)
    cart = await _cart((shirt, 3), (book, 2))
    (of_cart,) = await _quotes(api, US, cartId=cart)
    assert of_cart["price"]["amount"] == "5.00"
    (of_lines,) = await _quotes(api, US, lines=[*_lines(shirt, 1), *_lines(book), *_lines(shirt, 2)])
    assert of_lines["price"] == of_cart["price"]
    (heavier,) = await _quotes(api, US, lines=_lines(shirt, 4))
    assert heavier["price"]["amount"] == "15.00"


async def test_the_most_specific_zone_of_the_address_sets_the_price(api: Api) -> None:
    cheap, dear = {"kind": "FLAT", "price_minor": 100}, {"kind": "FLAT", "price_minor": 9900}
    await shipping.zone("US", methods=[{"rate": cheap}])
    await shipping.zone({"country": "US", "provinces": ["AK", "HI"]}, methods=[{"rate": dear}])
    product = await catalogue.product()
    for address, amount in (
        (US, "1.00"),
        ({"countryCode": "US", "provinceCode": "Hawaii"}, "99.00"),
        ({"countryCode": "US", "provinceCode": "US-AK", "postalCode": "99501"}, "99.00"),
        (WHITE_HOUSE, "1.00"),
    ):
        (quote,) = await _quotes(api, address, lines=_lines(product))
        assert quote["price"]["amount"] == amount


async def test_nothing_to_ship_needs_no_quote_wherever_it_goes(api: Api) -> None:
    download = await catalogue.product(kind="DIGITAL", requires_shipping=False, stock=None)
    assert await _quotes(api, {"countryCode": "BR"}, lines=_lines(download)) == []
    assert await _quotes(api, US, cartId=await _cart((download, 1))) == []
    assert await _quotes(api, US, cartId=await _cart()) == []
    assert await _quotes(api, US, lines=[]) == []


async def test_where_and_what_the_shop_does_not_ship_is_said(api: Api) -> None:
    limited = {"kind": "FLAT", "price_minor": 100, "max_weight_grams": 1000}
    await shipping.zone("US", "BR", methods=[{"rate": limited}])
    heavy = await catalogue.product(weight_grams=600)
    lines = _lines(heavy, 2)
    address = ["input", "address"]
    assert await _refused(api, {"countryCode": "FR"}, lines=lines) == [("DESTINATION_NOT_SERVED", address)]
    # A zone names Brazil, but the shop does not sell there.
    assert await _refused(api, {"countryCode": "BR"}, lines=lines) == [("DESTINATION_NOT_SERVED", address)]
    assert await _refused(api, US, lines=lines) == [("NO_SHIPPING_METHOD", address)]
    assert len(await _quotes(api, US, lines=_lines(heavy))) == 1


async def test_a_zone_for_everywhere_else_takes_the_other_countries(api: Api) -> None:
    await shipping.zone("US")
    await shipping.zone("*", methods=[{"service": "Worldwide"}])
    product = await catalogue.product()
    (quote,) = await _quotes(api, {"countryCode": "JP"}, lines=_lines(product))
    assert quote["service"] == "Worldwide"
    (quote,) = await _quotes(api, US, lines=_lines(product))
    assert quote["service"] == "Ground"


async def test_wrong_requests_are_told_what_is_wrong(api: Api) -> None:
    await shipping.zone("US")
    product = await catalogue.product()
    draft = await catalogue.product(status="DRAFT")
    unknown = ids.encode("var", new_id())
    at = ["input", "lines"]
    cart = await _cart((product, 1))
    assert await _refused(api, US, lines=_lines(product, 0)) == [("OUT_OF_RANGE", [*at, "0", "quantity"])]
    assert await _refused(api, US, lines=_lines(product, 10_001)) == [("OUT_OF_RANGE", [*at, "0", "quantity"])]
    assert await _refused(api, US, lines=_lines(product, -5)) == [("OUT_OF_RANGE", [*at, "0", "quantity"])]
    assert await _refused(api, US, lines=[*_lines(product), {"variantId": unknown}, *_lines(draft)]) == [
        ("NOT_FOUND", [*at, "1", "variantId"]),
        ("NOT_FOUND", [*at, "2", "variantId"]),
    ]
    assert await _refused(api, US, lines=[{"variantId": product.gid}]) == [("INVALID_ID", [*at, "0", "variantId"])]
    assert await _refused(api, US, lines=_lines(product) * 251) == [("TOO_MANY", at)]
    assert await _refused(api, US) == [("REQUIRED", at)]
    assert await _refused(api, US, lines=_lines(product), cartId=cart) == [("INVALID", at)]
    wrong_secret = cart[:-4] + "wxyz"
    assert await _refused(api, US, cartId=wrong_secret) == [("NOT_FOUND", ["input", "cartId"])]
    assert await _refused(api, US, cartId="cart_1") == [("INVALID_ID", ["input", "cartId"])]
    address = ["input", "address"]
    assert await _refused(
        api, {"countryCode": "US", "provinceCode": "Wessex", "postalCode": "1"}, lines=_lines(product)
    ) == [("INVALID_PROVINCE", [*address, "provinceCode"]), ("INVALID_POSTAL_CODE", [*address, "postalCode"])]
    assert await _refused(api, {"countryCode": "QQ"}, lines=_lines(product)) == [
        ("INVALID_COUNTRY", [*address, "countryCode"])
    ]


async def test_quoting_costs_a_statement_or_two_and_writes_nothing(api: Api) -> None:
    for number in range(12):
        await shipping.zone(
            {"country": "US", "postal_codes": [f"{number}00*"]}, methods=[{"service": str(m)} for m in range(5)]
        )
    await shipping.zone("US")
    one = await catalogue.product()
    many = [await catalogue.product() for _ in range(8)]
    cart = await _cart(*((product, 2) for product in many))
    for what in (
        {"lines": _lines(one)},
        {"lines": [line for product in many for line in _lines(product)]},
        {"cartId": cart},
    ):
        with db.counted_statements() as statements:
            assert len(await _quotes(api, WHITE_HOUSE, **what)) == 1
        assert len(statements) == (1 if "cartId" in what else 2), statements
        assert all(statement.lstrip().startswith("SELECT") for statement in statements)


async def test_delivery_days_are_the_warehouses_own(api: Api) -> None:
    """At 23:30 UTC on a Friday the same order leaves on Monday from London and, with a late cut-off, today from LA."""
    await db.execute("UPDATE warehouses SET time_zone = 'America/Los_Angeles'")
    delivery = {"cutoff": "17:00", "handling_days_max": 0, "transit_days_min": 1, "transit_days_max": 1}
    await shipping.zone("US", methods=[{"delivery": delivery}])
    other = await inventory.warehouse(code="LONDON", priority=-1)
    product = await catalogue.product()
    friday = await _next_friday()
    await clock.move_to(friday.replace(hour=23, minute=30))
    (quote,) = await _quotes(api, US, lines=_lines(product))
    assert quote["estimatedDelivery"]["from"] == (friday + dt.timedelta(days=3)).date().isoformat()
    await db.execute("UPDATE warehouses SET is_default = false")
    await db.execute("UPDATE warehouses SET is_default = true, time_zone = 'Europe/London' WHERE id = $1", other)
    (quote,) = await _quotes(api, US, lines=_lines(product))
    assert quote["estimatedDelivery"]["from"] == (friday + dt.timedelta(days=4)).date().isoformat()


async def _next_friday() -> dt.datetime:
    day = await clock.now() + dt.timedelta(days=1)
    while day.isoweekday() != 5:
        day += dt.timedelta(days=1)
    return day
