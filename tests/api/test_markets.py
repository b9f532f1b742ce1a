"""Where somebody is, and what that means for prices and for what there is to buy."""

from typing import Any

import pytest

from app.kit import ids
from app.markets import current, service
from schema import executor
from tests.client import Api
from tests.factories import accounts, catalogue, markets
from tests.factories import shop as shop_factory

WHERE = "localization { countryCode currencyCode language pricesIncludeTax market { code } }"
PRICES = """product(id: $id) {
    priceRange { min { amount currencyCode } max { amount } } compareAtPriceRange { max { amount } } availableForSale
    variants { nodes { price { amount currencyCode } compareAtPrice { amount } availableForSale
                       quantityPriceBreaks { minimumQuantity price { amount currencyCode } } } }
}"""
IN_CONTEXT = f"""query ($id: ID!, $country: CountryCode, $language: String, $currency: CurrencyCode)
    @inContext(country: $country, language: $language, currency: $currency) {{ {PRICES} {WHERE} }}"""
LOCALIZED = f"""query ($country: CountryCode, $language: String, $currency: CurrencyCode)
    @inContext(country: $country, language: $language, currency: $currency) {{ {WHERE} }}"""
PLAIN = f"query {{ {WHERE} }}"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop_factory.shop(countries=("US", "CA", "GB", "DE", "FR", "JP", "CH", "KW"))


async def euros() -> None:
    """EUR at 0.9, rounded to .99, tax included, in Germany and France."""
    list_id = await markets.price_list("EUR", rate="0.9", to="1.00", ending="0.99")
    await markets.market("eu", ("DE", "FR"), list_id, prices_include_tax=True)


def place(data: dict[str, Any]) -> tuple[Any, ...]:
    where = data["localization"]
    return where["market"]["code"], where["countryCode"], where["currencyCode"], where["language"]


async def test_a_shop_has_a_default_market_from_the_start(api: Api) -> None:
    data = await api.ok("query { markets { code isDefault currencyCode countries languages } " + WHERE + " }")
    (home,) = data["markets"]
    assert home["isDefault"]
    assert home["currencyCode"] == "USD"
    assert home["languages"] == ["en-US"]
    assert sorted(home["countries"]) == ["CA", "CH", "DE", "FR", "GB", "JP", "KW", "US"]
    assert place(data) == ("home", None, "USD", "en-US")


async def test_prices_are_those_of_the_country(api: Api) -> None:
    await euros()
    shirt = await catalogue.product(price_minor=1990, compare_at_price_minor=2500)
    seen = await api.ok(IN_CONTEXT, {"id": shirt.gid, "country": "DE"})
    # 19.90 USD at 0.9 are 17.91, and 17.99 is near. 25.00 are 22.50: 21.99 is 0.51 away, and 22.99 is 0.49.
    assert seen["product"]["priceRange"]["min"] == {"amount": "17.99", "currencyCode": "EUR"}
    assert seen["product"]["compareAtPriceRange"]["max"]["amount"] == "22.99"
    (variant,) = seen["product"]["variants"]["nodes"]
    assert variant["price"] == {"amount": "17.99", "currencyCode": "EUR"}
    assert variant["compareAtPrice"]["amount"] == "22.99"
    assert place(seen) == ("eu", "DE", "EUR", "de")
    assert seen["localization"]["pricesIncludeTax"] is True
    home = await api.ok(IN_CONTEXT, {"id": shirt.gid, "country": "US"})
    assert home["product"]["priceRange"]["min"] == {"amount": "19.90", "currencyCode": "USD"}
    assert home["localization"]["pricesIncludeTax"] is False


@pytest.mark.parametrize(
    ("currency", "rate", "countries", "price"),
    [("JPY", "150", ("JP",), "2985"), ("KWD", "0.307", ("KW",), "6.109"), ("CHF", "0.88", ("CH",), "17.51")],
)
async def test_every_variant_has_a_price_in_every_currency(
    api: Api, currency: str, rate: str, countries: tuple[str, ...], price: str
) -> None:
    await markets.market("there", countries, await markets.price_list(currency, rate=rate))
    shirt = await catalogue.product(price_minor=1990)
    seen = await api.ok(IN_CONTEXT, {"id": shirt.gid, "currency": currency})
    assert seen["product"]["priceRange"]["min"] == {"amount": price, "currencyCode": currency}
    assert seen["product"]["variants"]["nodes"][0]["price"] == {"amount": price, "currencyCode": currency}


