"""What stands in a cart: lines by variant and attributes, within bounds, in pages."""

import pytest

from app.kit import ids
from tests.api.cart_operations import ADD, CLEAR, ENGRAVED, REMOVE, UPDATE, codes, payload, quantities, read, refused
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue
from tests.factories.shop import shop


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


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
