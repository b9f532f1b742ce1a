"""Walking lists: page by page, forward and backward, the pages make up the list, however many entries are alike."""

import uuid
from typing import Any

import pytest

from app import db
from app.kit.pagination import encode_cursor
from tests.client import Api
from tests.factories import catalogue, shop

WALK = """
    query ($first: Int, $after: String, $last: Int, $before: String, $sortKey: ProductSortKey, $reverse: Boolean) {
      products(
        first: $first, after: $after, last: $last, before: $before, sortKey: $sortKey, reverse: $reverse
      ) {
        totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { id } }
      }
    }
"""


async def walk(
    api: Api, document: str, path: list[str], size: int, variables: dict[str, Any], *, back: bool
) -> list[str]:
    """The ids on all pages in reading order; checks what each page says of its neighbours."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = {"last": size, "before": cursor} if back else {"first": size, "after": cursor}
        connection: Any = await api.ok(document, {**variables, **page})
        for name in path:
            connection = connection[name]
        info = connection["pageInfo"]
        ids = [edge["node"]["id"] for edge in connection["edges"]]
        assert info["startCursor"] == connection["edges"][0]["cursor"]
        assert info["endCursor"] == connection["edges"][-1]["cursor"]
        assert info["hasNextPage" if back else "hasPreviousPage"] == (cursor is not None)
        found = [*ids, *found] if back else [*found, *ids]
        if not info["hasPreviousPage" if back else "hasNextPage"]:
            assert len(found) == connection["totalCount"]
            return found
        assert len(ids) == size
        cursor = info["startCursor" if back else "endCursor"]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("sort_key", ["CREATED_AT", "UPDATED_AT", "NAME", "PRICE"])
async def test_pages_make_up_the_list_in_every_order(api: Api, sort_key: str, reverse: bool) -> None:
    await shop.shop()
    names = ["apple", "Apple", "Zebra", "äpfel", 'with "quotes"']
    made = [await catalogue.product(name=names[number % 5], price_minor=1000 * (number % 3)) for number in range(17)]
    await db.execute("UPDATE products SET created_at = date_trunc('day', created_at), updated_at = created_at")
    rows = await db.fetch("SELECT id, lower(name) AS name, min_price_minor, created_at, updated_at FROM products")
    column = {"PRICE": "min_price_minor", "NAME": "name"}.get(sort_key, sort_key.lower())
    expected = [
        f"prod_{row['id'].hex}" for row in sorted(rows, key=lambda row: (row[column], row["id"].hex), reverse=reverse)
    ]
    assert len(expected) == len(made)

    variables = {"sortKey": sort_key, "reverse": reverse}
    for size in (1, 4, 17):
        assert await walk(api, WALK, ["products"], size, variables, back=False) == expected
    assert await walk(api, WALK, ["products"], 5, variables, back=True) == expected


async def test_a_cursor_holds_its_place_while_products_come_and_go(api: Api) -> None:
    await shop.shop()
    made = [await catalogue.product() for _ in range(4)]
    first = (await api.ok(WALK, {"first": 2}))["products"]
    await db.execute("UPDATE products SET status = 'ARCHIVED' WHERE id = $1", made[1].id)
    new = await catalogue.product()
    rest = (await api.ok(WALK, {"first": 10, "after": first["pageInfo"]["endCursor"]}))["products"]
    assert [edge["node"]["id"] for edge in rest["edges"]] == [made[2].gid, made[3].gid, new.gid]


async def test_a_cursor_works_only_for_the_order_that_it_was_made_for(api: Api) -> None:
    await shop.shop()
    for _ in range(3):
        await catalogue.product()
    cursor = (await api.ok(WALK, {"first": 1, "sortKey": "PRICE"}))["products"]["pageInfo"]["endCursor"]
    for variables in ({"sortKey": "NAME"}, {"sortKey": "PRICE", "reverse": True}, {}):
        result = await api.query(WALK, {"first": 1, "after": cursor, **variables})
        assert result.codes == ["INVALID"]
        assert result.errors[0]["extensions"]["field"] == ["after"]


async def test_a_cursor_with_forged_values_is_refused(api: Api) -> None:
    await shop.shop()
    row_id = uuid.uuid4().hex
    forged = {
        "CREATED_AT": [
            ["yesterday", row_id],
            ["2026-01-01T00:00:00", row_id],
            ["0001-01-01T00:00:00+14:00", row_id],
            [5, row_id],
        ],
        "NAME": [["a\x00b", row_id], [7, row_id], ["a", "no-uuid"]],
        "PRICE": [[2**63, row_id], ["12", row_id], [None, row_id], [1, row_id, 2]],
    }
    for sort_key, cursors in forged.items():
        for values in cursors:
            cursor = encode_cursor(values, sort_key.lower())
            result = await api.query(WALK, {"first": 1, "after": cursor, "sortKey": sort_key})
            assert result.codes == ["INVALID"], (sort_key, values)
    beyond = encode_cursor([2**31, row_id], "collections")
    assert (await api.query("query ($c: String) { collections(after: $c) { nodes { id } } }", {"c": beyond})).codes == [
        "INVALID"
    ]


VARIANTS = """
    query ($slug: String!, $first: Int, $after: String, $last: Int, $before: String) {
      product(slug: $slug) {
        variants(first: $first, after: $after, last: $last, before: $before) {
          totalCount
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
          edges { cursor node { id name availableQuantity selectedOptions { name value } } }
        }
      }
    }
