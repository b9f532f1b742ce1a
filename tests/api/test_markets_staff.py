"""Staff make markets, price lists and groups; whatever is wrong changes nothing."""

import asyncio
from typing import Any

import pytest

from app import db
from app.kit import ids
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import accounts, catalogue, markets, staff
from tests.factories import shop as shop_factory

MARKET = """id code name isDefault currencyCode countries languages pricesIncludeTax priceListId
    minimumOrder { amount currencyCode } cashRounding { amount currencyCode }"""
LIST = """id name currencyCode adjustmentPercentage exchangeRate rounding { to ending }
    prices(first: 10) { totalCount nodes { variantId minimumQuantity price { amount currencyCode }
        compareAtPrice { amount } variant { price { amount currencyCode } } } }"""
CREATE = f"""mutation ($input: MarketInput!) {{ marketCreate(input: $input) {{
    market {{ {MARKET} }} userErrors {{ code field }} }} }}"""
UPDATE = f"""mutation ($id: ID!, $input: MarketInput!) {{ marketUpdate(id: $id, input: $input) {{
    market {{ {MARKET} }} userErrors {{ code field }} }} }}"""
DELETE = "mutation ($id: ID!) { marketDelete(id: $id) { deletedId userErrors { code field } } }"
LIST_CREATE = f"""mutation ($input: PriceListCreateInput!) {{ priceListCreate(input: $input) {{
    priceList {{ {LIST} }} userErrors {{ code field }} }} }}"""
LIST_UPDATE = f"""mutation ($id: ID!, $input: PriceListUpdateInput!) {{ priceListUpdate(id: $id, input: $input) {{
    priceList {{ {LIST} }} userErrors {{ code field }} }} }}"""
LIST_DELETE = "mutation ($id: ID!) { priceListDelete(id: $id) { deletedId userErrors { code field } } }"
SET = f"""mutation ($id: ID!, $set: [PriceListPriceInput!], $delete: [PriceListPriceKeyInput!]) {{
    priceListPricesSet(id: $id, set: $set, delete: $delete) {{
    priceList {{ {LIST} }} userErrors {{ code field }} }} }}"""
GROUP_CREATE = """mutation ($input: CustomerGroupInput!) { customerGroupCreate(input: $input) {
    customerGroup { id name memberCount priceLists { id } } userErrors { code field } } }"""
