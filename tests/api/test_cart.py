"""Carts: what a shopper puts in, what it costs, and what is refused without anything changing."""

import uuid
from typing import Any

import pytest

from app import db
from app.kit import ids
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, inventory
from tests.factories.shop import shop

FIELDS = """
    id state totalQuantity note createdAt updatedAt
    attributes { key value }
    buyerIdentity { email phone countryCode }
    cost { subtotal { amount currencyCode } discount { amount } shipping { amount } tax { amount } taxIncluded
           total { amount } }
    lines { totalCount nodes {
        id quantity attributes { key value } warnings { code message availableQuantity }
        variant { id name price { amount } selectedOptions { name value } product { name } }
        cost { unitPrice { amount currencyCode } subtotal { amount } discount { amount } total { amount } }
    } }
"""
ANSWER = f"""{{
    cart {{ {FIELDS} }} warnings {{ code message field availableQuantity }}
    userErrors {{ __typename code message field ... on InsufficientStockError {{ availableQuantity }} }}
}}"""
CREATE = f"mutation ($input: CartInput) {{ cartCreate(input: $input) {ANSWER} }}"
ADD = f"mutation ($id: ID!, $lines: [CartLineInput!]!) {{ cartLinesAdd(cartId: $id, lines: $lines) {ANSWER} }}"
UPDATE = (
    f"mutation ($id: ID!, $lines: [CartLineUpdateInput!]!) {{ cartLinesUpdate(cartId: $id, lines: $lines) {ANSWER} }}"
)
REMOVE = f"mutation ($id: ID!, $lines: [ID!]!) {{ cartLinesRemove(cartId: $id, lineIds: $lines) {ANSWER} }}"
CLEAR = f"mutation ($id: ID!) {{ cartClear(cartId: $id) {ANSWER} }}"
DETAILS = f"mutation ($id: ID!, $input: CartUpdateInput!) {{ cartUpdate(cartId: $id, input: $input) {ANSWER} }}"
BUYER = f"""mutation ($id: ID!, $buyer: BuyerIdentityInput!) {{
    cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: $buyer) {ANSWER}
}}"""
CART = f"query ($id: ID!) {{ cart(id: $id) {{ {FIELDS} }} }}"
NODE = f"query ($id: ID!) {{ node(id: $id) {{ id ... on Cart {{ {FIELDS} }} ... on CartLine {{ quantity }} }} }}"

ENGRAVED = [{"key": "engraving", "value": "Ada"}, {"key": "font", "value": "serif"}]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


async def payload(api: Api, document: str, **variables: Any) -> dict[str, Any]:
    (answer,) = (await api.ok(document, variables)).values()
    return answer  # type: ignore[no-any-return]


async def read(api: Api, cart_id: str) -> dict[str, Any]:
    return (await api.ok(CART, {"id": cart_id}))["cart"]  # type: ignore[no-any-return]


def quantities(cart: dict[str, Any]) -> list[int]:
    return [line["quantity"] for line in cart["lines"]["nodes"]]


async def everything() -> Any:
    """All that a cart mutation could change."""
    return (
        await db.fetch("SELECT * FROM carts ORDER BY id"),
        await db.fetch("SELECT * FROM cart_lines ORDER BY id"),
        await db.fetchval("SELECT count(*) FROM events"),
    )


async def refused(api: Api, document: str, **variables: Any) -> list[dict[str, Any]]:
    """The errors of a mutation that has to be refused whole."""
    before = await everything()
    errors = await api.refused(document, variables)
    assert await everything() == before
    return errors


def codes(errors: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in errors]


# --- making one -------------------------------------------------------------------------------------------------------