"""


async def test_two_thousand_variants_are_paged_through(api: Api) -> None:
    await shop.shop()
    made = await catalogue.product_with_many_variants(2000)
    variables = {"slug": made.slug}
    rows = await db.fetch("SELECT id FROM product_variants WHERE product_id = $1 ORDER BY position", made.id)
    expected = [f"var_{row['id'].hex}" for row in rows]
    assert await walk(api, VARIANTS, ["product", "variants"], 100, variables, back=False) == expected
    assert await walk(api, VARIANTS, ["product", "variants"], 100, variables, back=True) == expected

    with db.counted_statements() as statements:
        page = await api.ok(VARIANTS, {**variables, "first": 100})
    assert len(statements) == 1
    last = page["product"]["variants"]["edges"][-1]["node"]
    assert last["name"] == "100"
    assert last["availableQuantity"] == 1
    assert last["selectedOptions"] == [{"name": "Number", "value": "100"}]


COLLECTION = """
    query (
      $id: ID!, $first: Int, $after: String, $last: Int, $before: String, $sortKey: ProductSortKey, $reverse: Boolean
    ) {
      collection(id: $id) {
        products(
          first: $first, after: $after, last: $last, before: $before, sortKey: $sortKey, reverse: $reverse
        ) {
          totalCount
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
          edges { cursor node { id } }
        }
      }
    }
"""


async def test_a_collection_is_walked_as_it_was_arranged_or_in_another_order(api: Api) -> None:
    await shop.shop()
    made = [await catalogue.product(price_minor=100 * (number % 4)) for number in range(9)]
    arranged = [made[number] for number in (4, 2, 8, 0, 1, 7, 3, 6, 5)]
    variables = {"id": f"coll_{(await catalogue.collection(products=arranged)).hex}"}
    expected = [product.gid for product in arranged]
    path = ["collection", "products"]
    for reverse, ids in ((False, expected), (True, expected[::-1])):
        for back in (False, True):
            assert await walk(api, COLLECTION, path, 4, {**variables, "reverse": reverse}, back=back) == ids

    by_price = [made[number].gid for number in sorted(range(9), key=lambda number: (number % 4, made[number].id.hex))]
    assert await walk(api, COLLECTION, path, 2, {**variables, "sortKey": "PRICE"}, back=False) == by_price


async def test_collections_are_listed_in_their_order(api: Api) -> None:
    await shop.shop()
    ids = [await catalogue.collection(position=position) for position in (2, 1, 2, 0)]
    document = """
        query ($first: Int, $after: String, $last: Int, $before: String) {
          collections(first: $first, after: $after, last: $last, before: $before) {
            totalCount
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
            edges { cursor node { id } }
          }
        }
    """
    expected = [f"coll_{ids[number].hex}" for number in (3, 1, 0, 2)]
    for back in (False, True):
        assert await walk(api, document, ["collections"], 3, {}, back=back) == expected
