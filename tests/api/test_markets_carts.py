"""A cart stays in its market; another country brings another one's prices, and says so."""

import asyncio
from typing import Any

import pytest

from app import db
from app.cart.queries import load_cart
from app.kit import ids
from app.messaging import merge_values
from app.settings import Settings
from tests.api.cart_operations import ADD, BUYER, CREATE, payload, read
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, markets, shipping
from tests.factories import shop as shop_factory

GERMAN = CREATE.replace(") {", ") @inContext(country: DE) {", 1)
MERGE = """mutation ($from: ID!, $into: ID!) { cartMerge(cartId: $from, intoCartId: $into) {
    cart { cost { total { amount currencyCode } } } warnings { code field } userErrors { code } } }"""
QUOTES = """query ($input: ShippingQuotesInput!) { shippingQuotes(input: $input) {
    quotes { id price { amount currencyCode } } userErrors { code message } } }"""
BEGIN = """mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) {
    checkout { id cost { total { amount currencyCode } } cart { cost { total { amount currencyCode } } }
               shippingQuotes { id price { amount currencyCode } } }
    warnings { code field } userErrors { code field } } }"""
PROBLEMS = """mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) {
    checkout { problems { code } } userErrors { code } } }"""
BERLIN = {"firstName": "A", "lastName": "L", "address1": "Unter den Linden 1", "city": "Berlin", "postalCode": "10117",
          "countryCode": "DE"}  # fmt: skip


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop_factory.shop(countries=("US", "CA", "DE", "FR", "CH", "JP", "KW"))
    steps = [{"from_minor": 0, "price_minor": 599}, {"from_minor": 5000, "price_minor": 0}]
    by_subtotal = {"kind": "BY_SUBTOTAL", "brackets": steps}
    await shipping.zone("US", "DE", "CH", "JP", "KW", methods=[{"rate": by_subtotal}])


async def euros(**more: Any) -> Any:
    list_id = await markets.price_list("EUR", rate="0.9")
    await markets.market("eu", ("DE", "FR"), list_id, **more)
    return list_id


def total(cart: dict[str, Any]) -> tuple[str, str]:
    amount = cart["cost"]["total"]["amount"], cart["cost"]["subtotal"]["currencyCode"]
    return amount


def line(product: Any, quantity: int = 1) -> dict[str, Any]:
    return {"variantId": product.variant_gid, "quantity": quantity}


async def test_a_cart_is_made_in_the_market_of_its_buyer_and_stays_there(api: Api) -> None:
    await euros(prices_include_tax=True)
    pen = await catalogue.product(price_minor=1000)
    made = await payload(api, GERMAN, input={"lines": [line(pen)]})
    assert total(made["cart"]) == ("9.00", "EUR")
    assert made["cart"]["cost"]["taxIncluded"] is True
    # Wherever later requests come from: the cart says where it is.
    again = await payload(api, ADD, id=made["cart"]["id"], lines=[line(pen)])
    assert total(again["cart"]) == ("18.00", "EUR")
    by_buyer = await payload(api, CREATE, input={"lines": [line(pen)], "buyerIdentity": {"countryCode": "FR"}})
    assert total(by_buyer["cart"]) == ("9.00", "EUR")
    # The buyer's own word comes before the page that they are on.
    at_home = await payload(api, GERMAN, input={"lines": [line(pen)], "buyerIdentity": {"countryCode": "US"}})
    assert total(at_home["cart"]) == ("10.00", "USD")


async def test_quantity_breaks_count_all_lines_of_a_variant(api: Api) -> None:
    list_id = await euros()
    pen = await catalogue.product(price_minor=1000, stock=None)
    await markets.prices(list_id, pen.variant_id, {1: ("8.00", "EUR"), 10: ("6.50", "EUR")})
    engraved = {**line(pen, 4), "attributes": [{"key": "engraving", "value": "Ada"}]}
    made = await payload(api, GERMAN, input={"lines": [line(pen, 5), engraved]})
    assert total(made["cart"]) == ("72.00", "EUR")
    more = await payload(api, ADD, id=made["cart"]["id"], lines=[line(pen)])
    assert total(more["cart"]) == ("65.00", "EUR")
    assert [one["cost"]["unitPrice"]["amount"] for one in more["cart"]["lines"]["nodes"]] == ["6.50", "6.50"]


