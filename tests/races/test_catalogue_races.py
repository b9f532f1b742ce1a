"""Staff at work at the same time: nothing is lost, nothing is sold twice, nobody waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import catalogue, inventory, shop
from tests.patience import patience

ADJUST = "mutation ($i: InventoryAdjustInput!) { inventoryAdjust(input: $i) { userErrors { code } } }"
CREATE = "mutation ($i: ProductInput!) { productCreate(input: $i) { product { slug } userErrors { code } } }"
UPDATE = "mutation ($id: ID!, $i: ProductInput!) { productUpdate(id: $id, input: $i) { userErrors { code } } }"


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> AsyncIterator[None]:
    await shop.shop()
    yield
    assert await invariants.check() == []


async def all_at_once(api: Api, token: str, document: str, *variables: dict[str, Any]) -> list[Any]:
    """The payloads, in the order of the variables."""
    results = await asyncio.gather(*(api.query(document, each, token=token) for each in variables))
    payloads = []
    for result in results:
        assert not result.errors, result.errors
        assert result.data is not None
        payloads.extend(result.data.values())
    return payloads


async def test_fifty_deltas_at_once_add_up(api: Api, staff_token: str) -> None:
    made = await catalogue.product(stock=3)
    deltas = [1, 2] * 25
    payloads = await all_at_once(
        api, staff_token, ADJUST, *({"i": {"variantId": made.variant_gid, "delta": delta}} for delta in deltas)
    )
    assert all(payload["userErrors"] == [] for payload in payloads)
    assert await inventory.available(made.variant_id) == 3 + sum(deltas)
    assert await db.fetchval("SELECT sum(available_delta) FROM stock_movements") == 3 + sum(deltas)


async def test_fifty_takers_of_twenty_units_get_twenty(api: Api, staff_token: str) -> None:
    made = await catalogue.product(stock=20)
    payloads = await all_at_once(api, staff_token, ADJUST, *[{"i": {"variantId": made.variant_gid, "delta": -1}}] * 50)
    codes = [error["code"] for payload in payloads for error in payload["userErrors"]]
    assert codes == ["INSUFFICIENT_STOCK"] * 30
    assert await inventory.available(made.variant_id) == 0
    assert await db.fetchval("SELECT count(*) FROM stock_movements WHERE available_delta = -1") == 20


async def test_the_first_level_of_a_variant_is_opened_once(api: Api, staff_token: str) -> None:
    made = await catalogue.product(stock=None)
    payloads = await all_at_once(api, staff_token, ADJUST, *[{"i": {"variantId": made.variant_gid, "delta": 1}}] * 10)
    assert all(payload["userErrors"] == [] for payload in payloads)
    assert [row["available"] for row in await db.fetch("SELECT available FROM stock_levels")] == [10]


async def test_changes_of_one_product_by_several_lose_nothing(api: Api, staff_token: str) -> None:
    made = await catalogue.product(options={"Size": ["S", "M"]})
    collection_id = await catalogue.collection()
    changes: list[dict[str, Any]] = [
        {"name": "New name"},
        {"vendor": "Harbor"},
        {"tags": ["a", "b"]},
        {"images": [{"url": "https://cdn.example/1.jpg"}]},
        {"variants": [{"id": gid, "price": "5"} for gid in made.variant_gids]},
        {"options": [{"name": "Size", "values": ["S", "M", "L"]}]},
        {"collectionIds": [f"coll_{collection_id.hex}"]},
        {"seo": {"title": "Title"}},
    ]
    payloads = await all_at_once(api, staff_token, UPDATE, *({"id": made.gid, "i": change} for change in changes))
    assert all(payload["userErrors"] == [] for payload in payloads)
    seen = await api.ok(
        """
        query ($id: ID!) {
          product(id: $id) {
            name vendor tags seo { title } images { url } options { values } priceRange { max { amount } }
            collections { totalCount } variants { totalCount }
          }
        }
        """,
        {"id": made.gid},
    )
    assert seen["product"] == {
        "name": "New name",
        "vendor": "Harbor",
        "tags": ["a", "b"],
        "seo": {"title": "Title"},
        "images": [{"url": "https://cdn.example/1.jpg"}],
        "options": [{"values": ["S", "M", "L"]}],
        "priceRange": {"max": {"amount": "5.00"}},
        "collections": {"totalCount": 1},
        "variants": {"totalCount": 2},
    }


async def test_products_of_one_name_made_at_once_get_slugs_of_their_own(api: Api, staff_token: str) -> None:
    payloads = await all_at_once(api, staff_token, CREATE, *[{"i": {"name": "Sofa"}}] * 8)
    slugs = {payload["product"]["slug"] for payload in payloads}
    assert slugs == {"sofa", *(f"sofa-{number}" for number in range(2, 9))}


async def test_one_of_several_gets_a_slug_that_all_want(api: Api, staff_token: str) -> None:
    made = [await catalogue.product() for _ in range(6)]
    wanted = {"slug": "the-one"}
    payloads = await all_at_once(api, staff_token, UPDATE, *({"id": each.gid, "i": wanted} for each in made))
    codes = [error["code"] for payload in payloads for error in payload["userErrors"]]
    assert codes == ["SLUG_TAKEN"] * 5
    assert await db.fetchval("SELECT count(*) FROM products WHERE slug = 'the-one'") == 1


async def test_products_put_into_collections_from_both_sides_do_not_block_each_other(
    api: Api, staff_token: str
) -> None:
    products = [await catalogue.product() for _ in range(4)]
    collections = [f"coll_{(await catalogue.collection()).hex}" for _ in range(4)]
    add = """
        mutation ($id: ID!, $ids: [ID!]!) { collectionProductsAdd(id: $id, productIds: $ids) { userErrors { code } } }
    """
    from_collections = all_at_once(
        api, staff_token, add, *({"id": each, "ids": [made.gid for made in products]} for each in collections)
    )
    from_products = all_at_once(
        api, staff_token, UPDATE, *({"id": made.gid, "i": {"collectionIds": collections[::-1]}} for made in products)
    )
    async with asyncio.timeout(patience(5)):
        for payloads in await asyncio.gather(from_collections, from_products):
            assert all(payload["userErrors"] == [] for payload in payloads)
    assert await db.fetchval("SELECT count(*) FROM collection_products") == 16


async def test_the_default_warehouse_moves_once_at_a_time(api: Api, staff_token: str) -> None:
    made = [f"wh_{(await inventory.warehouse(code=f'W{number}')).hex}" for number in range(5)]
    update = """
        mutation ($id: ID!) { warehouseUpdate(id: $id, input: { isDefault: true }) { userErrors { code } } }
    """
    payloads = await all_at_once(api, staff_token, update, *({"id": warehouse_id} for warehouse_id in made))
    assert all(payload["userErrors"] == [] for payload in payloads)
    assert await db.fetchval("SELECT count(*) FROM warehouses WHERE is_default") == 1
