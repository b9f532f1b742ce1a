"""Staff name collections and arrange their products."""

from typing import Any

import pytest

from app import db
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import catalogue, shop, staff
from tests.factories.catalogue import MadeProduct

FIELDS = """
    id slug name description descriptionHtml isPublished image { url altText } seo { title description }
    products { nodes { id } }
"""
ANSWER = f"collection {{ {FIELDS} }} userErrors {{ code field }}"
CREATE = f"mutation ($input: CollectionInput!) {{ collectionCreate(input: $input) {{ {ANSWER} }} }}"
UPDATE = f"mutation ($id: ID!, $input: CollectionInput!) {{ collectionUpdate(id: $id, input: $input) {{ {ANSWER} }} }}"
DELETE = "mutation ($id: ID!) { collectionDelete(id: $id) { deletedId userErrors { code field } } }"
ADD = f"mutation ($id: ID!, $ids: [ID!]!) {{ collectionProductsAdd(id: $id, productIds: $ids) {{ {ANSWER} }} }}"
REMOVE = f"mutation ($id: ID!, $ids: [ID!]!) {{ collectionProductsRemove(id: $id, productIds: $ids) {{ {ANSWER} }} }}"
REORDER = f"""
    mutation ($id: ID!, $moves: [CollectionMoveInput!]!) {{
      collectionProductsReorder(id: $id, moves: $moves) {{ {ANSWER} }}
    }}
"""


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop.shop()


async def arranged(*products: MadeProduct) -> str:
    return f"coll_{(await catalogue.collection(products=products)).hex}"


def product_ids(answer: dict[str, Any]) -> list[str]:
    (payload,) = answer.values()
    return [node["id"] for node in payload["collection"]["products"]["nodes"]]


async def test_a_collection_is_made_changed_and_deleted(api: Api, staff_token: str) -> None:
    given = {
        "name": "Summer sale",
        "descriptionHtml": "<p>Hot<script>x</script></p>",
        "image": {"url": "/media/sale.webp", "altText": "Sun"},
        "seo": {"title": "Sale"},
        "isPublished": False,
    }
    made = (await api.ok(CREATE, {"input": given}, token=staff_token))["collectionCreate"]["collection"]
    assert made == {
        "id": made["id"],
        "slug": "summer-sale",
        "name": "Summer sale",
        "description": "Hot",
        "descriptionHtml": "<p>Hot</p>",
        "isPublished": False,
        "image": {"url": "http://testserver/media/sale.webp", "altText": "Sun"},
        "seo": {"title": "Sale", "description": None},
        "products": {"nodes": []},
    }
    changes = {"name": "Sale", "isPublished": True, "image": None}
    sent = {"id": made["id"], "input": changes}
    changed = (await api.ok(UPDATE, sent, token=staff_token))["collectionUpdate"]["collection"]
    assert changed == {**made, **changes}
    assert (await api.ok('{ collection(slug: "summer-sale") { name } }'))["collection"] == {"name": "Sale"}

    product = await catalogue.product()
    await api.ok(ADD, {"id": made["id"], "ids": [product.gid]}, token=staff_token)
    deleted = await api.ok(DELETE, {"id": made["id"]}, token=staff_token)
    assert deleted["collectionDelete"]["deletedId"] == made["id"]
    assert await db.fetchval("SELECT count(*) FROM collections") == 0
    assert await db.fetchval("SELECT count(*) FROM products") == 1
    (error,) = await api.refused(DELETE, {"id": made["id"]}, token=staff_token)
    assert error == {"code": "NOT_FOUND", "field": ["id"]}


async def test_new_collections_come_last_and_get_slugs_of_their_own(api: Api, staff_token: str) -> None:
    for name in ("Sale", "sale", "New"):
        await api.ok(CREATE, {"input": {"name": name}}, token=staff_token)
    listed = await api.ok("{ collections { nodes { name slug } } }")
    assert [(node["name"], node["slug"]) for node in listed["collections"]["nodes"]] == [
        ("Sale", "sale"),
        ("sale", "sale-2"),
        ("New", "new"),
    ]


