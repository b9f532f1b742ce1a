"""Staff create products."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app import db, invariants
from app.staff.permissions import Permission
from tests.api.product_operations import CREATE, UPDATE, chosen, create, variants
from tests.client import Api
from tests.factories import catalogue, shop, staff


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> AsyncIterator[None]:
    await shop.shop()
    yield
    broken = {violation.name for violation in await invariants.check()}
    assert not broken & {"product_price_range", "variant_has_its_options"}


async def test_a_name_is_enough_for_a_draft_with_one_variant(api: Api, staff_token: str) -> None:
    product = await create(api, staff_token, name="  Café “Noir”,\n250 g ")
    assert product["name"] == "Café “Noir”, 250 g"
    assert product["slug"] == "cafe-noir-250-g"
    assert product["status"] == "DRAFT"
    assert product["options"] == []
    assert variants(product, "name", "selectedOptions", "trackInventory") == [("Café “Noir”, 250 g", [], True)]
    assert product["variants"]["nodes"][0]["price"] == {"amount": "0.00"}


async def test_slugs_made_from_one_name_get_numbers(api: Api, staff_token: str) -> None:
    slugs = [(await create(api, staff_token, name=name))["slug"] for name in ("Sofa", "sofa", "Sofa!", "Sofa 2")]
    assert slugs == ["sofa", "sofa-2", "sofa-3", "sofa-2-2"]


async def test_everything_that_a_product_has_can_be_given(api: Api, staff_token: str) -> None:
    collection_id = await catalogue.collection(name="Sale")
    product = await create(
        api,
        staff_token,
        name="Jacket",
        slug="rain-jacket",
        descriptionHtml='<p onclick="steal()">Dry<script>alert(1)</script></p>',
        vendor="Harbor",
        productType="Jackets",
        tags=["Rain", "rain", " Men "],
        kind="PHYSICAL",
        seo={"title": "Rain jacket", "description": "Stays dry"},
        metadata={"season": ["autumn"]},
        images=[{"url": "/media/a.webp", "altText": "Front", "width": 800, "height": 600}],
        collectionIds=[f"coll_{collection_id.hex}"],
        variants=[
            {
                "price": 120,
                "compareAtPrice": "149.50",
                "cost": "60",
                "sku": "RJ",
                "barcode": "4006381333931",
                "stock": 7,
                "weightGrams": 900,
                "requiresShipping": True,
                "taxable": False,
                "inventoryPolicy": "CONTINUE",
                "imageUrl": "https://cdn.example/b.jpg",
            }
        ],
    )
    assert product["slug"] == "rain-jacket"
    assert (product["description"], product["descriptionHtml"]) == ("Dry", "<p>Dry</p>")
    assert (product["vendor"], product["productType"], product["tags"]) == ("Harbor", "Jackets", ["Rain", "Men"])
    assert product["seo"] == {"title": "Rain jacket", "description": "Stays dry"}
    assert product["metadata"] == {"season": ["autumn"]}
    assert product["images"] == [
        {"url": "http://testserver/media/a.webp", "altText": "Front", "width": 800, "height": 600},
        {"url": "https://cdn.example/b.jpg", "altText": None, "width": None, "height": None},
    ]
    assert product["collections"] == {"nodes": [{"name": "Sale"}]}
    (variant,) = product["variants"]["nodes"]
    del variant["id"]
    assert variant == {
        "sku": "RJ",
        "barcode": "4006381333931",
        "name": "Jacket",
        "price": {"amount": "120.00"},
        "compareAtPrice": {"amount": "149.50"},
        "cost": {"amount": "60.00"},
        "weightGrams": 900,
        "requiresShipping": True,
        "taxable": False,
        "trackInventory": True,
        "inventoryPolicy": "CONTINUE",
        "availableQuantity": 7,
        "selectedOptions": [],
        "image": {"url": "https://cdn.example/b.jpg"},
    }
    movements = await db.fetch("SELECT available_delta, reason FROM stock_movements")
    assert [tuple(row.values()) for row in movements] == [(7, "Set with the product")]


async def test_variants_take_the_spelling_and_the_order_of_the_options(api: Api, staff_token: str) -> None:
    product = await create(
        api,
        staff_token,
        name="Shirt",
        options=[{"name": "Size", "values": ["S", "M"]}, {"name": "Color", "values": ["Navy"]}],
        variants=[
            {"price": "30", "selectedOptions": chosen(color="navy", size="m ")},
            {"price": "20.5", "selectedOptions": chosen(Size="S", Color="NAVY")},
        ],
    )
    assert variants(product, "name") == ["M / Navy", "S / Navy"]
    assert product["priceRange"] == {"min": {"amount": "20.50"}, "max": {"amount": "30.00"}}


async def test_options_that_are_left_out_come_from_the_variants(api: Api, staff_token: str) -> None:
    product = await create(
        api,
        staff_token,
        name="Shirt",
        variants=[{"price": "1", "selectedOptions": chosen(Size=size)} for size in ("S", "L", "M")],
    )
    assert [(option["name"], option["values"]) for option in product["options"]] == [("Size", ["S", "L", "M"])]


@pytest.mark.parametrize(("kind", "expected"), [("PHYSICAL", True), ("DIGITAL", False), ("SERVICE", False)])
async def test_only_things_are_shipped_and_counted_unless_said(
    api: Api, staff_token: str, kind: str, expected: bool
) -> None:
    product = await create(api, staff_token, name="X", kind=kind, variants=[{"price": "1"}])
    assert variants(product, "requiresShipping", "trackInventory") == [(expected, expected)]


async def test_prices_have_the_digits_of_the_shops_currency(api: Api, staff_token: str) -> None:
    await shop.shop(currency="JPY")
    product = await create(api, staff_token, name="Tea", variants=[{"price": "1200"}])
    assert product["priceRange"]["min"] == {"amount": "1200"}
    refused = await api.refused(CREATE, {"input": {"name": "Tea", "variants": [{"price": "12.5"}]}}, token=staff_token)
    assert [(error["code"], error["field"]) for error in refused] == [("INVALID", ["input", "variants", "0", "price"])]


TWO_SIZES = [{"name": "Size", "values": ["S", "M"]}]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": " "}, [("REQUIRED", "name")]),
        ({"name": None}, [("REQUIRED", "name")]),
        ({"name": "x" * 256}, [("TOO_LONG", "name")]),
        ({"name": "a\u0000b"}, [("INVALID", "name")]),
        ({"slug": "Not a slug"}, [("INVALID", "slug")]),
        ({"description": "a", "descriptionHtml": "b"}, [("INVALID", "descriptionHtml")]),
        ({"tags": ["t"] * 251}, [("TOO_MANY", "tags")]),
        ({"metadata": ["no object"]}, [("INVALID", "metadata")]),
        ({"metadata": {"a": "\u0000"}}, [("INVALID", "metadata")]),
        ({"images": [{"url": "javascript:alert(1)"}]}, [("INVALID", "images.0.url")]),
        ({"images": [{"url": "//evil.example/x"}]}, [("INVALID", "images.0.url")]),
        ({"images": [{"url": "/a"}, {"url": "/a"}]}, [("INVALID", "images.1.url")]),
        ({"collectionIds": ["coll_" + "0" * 32]}, [("NOT_FOUND", "collectionIds.0")]),
        ({"collectionIds": ["prod_" + "0" * 32]}, [("INVALID_ID", "collectionIds.0")]),
        ({"options": TWO_SIZES}, [("REQUIRED", "variants")]),
        ({"variants": []}, [("REQUIRED", "variants")]),
        ({"variants": [{}]}, [("REQUIRED", "variants.0.price")]),
        ({"variants": [{"price": None}]}, [("REQUIRED", "variants.0.price")]),
        ({"variants": [{"price": "-1"}]}, [("OUT_OF_RANGE", "variants.0.price")]),
        ({"variants": [{"price": "1.999"}]}, [("INVALID", "variants.0.price")]),
        (
            {"variants": [{"price": "1", "stock": -1, "weightGrams": -5, "compareAtPrice": "-2"}]},
            [
                ("OUT_OF_RANGE", "variants.0.compareAtPrice"),
                ("OUT_OF_RANGE", "variants.0.weightGrams"),
                ("OUT_OF_RANGE", "variants.0.stock"),
            ],
        ),
        ({"variants": [{"price": "1"}, {"price": "2"}]}, [("DUPLICATE_VARIANT", "variants.1")]),
        ({"variants": [{"price": "1", "id": "var_" + "0" * 32}]}, [("NOT_FOUND", "variants.0.id")]),
        ({"variants": [{"price": "1"}] * 2049}, [("TOO_MANY", "variants")]),
        ({"options": [{"name": "A", "values": ["a"]}] * 2}, [("DUPLICATE_OPTION", "options.1.name")]),
        ({"options": [{"name": "A", "values": []}]}, [("REQUIRED", "options.0.values")]),
        ({"options": [{"name": "A", "values": ["a", "A "]}]}, [("DUPLICATE_OPTION_VALUE", "options.0.values.1")]),
        ({"options": [{"name": n, "values": ["a"]} for n in "ABCD"]}, [("TOO_MANY", "options")]),
        (
            {"options": TWO_SIZES, "variants": [{"price": "1", "selectedOptions": chosen(Color="Red")}]},
            [("UNKNOWN_OPTION", "variants.0.selectedOptions.0.name")],
        ),
        (
            {"options": TWO_SIZES, "variants": [{"price": "1", "selectedOptions": chosen(Size="XL")}]},
            [("UNKNOWN_OPTION_VALUE", "variants.0.selectedOptions.0.value")],
        ),
        (
            {"options": TWO_SIZES, "variants": [{"price": "1"}]},
            [("REQUIRED", "variants.0.selectedOptions")],
        ),
        (
            {"options": TWO_SIZES, "variants": [{"price": "1", "selectedOptions": chosen(Size="S")}] * 2},
            [("DUPLICATE_VARIANT", "variants.1")],
        ),
        (
            {"name": "", "slug": "/", "variants": [{"price": "0.001"}]},
            [("REQUIRED", "name"), ("INVALID", "slug"), ("INVALID", "variants.0.price")],
        ),
    ],
)
async def test_a_wrong_product_is_refused_as_a_whole_with_every_reason(
    api: Api, staff_token: str, given: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    refused = await api.refused(CREATE, {"input": {"name": "X", **given}}, token=staff_token)
    assert [(error["code"], ".".join(error["field"][1:])) for error in refused] == expected
    assert {error["field"][0] for error in refused} == {"input"}
    for table in ("products", "product_variants", "product_options", "product_images", "stock_levels"):
        assert await db.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_a_slug_that_is_taken_is_refused(api: Api, staff_token: str) -> None:
    await catalogue.product(slug="sofa")
    refused = await api.refused(CREATE, {"input": {"name": "Sofa", "slug": "sofa"}}, token=staff_token)
    assert [(error["code"], error["field"]) for error in refused] == [("SLUG_TAKEN", ["input", "slug"])]
    assert await db.fetchval("SELECT count(*) FROM products") == 1


async def test_only_staff_with_the_permission_change_products(api: Api) -> None:
    made = await catalogue.product(name="Sofa")
    reader = await staff.signed_in({Permission.PRODUCTS_READ})
    for token, code in ((None, "UNAUTHENTICATED"), (reader, "FORBIDDEN")):
        for document, variables in (
            (CREATE, {"input": {"name": "X"}}),
            (UPDATE, {"id": made.gid, "input": {"name": "X"}}),
        ):
            (error,) = await api.refused(document, variables, token=token)
            assert error["code"] == code
    assert [row["name"] for row in await db.fetch("SELECT name FROM products")] == ["Sofa"]
    (error,) = await api.refused(
        UPDATE,
        {"id": "prod_" + "0" * 32, "input": {}},
        token=await staff.signed_in({Permission.PRODUCTS_WRITE}),
    )
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["id"])