async def test_own_prices_come_before_adjusted_ones_and_may_depend_on_the_quantity(api: Api) -> None:
    list_id = await markets.price_list("EUR", rate="0.9")
    await markets.market("eu", ("DE",), list_id)
    shirt = await catalogue.product(price_minor=1990)
    await markets.prices(list_id, shirt.variant_id, {1: ("15.00", "EUR"), 10: ("12.50", "EUR"), 50: ("9", "EUR")})
    seen = (await api.ok(IN_CONTEXT, {"id": shirt.gid, "country": "DE"}))["product"]
    (variant,) = seen["variants"]["nodes"]
    assert seen["priceRange"]["min"]["amount"] == variant["price"]["amount"] == "15.00"
    breaks = [(one["minimumQuantity"], one["price"]["amount"]) for one in variant["quantityPriceBreaks"]]
    assert breaks == [(10, "12.50"), (50, "9.00")]
    home = (await api.ok(IN_CONTEXT, {"id": shirt.gid, "country": "US"}))["product"]["variants"]["nodes"][0]
    assert home["quantityPriceBreaks"] == []
    assert home["price"]["amount"] == "19.90"


async def test_members_of_a_group_see_the_lowest_of_their_prices(api: Api) -> None:
    trade = await markets.price_list("USD", rate=None, percentage="-20")
    dealer, shopper = await accounts.signed_in(), await accounts.signed_in()
    await markets.group([trade, await markets.price_list("EUR", rate="0.1")], [dealer.id])
    shirt = await catalogue.product(price_minor=1990)
    for token, price in ((dealer.token, "15.92"), (shopper.token, "19.90"), (None, "19.90")):
        seen = await api.ok(IN_CONTEXT, {"id": shirt.gid}, token=token)
        assert seen["product"]["priceRange"]["min"]["amount"] == price
    # A dearer list takes nothing away: the market's own price is lower.
    await markets.prices(trade, shirt.variant_id, {1: ("25.00", "USD"), 5: ("10.00", "USD")})
    seen = await api.ok(IN_CONTEXT, {"id": shirt.gid}, token=dealer.token)
    (variant,) = seen["product"]["variants"]["nodes"]
    assert variant["price"]["amount"] == "19.90"
    assert variant["quantityPriceBreaks"] == [
        {"minimumQuantity": 5, "price": {"amount": "10.00", "currencyCode": "USD"}}
    ]


async def test_directive_then_headers_then_account_then_default(api: Api) -> None:
    await euros()
    await markets.market("jp", ("JP",), await markets.price_list("JPY", rate="150"), languages=("ja",))
    await markets.market("ca", ("CA",), languages=("en-CA", "fr-CA"))
    somebody = await accounts.signed_in()
    await accounts.lives_in(somebody.id, "CA")
    headers = {"X-Country": "JP", "Accept-Language": "fr;q=0.9, ja"}
    told = {"country": "DE", "language": "fr"}
    assert place(await api.ok(LOCALIZED, told, headers=headers, token=somebody.token)) == ("eu", "DE", "EUR", "fr")
    assert place(await api.ok(PLAIN, headers=headers, token=somebody.token)) == ("jp", "JP", "JPY", "ja")
    assert place(await api.ok(PLAIN, token=somebody.token)) == ("ca", "CA", "USD", "en-CA")
    assert place(await api.ok(PLAIN)) == ("home", None, "USD", "en-US")
    # Each thing by itself: the header's country, with the language of the directive.
    assert place(await api.ok(LOCALIZED, {"language": "fr"}, headers={"X-Country": "CA"})) == (
        "ca",
        "CA",
        "USD",
        "fr-CA",
    )
    # A currency that is said decides before a country that is only concluded.
    assert place(await api.ok(PLAIN, headers={"X-Currency": "JPY"}, token=somebody.token)) == ("jp", None, "JPY", "ja")
    assert place(await api.ok(LOCALIZED, {"currency": "EUR"}, headers={"X-Country": "FR"})) == ("eu", "FR", "EUR", "de")
    # A country decides alone: its market has one currency.
    assert place(await api.ok(LOCALIZED, {"country": "DE", "currency": "USD"})) == ("eu", "DE", "EUR", "de")


