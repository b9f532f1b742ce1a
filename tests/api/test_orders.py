"""Orders: who may see them, how staff find, cancel and settle them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.kit.pagination import encode_cursor
from app.orders.queries import CURSOR_ORDER
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import catalogue, checkout, inventory, staff
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]

ORDER = "query ($id: ID!, $token: String) { order(id: $id, token: $token) { id number email payments { state } } }"
ORDERS = """query ($query: String, $status: OrderStatus, $first: Int, $after: String) {
    orders(query: $query, status: $status, first: $first, after: $after) {
        totalCount nodes { number } pageInfo { hasNextPage hasPreviousPage endCursor }
    }
}"""
STATE = "{ status paymentStatus fulfillmentStatus cancelReason cancelledAt payments { state method } }"
CANCEL = f"""mutation ($id: ID!, $reason: String) {{
    orderCancel(orderId: $id, reason: $reason) {{ order {STATE} userErrors {{ code field }} }}
}}"""
PAID = f"mutation ($id: ID!) {{ orderMarkAsPaid(orderId: $id) {{ order {STATE} userErrors {{ code field }} }} }}"
FULFILL = """mutation ($id: ID!) {
    fulfillmentCreate(input: { orderId: $id }) { fulfillment { id } userErrors { code message } }
}"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    return await catalogue.product(stock=10)


async def state_of(api: Api, token: str, order_id: str) -> dict[str, Any]:
    document = f"query ($id: ID!) {{ order(id: $id) {STATE} }}"
    state: dict[str, Any] = (await api.ok(document, {"id": order_id}, token=token))["order"]
    return state


# --- who may see an order ---------------------------------------------------------------------------------------------


async def test_an_order_opens_for_staff_and_with_its_own_token(api: Api, product: MadeProduct) -> None:
    first, second = await checkout.placed(api, (product, 1)), await checkout.placed(api, (product, 1))
    order_id = first["order"]["id"]
    reader = await staff.signed_in({Permission.ORDERS_READ})
    other = await staff.signed_in({Permission.PRODUCTS_READ})

    async def seen(**how: Any) -> dict[str, Any] | None:
        found: dict[str, Any] | None = (
            await api.ok(ORDER, {"id": order_id, "token": how.get("order_token")}, token=how.get("staff"))
        )["order"]
        return found

    assert await seen(staff=reader) == {
        "id": order_id,
        "number": first["order"]["number"],
        "email": checkout.EMAIL,
        "payments": [{"state": "AUTHORIZED"}],
    }
    opened = await seen(order_token=first["orderToken"])
    assert opened is not None
    assert opened["payments"] is None, "what staff alone may see"
    assert await seen(staff=other, order_token=first["orderToken"]) == opened
    for refused in ({}, {"staff": other}, {"order_token": second["orderToken"]}, {"order_token": "1001"}):
        assert await seen(**refused) is None
    missing = await api.ok(ORDER, {"id": "ord_" + "0" * 32, "token": first["orderToken"]}, token=reader)
    assert missing["order"] is None
    assert (await api.query(ORDER, {"id": "ord_1"})).codes == ["INVALID_ID"]
    assert (await api.query(ORDER, {"id": first["order"]["number"]})).codes == ["INVALID_ID"]


async def test_nodes_of_orders_are_for_staff(api: Api, product: MadeProduct) -> None:
    order_id = (await checkout.placed(api, (product, 1)))["order"]["id"]
    line_id = "oline_" + (await db.fetchval("SELECT id FROM order_lines")).hex
    reader = await staff.signed_in({Permission.ORDERS_READ})
    document = """query ($ids: [ID!]!) { nodes(ids: $ids) {
        id ... on Order { number lines { nodes { id } } } ... on OrderLine { quantity variant { id } }
    } }"""
    assert (await api.ok(document, {"ids": [order_id, line_id]}))["nodes"] == [None, None]
    assert (await api.ok(document, {"ids": [order_id, line_id, "oline_" + "0" * 32]}, token=reader))["nodes"] == [
        {"id": order_id, "number": "1001", "lines": {"nodes": [{"id": line_id}]}},
        {"id": line_id, "quantity": 1, "variant": {"id": product.variant_gid}},
        None,
    ]