MEMBERS = """mutation ($id: ID!, $of: [ID!]!) { %s(id: $id, customerIds: $of) {
    customerGroup { memberCount } userErrors { code field } } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop_factory.shop(countries=("US", "DE", "FR", "CH"))


@pytest.fixture
async def token(clean_database: None) -> str:
    return await staff.signed_in({Permission.MARKETS_WRITE, Permission.CUSTOMERS_READ})


async def send(api: Api, token: str, document: str, **variables: Any) -> dict[str, Any]:
    result = await api.query(document, variables, token=token)
    assert result.data is not None, result.errors
    (answer,) = result.data.values()
    return answer  # type: ignore[no-any-return]


async def stored() -> Any:
    tables = ("markets", "market_countries", "price_lists", "price_list_prices", "customer_groups",
              "customer_group_price_lists", "customer_group_members")  # fmt: skip
    return [await db.fetch(f"SELECT * FROM {table} ORDER BY 1") for table in tables]


async def test_a_market_is_made_changed_and_given_up(api: Api, token: str) -> None:
    list_id = ids.encode("plist", await markets.price_list("CHF", rate="0.88"))
    given = {
        "name": "Switzerland", "code": "ch", "countries": ["CH"], "priceListId": list_id, "currencyCode": "CHF",
        "languages": ["de-CH", "fr-CH"], "pricesIncludeTax": True, "minimumOrder": "20", "cashRounding": "0.05",
    }  # fmt: skip
    made = (await send(api, token, CREATE, input=given))["market"]
    assert made == {
        **given, "id": made["id"], "isDefault": False, "minimumOrder": {"amount": "20.00", "currencyCode": "CHF"},
        "cashRounding": {"amount": "0.05", "currencyCode": "CHF"},
    }  # fmt: skip
    changed = await send(api, token, UPDATE, id=made["id"], input={"countries": ["CH", "FR"], "minimumOrder": None})
    assert (changed["market"]["countries"], changed["market"]["minimumOrder"]) == (["CH", "FR"], None)
    # With another currency, amounts would mean something else.
    dollars = await send(api, token, UPDATE, id=made["id"], input={"priceListId": None})
    assert dollars["market"]["currencyCode"] == "USD"
    assert dollars["market"]["cashRounding"] == {"amount": "0.01", "currencyCode": "USD"}
    assert (await send(api, token, DELETE, id=made["id"]))["deletedId"] == made["id"]
    (home,) = (await api.ok("{ markets { isDefault countries } }"))["markets"]
    assert sorted(home["countries"]) == ["CH", "DE", "FR", "US"]


async def test_the_default_market_stays(api: Api, token: str) -> None:
    (home,) = (await api.ok("{ markets { id } }"))["markets"]
    before = await stored()
    assert (await send(api, token, DELETE, id=home["id"]))["userErrors"] == [
        {"code": "DEFAULT_MARKET", "field": ["id"]}
    ]
    refused = await send(api, token, UPDATE, id=home["id"], input={"countries": ["DE"]})
    assert refused["userErrors"] == [{"code": "DEFAULT_MARKET", "field": ["input", "countries"]}]
    assert await stored() == before
    renamed = await send(api, token, UPDATE, id=home["id"], input={"name": "America", "pricesIncludeTax": True})
    assert (renamed["market"]["name"], renamed["market"]["pricesIncludeTax"]) == ("America", True)


@pytest.mark.parametrize(
    ("changed", "errors"),
    [
        ({"name": " "}, [("REQUIRED", ["input", "name"])]),
        ({"code": "Two words"}, [("INVALID", ["input", "code"])]),
        ({"code": None}, [("REQUIRED", ["input", "code"])]),
        ({"code": "eu"}, [("CONFLICT", ["input", "code"])]),
        ({"countries": ["DE"]}, [("COUNTRY_IN_ANOTHER_MARKET", ["input", "countries", "0"])]),
        ({"countries": ["CH", "ZZ", "BR"]}, [("INVALID", ["input", "countries", place]) for place in "12"]),
        ({"currencyCode": "CHF"}, [("PRICE_LIST_REQUIRED", ["input", "currencyCode"])]),
        ({"priceListId": ids.encode("plist", ids.new_id())}, [("NOT_FOUND", ["input", "priceListId"])]),
        ({"priceListId": "mkt_1"}, [("INVALID_ID", ["input", "priceListId"])]),
        ({"languages": ["de", "not-a-language"]}, [("INVALID", ["input", "languages", "1"])]),
        ({"minimumOrder": "1.005"}, [("INVALID", ["input", "minimumOrder"])]),
        ({"minimumOrder": "-1"}, [("OUT_OF_RANGE", ["input", "minimumOrder"])]),
        ({"cashRounding": "0"}, [("OUT_OF_RANGE", ["input", "cashRounding"])]),
        ({"position": -1, "name": None}, [("REQUIRED", ["input", "name"]), ("OUT_OF_RANGE", ["input", "position"])]),
    ],
)
async def test_a_wrong_market_is_refused_whole(
    api: Api, token: str, changed: dict[str, Any], errors: list[tuple[str, list[str]]]
) -> None:
    await markets.market("eu", ("DE",))
    before = await stored()
    answer = await send(api, token, CREATE, input={"name": "N", "code": "n", "countries": ["CH"], **changed})
    assert sorted((one["code"], one["field"]) for one in answer["userErrors"]) == sorted(errors)
    assert answer["market"] is None
    assert await stored() == before


async def test_of_two_that_take_a_country_at_once_one_has_it(api: Api, token: str) -> None:
    takes = [send(api, token, CREATE, input={"name": n, "code": n, "countries": ["DE"]}) for n in ("a", "b", "c")]
    answers = await asyncio.gather(*takes)
    codes = sorted(one["code"] for answer in answers for one in answer["userErrors"])
    assert codes == ["COUNTRY_IN_ANOTHER_MARKET"] * 2
    assert await db.fetchval("SELECT count(*) FROM markets WHERE NOT is_default") == 1


async def test_a_price_list_is_made_and_changed(api: Api, token: str) -> None:
    given = {"name": "Euro", "currencyCode": "EUR", "exchangeRate": "0.92", "adjustmentPercentage": "5",
             "rounding": {"to": "1", "ending": "0.95"}}  # fmt: skip
    made = (await send(api, token, LIST_CREATE, input=given))["priceList"]
    assert made["rounding"] == {"to": "1.00", "ending": "0.95"}
    assert (made["exchangeRate"], made["adjustmentPercentage"]) == ("0.92", "5")
    shirt = await catalogue.product(price_minor=1990)
    await markets.market("eu", ("DE",), ids.decode("plist", made["id"]))
    price = "query ($id: ID!) @inContext(country: DE) { product(id: $id) { priceRange { min { amount } } } }"

    async def seen() -> str:
        return (await api.ok(price, {"id": shirt.gid}))["product"]["priceRange"]["min"]["amount"]  # type: ignore[no-any-return]

    assert await seen() == "18.95"  # 19.90 x 0.92 x 1.05 = 19.2234
    await send(api, token, LIST_UPDATE, id=made["id"], input={"rounding": None})
    assert await seen() == "19.22"
    await send(api, token, LIST_UPDATE, id=made["id"], input={"adjustmentPercentage": "0", "exchangeRate": "1"})
    assert await seen() == "19.90"
    refused = await send(api, token, LIST_DELETE, id=made["id"])
    assert refused["userErrors"] == [{"code": "PRICE_LIST_IN_USE", "field": ["id"]}]
    assert await seen() == "19.90"


@pytest.mark.parametrize(
    ("changed", "errors"),
    [
        ({"name": None}, [("REQUIRED", ["input", "name"])]),
        ({"currencyCode": "EUR"}, [("EXCHANGE_RATE_REQUIRED", ["input", "exchangeRate"])]),
        ({"exchangeRate": "2"}, [("INVALID", ["input", "exchangeRate"])]),
        ({"currencyCode": "EUR", "exchangeRate": "0"}, [("OUT_OF_RANGE", ["input", "exchangeRate"])]),
        ({"adjustmentPercentage": "-100"}, [("OUT_OF_RANGE", ["input", "adjustmentPercentage"])]),
        ({"adjustmentPercentage": "1.00001"}, [("INVALID", ["input", "adjustmentPercentage"])]),
        ({"rounding": {"to": "1", "ending": "1"}}, [("OUT_OF_RANGE", ["input", "rounding", "ending"])]),
        ({"rounding": {"to": "0.001"}}, [("INVALID", ["input", "rounding", "to"])]),
    ],
)
async def test_a_wrong_price_list_is_refused_whole(
    api: Api, token: str, changed: dict[str, Any], errors: list[tuple[str, list[str]]]
) -> None:
    before = await stored()
    answer = await send(api, token, LIST_CREATE, input={"name": "L", "currencyCode": "USD", **changed})
    assert [(one["code"], one["field"]) for one in answer["userErrors"]] == errors
    assert await stored() == before


async def test_prices_are_set_and_taken_out_in_one_go(api: Api, token: str) -> None:
    list_id = ids.encode("plist", await markets.price_list("EUR"))
    shirt = await catalogue.product(options={"Size": ["S", "M"]}, price_minor=1990)
    small, medium = shirt.variant_gids

    def price(variant: str, amount: str, quantity: int = 1, currency: str = "EUR") -> dict[str, Any]:
        money = {"amount": amount, "currencyCode": currency}
        return {"variantId": variant, "minimumQuantity": quantity, "price": money, "compareAtPrice": money}

    await send(api, token, SET, id=list_id, set=[price(small, "10"), price(small, "8", 10), price(medium, "12")])
    gone = [
        {"variantId": medium},
        {"variantId": small, "minimumQuantity": 10},
        {"variantId": small, "minimumQuantity": 7},
    ]
    answer = await send(api, token, SET, id=list_id, set=[price(small, "9.99")], delete=gone)
    assert answer["priceList"]["prices"] == {
        "totalCount": 1,
        "nodes": [
            {
                "variantId": small, "minimumQuantity": 1, "price": {"amount": "9.99", "currencyCode": "EUR"},
                "compareAtPrice": {"amount": "9.99"},
                "variant": {"price": {"amount": "19.90", "currencyCode": "USD"}},
            }
        ],
    }  # fmt: skip
    before = await stored()
    wrong = [
        ([price(small, "1"), price(small, "2")], [("INVALID", ["set", "1"])]),
        ([price(small, "1", currency="USD")], [("INVALID", ["set", "0", "price", "currencyCode"]),
                                               ("INVALID", ["set", "0", "compareAtPrice", "currencyCode"])]),
        ([price(small, "1"), price(ids.encode("var", ids.new_id()), "1")], [("NOT_FOUND", ["set", "1", "variantId"])]),
        ([price(small, "1", 0)], [("OUT_OF_RANGE", ["set", "0", "minimumQuantity"])]),
        ([price(small, "1.005")], [("INVALID", ["set", "0", "price", "amount"])]),
        ([price(small, "-1")], [("OUT_OF_RANGE", ["set", "0", "price", "amount"])]),
        ([price(small, "1", quantity) for quantity in range(1, 252)], [("TOO_MANY", ["set"])]),
    ]  # fmt: skip
    for given, errors in wrong:
        answer = await send(api, token, SET, id=list_id, set=given)
        assert [(one["code"], one["field"]) for one in answer["userErrors"]] == errors
    assert await stored() == before


async def test_two_batches_at_once_wait_for_each_other(api: Api, token: str) -> None:
    list_id = ids.encode("plist", await markets.price_list("EUR"))
    shirt = await catalogue.product(options={"Size": ["S", "M", "L"]})

    def batch(amount: str, variants: list[str]) -> list[dict[str, Any]]:
        return [{"variantId": one, "price": {"amount": amount, "currencyCode": "EUR"}} for one in variants]

    ways = [shirt.variant_gids, shirt.variant_gids[::-1]] * 5
    sends = [send(api, token, SET, id=list_id, set=batch(str(n + 1), way)) for n, way in enumerate(ways)]
    answers = await asyncio.gather(*sends)
    assert [answer["userErrors"] for answer in answers] == [[]] * 10
    assert await db.fetchval("SELECT count(DISTINCT price_minor) FROM price_list_prices") == 1


async def test_groups_and_their_members(api: Api, token: str) -> None:
    list_id = ids.encode("plist", await markets.price_list("USD", rate=None, percentage="-10"))
    made = (await send(api, token, GROUP_CREATE, input={"name": "Dealers", "priceListIds": [list_id]}))["customerGroup"]
    assert made["priceLists"] == [{"id": list_id}]
    somebody, other = await accounts.signed_in(), await accounts.signed_in()
    both = [ids.encode("cus", somebody.id), ids.encode("cus", other.id)]
    for _ in range(2):
        added = await send(api, token, MEMBERS % "customerGroupMembersAdd", id=made["id"], of=both)
        assert added["customerGroup"]["memberCount"] == 2
    listed = """query ($id: ID!, $after: String) { customerGroupMembers(id: $id, first: 1, after: $after) {
        totalCount nodes { id } pageInfo { endCursor hasNextPage } } }"""
    first = await send(api, token, listed, id=made["id"])
    second = await send(api, token, listed, id=made["id"], after=first["pageInfo"]["endCursor"])
    assert [first["nodes"][0]["id"], second["nodes"][0]["id"]] == sorted(both)
    assert (first["totalCount"], second["pageInfo"]["hasNextPage"]) == (2, False)
    removed = await send(api, token, MEMBERS % "customerGroupMembersRemove", id=made["id"], of=both[:1])
    assert removed["customerGroup"]["memberCount"] == 1
    before = await stored()
    unknown = ids.encode("cus", ids.new_id())
    refused = await send(api, token, MEMBERS % "customerGroupMembersAdd", id=made["id"], of=[both[0], unknown])
    assert refused["userErrors"] == [{"code": "NOT_FOUND", "field": ["customerIds", "1"]}]
    again = await send(api, token, GROUP_CREATE, input={"name": "DEALERS"})
    assert again["userErrors"] == [{"code": "CONFLICT", "field": ["input", "name"]}]
    assert await stored() == before


async def test_the_shops_currency_is_fixed_once_a_list_was_reckoned_from_it(api: Api, staff_token: str) -> None:
    change = "mutation { shopUpdate(input: {currencyCode: EUR}) { userErrors { code } } }"
    await markets.price_list("CHF", rate="0.88")
    assert (await send(api, staff_token, change))["userErrors"] == [{"code": "SHOP_CURRENCY_FIXED"}]