async def test_a_country_without_a_market_is_the_default_one_s(api: Api) -> None:
    await euros()
    assert place(await api.ok(LOCALIZED, {"country": "BR"})) == ("home", None, "USD", "en-US")
    assert place(await api.ok(LOCALIZED, {"country": "XX"})) == ("home", None, "USD", "en-US")
    assert place(await api.ok(LOCALIZED, {"country": "GB", "language": "tlh"})) == ("home", "GB", "USD", "en-US")
    assert place(await api.ok(PLAIN, headers={"Accept-Language": "*;q=2, -, de;q=x"})) == ("home", None, "USD", "en-US")


@pytest.mark.parametrize(
    ("variables", "headers", "code"),
    [
        ({"currency": "SEK"}, {}, "CURRENCY_NOT_OFFERED"),
        ({"language": "not a tag"}, {}, "INVALID"),
        ({}, {"X-Country": "Germany"}, "INVALID"),
        ({}, {"X-Currency": "EURO"}, "INVALID"),
        ({}, {"X-Currency": "SEK"}, "CURRENCY_NOT_OFFERED"),
        ({"country": "Germany"}, {}, "BAD_USER_INPUT"),
    ],
)
async def test_what_is_no_place_is_refused(
    api: Api, variables: dict[str, str], headers: dict[str, str], code: str
) -> None:
    for document in (
        LOCALIZED,
        LOCALIZED.replace("query (", "mutation (").replace(WHERE, "cartCreate { cart { id } }"),
    ):
        result = await api.query(document, variables, headers=headers)
        assert result.codes == [code]
        assert result.data is None


async def test_many_values_in_the_directive_make_one_plan(api: Api) -> None:
    await euros()
    executor._plans.clear()
    for country in ("DE", "FR", "US", "CA"):
        await api.ok(LOCALIZED, {"country": country})
    assert len(executor._plans) == 1


async def test_hidden_products_are_not_there(api: Api, staff_token: str) -> None:
    await markets.market("de", ("DE",))
    seen, hidden = await catalogue.product(name="Seen lamp"), await catalogue.product(name="Hidden lamp")
    shelf = await catalogue.collection(products=[seen, hidden])
    market = (await api.ok("{ markets { id code } }"))["markets"][1]
    change = "mutation ($id: ID!, $of: [ID!]!) { %s(id: $id, productIds: $of) { userErrors { code field } } }"
    given = {"id": market["id"], "of": [hidden.gid]}
    await api.ok(change % "marketProductsHide", given, token=staff_token)
    document = """query ($country: CountryCode!, $id: ID!, $variant: ID!, $shelf: ID!) @inContext(country: $country) {
        products { nodes { id } totalCount } search: products(query: "hidden") { nodes { id } }
        product(id: $id) { id } variant: node(id: $variant) { id }
        collection(id: $shelf) { products { nodes { id } } }
    }"""
    asked = {"id": hidden.gid, "variant": hidden.variant_gid, "shelf": shelf_id(shelf)}

    async def there(country: str, token: str | None = None) -> list[Any]:
        data = await api.ok(document, {**asked, "country": country}, token=token)
        return [
            len(data["products"]["nodes"]),
            data["products"]["totalCount"],
            len(data["search"]["nodes"]),
            data["product"] is not None,
            data["variant"] is not None,
            len(data["collection"]["products"]["nodes"]),
        ]

    assert await there("DE") == [1, 1, 0, False, False, 1]
    assert await there("US") == [2, 2, 1, True, True, 2]
    assert await there("DE", staff_token) == [2, 2, 1, True, True, 2]
    cart = """mutation ($lines: [CartLineInput!]!) @inContext(country: DE) {
        cartCreate(input: {lines: $lines}) { cart { id } userErrors { code field } } }"""
    refused = await api.query(cart, {"lines": [{"variantId": hidden.variant_gid, "quantity": 1}]})
    assert refused.data == {
        "cartCreate": {
            "cart": None,
            "userErrors": [{"code": "NOT_FOUND", "field": ["input", "lines", "0", "variantId"]}],
        }
    }
    await api.ok(change % "marketProductsShow", given, token=staff_token)
    assert await there("DE") == [2, 2, 1, True, True, 2]


