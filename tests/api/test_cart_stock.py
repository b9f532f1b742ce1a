"""Stock, prices and what is on sale, at the moment at which they are asked for."""

from typing import Any

import pytest

from app import db
from tests.api.cart_operations import ADD, CREATE, ENGRAVED, REMOVE, UPDATE, codes, payload, quantities, read, refused
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, inventory
from tests.factories.shop import shop


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


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


async def test_a_variant_that_never_had_stock_cannot_be_put_into_a_cart(api: Api) -> None:
    made = await catalogue.product(stock=None, track_inventory=True)
    (error,) = await api.refused(
        """
        mutation ($id: ID!) {
          cartCreate(input: { lines: [{ variantId: $id }] }) {
            userErrors { code ... on InsufficientStockError { availableQuantity } }
          }
        }
        """,
        {"id": made.variant_gid},
    )
    assert error == {"code": "INSUFFICIENT_STOCK", "availableQuantity": 0}
