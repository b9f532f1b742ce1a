"""Staff create and change products."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app import db, invariants
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import catalogue, inventory, shop, staff

FIELDS = """
    id slug name status kind description descriptionHtml vendor productType tags metadata updatedAt
    seo { title description }
    options { id name values }
    images { url altText width height }
    priceRange { min { amount } max { amount } }
    variants(first: 100) {
      nodes {
        id sku barcode name price { amount } compareAtPrice { amount } cost { amount } weightGrams requiresShipping
        taxable trackInventory inventoryPolicy availableQuantity selectedOptions { name value } image { url }
      }
    }
    collections { nodes { name } }
"""
CREATE = f"""
    mutation ($input: ProductInput!) {{
      productCreate(input: $input) {{ product {{ {FIELDS} }} userErrors {{ code field message }} }}
    }}
"""
UPDATE = f"""
    mutation ($id: ID!, $input: ProductInput!) {{
      productUpdate(id: $id, input: $input) {{ product {{ {FIELDS} }} userErrors {{ code field message }} }}
    }}
"""
READ = f"query ($id: ID!) {{ product(id: $id) {{ {FIELDS} }} }}"


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> AsyncIterator[None]:
    await shop.shop()
    yield
    broken = {violation.name for violation in await invariants.check()}
    assert not broken & {"product_price_range", "variant_has_its_options"}


def chosen(**options: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in options.items()]


SHIRT = {
    "name": "Oxford shirt",
    "status": "ACTIVE",
    "options": [{"name": "Size", "values": ["S", "M"]}, {"name": "Color", "values": ["Navy", "White"]}],
    "variants": [
        {"price": "49.90", "sku": "OX-S-N", "stock": 3, "selectedOptions": chosen(Size="S", Color="Navy")},
        {"price": "49.90", "sku": "OX-M-N", "stock": 4, "selectedOptions": chosen(Size="M", Color="Navy")},
        {"price": "45", "sku": "OX-M-W", "stock": 0, "selectedOptions": chosen(Color="White", Size="M")},
    ],
}


async def create(api: Api, token: str, **given: Any) -> dict[str, Any]:
    product: dict[str, Any] = (await api.ok(CREATE, {"input": given}, token=token))["productCreate"]["product"]
    return product


async def update(api: Api, token: str, product: dict[str, Any], **given: Any) -> dict[str, Any]:
    sent = {"id": product["id"], "input": given}
    changed: dict[str, Any] = (await api.ok(UPDATE, sent, token=token))["productUpdate"]["product"]
    return changed


def variants(product: dict[str, Any], *names: str) -> list[Any]:
    nodes = product["variants"]["nodes"]
    return [node[names[0]] if len(names) == 1 else tuple(node[name] for name in names) for node in nodes]


# --- creating ---------------------------------------------------------------------------------------------------------


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


# --- changing ---------------------------------------------------------------------------------------------------------


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


# --- refusing ---------------------------------------------------------------------------------------------------------

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


async def test_a_slug_that_is_taken_is_refused(api: Api, staff_token: str) -> None:
    await catalogue.product(slug="sofa")
    refused = await api.refused(CREATE, {"input": {"name": "Sofa", "slug": "sofa"}}, token=staff_token)
    assert [(error["code"], error["field"]) for error in refused] == [("SLUG_TAKEN", ["input", "slug"])]
    assert await db.fetchval("SELECT count(*) FROM products") == 1


async def test_a_variant_of_another_product_is_not_found(api: Api, staff_token: str) -> None:
    mine, other = await create(api, staff_token, name="A"), await create(api, staff_token, name="B")
    given = {"variants": [{"id": variants(other, "id")[0], "price": "1"}]}
    refused = await api.refused(UPDATE, {"id": mine["id"], "input": given}, token=staff_token)
    assert [error["code"] for error in refused] == ["NOT_FOUND"]


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


async def test_stock_given_with_a_product_leaves_what_is_reserved(api: Api, staff_token: str) -> None:
    made = await catalogue.product(stock=5)
    await inventory.stock(made.variant_id, 5, reserved=2)
    given = {"variants": [{"id": made.variant_gid, "stock": 8}]}
    await api.ok(UPDATE, {"id": made.gid, "input": given}, token=staff_token)
    row = await db.fetchrow("SELECT available, reserved FROM stock_levels")
    assert row is not None
    assert tuple(row.values()) == (8, 2)
