"""Staff adjust stock and keep warehouses."""

from typing import Any

import pytest

from app import db
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import catalogue, inventory, shop, staff

ADJUST = """
    mutation ($input: InventoryAdjustInput!) {
      inventoryAdjust(input: $input) {
        stockLevel { available reserved onHand warehouse { code } }
        variant { availableQuantity availableForSale }
        userErrors { code field ... on InsufficientStockError { availableQuantity } }
      }
    }
"""
WAREHOUSE = "warehouse { id code name isDefault priority countryCode timeZone } userErrors { code field }"
CREATE = f"mutation ($input: WarehouseInput!) {{ warehouseCreate(input: $input) {{ {WAREHOUSE} }} }}"
UPDATE = f"mutation ($id: ID!, $input: WarehouseInput!) {{ warehouseUpdate(id: $id, input: $input) {{ {WAREHOUSE} }} }}"


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop.shop()


async def movements() -> list[tuple[Any, ...]]:
    rows = await db.fetch(
        "SELECT available_delta, reason FROM stock_movements WHERE reason <> 'made for a test' ORDER BY created_at, id"
    )
    return [tuple(row.values()) for row in rows]


async def test_stock_is_set_and_moved_and_each_change_is_kept(api: Api, staff_token: str) -> None:
    made = await catalogue.product(stock=5)
    await inventory.stock(made.variant_id, 5, reserved=2)
    for given, available in [
        ({"delta": 3, "reason": " Delivery \n 4711"}, 8),
        ({"delta": -8}, 0),
        ({"setTo": 6}, 6),
        ({"setTo": 6}, 6),
    ]:
        answer = await api.ok(ADJUST, {"input": {"variantId": made.variant_gid, **given}}, token=staff_token)
        assert answer["inventoryAdjust"] == {
            "stockLevel": {
                "available": available,
                "reserved": 2,
                "onHand": available + 2,
                "warehouse": {"code": "MAIN"},
            },
            "variant": {"availableQuantity": available, "availableForSale": available > 0},
            "userErrors": [],
        }
    assert await movements() == [(3, "Delivery 4711"), (-8, "Adjusted by staff"), (6, "Adjusted by staff")]


