"""Values that are well formed and still beyond what a column, a type or an algorithm holds."""

import base64
from typing import Any

import orjson
import pytest

from app.kit import ids
from tests.client import Api
from tests.factories import catalogue, inventory, shop

LARGEST_INT = 2**31 - 1
ADJUST = """mutation ($input: InventoryAdjustInput!) {
    inventoryAdjust(input: $input) { userErrors { code field } }
}"""
STOCK = """query ($id: ID!) {
    product(id: $id) { variants { nodes { availableForSale availableQuantity stockLevels { available onHand } } } }
}"""
TO_CART = """mutation ($lines: [CartLineInput!]!) {
    cartCreate(input: { lines: $lines }) {
        cart { lines { nodes { quantity variant { availableForSale } } } } warnings { code } userErrors { code }
    }
}"""


def forged(order: str, *values: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([1, order, *values])).rstrip(b"=").decode()


async def test_stock_of_several_warehouses_adds_up_beyond_32_bits(api: Api, staff_token: str) -> None:
    await shop.shop()
    product = await catalogue.product(stock=0)
    second = ids.encode("wh", await inventory.warehouse())
    for warehouse in (None, second):
        given = {"variantId": product.variant_gid, "setTo": LARGEST_INT, "warehouseId": warehouse}
        await api.ok(ADJUST, {"input": given}, token=staff_token)
    seen = await api.ok(STOCK, {"id": product.gid}, token=staff_token)
    (variant,) = seen["product"]["variants"]["nodes"]
    assert variant["availableQuantity"] == LARGEST_INT, "the largest that GraphQL's Int holds"
    bought = await api.ok(TO_CART, {"lines": [{"variantId": product.variant_gid, "quantity": 10_000}]})
    (line,) = bought["cartCreate"]["cart"]["lines"]["nodes"]
    assert line == {"quantity": 10_000, "variant": {"availableForSale": True}}


@pytest.mark.parametrize("values", [["x"], ["a\x00"], [1], [None], [True], [2**63], ["f" * 32, "f" * 32]])
@pytest.mark.parametrize("field", ["deadLetters", "messages"])
async def test_a_forged_cursor_is_refused_or_leads_nowhere(
    api: Api, staff_token: str, field: str, values: list[Any]
) -> None:
    order = {"deadLetters": "dead_letters", "messages": "messages"}[field]
    query = f"query ($after: String) {{ {field}(after: $after) {{ nodes {{ id }} }} }}"
    result = await api.query(query, {"after": forged(order, *values)}, token=staff_token)
    if len(values) == 2:
        assert result.data == {field: {"nodes": []}}
    else:
        assert result.codes == ["INVALID"]
        assert result.errors[0]["extensions"]["field"] == ["after"]


async def test_a_page_of_nothing_still_counts(api: Api, staff_token: str) -> None:
    for field in ("deadLetters", "messages"):
        answer = await api.ok(f"{{ {field}(first: 0) {{ totalCount nodes {{ id }} }} }}", token=staff_token)
        assert answer[field] == {"totalCount": 0, "nodes": []}
