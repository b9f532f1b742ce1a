"""Terms that products are sold on: staff set them, storefronts see them."""

from typing import Any

from app import db
from tests.client import Api
from tests.factories import catalogue, inventory, shop

UPDATE = """mutation ($id: ID!, $input: ProductTermsInput!) {
    productTermsUpdate(productId: $id, input: $input) {
        product { minimumAge allowedRegions }
        userErrors { code field }
    }
}"""
READ = """query ($id: ID!) { product(id: $id) {
    customizations { key label type required price { amount currencyCode } maxLength minimum maximum
                     choices { value label price { amount } } }
    quantityRule { minimum maximum multipleOf } minimumAge allowedRegions forbiddenRegions
    variants { nodes { availability { status expectedAt } availableFrom restockExpectedAt } }
} }"""
ENGRAVING = {"key": "engraving", "label": "Engraving", "type": "TEXT", "price": "9.00", "maxLength": 12}
WOOD = {
    "key": "wood",
    "label": "Wood",
    "type": "CHOICE",
    "required": True,
    "choices": [{"value": "oak"}, {"value": "walnut", "label": "Walnut", "price": "25.50"}],
}


async def update(api: Api, token: str, gid: str, given: dict[str, Any]) -> dict[str, Any]:
    found = (await api.query(UPDATE, {"id": gid, "input": given}, token=token)).data or {}
    payload: dict[str, Any] = found["productTermsUpdate"]
    return payload


async def test_staff_set_terms_and_shoppers_see_them(api: Api, staff_token: str) -> None:
    await shop.shop()
    product = await catalogue.product()
    bare = (await api.ok(READ, {"id": product.gid}))["product"]
    assert (bare["customizations"], bare["quantityRule"], bare["minimumAge"]) == ([], None, None)

    given = {
        "customizations": [ENGRAVING, WOOD],
        "minimumQuantity": 6,
        "quantityStep": 6,
        "minimumAge": 18,
        "allowedRegions": ["us", "CA-qc"],
        "forbiddenRegions": ["US-Utah"],
    }
    payload = await update(api, staff_token, product.gid, given)
    assert payload["userErrors"] == []
    assert payload["product"] == {"minimumAge": 18, "allowedRegions": ["CA-QC", "US"]}
    await update(api, staff_token, product.gid, {"minimumAge": None})

    seen = (await api.ok(READ, {"id": product.gid}))["product"]
    assert seen["quantityRule"] == {"minimum": 6, "maximum": None, "multipleOf": 6}
    assert (seen["minimumAge"], seen["allowedRegions"], seen["forbiddenRegions"]) == (None, ["CA-QC", "US"], ["US-UT"])
    engraving, wood = seen["customizations"]
    assert (engraving["type"], engraving["price"], engraving["maxLength"], engraving["required"]) == (
        "TEXT",
        {"amount": "9.00", "currencyCode": "USD"},
        12,
        False,
    )
    assert [(one["value"], one["label"], one["price"]["amount"]) for one in wood["choices"]] == [
        ("oak", "oak", "0.00"),
        ("walnut", "Walnut", "25.50"),
    ]


async def test_terms_that_contradict_themselves_change_nothing(api: Api, staff_token: str) -> None:
    await shop.shop()
    product = await catalogue.product()
    await update(api, staff_token, product.gid, {"minimumAge": 16})
    wrong = {
        "customizations": [
            ENGRAVING,
            {**ENGRAVING, "price": "9.005"},
            {**WOOD, "key": "wood", "choices": []},
            {"key": "bad key", "label": " ", "type": "NUMBER", "minimum": "9", "maximum": "1"},
        ],
        "minimumQuantity": 5,
        "quantityStep": 4,
        "maximumQuantity": 7,
        "minimumAge": 200,
        "allowedRegions": ["US-XX", "Narnia"],
    }
    payload = await update(api, staff_token, product.gid, wrong)
    assert {tuple(error["field"]) for error in payload["userErrors"]} == {
        ("input", "customizations", "1", "key"),
        ("input", "customizations", "1", "price"),
        ("input", "customizations", "2", "choices"),
        ("input", "customizations", "3", "key"),
        ("input", "customizations", "3", "label"),
        ("input", "customizations", "3", "maximum"),
        ("input", "maximumQuantity"),
        ("input", "minimumAge"),
        ("input", "allowedRegions", "0"),
        ("input", "allowedRegions", "1"),
    }
    row = await db.fetchrow("SELECT minimum_age, minimum_quantity, customizations FROM product_terms")
    assert row is not None
    assert dict(row) == {"minimum_age": 16, "minimum_quantity": None, "customizations": "[]"}


async def test_a_variant_says_when_it_is_there(api: Api, staff_token: str) -> None:
    await shop.shop()
    product = await catalogue.product()
    await inventory.stock(product.variant_id, 0)
    change = """mutation ($id: ID!, $input: ProductInput!) {
        productUpdate(id: $id, input: $input) {
            product { variants { nodes { availability { status expectedAt } } } } userErrors { code }
        }
    }"""

    async def after(**given: object) -> dict[str, Any]:
        variants = [{"id": product.variant_gid, **given}]
        found = await api.ok(change, {"id": product.gid, "input": {"variants": variants}}, token=staff_token)
        shown: dict[str, Any] = found["productUpdate"]["product"]["variants"]["nodes"][0]["availability"]
        seen = (await api.ok(READ, {"id": product.gid}))["product"]["variants"]["nodes"][0]
        assert seen["availability"] == shown
        return shown

    assert await after() == {"status": "SOLD_OUT", "expectedAt": None}
    restock, release = "2126-01-01T00:00:00+00:00", "2127-01-01T00:00:00+00:00"
    assert await after(restockExpectedAt=restock) == {"status": "SOLD_OUT", "expectedAt": restock}
    assert await after(inventoryPolicy="CONTINUE") == {"status": "BACK_ORDER", "expectedAt": restock}
    assert await after(availableFrom=release) == {"status": "PRE_ORDER", "expectedAt": release}
    assert await after(stock=1, availableFrom=None) == {"status": "IN_STOCK", "expectedAt": None}