async def test_a_cart_is_made_with_everything_at_once(api: Api) -> None:
    shirt = await catalogue.product(name="Shirt", price_minor=2550, options={"Size": ["S", "M"]})
    book = await catalogue.product(name="Book", price_minor=999, stock=None, kind="DIGITAL", requires_shipping=False)
    answer = await payload(
        api,
        CREATE,
        input={
            "lines": [
                {"variantId": shirt.variant_gids[1], "quantity": 2, "attributes": ENGRAVED},
                {"variantId": book.variant_gid},
            ],
            "buyerIdentity": {"email": "Ada@Example.COM", "phone": "020 7946 0018", "countryCode": "GB"},
            "note": "Leave it at the door.\nThank you 👩‍🚀",
            "attributes": [{"key": "source", "value": "kiosk"}],
        },
    )
    cart = answer["cart"]
    assert answer["warnings"] == []
    assert cart["state"] == "OPEN"
    assert cart["totalQuantity"] == 3
    assert cart["note"] == "Leave it at the door.\nThank you 👩‍🚀"
    assert cart["attributes"] == [{"key": "source", "value": "kiosk"}]
    assert cart["buyerIdentity"] == {"email": "Ada@example.com", "phone": "+442079460018", "countryCode": "GB"}
    first, second = cart["lines"]["nodes"]
    assert (first["quantity"], first["attributes"], first["warnings"]) == (2, ENGRAVED, [])
    assert first["variant"] == {
        "id": shirt.variant_gids[1],
        "name": "M",
        "price": {"amount": "25.50"},
        "selectedOptions": [{"name": "Size", "value": "M"}],
        "product": {"name": "Shirt"},
    }
    assert first["cost"] == {
        "unitPrice": {"amount": "25.50", "currencyCode": "USD"},
        "subtotal": {"amount": "51.00"},
        "discount": {"amount": "0.00"},
        "total": {"amount": "51.00"},
    }
    assert (second["quantity"], second["variant"]["name"]) == (1, "Book")
    assert cart["cost"] == {
        "subtotal": {"amount": "60.99", "currencyCode": "USD"},
        "discount": {"amount": "0.00"},
        "shipping": {"amount": "0.00"},
        "tax": {"amount": "0.00"},
        "taxIncluded": False,
        "total": {"amount": "60.99"},
    }
    assert await read(api, cart["id"]) == cart


async def test_an_empty_cart(api: Api) -> None:
    cart = (await payload(api, CREATE))["cart"]
    assert (cart["totalQuantity"], cart["lines"]["nodes"], cart["cost"]["total"]["amount"]) == (0, [], "0.00")
    assert cart["buyerIdentity"] == {"email": None, "phone": None, "countryCode": None}
    assert await read(api, cart["id"]) == cart


async def test_the_currency_is_the_shops(api: Api) -> None:
    await shop(currency="JPY")
    tea = await catalogue.product(price_minor=1990)
    cart = (await payload(api, CREATE, input={"lines": [{"variantId": tea.variant_gid, "quantity": 3}]}))["cart"]
    assert cart["cost"]["subtotal"] == {"amount": "5970", "currencyCode": "JPY"}


async def test_what_is_wrong_with_a_new_cart_is_told_at_once_and_no_cart_is_made(api: Api) -> None:
    product, draft = await catalogue.product(stock=3), await catalogue.product(status="DRAFT")
    sold_out = await catalogue.product(stock=0)
    errors = await refused(
        api,
        CREATE,
        input={
            "lines": [
                {"variantId": product.variant_gid, "quantity": 0},
                {"variantId": draft.variant_gid},
                {"variantId": ids.encode("var", uuid.uuid4())},
                {"variantId": sold_out.variant_gid},
                {"variantId": product.variant_gid, "attributes": [{"key": "", "value": "x"}]},
                {"variantId": product.variant_gid},
            ],
            "buyerIdentity": {"email": "nobody", "countryCode": "XX", "phone": "+1"},
            "note": "x" * 5001,
            "attributes": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
        },
    )
    assert codes(errors) == [
        ("OUT_OF_RANGE", ["input", "lines", "0", "quantity"]),
        ("NOT_FOUND", ["input", "lines", "1", "variantId"]),
        ("NOT_FOUND", ["input", "lines", "2", "variantId"]),
        ("INSUFFICIENT_STOCK", ["input", "lines", "3", "quantity"]),
        ("REQUIRED", ["input", "lines", "4", "attributes", "0", "key"]),
        ("INVALID_COUNTRY", ["input", "buyerIdentity", "countryCode"]),
        ("INVALID_EMAIL", ["input", "buyerIdentity", "email"]),
        ("INVALID_PHONE", ["input", "buyerIdentity", "phone"]),
        ("INVALID", ["input", "attributes", "1", "key"]),
        ("TOO_LONG", ["input", "note"]),
    ]
    # A draft looks like nothing at all.
    assert errors[1]["message"] == errors[2]["message"]
    assert (errors[3]["__typename"], errors[3]["availableQuantity"]) == ("InsufficientStockError", 0)
    assert await db.fetchval("SELECT count(*) FROM carts") == 0


