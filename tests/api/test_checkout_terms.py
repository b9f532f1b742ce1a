"""What a checkout refuses by the terms that things are sold on, told in types that a storefront can act on."""

from datetime import date
from typing import Any

import pytest

from app import db
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout
from tests.factories.terms import ENGRAVING, terms

COMPLETE = """mutation ($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) {
    order { id cost { total { amount } } lines { nodes {
        expectedAt customizations { label displayValue price { amount } } cost { unitPrice { amount } }
    } } }
    orderToken
    paymentAction { type }
    userErrors {
        code field
        ... on QuantityNotAllowedError { minimum maximum multipleOf }
        ... on AgeRestrictedError { minimumAge }
        ... on MinimumOrderNotReachedError { minimumOrder { amount } missing { amount } }
    }
} }"""


@pytest.fixture(autouse=True)
async def shop(clean_database: None) -> None:
    await checkout.shop_that_ships()


async def complete(api: Api, given: dict[str, Any]) -> dict[str, Any]:
    return await checkout.complete(api, given, COMPLETE)


async def again(api: Api, given: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return await complete(api, {**given, "idempotencyKey": checkout.new_key(), **changed})


async def test_the_smallest_order_says_how_much_is_missing(api: Api, staff_token: str) -> None:
    change = 'mutation { shopUpdate(input: { minimumOrder: "25.00" }) { userErrors { code } } }'
    await api.ok(change, token=staff_token)
    lantern = await catalogue.product(price_minor=10_00)
    given = await checkout.ready_input(api, (lantern, 2))
    before = await checkout.footprint()
    refused = await complete(api, given)
    assert refused["userErrors"] == [
        {
            "code": "MINIMUM_ORDER_NOT_REACHED",
            "field": ["cart"],
            "minimumOrder": {"amount": "25.00"},
            "missing": {"amount": "5.00"},
        }
    ]
    assert (await complete(api, given))["userErrors"] == refused["userErrors"]
    assert await checkout.footprint() == before
    assert (await complete(api, await checkout.ready_input(api, (lantern, 3))))["order"]


async def test_quantities_and_regions_refuse_by_line(api: Api) -> None:
    wine, lantern = await catalogue.product(stock=50), await catalogue.product()
    await terms(wine.id, minimum=6, step=6, forbidden=["US-CA"])
    given = await checkout.ready_input(api, (lantern, 1), (wine, 7))
    refused = await complete(api, given)
    assert refused["userErrors"] == [
        {"code": "REGION_RESTRICTED", "field": ["cart", "lines", "1"]},
        {
            "code": "QUANTITY_NOT_ALLOWED",
            "field": ["cart", "lines", "1", "quantity"],
            "minimum": 6,
            "maximum": None,
            "multipleOf": 6,
        },
    ]
    await terms(wine.id, minimum=6, allowed=["US-CA", "CA"])
    assert (await again(api, given))["order"]


async def test_a_cart_warns_where_its_country_is_known(api: Api) -> None:
    wine = await catalogue.product(stock=50)
    await terms(wine.id, allowed=["DE"])
    cart = await carts.cart((wine.variant_id, 1), country_code="US")
    read = "query ($id: ID!) { cart(id: $id) { lines { nodes { warnings { code } } } } }"
    shown = (await api.ok(read, {"id": cart.gid}))["cart"]["lines"]["nodes"]
    assert shown == [{"warnings": [{"code": "REGION_RESTRICTED"}]}]


async def test_an_age_is_declared_and_nothing_but_that_is_kept(api: Api) -> None:
    wine = await catalogue.product()
    await terms(wine.id, age=18)
    given = await checkout.ready_input(api, (wine, 1))
    refused = await complete(api, given)
    assert refused["userErrors"] == [{"code": "AGE_RESTRICTED", "field": ["input", "ageConfirmed"], "minimumAge": 18}]
    today = (await db.fetchval("SELECT business_now()")).date()
    young = date(today.year - 17, 1, 1).isoformat()
    refused = await again(api, given, birthDate=young, ageConfirmed=True)
    assert refused["userErrors"][0]["field"] == ["input", "birthDate"]
    placed = await again(api, given, ageConfirmed=True)
    assert placed["order"], placed["userErrors"]
    assert await db.fetchval("SELECT confirmed_age FROM orders") == 18


async def test_a_shop_can_ask_for_the_date_of_birth(api: Api, staff_token: str) -> None:
    await api.ok("mutation { shopUpdate(input: { ageCheck: BIRTH_DATE }) { userErrors { code } } }", token=staff_token)
    wine = await catalogue.product()
    await terms(wine.id, age=18)
    cart = await carts.cart((wine.variant_id, 1))
    create = """mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) {
        checkout { id ageConfirmed } userErrors { code field }
    } }"""
    given = {"cartId": cart.gid, "email": checkout.EMAIL, "shippingAddress": checkout.ADDRESS}
    made = (await api.ok(create, {"input": {**given, "ageConfirmed": True}}))["checkoutCreate"]
    assert made["checkout"]["ageConfirmed"] is False
    young = (await api.query(create, {"input": {**given, "birthDate": "2020-01-01"}})).data or {}
    assert young["checkoutCreate"]["userErrors"] == [{"code": "AGE_RESTRICTED", "field": ["input", "birthDate"]}]
    made = (await api.ok(create, {"input": {**given, "birthDate": "1980-05-17"}}))["checkoutCreate"]
    assert made["checkout"]["ageConfirmed"] is True
    (kept,) = await db.fetch("SELECT * FROM checkouts")
    assert "1980-05" not in str(kept)
    assert not {1980, "1980"} & {value for value in kept.values() if isinstance(value, int | str)}
    quote = await checkout.quote_for(api, cart.gid)
    payment = {"checkoutId": made["checkout"]["id"], "shippingQuoteId": quote, "payment": checkout.CARD}
    assert (await again(api, payment))["order"]


async def test_what_is_made_to_order_is_frozen_with_the_order(api: Api, staff_token: str) -> None:
    lantern = await catalogue.product(price_minor=10_00)
    await terms(lantern.id, ENGRAVING)
    cart = await carts.cart()
    add = """mutation ($id: ID!, $lines: [CartLineInput!]!) { cartLinesAdd(cartId: $id, lines: $lines) {
        userErrors { code }
    } }"""
    made = [{"key": "engraving", "value": "Ada"}]
    line = {"variantId": lantern.variant_gid, "quantity": 2, "customizations": made}
    await api.ok(add, {"id": cart.gid, "lines": [line]})
    given = await checkout.ready_input(api, (lantern, 1))
    given |= {"cartId": cart.gid, "shippingQuoteId": await checkout.quote_for(api, cart.gid)}
    await terms(lantern.id)
    refused = await complete(api, given)
    assert [(one["code"], one["field"]) for one in refused["userErrors"]] == [
        ("CUSTOMIZATION_UNKNOWN", ["cart", "lines", "0", "customizations"])
    ]
    await terms(lantern.id, {**ENGRAVING, "price_minor": 1200})
    placed = await again(api, given)
    await terms(lantern.id)
    (frozen,) = placed["order"]["lines"]["nodes"]
    assert frozen == {
        "expectedAt": None,
        "customizations": [{"label": "Engraving", "displayValue": "Ada", "price": {"amount": "12.00"}}],
        "cost": {"unitPrice": {"amount": "22.00"}},
    }
    # 2 x (10.00 + 12.00) + 5.99 shipping
    assert placed["order"]["cost"]["total"]["amount"] == "49.99"


async def test_what_is_ordered_ahead_is_promised_from_its_day_and_charged_at_once(api: Api) -> None:
    lantern = await catalogue.product(stock=3)
    await db.execute("UPDATE product_variants SET available_from = business_now() + interval '30 days'")
    cart = await carts.cart((lantern.variant_id, 3))
    quotes = """query ($input: ShippingQuotesInput!) { shippingQuotes(input: $input) {
        quotes { id estimatedDelivery { from } }
    } }"""
    asked = {"input": {"cartId": cart.gid, "address": checkout.DESTINATION}}
    (quote,) = (await api.ok(quotes, asked))["shippingQuotes"]["quotes"]
    release = await db.fetchval("SELECT available_from FROM product_variants")
    assert date.fromisoformat(quote["estimatedDelivery"]["from"]) > release.date()
    given = await checkout.ready_input(api, (lantern, 1), shippingQuoteId=quote["id"])
    placed = await complete(api, {**given, "cartId": cart.gid})
    assert placed["order"], placed["userErrors"]
    assert placed["order"]["lines"]["nodes"][0]["expectedAt"] == release.isoformat()
    assert await db.fetchval("SELECT state FROM payments") == "CAPTURING"
    # As many as are stated can be ordered ahead, and no more.
    short = (
        await api.query(
            "mutation ($lines: [CartLineInput!]!) { cartCreate(input: { lines: $lines }) { userErrors { code } } }",
            {"lines": [{"variantId": lantern.variant_gid}]},
        )
    ).data or {}
    assert short["cartCreate"]["userErrors"] == [{"code": "INSUFFICIENT_STOCK"}]