async def test_a_variant_gets_its_first_level_where_staff_say(api: Api, staff_token: str) -> None:
    made = await catalogue.product(stock=2)
    warehouse_id = await inventory.warehouse(code="EAST")
    given = {"variantId": made.variant_gid, "warehouseId": f"wh_{warehouse_id.hex}", "delta": 4}
    answer = await api.ok(ADJUST, {"input": given}, token=staff_token)
    assert answer["inventoryAdjust"]["stockLevel"] == {
        "available": 4,
        "reserved": 0,
        "onHand": 4,
        "warehouse": {"code": "EAST"},
    }
    assert answer["inventoryAdjust"]["variant"]["availableQuantity"] == 6


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"code": "INVALID", "field": ["input"]}),
        ({"setTo": 1, "delta": 1}, {"code": "INVALID", "field": ["input"]}),
        ({"setTo": None, "delta": None}, {"code": "INVALID", "field": ["input"]}),
        ({"setTo": -1}, {"code": "OUT_OF_RANGE", "field": ["input", "setTo"]}),
        ({"delta": -6}, {"code": "INSUFFICIENT_STOCK", "field": ["input", "delta"], "availableQuantity": 5}),
        ({"delta": 2**31 - 1}, {"code": "OUT_OF_RANGE", "field": ["input", "delta"]}),
        ({"setTo": 2**31 - 4}, {"code": "OUT_OF_RANGE", "field": ["input", "setTo"]}),
        ({"delta": 1, "reason": "x" * 121}, {"code": "TOO_LONG", "field": ["input", "reason"]}),
        ({"delta": 1, "warehouseId": "wh_" + "0" * 32}, {"code": "NOT_FOUND", "field": ["input", "warehouseId"]}),
        ({"delta": 1, "warehouseId": "x"}, {"code": "INVALID_ID", "field": ["input", "warehouseId"]}),
        ({"delta": 1, "variantId": "var_" + "0" * 32}, {"code": "NOT_FOUND", "field": ["input", "variantId"]}),
        ({"delta": 1, "variantId": "prod_" + "0" * 32}, {"code": "INVALID_ID", "field": ["input", "variantId"]}),
    ],
)
async def test_a_wrong_adjustment_changes_nothing(
    api: Api, staff_token: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    made = await catalogue.product(stock=5)
    await inventory.stock(made.variant_id, 5, reserved=4)
    (error,) = await api.refused(ADJUST, {"input": {"variantId": made.variant_gid, **given}}, token=staff_token)
    assert error == expected
    assert await inventory.available(made.variant_id) == 5
    assert await movements() == []


async def test_only_staff_with_the_permission_adjust_stock(api: Api) -> None:
    made = await catalogue.product(stock=5)
    given = {"input": {"variantId": made.variant_gid, "delta": 1}}
    others = await staff.signed_in({Permission.PRODUCTS_WRITE, Permission.ORDERS_WRITE})
    for token, code in ((None, "UNAUTHENTICATED"), (others, "FORBIDDEN")):
        (error,) = await api.refused(ADJUST, given, token=token)
        assert error["code"] == code
    assert await inventory.available(made.variant_id) == 5
    await api.ok(ADJUST, given, token=await staff.signed_in({Permission.INVENTORY_WRITE}))
    assert await inventory.available(made.variant_id) == 6


# --- warehouses -------------------------------------------------------------------------------------------------------


async def test_there_is_always_one_default_warehouse(api: Api, staff_token: str) -> None:
    given = {"code": "east", "name": "East", "timeZone": "America/New_York", "countryCode": "us", "priority": 2}
    east = (await api.ok(CREATE, {"input": given}, token=staff_token))["warehouseCreate"]["warehouse"]
    assert east == {
        "id": east["id"],
        "code": "EAST",
        "name": "East",
        "isDefault": False,
        "priority": 2,
        "countryCode": "US",
        "timeZone": "America/New_York",
    }
    sent = {"id": east["id"], "input": {"isDefault": True, "priority": -1, "countryCode": None}}
    changed = (await api.ok(UPDATE, sent, token=staff_token))["warehouseUpdate"]["warehouse"]
    assert changed == {**east, "isDefault": True, "priority": -1, "countryCode": None}
    listed = await api.ok("{ warehouses { code isDefault } }", token=staff_token)
    assert listed["warehouses"] == [{"code": "EAST", "isDefault": True}, {"code": "MAIN", "isDefault": False}]

    (error,) = await api.refused(UPDATE, {"id": east["id"], "input": {"isDefault": False}}, token=staff_token)
    assert error == {"code": "INVALID", "field": ["input", "isDefault"]}
    assert await db.fetchval("SELECT code FROM warehouses WHERE is_default") == "EAST"


async def test_wrong_warehouses_are_refused(api: Api, staff_token: str) -> None:
    wrong = {"code": "a b", "name": " ", "timeZone": "Mars/Olympus", "countryCode": "ZZ"}
    errors = await api.refused(CREATE, {"input": wrong}, token=staff_token)
    assert [(error["code"], error["field"][1]) for error in errors] == [
        ("INVALID", "code"),
        ("REQUIRED", "name"),
        ("INVALID", "countryCode"),
        ("INVALID", "timeZone"),
    ]
    (error,) = await api.refused(CREATE, {"input": {"code": "main", "name": "X"}}, token=staff_token)
    assert error == {"code": "CONFLICT", "field": ["input", "code"]}
    east = await inventory.warehouse(code="EAST")
    (error,) = await api.refused(UPDATE, {"id": f"wh_{east.hex}", "input": {"code": "MAIN"}}, token=staff_token)
    assert error == {"code": "CONFLICT", "field": ["input", "code"]}
    assert await db.fetchval("SELECT count(*) FROM warehouses") == 2


async def test_warehouses_are_for_staff(api: Api) -> None:
    warehouse_id = f"wh_{(await inventory.default_warehouse()).hex}"
    assert (await api.query("{ warehouses { code } }")).codes == ["UNAUTHENTICATED"]
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert await api.ok(node, {"id": warehouse_id}) == {"node": None}
    reader = await staff.signed_in({Permission.PRODUCTS_READ})
    assert await api.ok(node, {"id": warehouse_id}, token=reader) == {"node": {"id": warehouse_id}}
    (error,) = await api.refused(CREATE, {"input": {"code": "X", "name": "X"}}, token=reader)
    assert error["code"] == "FORBIDDEN"