async def test_the_list_is_for_staff(api: Api) -> None:
    assert (await api.query(ORDERS)).codes == ["UNAUTHENTICATED"]
    assert (await api.query(ORDERS, token=await staff.signed_in({Permission.PRODUCTS_READ}))).codes == ["FORBIDDEN"]


# --- finding orders ---------------------------------------------------------------------------------------------------


async def numbers(api: Api, token: str, **variables: Any) -> list[str]:
    found = (await api.ok(ORDERS, variables, token=token))["orders"]
    assert found["totalCount"] >= len(found["nodes"])
    return [node["number"] for node in found["nodes"]]


async def test_staff_find_orders_by_what_they_begin_with(api: Api, product: MadeProduct, staff_token: str) -> None:
    people = [
        ("Ada", "Lovelace", "ada@example.com"),
        ("Grace", "O'Hopper_100%", "grace@example.org"),
        (None, "Ng", "ng@example.com"),
    ]
    placed = []
    for first_name, last_name, email in people:
        address = {**checkout.ADDRESS, "firstName": first_name, "lastName": last_name}
        bought = await checkout.placed(api, (product, 1), email=email, shippingAddress=address, payment=checkout.CASH)
        placed.append(bought["order"])
    assert await numbers(api, staff_token) == ["1003", "1002", "1001"]
    for query, expected in (
        ("1002", ["1002"]),
        ("#1002", ["1002"]),
        ("100", ["1003", "1002", "1001"]),
        ("ADA@example", ["1001"]),
        ("@example", []),
        ("love", ["1001"]),
        ("ada  love", ["1001"]),
        ("o'hopper_100%", ["1002"]),
        ("%", []),
        ("_", []),
        ("ng", ["1003"]),
        ("  ", ["1003", "1002", "1001"]),
        ("\\", []),
    ):
        assert await numbers(api, staff_token, query=query) == expected, query
    await api.ok(CANCEL, {"id": placed[0]["id"]}, token=staff_token)
    assert await numbers(api, staff_token, status="CANCELLED") == ["1001"]
    assert await numbers(api, staff_token, status="OPEN", query="ada") == []
    assert await numbers(api, staff_token, status="OPEN") == ["1003", "1002"]
    assert (await api.query(ORDERS, {"query": "x" * 201}, token=staff_token)).codes == ["TOO_LONG"]
    assert (await api.query(ORDERS, {"query": "a\0"}, token=staff_token)).codes == ["INVALID"]


