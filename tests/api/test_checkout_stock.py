"""Where an order's units come from, where they go, and how they come back."""

import uuid
from collections.abc import Awaitable, Callable

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import catalogue, checkout, inventory

Drain = Callable[[], Awaitable[None]]

CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id) { order { status } userErrors { code } } }"
FULFILL = """mutation ($input: FulfillmentCreateInput!) {
    fulfillmentCreate(input: $input) { fulfillment { id } userErrors { code message } }
}"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def levels(variant_id: uuid.UUID) -> list[tuple[int, int, int]]:
    """Available, reserved and back-ordered at each warehouse, the first to sell from first."""
    rows = await db.fetch(
        """
        SELECT s.available, s.reserved, s.backordered FROM stock_levels s JOIN warehouses w ON w.id = s.warehouse_id
        WHERE s.variant_id = $1 ORDER BY w.priority, w.code
        """,
        variant_id,
    )
    return [(row["available"], row["reserved"], row["backordered"]) for row in rows]


async def line_ids(order_gid: str) -> list[str]:
    rows = await db.fetch(
        "SELECT id FROM order_lines WHERE order_id = $1 ORDER BY position", uuid.UUID(order_gid.removeprefix("ord_"))
    )
    return [f"oline_{row['id'].hex}" for row in rows]


async def test_warehouses_give_in_the_order_of_their_priority(api: Api, staff_token: str, drain: Drain) -> None:
    product = await catalogue.product(stock=2)
    east = await inventory.warehouse(code="EAST", priority=1)
    west = await inventory.warehouse(code="WEST", priority=2)
    await inventory.stock(product.variant_id, 3, warehouse_id=east)
    await inventory.stock(product.variant_id, 10, warehouse_id=west)
    order_id = (await checkout.placed(api, (product, 6)))["order"]["id"]
    assert await levels(product.variant_id) == [(0, 2, 0), (0, 3, 0), (9, 1, 0)]

    (line,) = await line_ids(order_id)
    await api.ok(
        FULFILL, {"input": {"orderId": order_id, "lines": [{"orderLineId": line, "quantity": 4}]}}, token=staff_token
    )
    shipped = await levels(product.variant_id)
    assert sum(reserved for _, reserved, _ in shipped) == 2
    assert [available for available, _, _ in shipped] == [0, 0, 9]
    assert await invariants.check() == []
    await api.ok(FULFILL, {"input": {"orderId": order_id}}, token=staff_token)
    assert await levels(product.variant_id) == [(0, 0, 0), (0, 0, 0), (9, 0, 0)]
    await drain()
    assert await invariants.check() == []


async def test_a_cancelled_order_puts_its_units_back_where_they_were(api: Api, staff_token: str, drain: Drain) -> None:
    product = await catalogue.product(stock=2)
    await inventory.stock(product.variant_id, 3, warehouse_id=await inventory.warehouse(code="EAST", priority=1))
    order_id = (await checkout.placed(api, (product, 4)))["order"]["id"]
    assert await levels(product.variant_id) == [(0, 2, 0), (1, 2, 0)]
    await api.ok(CANCEL, {"id": order_id}, token=staff_token)
    assert await levels(product.variant_id) == [(2, 0, 0), (3, 0, 0)]
    await drain()
    assert await invariants.check() == []


async def test_what_may_be_sold_beyond_the_stock(api: Api, staff_token: str, drain: Drain) -> None:
    product = await catalogue.product(stock=2, inventory_policy="CONTINUE")
    first = (await checkout.placed(api, (product, 5)))["order"]["id"]
    assert await levels(product.variant_id) == [(0, 2, 3)]
    second = (await checkout.placed(api, (product, 1)))["order"]["id"]
    assert await levels(product.variant_id) == [(0, 2, 4)]
    assert await invariants.check() == []

    await api.ok(CANCEL, {"id": second}, token=staff_token)
    assert await levels(product.variant_id) == [(0, 2, 3)]
    # Ten come in; what is owed leaves from them.
    await api.ok(
        """mutation ($id: ID!) {
            inventoryAdjust(input: { variantId: $id, delta: 10 }) { userErrors { code message } }
        }""",
        {"id": product.variant_gid},
        token=staff_token,
    )
    assert await levels(product.variant_id) == [(10, 2, 3)]
    await api.ok(FULFILL, {"input": {"orderId": first}}, token=staff_token)
    assert await levels(product.variant_id) == [(7, 0, 0)]
    await drain()
    assert await invariants.check() == []


async def test_what_is_sold_in_advance_is_not_sold_again_when_it_comes_in(
    api: Api, staff_token: str, drain: Drain
) -> None:
    product = await catalogue.product(stock=0, inventory_policy="CONTINUE")
    first = (await checkout.placed(api, (product, 3)))["order"]["id"]
    adjust = """mutation ($id: ID!) {
        inventoryAdjust(input: { variantId: $id, delta: 5 }) { variant { availableQuantity } userErrors { code } }
    }"""
    arrived = await api.ok(adjust, {"id": product.variant_gid}, token=staff_token)
    assert arrived["inventoryAdjust"]["variant"] == {"availableQuantity": 2}
    # From now on only what is there is for sale.
    await db.execute("UPDATE product_variants SET inventory_policy = 'DENY'")
    add = """mutation ($lines: [CartLineInput!]!) { cartCreate(input: { lines: $lines }) {
        cart { id lines { nodes { quantity } } } warnings { code availableQuantity } userErrors { code }
    } }"""
    made = (await api.ok(add, {"lines": [{"variantId": product.variant_gid, "quantity": 4}]}))["cartCreate"]
    assert made["cart"]["lines"]["nodes"] == [{"quantity": 2}]
    assert made["warnings"] == [{"code": "QUANTITY_CLAMPED", "availableQuantity": 2}]
    await checkout.placed(api, (product, 2))
    shown = "query ($id: ID!) { product(id: $id) { availableForSale variants { nodes { availableForSale } } } }"
    sold_out = (await api.ok(shown, {"id": product.gid}))["product"]
    assert sold_out == {"availableForSale": False, "variants": {"nodes": [{"availableForSale": False}]}}
    assert await levels(product.variant_id) == [(3, 2, 3)]

    await api.ok(FULFILL, {"input": {"orderId": first}}, token=staff_token)
    assert await levels(product.variant_id) == [(0, 2, 0)]
    await drain()
    assert await invariants.check() == []


async def test_what_was_never_in_stock_can_be_owed(api: Api, drain: Drain) -> None:
    product = await catalogue.product(stock=None, track_inventory=True, inventory_policy="CONTINUE")
    assert await levels(product.variant_id) == []
    await checkout.placed(api, (product, 2))
    assert await levels(product.variant_id) == [(0, 0, 2)]
    await drain()
    assert await invariants.check() == []


async def test_what_is_not_counted_is_not_held(api: Api, staff_token: str, drain: Drain) -> None:
    product = await catalogue.product(stock=None)
    counted = await catalogue.product(stock=5)
    order_id = (await checkout.placed(api, (product, 3), (counted, 1)))["order"]["id"]
    assert (await checkout.footprint())["reservations"] == 1
    await api.ok(FULFILL, {"input": {"orderId": order_id}}, token=staff_token)
    await drain()
    assert await invariants.check() == []


async def test_what_goes_into_no_parcel_leaves_with_the_complete_order(
    api: Api, staff_token: str, drain: Drain
) -> None:
    """Seats of a course: counted, and never shipped."""
    seats = await catalogue.product(stock=20, kind="SERVICE", requires_shipping=False)
    book = await catalogue.product(stock=20)
    alone = {"shippingQuoteId": None, "shippingAddress": None}
    await checkout.placed(api, (seats, 2), **alone)
    # What does not ship is paid for at once.
    assert await levels(seats.variant_id) == [(18, 0, 0)]
    await drain()
    assert await levels(seats.variant_id) == [(18, 0, 0)]

    mixed, in_cash, cancelled = [
        (await checkout.placed(api, (seats, 1), (book, 2), payment=payment))["order"]["id"]
        for payment in (checkout.CARD, checkout.CASH, checkout.CARD)
    ]
    await drain()
    assert await levels(seats.variant_id) == [(15, 3, 0)]
    await api.ok(CANCEL, {"id": cancelled}, token=staff_token)
    assert await levels(seats.variant_id) == [(16, 2, 0)]
    # The last of the parcels and the money: whichever comes second completes an order.
    (_, books) = await line_ids(mixed)
    for reserved in (2, 1):
        lines = [{"orderLineId": books, "quantity": 1}]
        await api.ok(FULFILL, {"input": {"orderId": mixed, "lines": lines}}, token=staff_token)
        await drain()
        assert await levels(seats.variant_id) == [(16, reserved, 0)]
    paid = "mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }"
    await api.ok(paid, {"id": in_cash}, token=staff_token)
    assert await levels(seats.variant_id) == [(16, 1, 0)]
    await api.ok(FULFILL, {"input": {"orderId": in_cash}}, token=staff_token)
    assert await levels(seats.variant_id) == [(16, 0, 0)]
    await drain()
    assert await invariants.check() == []


async def test_seats_that_cost_nothing_leave_at_once(api: Api, drain: Drain) -> None:
    seats = await catalogue.product(stock=20, price_minor=0, kind="SERVICE", requires_shipping=False)
    nothing = {"shippingQuoteId": None, "shippingAddress": None, "payment": None}
    order = (await checkout.placed(api, (seats, 2), **nothing))["order"]
    assert order["status"] == "COMPLETED"
    assert await levels(seats.variant_id) == [(18, 0, 0)]
    await drain()
    assert await invariants.check() == []