async def test_another_country_of_the_buyer_reprices_the_cart_and_says_so(api: Api) -> None:
    await euros()
    pen, hidden = await catalogue.product(price_minor=1000), await catalogue.product(price_minor=500)
    await db.execute(
        "INSERT INTO market_hidden_products (market_id, product_id) SELECT id, $1 FROM markets WHERE code = 'eu'",
        hidden.id,
    )
    made = await payload(api, CREATE, input={"lines": [line(pen), line(hidden)]})
    assert total(made["cart"]) == ("15.00", "USD")
    moved = await payload(api, BUYER, id=made["cart"]["id"], buyer={"countryCode": "DE"})
    assert total(moved["cart"])[1] == "EUR"
    assert [(one["code"], one["field"]) for one in moved["warnings"]] == [
        ("MARKET_CHANGED", ["buyerIdentity", "countryCode"])
    ]
    warned = [[one["code"] for one in each["warnings"]] for each in moved["cart"]["lines"]["nodes"]]
    assert warned == [[], ["NOT_FOR_SALE"]]
    assert total(await read(api, made["cart"]["id"]))[1] == "EUR"
    same = await payload(api, BUYER, id=made["cart"]["id"], buyer={"countryCode": "FR"})
    assert same["warnings"] == []
    assert await db.fetchval("SELECT currency_code FROM carts") == "EUR"


async def test_members_of_a_group_pay_their_price(api: Api) -> None:
    trade = await markets.price_list("USD", rate=None, percentage="-50")
    dealer = await accounts.signed_in()
    await markets.group([trade], [dealer.id])
    pen = await catalogue.product(price_minor=1000)
    data = await api.ok(CREATE, {"input": {"lines": [line(pen)]}}, token=dealer.token)
    assert total(data["cartCreate"]["cart"]) == ("5.00", "USD")
    assert total(await read(api, data["cartCreate"]["cart"]["id"])) == ("5.00", "USD")
    assert total((await payload(api, CREATE, input={"lines": [line(pen)]}))["cart"]) == ("10.00", "USD")


async def test_carts_of_two_markets_become_one_in_the_target_s(api: Api) -> None:
    await euros()
    pen = await catalogue.product(price_minor=1000)
    german = (await payload(api, GERMAN, input={"lines": [line(pen, 2)]}))["cart"]["id"]
    home = (await payload(api, CREATE, input={"lines": [line(pen)]}))["cart"]["id"]
    merged = await payload(api, MERGE, **{"from": german, "into": home})
    assert merged["cart"]["cost"]["total"] == {"amount": "30.00", "currencyCode": "USD"}
    assert [one["code"] for one in merged["warnings"]] == ["MARKET_CHANGED"]


async def test_lines_that_are_added_while_the_country_changes_cost_what_they_cost_there(api: Api) -> None:
    await euros()
    pen = await catalogue.product(price_minor=1000, stock=None)
    cart = (await payload(api, CREATE, input={}))["cart"]["id"]
    adds = [payload(api, ADD, id=cart, lines=[line(pen)]) for _ in range(5)]
    moves = [payload(api, BUYER, id=cart, buyer={"countryCode": country}) for country in ("DE", "US", "DE")]
    await asyncio.gather(*adds, *moves)
    await payload(api, BUYER, id=cart, buyer={"countryCode": "DE"})
    assert total(await read(api, cart)) == ("45.00", "EUR")


async def test_a_market_that_goes_leaves_its_carts_to_the_default_one(api: Api, staff_token: str) -> None:
    await euros()
    pen = await catalogue.product(price_minor=1000)
    cart = (await payload(api, GERMAN, input={"lines": [line(pen)]}))["cart"]["id"]
    market = next(one["id"] for one in (await api.ok("{ markets { id code } }"))["markets"] if one["code"] == "eu")
    await api.ok(
        "mutation ($id: ID!) { marketDelete(id: $id) { deletedId userErrors { code } } }",
        {"id": market},
        token=staff_token,
    )
    assert total(await read(api, cart)) == ("10.00", "USD")


@pytest.mark.parametrize(
    ("currency", "rate", "country", "quantity", "price"),
    [
        ("EUR", "0.9", "DE", 1, "5.39"),  # 5.99 USD are 5.391 EUR
        ("JPY", "150", "JP", 1, "899"),  # 898.5 JPY, half up
        ("KWD", "0.307", "KW", 1, "1.839"),  # 1.83893 KWD
        ("CHF", "0.88", "CH", 5, "0.00"),  # 44.00 CHF are 50.00 USD, from which on it costs nothing
        ("CHF", "0.88", "CH", 4, "5.27"),
    ],
)
async def test_shipping_is_quoted_in_the_destination_s_currency(
    api: Api, currency: str, rate: str, country: str, quantity: int, price: str
) -> None:
    await markets.market("there", (country,), await markets.price_list(currency, rate=rate))
    pen = await catalogue.product(price_minor=1000)
    cart = (await payload(api, CREATE, input={"lines": [line(pen, quantity)]}))["cart"]["id"]
    for what in ({"cartId": cart}, {"lines": [line(pen, quantity)]}):
        found = await api.ok(QUOTES, {"input": {**what, "address": {"countryCode": country}}})
        assert [quote["price"] for quote in found["shippingQuotes"]["quotes"]] == [
            {"amount": price, "currencyCode": currency}
        ]