async def test_pages_of_orders(api: Api, product: MadeProduct, staff_token: str) -> None:
    for _ in range(5):
        await checkout.placed(api, (product, 1), payment=checkout.CASH)
    # Two orders of one instant, and the page's edge between them.
    await db.execute("UPDATE orders SET placed_at = (SELECT max(placed_at) FROM orders) WHERE number IN (1003, 1004)")
    seen, after = [], None
    for size in (2, 2, 1):
        page = (await api.ok(ORDERS, {"first": 2, "after": after}, token=staff_token))["orders"]
        assert (page["totalCount"], len(page["nodes"])) == (5, size)
        assert page["pageInfo"]["hasNextPage"] == (size == 2)
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        seen += [node["number"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert sorted(seen) == ["1001", "1002", "1003", "1004", "1005"]
    forged = encode_cursor(["0001-01-01T00:00:00+14:00", "0" * 32], CURSOR_ORDER)
    for wrong in ({"first": 101}, {"after": "nonsense"}, {"after": forged}):
        assert (await api.query(ORDERS, wrong, token=staff_token)).codes in (["OUT_OF_RANGE"], ["INVALID"])


async def test_a_list_of_orders_is_as_many_statements_whatever_its_length(
    api: Api, product: MadeProduct, staff_token: str
) -> None:
    document = """query ($first: Int) { orders(first: $first) { totalCount nodes {
        number cost { total { amount } } lines { nodes { quantity variant { name } } }
        payments { state } fulfillments { id }
    } } }"""
    for _ in range(6):
        await checkout.placed(api, (product, 1), payment=checkout.CASH)
    counts = []
    for first in (1, 6):
        await api.ok(document, {"first": first}, token=staff_token)
        with db.counted_statements() as statements:
            found = await api.ok(document, {"first": first}, token=staff_token)
        assert len(found["orders"]["nodes"]) == first
        counts.append(len(statements))
    # Who asks, how many, the orders with lines and payments, the lines' variants, the fulfilments.
    assert counts == [5, 5]


async def test_pages_of_lines(api: Api) -> None:
    products = [await catalogue.product(stock=5) for _ in range(3)]
    bought = await checkout.placed(api, *((one, place + 1) for place, one in enumerate(products)))
    document = """query ($id: ID!, $token: String, $after: String) { order(id: $id, token: $token) {
        lines(first: 2, after: $after) { totalCount nodes { quantity } pageInfo { hasNextPage endCursor } }
        rest: lines(first: 1) { nodes { quantity } }
    } }"""
    variables = {"id": bought["order"]["id"], "token": bought["orderToken"]}
    first = (await api.ok(document, variables))["order"]
    assert first["rest"]["nodes"] == [{"quantity": 1}]
    assert [line["quantity"] for line in first["lines"]["nodes"]] == [1, 2]
    assert (first["lines"]["totalCount"], first["lines"]["pageInfo"]["hasNextPage"]) == (3, True)
    after = first["lines"]["pageInfo"]["endCursor"]
    second = (await api.ok(document, {**variables, "after": after}))["order"]["lines"]
    assert [line["quantity"] for line in second["nodes"]] == [3]
    assert not second["pageInfo"]["hasNextPage"]
    wrong = await api.query(document.replace("first: 2", "first: 101"), variables)
    assert wrong.codes == ["OUT_OF_RANGE"]


# --- cancelling -------------------------------------------------------------------------------------------------------


async def test_a_cancelled_order_gives_back_stock_and_money(
    api: Api, product: MadeProduct, staff_token: str, drain: Drain
) -> None:
    bought = await checkout.placed(api, (product, 3))
    order_id = bought["order"]["id"]
    assert await inventory.available(product.variant_id) == 7
    answer = (await api.ok(CANCEL, {"id": order_id, "reason": "Out of  stock "}, token=staff_token))["orderCancel"]
    assert (answer["order"]["status"], answer["order"]["cancelReason"]) == ("CANCELLED", "Out of  stock")
    assert answer["order"]["payments"] == [{"state": "VOIDING", "method": "CARD"}]
    assert answer["order"]["cancelledAt"]
    assert await inventory.available(product.variant_id) == 10
    await drain()
    state = await state_of(api, staff_token, order_id)
    assert (state["paymentStatus"], state["payments"][0]["state"]) == ("VOIDED", "VOIDED")
    assert await db.fetchval("SELECT state FROM test_gateway_payments") == "VOIDED"
    assert await invariants.check() == []

    before = await checkout.footprint()
    (error,) = await api.refused(CANCEL, {"id": order_id}, token=staff_token)
    assert error == {"code": "ORDER_CANCELLED", "field": ["orderId"]}
    assert await checkout.footprint() == before
    # The shopper's answer is still the order.
    assert (await api.ok(ORDER, {"id": order_id, "token": bought["orderToken"]}))["order"]["id"] == order_id


async def test_cancelling_what_was_to_be_paid_in_cash(
    api: Api, product: MadeProduct, staff_token: str, drain: Drain
) -> None:
    order_id = (await checkout.placed(api, (product, 1), payment=checkout.CASH))["order"]["id"]
    answer = (await api.ok(CANCEL, {"id": order_id}, token=staff_token))["orderCancel"]["order"]
    assert (answer["paymentStatus"], answer["cancelReason"]) == ("VOIDED", None)
    await drain()
    assert await invariants.check() == []


async def test_what_has_shipped_cannot_be_cancelled(
    api: Api, product: MadeProduct, staff_token: str, drain: Drain
) -> None:
    order_id = (await checkout.placed(api, (product, 1)))["order"]["id"]
    await api.ok(FULFILL, {"id": order_id}, token=staff_token)
    before = await checkout.footprint()
    (error,) = await api.refused(CANCEL, {"id": order_id}, token=staff_token)
    assert error == {"code": "ORDER_FULFILLED", "field": ["orderId"]}
    assert await checkout.footprint() == before
    await drain()
    state = await state_of(api, staff_token, order_id)
    assert (state["status"], state["paymentStatus"], state["fulfillmentStatus"]) == ("COMPLETED", "PAID", "FULFILLED")
    assert await invariants.check() == []


async def test_what_is_paid_cannot_be_cancelled(api: Api, staff_token: str, drain: Drain) -> None:
    download = await catalogue.product(kind="DIGITAL", requires_shipping=False, stock=None)
    pen = await catalogue.product(stock=3)
    paid = (await checkout.placed(api, (pen, 1), payment=checkout.CASH))["order"]["id"]
    await api.ok(PAID, {"id": paid}, token=staff_token)
    (error,) = await api.refused(CANCEL, {"id": paid}, token=staff_token)
    assert error == {"code": "PAYMENT_CAPTURED", "field": ["orderId"]}
    # A download is delivered with the order.
    bought = await checkout.placed(api, (download, 1), shippingQuoteId=None, shippingAddress=None)
    await drain()
    (error,) = await api.refused(CANCEL, {"id": bought["order"]["id"]}, token=staff_token)
    assert error["code"] == "ORDER_FULFILLED"
    assert await invariants.check() == []


async def test_who_may_cancel(api: Api, product: MadeProduct, staff_token: str) -> None:
    bought = await checkout.placed(api, (product, 1))
    before = await checkout.footprint()
    reader = await staff.signed_in({Permission.ORDERS_READ})
    for document in (CANCEL, PAID):
        for token, code in ((None, "UNAUTHENTICATED"), (reader, "FORBIDDEN")):
            (error,) = await api.refused(document, {"id": bought["order"]["id"]}, token=token)
            assert error["code"] == code
        (error,) = await api.refused(document, {"id": "ord_" + "0" * 32}, token=staff_token)
        assert error == {"code": "NOT_FOUND", "field": ["orderId"]}
        (error,) = await api.refused(document, {"id": "1001"}, token=staff_token)
        assert error == {"code": "INVALID_ID", "field": ["orderId"]}
    (error,) = await api.refused(CANCEL, {"id": bought["order"]["id"], "reason": "x" * 501}, token=staff_token)
    assert error == {"code": "TOO_LONG", "field": ["reason"]}
    (error,) = await api.refused(CANCEL, {"id": bought["order"]["id"], "reason": "lost\0"}, token=staff_token)
    assert error == {"code": "INVALID", "field": ["reason"]}
    assert await checkout.footprint() == before


# --- paid on delivery -------------------------------------------------------------------------------------------------


async def test_money_collected_at_the_door_completes_the_order(
    api: Api, product: MadeProduct, staff_token: str, drain: Drain
) -> None:
    order_id = (await checkout.placed(api, (product, 1), payment=checkout.CASH))["order"]["id"]
    await api.ok(FULFILL, {"id": order_id}, token=staff_token)
    await drain()
    assert (await state_of(api, staff_token, order_id))["status"] == "OPEN"
    answers = await asyncio.gather(*(api.query(PAID, {"id": order_id}, token=staff_token) for _ in range(5)))
    refused = [error["code"] for answer in answers for error in (answer.data or {})["orderMarkAsPaid"]["userErrors"]]
    assert refused == ["PAYMENT_NOT_DUE"] * 4
    state = await state_of(api, staff_token, order_id)
    assert (state["status"], state["paymentStatus"], state["payments"]) == (
        "COMPLETED",
        "PAID",
        [{"state": "CAPTURED", "method": "CASH_ON_DELIVERY"}],
    )
    by_card = (await checkout.placed(api, (product, 1)))["order"]["id"]
    (error,) = await api.refused(PAID, {"id": by_card}, token=staff_token)
    assert error == {"code": "PAYMENT_NOT_DUE", "field": ["orderId"]}
    assert await invariants.check() == []