async def test_malformed_ids_are_named(api: Api) -> None:
    product = await catalogue.product()
    lines = [{"variantId": product.gid}, {"variantId": product.variant_gid}, {"variantId": "var_1"}]
    errors = await refused(api, CREATE, input={"lines": lines})
    assert codes(errors) == [
        ("INVALID_ID", ["input", "lines", "0", "variantId"]),
        ("INVALID_ID", ["input", "lines", "2", "variantId"]),
    ]


@pytest.mark.parametrize("text", ["nul \x00", "bell \x07"])
async def test_text_that_cannot_be_kept_is_refused(api: Api, text: str) -> None:
    made = await carts.cart()
    assert codes(await refused(api, DETAILS, id=made.gid, input={"note": text})) == [("INVALID", ["input", "note"])]


async def test_a_price_cannot_be_sent(api: Api) -> None:
    product = await catalogue.product()
    line = {"variantId": product.variant_gid, "price": "0.01"}
    assert (await api.query(CREATE, {"input": {"lines": [line]}})).errors
    assert await db.fetchval("SELECT count(*) FROM carts") == 0


# --- lines ------------------------------------------------------------------------------------------------------------


async def test_same_variant_and_same_attributes_are_one_line(api: Api) -> None:
    pen = await catalogue.product(stock=50)
    made = await carts.cart((pen.variant_id, 1))
    lines = [
        {"variantId": pen.variant_gid, "quantity": 2},
        {"variantId": pen.variant_gid, "quantity": 3, "attributes": ENGRAVED},
        {"variantId": pen.variant_gid, "quantity": 4, "attributes": ENGRAVED[::-1]},
        {"variantId": pen.variant_gid, "quantity": 5, "attributes": ENGRAVED[:1]},
        {"variantId": pen.variant_gid, "quantity": 6, "attributes": []},
    ]
    cart = (await payload(api, ADD, id=made.gid, lines=lines))["cart"]
    assert quantities(cart) == [9, 7, 5]
    assert cart["lines"]["nodes"][0]["id"] == made.line_gids[0]
    assert await read(api, made.gid) == cart


async def test_quantities_and_attributes_are_set(api: Api) -> None:
    pen, ink = await catalogue.product(), await catalogue.product()
    made = await carts.cart((pen.variant_id, 1), (ink.variant_id, 2))
    lines = [
        {"id": made.line_gids[0], "quantity": 4, "attributes": ENGRAVED},
        {"id": made.line_gids[1], "quantity": 0},
    ]
    cart = (await payload(api, UPDATE, id=made.gid, lines=lines))["cart"]
    (line,) = cart["lines"]["nodes"]
    assert (line["id"], line["quantity"], line["attributes"]) == (made.line_gids[0], 4, ENGRAVED)
    cart = (await payload(api, UPDATE, id=made.gid, lines=[{"id": line["id"], "quantity": 5}]))["cart"]
    assert cart["lines"]["nodes"][0]["attributes"] == ENGRAVED
    without = [{"id": line["id"], "quantity": 5, "attributes": []}]
    cart = (await payload(api, UPDATE, id=made.gid, lines=without))["cart"]
    assert cart["lines"]["nodes"][0]["attributes"] == []
    assert await read(api, made.gid) == cart