def shelf_id(collection: Any) -> str:
    return ids.encode("coll", collection)


async def test_who_looks_after_products_sees_the_shops_own_prices(api: Api, staff_token: str) -> None:
    await euros()
    shirt = await catalogue.product(price_minor=1990, cost_minor=800)
    document = """query ($id: ID!) %s { product(id: $id) {
        variants { nodes { price { amount currencyCode } cost { amount currencyCode } } } } }"""
    for directive, price in (("", ("19.90", "USD")), ("@inContext(country: DE)", ("17.99", "EUR"))):
        (variant,) = (await api.ok(document % directive, {"id": shirt.gid}, token=staff_token))["product"]["variants"][
            "nodes"
        ]
        assert (variant["price"]["amount"], variant["price"]["currencyCode"]) == price
        assert variant["cost"] == {"amount": "8.00", "currencyCode": "USD"}


async def test_a_selector_of_countries(api: Api) -> None:
    await euros()
    data = await api.ok(
        'query @inContext(language: "de", country: DE) { localization { availableCountries { code name currencyCode '
        "market { code } } } }"
    )
    shown = [(one["code"], one["name"], one["currencyCode"]) for one in data["localization"]["availableCountries"]]
    assert shown == [
        ("DE", "Deutschland", "EUR"), ("FR", "Frankreich", "EUR"), ("JP", "Japan", "USD"), ("CA", "Kanada", "USD"),
        ("KW", "Kuwait", "USD"), ("CH", "Schweiz", "USD"), ("US", "Vereinigte Staaten", "USD"),
        ("GB", "Vereinigtes Königreich", "USD"),
    ]  # fmt: skip


async def test_a_change_is_seen_at_once_by_who_knew_the_markets_before(api: Api) -> None:
    shirt = await catalogue.product(price_minor=1000)
    assert (await api.ok(IN_CONTEXT, {"id": shirt.gid, "country": "DE"}))["product"]["priceRange"]["min"][
        "amount"
    ] == "10.00"
    list_id = await markets.price_list("EUR", rate="0.9")
    # By another process: this one still knows that there is one market.
    await service.create_market({"name": "EU", "code": "eu", "countries": ["DE"], "price_list_id": list_id})
    seen = await api.ok(IN_CONTEXT.replace(WHERE, ""), {"id": shirt.gid, "country": "DE"})
    assert seen["product"]["priceRange"]["min"] == {"amount": "9.00", "currencyCode": "EUR"}


async def test_a_currency_is_not_refused_by_what_a_process_knew_before(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is read that depends on markets, nothing else would tell of the new one."""
    query = "query ($currency: CurrencyCode) @inContext(currency: $currency) { shop { name } }"
    await api.ok(query, {"currency": "USD"})
    known = await current.MARKETS.known()
    await markets.market("eu", ("DE",), await markets.price_list("EUR", rate="0.9"))
    monkeypatch.setattr(current.MARKETS, "_kept", known)  # as where another process made it
    assert (await api.ok(query, {"currency": "EUR"}))["shop"]["name"]


async def test_a_shop_that_came_since_is_seen_by_who_knew_of_none(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    shirt = await catalogue.product(price_minor=1000)
    await markets.market("eu", ("DE",), await markets.price_list("EUR", rate="0.9"))
    monkeypatch.setattr(current.MARKETS, "_kept", (None, None))  # as where nobody had made the shop
    seen = await api.ok(IN_CONTEXT.replace(WHERE, ""), {"id": shirt.gid, "country": "DE"})
    assert seen["product"]["priceRange"]["min"] == {"amount": "9.00", "currencyCode": "EUR"}