async def test_an_address_in_another_market_is_bought_at_its_prices_once_they_were_seen(api: Api) -> None:
    await euros()
    pen = await catalogue.product(price_minor=1000)
    cart = (await payload(api, CREATE, input={"lines": [line(pen)]}))["cart"]["id"]
    begun = await payload(api, BEGIN, input={"cartId": cart, "email": "ada@example.com", "shippingAddress": BERLIN})
    assert [(one["code"], one["field"]) for one in begun["warnings"]] == [
        ("MARKET_CHANGED", ["input", "shippingAddress", "countryCode"])
    ]
    (quote,) = begun["checkout"]["shippingQuotes"]
    assert begun["checkout"]["cost"]["total"] == {"amount": "9.00", "currencyCode": "EUR"}
    assert begun["checkout"]["cart"]["cost"]["total"] == {"amount": "9.00", "currencyCode": "EUR"}
    assert quote["price"] == {"amount": "5.39", "currencyCode": "EUR"}
    given = {
        "cartId": cart, "email": "ada@example.com", "shippingAddress": BERLIN, "shippingQuoteId": quote["id"],
        "payment": checkout.CARD,
    }  # fmt: skip
    dollars = {"amount": "15.99", "currencyCode": "USD"}
    for expected in ({}, {"expectedTotal": dollars}):
        answer = await payload_of(api, {**given, "idempotencyKey": checkout.new_key(), **expected})
        (error,) = answer["userErrors"]
        assert error["code"] == "TOTAL_CHANGED"
        assert error["total"] == {"amount": "14.39", "currencyCode": "EUR"}
    assert await db.fetchval("SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM payments)") == 0
    euro = {"amount": "14.39", "currencyCode": "EUR"}
    placed = await payload_of(api, {**given, "idempotencyKey": checkout.new_key(), "expectedTotal": euro})
    assert placed["userErrors"] == []
    row = await db.fetchrow(
        "SELECT o.currency_code, o.total_minor, m.code FROM orders o JOIN markets m ON m.id = o.market_id"
    )
    assert dict(row or {}) == {"currency_code": "EUR", "total_minor": 1439, "code": "eu"}
    assert await db.fetchval("SELECT currency_code FROM payments") == "EUR"


async def payload_of(api: Api, given: dict[str, Any]) -> dict[str, Any]:
    result = await api.query(checkout.COMPLETE, {"input": given})
    assert result.data is not None, result.errors
    answer: dict[str, Any] = result.data["checkoutComplete"]
    return answer


async def test_the_minimum_of_a_market_holds_there_alone(api: Api) -> None:
    await euros(minimum_order="20")
    pen = await catalogue.product(price_minor=1000)
    for country, quantity, codes in (("DE", 2, ["MINIMUM_ORDER_NOT_REACHED"]), ("DE", 3, []), ("US", 1, [])):
        created = await payload(
            api, CREATE, input={"lines": [line(pen, quantity)], "buyerIdentity": {"countryCode": country}}
        )
        begun = await payload(api, PROBLEMS, input={"cartId": created["cart"]["id"], "email": "ada@example.com"})
        found = [one["code"] for one in begun["checkout"]["problems"]]
        assert [code for code in found if code == "MINIMUM_ORDER_NOT_REACHED"] == codes


async def test_totals_are_rounded_to_what_is_paid_in(api: Api) -> None:
    await markets.market("ch", ("CH",), await markets.price_list("CHF", rate="0.88"), cash_rounding="0.05")
    pen = await catalogue.product(price_minor=1003)
    made = await payload(api, CREATE, input={"lines": [line(pen)], "buyerIdentity": {"countryCode": "CH"}})
    assert made["cart"]["cost"]["subtotal"]["amount"] == "8.83"
    assert total(made["cart"]) == ("8.85", "CHF")


async def test_a_mail_about_a_cart_shows_it_in_its_currency(api: Api, settings: Settings) -> None:
    await euros()
    pen = await catalogue.product(price_minor=1000)
    made = await payload(api, GERMAN, input={"lines": [line(pen, 2)]})
    cart = await load_cart(*ids.decode_with_secret("cart", made["cart"]["id"]))
    assert cart is not None
    shown = await merge_values.show_cart(cart, settings)
    assert (shown["subtotal"], shown["total"]) == ("€18.00", "€18.00")
    assert [one["unit_price"] for one in shown["lines"]] == ["€9.00"]  # type: ignore[attr-defined]