async def test_lines_trade_attributes_and_merge(api: Api) -> None:
    pen = await catalogue.product()
    made = await carts.cart((pen.variant_id, 1))
    engraved = [{"variantId": pen.variant_gid, "quantity": 2, "attributes": ENGRAVED}]
    cart = (await payload(api, ADD, id=made.gid, lines=engraved))["cart"]
    first, second = (line["id"] for line in cart["lines"]["nodes"])
    trade = [{"id": first, "quantity": 1, "attributes": ENGRAVED}, {"id": second, "quantity": 2, "attributes": []}]
    cart = (await payload(api, UPDATE, id=made.gid, lines=trade))["cart"]
    assert [bool(line["attributes"]) for line in cart["lines"]["nodes"]] == [True, False]
    assert quantities(cart) == [1, 2]
    alike = [{"id": second, "quantity": 3, "attributes": ENGRAVED}]
    cart = (await payload(api, UPDATE, id=made.gid, lines=alike))["cart"]
    assert [(line["id"], line["quantity"]) for line in cart["lines"]["nodes"]] == [(first, 4)]
    assert await read(api, made.gid) == cart


async def test_lines_are_removed_and_the_cart_is_cleared(api: Api) -> None:
    pen, ink, pad = [await catalogue.product() for _ in range(3)]
    made = await carts.cart((pen.variant_id, 1), (ink.variant_id, 2), (pad.variant_id, 3), email="ada@example.com")
    cart = (await payload(api, REMOVE, id=made.gid, lines=[made.line_gids[1], made.line_gids[1]]))["cart"]
    assert quantities(cart) == [1, 3]
    cart = (await payload(api, CLEAR, id=made.gid))["cart"]
    assert (quantities(cart), cart["buyerIdentity"]["email"]) == ([], "ada@example.com")
    assert await read(api, made.gid) == cart
    # There is nothing left to clear, and nothing is written.
    assert (await payload(api, CLEAR, id=made.gid))["cart"] == cart


async def test_lines_of_another_cart_are_not_there(api: Api) -> None:
    pen = await catalogue.product()
    mine, other = await carts.cart((pen.variant_id, 1)), await carts.cart((pen.variant_id, 1))
    disguised = ids.encode_with_secret("cline", other.line_ids[0], mine.secret)
    update = [{"id": other.line_gids[0], "quantity": 2}, {"id": disguised, "quantity": 2}]
    errors = await refused(api, UPDATE, id=mine.gid, lines=update)
    assert codes(errors) == [("NOT_FOUND", ["lines", "0", "id"]), ("NOT_FOUND", ["lines", "1", "id"])]
    errors = await refused(api, REMOVE, id=mine.gid, lines=[mine.line_gids[0], disguised])
    assert codes(errors) == [("NOT_FOUND", ["lineIds", "1"])]
    errors = await refused(api, REMOVE, id=mine.gid, lines=[pen.variant_gid])
    assert codes(errors) == [("INVALID_ID", ["lineIds", "0"])]


@pytest.mark.parametrize("quantity", [-1, 10_001])
async def test_quantities_have_bounds(api: Api, quantity: int) -> None:
    pen = await catalogue.product(stock=None)
    made = await carts.cart((pen.variant_id, 9_999))
    line = {"id": made.line_gids[0], "quantity": quantity}
    assert codes(await refused(api, UPDATE, id=made.gid, lines=[line])) == [
        ("OUT_OF_RANGE", ["lines", "0", "quantity"])
    ]
    # Together with what is there already it is too much.
    more = {"variantId": pen.variant_gid, "quantity": 2}
    assert codes(await refused(api, ADD, id=made.gid, lines=[more])) == [("OUT_OF_RANGE", ["lines", "0", "quantity"])]


async def test_a_line_is_named_once_in_an_update(api: Api) -> None:
    pen = await catalogue.product()
    made = await carts.cart((pen.variant_id, 1))
    line = {"id": made.line_gids[0], "quantity": 2}
    assert codes(await refused(api, UPDATE, id=made.gid, lines=[line, line])) == [("INVALID", ["lines", "1", "id"])]