async def test_products_are_added_at_the_end_once_and_removed(api: Api, staff_token: str) -> None:
    a, b, c = [await catalogue.product() for _ in range(3)]
    collection = await arranged(a)
    added = await api.ok(ADD, {"id": collection, "ids": [c.gid, a.gid, b.gid, c.gid]}, token=staff_token)
    assert product_ids(added) == [a.gid, c.gid, b.gid]
    removed = await api.ok(REMOVE, {"id": collection, "ids": [a.gid, "prod_" + "0" * 32]}, token=staff_token)
    assert product_ids(removed) == [c.gid, b.gid]


async def test_products_are_moved_one_after_the_other(api: Api, staff_token: str) -> None:
    a, b, c, d = [await catalogue.product() for _ in range(4)]
    collection = await arranged(a, b, c, d)
    moves = [{"productId": d.gid, "position": 1}, {"productId": a.gid, "position": 99}]
    moved = await api.ok(REORDER, {"id": collection, "moves": moves}, token=staff_token)
    assert product_ids(moved) == [d.gid, b.gid, c.gid, a.gid]


async def test_wrong_changes_leave_a_collection_as_it_was(api: Api, staff_token: str) -> None:
    a, b = await catalogue.product(), await catalogue.product()
    collection = await arranged(a, b)
    await catalogue.collection(slug="taken")
    nobody = "prod_" + "0" * 32
    for document, variables, expected in [
        (ADD, {"id": collection, "ids": [nobody]}, ("NOT_FOUND", ["productIds", "0"])),
        (ADD, {"id": collection, "ids": [a.variant_gid]}, ("INVALID_ID", ["productIds", "0"])),
        (ADD, {"id": collection, "ids": [a.gid] * 251}, ("TOO_MANY", ["productIds"])),
        (ADD, {"id": "coll_" + "0" * 32, "ids": [a.gid]}, ("NOT_FOUND", ["id"])),
        (
            REORDER,
            {"id": collection, "moves": [{"productId": a.gid, "position": 0}]},
            ("OUT_OF_RANGE", ["moves", "0", "position"]),
        ),
        (
            REORDER,
            {"id": collection, "moves": [{"productId": b.gid, "position": 1}, {"productId": nobody, "position": 1}]},
            ("NOT_FOUND", ["moves", "1", "productId"]),
        ),
        (UPDATE, {"id": collection, "input": {"slug": "taken"}}, ("SLUG_TAKEN", ["input", "slug"])),
        (UPDATE, {"id": collection, "input": {"name": ""}}, ("REQUIRED", ["input", "name"])),
        (CREATE, {"input": {"name": "X", "slug": "taken"}}, ("SLUG_TAKEN", ["input", "slug"])),
        (CREATE, {"input": {}}, ("REQUIRED", ["input", "name"])),
    ]:
        (error,) = await api.refused(document, variables, token=staff_token)
        assert (error["code"], error["field"]) == expected
    seen = await api.ok("query ($id: ID!) { collection(id: $id) { products { nodes { id } } } }", {"id": collection})
    assert [node["id"] for node in seen["collection"]["products"]["nodes"]] == [a.gid, b.gid]
    assert await db.fetchval("SELECT count(*) FROM collections") == 2


async def test_only_staff_with_the_permission_change_collections(api: Api) -> None:
    product = await catalogue.product()
    collection = await arranged(product)
    reader = await staff.signed_in({Permission.PRODUCTS_READ})
    for document, variables in [
        (CREATE, {"input": {"name": "X"}}),
        (UPDATE, {"id": collection, "input": {"name": "X"}}),
        (DELETE, {"id": collection}),
        (REMOVE, {"id": collection, "ids": [product.gid]}),
        (REORDER, {"id": collection, "moves": []}),
        (ADD, {"id": collection, "ids": []}),
    ]:
        for token, code in ((None, "UNAUTHENTICATED"), (reader, "FORBIDDEN")):
            (error,) = await api.refused(document, variables, token=token)
            assert error["code"] == code
    assert await db.fetchval("SELECT count(*) FROM collection_products") == 1
