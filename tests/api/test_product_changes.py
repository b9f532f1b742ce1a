"""Staff change products."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app import db, invariants
from tests.api.product_operations import READ, SHIRT, UPDATE, chosen, create, update, variants
from tests.client import Api
from tests.factories import catalogue, inventory, shop


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> AsyncIterator[None]:
    await shop.shop()
    yield
    broken = {violation.name for violation in await invariants.check()}
    assert not broken & {"product_price_range", "variant_has_its_options"}


async def test_what_is_left_out_stays_and_null_empties(api: Api, staff_token: str) -> None:
    made = await create(
        api,
        staff_token,
        **SHIRT,
        vendor="Harbor",
        tags=["a"],
        description="Crisp",
        seo={"title": "T", "description": "D"},
    )
    product = await update(api, staff_token, made, name="Shirt", vendor=None, tags=None, seo={"title": None})
    assert product["vendor"] is None
    assert product["tags"] == []
    assert product["seo"] == {"title": None, "description": "D"}
    changed = {"name", "vendor", "tags", "seo", "updatedAt"}
    assert {key: product[key] for key in product.keys() - changed} == {key: made[key] for key in made.keys() - changed}
    assert product["slug"] == made["slug"] == "oxford-shirt"


async def test_an_update_that_changes_nothing_leaves_no_trace(api: Api, staff_token: str) -> None:
    made = await create(api, staff_token, **SHIRT)
    again = await update(api, staff_token, made, **SHIRT)
    assert again == made
    assert await db.fetchval("SELECT count(*) FROM stock_movements") == 2


async def test_variants_are_known_by_id_or_by_options_and_the_list_is_whole(api: Api, staff_token: str) -> None:
    made = await create(api, staff_token, **SHIRT)
    small, medium, white = variants(made, "id")
    product = await update(
        api,
        staff_token,
        made,
        variants=[
            {"id": medium, "price": "55"},
            {"selectedOptions": chosen(Size="S", Color="Navy"), "stock": 9},
            {"price": "60", "selectedOptions": chosen(Size="S", Color="White")},
        ],
    )
    assert variants(product, "name", "sku", "availableQuantity") == [
        ("M / Navy", "OX-M-N", 4),
        ("S / Navy", "OX-S-N", 9),
        ("S / White", None, 0),
    ]
    assert variants(product, "id")[:2] == [medium, small]
    assert product["priceRange"] == {"min": {"amount": "49.90"}, "max": {"amount": "60.00"}}
    gone = await api.ok("query ($id: ID!) { node(id: $id) { id } }", {"id": white}, token=staff_token)
    assert gone == {"node": None}


async def test_a_variant_that_comes_back_is_the_one_that_left(api: Api, staff_token: str) -> None:
    made = await create(api, staff_token, **SHIRT)
    white = variants(made, "id")[2]
    keep = [{"id": variant} for variant in variants(made, "id")[:2]]
    await update(api, staff_token, made, variants=keep)
    again = {"price": "40", "selectedOptions": chosen(Size="M", Color="White")}
    product = await update(api, staff_token, made, variants=[*keep, again])
    assert variants(product, "id")[2] == white
    assert variants(product, "price")[2] == {"amount": "40.00"}


async def test_two_variants_can_exchange_their_options(api: Api, staff_token: str) -> None:
    made = await create(api, staff_token, **SHIRT)
    small, medium, white = variants(made, "id")
    product = await update(
        api,
        staff_token,
        made,
        variants=[
            {"id": small, "selectedOptions": chosen(Size="M", Color="Navy")},
            {"id": medium, "selectedOptions": chosen(Size="S", Color="Navy")},
            {"id": white},
        ],
    )
    assert variants(product, "name", "sku") == [
        ("M / Navy", "OX-S-N"),
        ("S / Navy", "OX-M-N"),
        ("M / White", "OX-M-W"),
    ]


async def test_options_can_be_renamed_turned_round_and_added(api: Api, staff_token: str) -> None:
    made = await create(api, staff_token, **SHIRT)
    size, color = made["options"]
    product = await update(
        api,
        staff_token,
        made,
        options=[
            {"name": "Color"},
            {"id": size["id"], "name": "Größe", "values": ["S", "M", "L"]},
            {"name": "Fit", "values": ["Slim", "Wide"]},
        ],
    )
    assert [(option["id"], option["name"], option["values"]) for option in product["options"][:2]] == [
        (color["id"], "Color", ["Navy", "White"]),
        (size["id"], "Größe", ["S", "M", "L"]),
    ]
    assert variants(product, "name") == ["Navy / S / Slim", "Navy / M / Slim", "White / M / Slim"]
    assert variants(product, "id") == variants(made, "id")


async def test_the_last_variant_can_give_up_its_options(api: Api, staff_token: str) -> None:
    made = await create(api, staff_token, **SHIRT)
    product = await update(api, staff_token, made, options=[], variants=[{"id": variants(made, "id")[1]}])
    assert product["options"] == []
    assert variants(product, "name", "sku") == [("Oxford shirt", "OX-M-N")]


async def test_images_are_known_by_their_address(api: Api, staff_token: str) -> None:
    made = await create(
        api,
        staff_token,
        name="Vase",
        images=[{"url": "https://cdn.example/1.jpg", "altText": "One"}, {"url": "https://cdn.example/2.jpg"}],
        variants=[{"price": "1", "imageUrl": "https://cdn.example/1.jpg"}],
    )
    turned = [{"url": "https://cdn.example/2.jpg"}, {"url": "https://cdn.example/1.jpg"}]
    product = await update(api, staff_token, made, images=turned)
    assert [image["altText"] for image in product["images"]] == [None, "One"]
    assert variants(product, "image") == [{"url": "https://cdn.example/1.jpg"}]
    product = await update(api, staff_token, made, images=turned[:1])
    assert variants(product, "image") == [{"url": "https://cdn.example/2.jpg"}]
    assert (await update(api, staff_token, made, images=None))["images"] == []


async def test_collections_are_given_whole(api: Api, staff_token: str) -> None:
    ids = [f"coll_{(await catalogue.collection(name=name)).hex}" for name in ("A", "B", "C")]
    made = await create(api, staff_token, name="Vase", collectionIds=ids[:2])
    product = await update(api, staff_token, made, collectionIds=ids[1:])
    assert product["collections"] == {"nodes": [{"name": "B"}, {"name": "C"}]}
    assert (await update(api, staff_token, made, name="Jar"))["collections"] == product["collections"]
    assert (await update(api, staff_token, made, collectionIds=[]))["collections"] == {"nodes": []}


async def test_a_cart_keeps_the_line_of_a_variant_that_was_removed(api: Api, staff_token: str) -> None:
    made = await create(api, staff_token, **SHIRT)
    white = variants(made, "id")[1]
    cart = (
        await api.ok(
            "mutation ($i: CartInput!) { cartCreate(input: $i) { cart { id } userErrors { code } } }",
            {"i": {"lines": [{"variantId": white}]}},
        )
    )["cartCreate"]["cart"]
    await update(api, staff_token, made, variants=[{"id": variants(made, "id")[0]}])
    seen = await api.ok(
        "query ($id: ID!) { cart(id: $id) { lines { nodes { variant { id name availableForSale } } } } }",
        {"id": cart["id"]},
    )
    (line,) = seen["cart"]["lines"]["nodes"]
    assert line["variant"] == {"id": white, "name": "M / Navy", "availableForSale": False}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"slug": "taken"}, ("SLUG_TAKEN", "slug")),
        ({"slug": None}, ("REQUIRED", "slug")),
        ({"options": [{"name": "Size", "values": ["S"]}, {"name": "Color"}]}, ("OPTION_VALUE_IN_USE", "options")),
        ({"options": [{"name": "Color"}]}, ("DUPLICATE_VARIANT", "options")),
        ({"options": [{"id": "opt_" + "0" * 32, "name": "A"}]}, ("NOT_FOUND", "options.0.id")),
        ({"variants": [{"price": "1"}]}, ("REQUIRED", "variants.0.selectedOptions")),
        ({"name": "Other", "collectionIds": ["coll_" + "0" * 32]}, ("NOT_FOUND", "collectionIds.0")),
    ],
)
async def test_a_wrong_change_leaves_the_product_as_it_was(
    api: Api, staff_token: str, given: dict[str, Any], expected: tuple[str, str]
) -> None:
    await catalogue.product(slug="taken")
    made = await create(api, staff_token, **SHIRT)
    refused = await api.refused(UPDATE, {"id": made["id"], "input": given}, token=staff_token)
    assert (refused[0]["code"], ".".join(refused[0]["field"][1:])) == expected
    assert (await api.ok(READ, {"id": made["id"]}, token=staff_token))["product"] == made


async def test_a_variant_of_another_product_is_not_found(api: Api, staff_token: str) -> None:
    mine, other = await create(api, staff_token, name="A"), await create(api, staff_token, name="B")
    given = {"variants": [{"id": variants(other, "id")[0], "price": "1"}]}
    refused = await api.refused(UPDATE, {"id": mine["id"], "input": given}, token=staff_token)
    assert [error["code"] for error in refused] == ["NOT_FOUND"]


async def test_stock_given_with_a_product_leaves_what_is_reserved(api: Api, staff_token: str) -> None:
    made = await catalogue.product(stock=5)
    await inventory.stock(made.variant_id, 5, reserved=2)
    given = {"variants": [{"id": made.variant_gid, "stock": 8}]}
    await api.ok(UPDATE, {"id": made.gid, "input": given}, token=staff_token)
    row = await db.fetchrow("SELECT available, reserved FROM stock_levels")
    assert row is not None
    assert tuple(row.values()) == (8, 2)