async def test_a_cart_has_250_lines_at_most(api: Api) -> None:
    pen = await catalogue.product(stock=None)
    made = await carts.cart()
    lines = [
        {"variantId": pen.variant_gid, "quantity": 1, "attributes": [{"key": "n", "value": str(n)}]} for n in range(251)
    ]
    assert codes(await refused(api, ADD, id=made.gid, lines=lines)) == [("TOO_MANY", ["lines"])]
    cart = (await payload(api, ADD, id=made.gid, lines=lines[:250]))["cart"]
    assert (cart["totalQuantity"], cart["lines"]["totalCount"], len(cart["lines"]["nodes"])) == (250, 250, 100)
    assert codes(await refused(api, ADD, id=made.gid, lines=lines[250:])) == [("TOO_MANY", ["lines"])]


async def test_lines_come_in_pages(api: Api) -> None:
    products = [await catalogue.product() for _ in range(5)]
    made = await carts.cart(*((product.variant_id, n) for n, product in enumerate(products, start=1)))
    document = """query ($id: ID!, $after: String) { cart(id: $id) { totalQuantity
        all: lines { nodes { quantity } }
        lines(first: 2, after: $after) { totalCount edges { cursor node { quantity variant { id } } }
            pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""
    seen, after = [], None
    for more in (True, True, False):
        cart = (await api.ok(document, {"id": made.gid, "after": after}))["cart"]
        assert [line["quantity"] for line in cart["all"]["nodes"]] == [1, 2, 3, 4, 5]
        page = cart["lines"]
        assert (page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]) == (more, bool(after))
        assert page["totalCount"] == 5
        seen += [(edge["node"]["quantity"], edge["node"]["variant"]["id"]) for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == [(n, product.variant_gid) for n, product in enumerate(products, start=1)]


async def test_a_page_that_cannot_be_had_stops_a_mutation_before_it_changes_anything(api: Api) -> None:
    pen = await catalogue.product()
    made = await carts.cart((pen.variant_id, 1))
    for page, code in (("first: 101", "OUT_OF_RANGE"), ('after: "x"', "INVALID")):
        document = f"""mutation ($id: ID!) {{ cartClear(cartId: $id) {{
            cart {{ lines({page}) {{ totalCount }} }} userErrors {{ code field }} }} }}"""
        assert [error["code"] for error in await refused(api, document, id=made.gid)] == [code]
        result = await api.query(
            f"query ($id: ID!) {{ cart(id: $id) {{ lines({page}) {{ totalCount }} }} }}", {"id": made.gid}
        )
        assert result.codes == [code]
    document = """mutation ($id: ID!) { cartClear(cartId: $id) { userErrors { code field } cart { lines { nodes {
        variant { product { variants(first: 101) { totalCount } } } } } } } }"""
    assert [error["code"] for error in await refused(api, document, id=made.gid)] == ["OUT_OF_RANGE"]


# --- stock and what is on sale ----------------------------------------------------------------------------------------


async def test_more_than_there_is_becomes_what_there_is(api: Api) -> None:
    pen = await catalogue.product(stock=3)
    answer = await payload(api, CREATE, input={"lines": [{"variantId": pen.variant_gid, "quantity": 5}]})
    assert quantities(answer["cart"]) == [3]
    (warning,) = answer["warnings"]
    assert (warning["code"], warning["availableQuantity"]) == ("QUANTITY_CLAMPED", 3)
    assert warning["field"] == ["input", "lines", "0", "quantity"]

    await inventory.stock(pen.variant_id, 7)
    line = {"id": answer["cart"]["lines"]["nodes"][0]["id"], "quantity": 9}
    answer = await payload(api, UPDATE, id=answer["cart"]["id"], lines=[line])
    assert quantities(answer["cart"]) == [7]
    (warning,) = answer["warnings"]
    assert (warning["code"], warning["availableQuantity"]) == ("QUANTITY_CLAMPED", 7)
    assert warning["field"] == ["lines", "0", "quantity"]


async def test_where_nothing_is_left_everything_is_refused(api: Api) -> None:
    pen, ink = await catalogue.product(stock=2), await catalogue.product(stock=9)
    made = await carts.cart((pen.variant_id, 2))
    lines = [{"variantId": ink.variant_gid}, {"variantId": pen.variant_gid, "attributes": ENGRAVED}]
    (error,) = await refused(api, ADD, id=made.gid, lines=lines)
    assert (error["__typename"], error["code"]) == ("InsufficientStockError", "INSUFFICIENT_STOCK")
    assert (error["availableQuantity"], error["field"]) == (2, ["lines", "1", "quantity"])


async def test_stock_of_all_warehouses_counts(api: Api) -> None:
    pen = await catalogue.product(stock=2)
    await inventory.stock(pen.variant_id, 3, warehouse_id=await inventory.warehouse())
    made = await carts.cart()
    answer = await payload(api, ADD, id=made.gid, lines=[{"variantId": pen.variant_gid, "quantity": 9}])
    assert quantities(answer["cart"]) == [5]


@pytest.mark.parametrize("terms", [{"stock": None}, {"stock": 0, "inventory_policy": "CONTINUE"}])
async def test_what_sells_without_stock_is_never_clamped(api: Api, terms: dict[str, Any]) -> None:
    download = await catalogue.product(**terms)
    answer = await payload(api, CREATE, input={"lines": [{"variantId": download.variant_gid, "quantity": 500}]})
    assert (quantities(answer["cart"]), answer["warnings"]) == ([500], [])
    assert answer["cart"]["lines"]["nodes"][0]["warnings"] == []


async def test_a_later_shortage_is_shown_and_the_line_stays(api: Api) -> None:
    pen = await catalogue.product(stock=5)
    made = await carts.cart((pen.variant_id, 5))
    await inventory.stock(pen.variant_id, 2)
    cart = await read(api, made.gid)
    assert quantities(cart) == [5]
    (warning,) = cart["lines"]["nodes"][0]["warnings"]
    assert (warning["code"], warning["availableQuantity"]) == ("QUANTITY_UNAVAILABLE", 2)
    await inventory.stock(pen.variant_id, 0)
    (warning,) = (await read(api, made.gid))["lines"]["nodes"][0]["warnings"]
    assert (warning["code"], warning["availableQuantity"]) == ("OUT_OF_STOCK", 0)
    (error,) = await refused(api, UPDATE, id=made.gid, lines=[{"id": made.line_gids[0], "quantity": 1}])
    assert (error["code"], error["availableQuantity"]) == ("INSUFFICIENT_STOCK", 0)
    removed = await payload(api, UPDATE, id=made.gid, lines=[{"id": made.line_gids[0], "quantity": 0}])
    assert quantities(removed["cart"]) == []


@pytest.mark.parametrize(
    "taken_off",
    ["UPDATE products SET status = 'ARCHIVED'", "UPDATE product_variants SET removed_at = clock_timestamp()"],
)
async def test_what_was_taken_off_sale_is_still_shown_and_can_only_go(api: Api, taken_off: str) -> None:
    pen = await catalogue.product(name="Pen")
    made = await carts.cart((pen.variant_id, 1))
    await db.execute(taken_off)
    cart = await read(api, made.gid)
    (line,) = cart["lines"]["nodes"]
    assert (line["variant"]["id"], line["variant"]["product"]["name"]) == (pen.variant_gid, "Pen")
    assert [warning["code"] for warning in line["warnings"]] == ["NOT_FOR_SALE"]
    errors = await refused(api, UPDATE, id=made.gid, lines=[{"id": made.line_gids[0], "quantity": 2}])
    assert codes(errors) == [("PRODUCT_UNAVAILABLE", ["lines", "0", "id"])]
    errors = await refused(api, ADD, id=made.gid, lines=[{"variantId": pen.variant_gid}])
    assert codes(errors) == [("NOT_FOUND", ["lines", "0", "variantId"])]
    assert quantities((await payload(api, REMOVE, id=made.gid, lines=made.line_gids))["cart"]) == []


async def test_prices_are_the_catalogues_of_this_moment(api: Api) -> None:
    pen = await catalogue.product(price_minor=1000)
    made = await carts.cart((pen.variant_id, 3))
    await db.execute("UPDATE product_variants SET price_minor = 1101")
    cart = await read(api, made.gid)
    assert cart["cost"]["total"]["amount"] == cart["lines"]["nodes"][0]["cost"]["total"]["amount"] == "33.03"


async def test_a_total_beyond_64_bits_is_refused(api: Api) -> None:
    yacht = await catalogue.product(price_minor=2**62, stock=None)
    made = await carts.cart((yacht.variant_id, 1))
    errors = await refused(api, ADD, id=made.gid, lines=[{"variantId": yacht.variant_gid}])
    assert [error["code"] for error in errors] == ["TOTAL_TOO_LARGE"]


# --- note, attributes, buyer ------------------------------------------------------------------------------------------


async def test_details_change_only_where_they_are_given(api: Api) -> None:
    made = await carts.cart()
    attributes = [{"key": "source", "value": "kiosk"}]
    await payload(api, DETAILS, id=made.gid, input={"note": "Hello", "attributes": attributes})
    cart = (await payload(api, DETAILS, id=made.gid, input={}))["cart"]
    assert (cart["note"], cart["attributes"]) == ("Hello", attributes)
    cart = (await payload(api, DETAILS, id=made.gid, input={"note": None}))["cart"]
    assert (cart["note"], cart["attributes"]) == (None, attributes)
    cart = (await payload(api, DETAILS, id=made.gid, input={"attributes": None}))["cart"]
    assert (cart["note"], cart["attributes"]) == (None, [])
    assert await read(api, made.gid) == cart


async def test_the_buyer_is_checked_and_kept(api: Api) -> None:
    made = await carts.cart()
    await payload(api, BUYER, id=made.gid, buyer={"email": "ada@example.com", "countryCode": "de"})
    # A national number is read as one of the country that the cart has.
    cart = (await payload(api, BUYER, id=made.gid, buyer={"phone": "030 901820"}))["cart"]
    assert cart["buyerIdentity"] == {"email": "ada@example.com", "phone": "+4930901820", "countryCode": "DE"}
    cart = (await payload(api, BUYER, id=made.gid, buyer={"email": None}))["cart"]
    assert cart["buyerIdentity"] == {"email": None, "phone": "+4930901820", "countryCode": "DE"}
    assert await read(api, made.gid) == cart
    errors = await refused(api, BUYER, id=made.gid, buyer={"email": "a@b\r\nBcc: x@y.test", "countryCode": "ZZ"})
    assert codes(errors) == [
        ("INVALID_COUNTRY", ["buyerIdentity", "countryCode"]),
        ("INVALID_EMAIL", ["buyerIdentity", "email"]),
    ]


async def test_a_country_that_the_shop_does_not_ship_to_is_kept_with_a_warning(api: Api) -> None:
    made = await carts.cart()
    answer = await payload(api, BUYER, id=made.gid, buyer={"countryCode": "BR"})
    assert answer["cart"]["buyerIdentity"]["countryCode"] == "BR"
    assert [(one["code"], one["field"]) for one in answer["warnings"]] == [
        ("COUNTRY_NOT_SERVED", ["buyerIdentity", "countryCode"])
    ]
    answer = await payload(api, CREATE, input={"buyerIdentity": {"countryCode": "BR"}})
    assert [one["field"] for one in answer["warnings"]] == [["input", "buyerIdentity", "countryCode"]]


# --- who may, and when ------------------------------------------------------------------------------------------------


def every_change(cart_id: str, line_id: str, variant_id: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (ADD, {"id": cart_id, "lines": [{"variantId": variant_id}]}),
        (UPDATE, {"id": cart_id, "lines": [{"id": line_id, "quantity": 2}]}),
        (REMOVE, {"id": cart_id, "lines": [line_id]}),
        (CLEAR, {"id": cart_id}),
        (DETAILS, {"id": cart_id, "input": {"note": "x"}}),
        (BUYER, {"id": cart_id, "buyer": {"email": "eve@example.com"}}),
    ]


async def test_without_the_secret_a_cart_is_not_there(api: Api) -> None:
    pen = await catalogue.product()
    made = await carts.cart((pen.variant_id, 1))
    wrong = "A" * len(made.secret)
    cart_id = ids.encode_with_secret("cart", made.id, wrong)
    line_id = ids.encode_with_secret("cline", made.line_ids[0], wrong)
    nowhere = ids.encode_with_secret("cart", uuid.uuid4(), wrong)
    answers = []
    for cart in (cart_id, nowhere):
        changes = every_change(cart, line_id, pen.variant_gid)
        answers.append([await refused(api, document, **variables) for document, variables in changes])
        assert await read(api, cart) is None
        assert (await api.ok(NODE, {"id": cart}))["node"] is None
    assert answers[0] == answers[1]
    assert {tuple(codes(errors)[0][1]) for errors in answers[0]} == {("cartId",)}
    assert {errors[0]["code"] for errors in answers[0]} == {"NOT_FOUND"}
    assert (await api.ok(NODE, {"id": line_id}))["node"] is None
    # The id without its secret is no id.
    bare = ids.encode("cart", made.id)
    assert (await api.query(CART, {"id": bare})).codes == ["INVALID_ID"]
    assert codes(await refused(api, CLEAR, id=bare)) == [("INVALID_ID", ["cartId"])]


async def test_node_finds_carts_and_lines(api: Api) -> None:
    pen = await catalogue.product()
    made = await carts.cart((pen.variant_id, 4))
    assert (await api.ok(NODE, {"id": made.gid}))["node"] == await read(api, made.gid)
    assert (await api.ok(NODE, {"id": made.line_gids[0]}))["node"] == {"id": made.line_gids[0], "quantity": 4}
    document = """query ($ids: [ID!]!) { nodes(ids: $ids) { id
        ... on CartLine { variant { id } cost { total { amount } } } } }"""
    wrong = ids.encode_with_secret("cline", made.line_ids[0], "A" * 22)
    nodes = (await api.ok(document, {"ids": [wrong, made.line_gids[0], made.gid]}))["nodes"]
    assert nodes == [
        None,
        {"id": made.line_gids[0], "variant": {"id": pen.variant_gid}, "cost": {"total": {"amount": "79.96"}}},
        {"id": made.gid},
    ]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("COMPLETED", "CART_COMPLETED"),
        ("PROCESSING", "CHECKOUT_IN_PROGRESS"),
        ("REQUIRES_ACTION", "CHECKOUT_IN_PROGRESS"),
    ],
)
async def test_a_cart_that_is_ordered_or_being_paid_for_cannot_change(api: Api, state: str, code: str) -> None:
    pen = await catalogue.product()
    made = await carts.cart((pen.variant_id, 1))
    if state == "COMPLETED":
        await carts.complete(made.id)
    else:
        await carts.begin_payment(made.id, state)
    for document, variables in every_change(made.gid, made.line_gids[0], pen.variant_gid):
        assert codes(await refused(api, document, **variables)) == [(code, ["cartId"])]
    cart = await read(api, made.gid)
    assert (quantities(cart), cart["state"]) == ([1], "COMPLETED" if state == "COMPLETED" else "OPEN")


async def test_a_cart_outlives_the_key_that_made_its_secret(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import keys
    from app.kit.crypto import KeyRing

    made = await carts.cart()
    monkeypatch.setattr(keys, "keyring", lambda: KeyRing(["another key that was put in front of the ring"]))
    assert (await read(api, made.gid))["id"] == made.gid


async def test_the_secret_is_stored_as_a_hash_only(api: Api) -> None:
    made = await carts.cart()
    row = await db.fetchrow("SELECT row_to_json(c)::text AS text FROM carts c")
    assert row is not None
    assert made.secret not in row["text"]
    assert made.secret.encode().hex() not in row["text"]
