"""A mutation whose answer could not be read is refused before it changes anything, and not after."""

from typing import Any

import pytest

from app import db
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout
from tests.factories.fulfillments import fulfill

TOO_MANY_IMAGES = "images(first: 1000) { url }"
TOO_LONG_A_PAGE = "variants(first: 101) { nodes { id } }"
TOO_MANY_SUGGESTED = "recommendations(first: 25) { id }"
FOREIGN_CURSOR = 'collections(after: "x") { nodes { id } }'
LINES = "lines { nodes { variant { product { %s } } } }"
ORDER_LINES = "lines { edges { node { ... on OrderLine { variant { product { %s } } } } } }"
PARCEL_LINES = "lines { orderLine { variant { product { %s } } } }"

MUTATIONS = {
    "cartCreate": ("CartInput", LINES, "cart"),
    "checkoutCreate": ("CheckoutCreateInput!", f"cart {{ {LINES} }}", "checkout"),
    "checkoutComplete": ("CheckoutCompleteInput!", ORDER_LINES, "order"),
    "fulfillmentCreate": ("FulfillmentCreateInput!", PARCEL_LINES, "fulfillment"),
    "trackingEventAdd": ("TrackingEventInput!", PARCEL_LINES, "fulfillment"),
    "inventoryAdjust": ("InventoryAdjustInput!", "product { %s }", "variant"),
    "productCreate": ("ProductInput!", "%s", "product"),
    "collectionCreate": ("CollectionInput!", "products { nodes { %s } }", "collection"),
}
TABLES = (
    "carts", "checkouts", "checkout_attempts", "orders", "payments", "test_gateway_payments", "stock_levels",
    "stock_reservations", "fulfillments", "tracking_events", "events", "products", "collections",
)  # fmt: skip


async def everything() -> list[Any]:
    return [await db.fetchval(f"SELECT json_agg(t ORDER BY t.id)::text FROM {table} t") for table in TABLES]


@pytest.fixture
async def inputs(api: Api, staff_token: str) -> dict[str, dict[str, Any]]:
    """Of each mutation, one that it takes."""
    await checkout.shop_that_ships()
    product = await catalogue.product(stock=20)
    shipped, placed = [(await checkout.placed(api, (product, 1)))["order"]["id"] for _ in range(2)]
    return {
        "cartCreate": {"lines": [{"variantId": product.variant_gid}]},
        "checkoutCreate": {"cartId": (await carts.cart((product.variant_id, 1))).gid},
        "checkoutComplete": await checkout.ready_input(api, (product, 1)),
        "fulfillmentCreate": {"orderId": placed},
        "trackingEventAdd": {
            "fulfillmentId": (await fulfill(api, staff_token, shipped))["id"],
            "status": "IN_TRANSIT",
        },
        "inventoryAdjust": {"variantId": product.variant_gid, "delta": 3},
        "productCreate": {"name": "Pen"},
        "collectionCreate": {"name": "Pens"},
    }


@pytest.mark.parametrize(
    ("unservable", "code"),
    [
        (TOO_MANY_IMAGES, "OUT_OF_RANGE"),
        (TOO_LONG_A_PAGE, "OUT_OF_RANGE"),
        (TOO_MANY_SUGGESTED, "OUT_OF_RANGE"),
        (FOREIGN_CURSOR, "INVALID"),
    ],
)
async def test_nothing_is_changed(
    api: Api, staff_token: str, inputs: dict[str, dict[str, Any]], unservable: str, code: str
) -> None:
    before = await everything()
    for name, (input_type, path, of_payload) in MUTATIONS.items():
        document = f"""mutation ($input: {input_type}) {{
            {name}(input: $input) {{ {of_payload} {{ {path} }} userErrors {{ code }} }}
        }}"""
        variables = {"input": inputs[name]}
        assert await api.refused(document % unservable, variables, token=staff_token) == [{"code": code}], name
        assert await everything() == before, name
        await api.ok(document % "id", variables, token=staff_token)
        before = await everything()
