"""Fulfilments that are refused, and who may make one: nothing leaves, and nothing of the order changes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from app import invariants
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import checkout, staff
from tests.factories.fulfillments import FULFILL, bought, everything, fulfill

Drain = Callable[[], Awaitable[None]]
NOWHERE = "0" * 32


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> AsyncIterator[None]:
    """A shop whose books are right after every test."""
    await checkout.shop_that_ships()
    yield
    assert await invariants.check() == []


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"lines": [{"orderLineId": "0", "quantity": 3}]}, "FULFILLMENT_EXCEEDS_ORDER", "lines 0 quantity"),
        (
            {"lines": [{"orderLineId": "0", "quantity": 2}, {"orderLineId": "0", "quantity": 1}]},
            "FULFILLMENT_EXCEEDS_ORDER",
            "lines 1 quantity",
        ),
        ({"lines": [{"orderLineId": "0", "quantity": 0}]}, "OUT_OF_RANGE", "lines 0 quantity"),
        ({"lines": [{"orderLineId": "0", "quantity": -1}]}, "OUT_OF_RANGE", "lines 0 quantity"),
        ({"lines": [{"orderLineId": "other", "quantity": 1}]}, "NOT_FOUND", "lines 0 orderLineId"),
        ({"lines": [{"orderLineId": f"oline_{NOWHERE}", "quantity": 1}]}, "NOT_FOUND", "lines 0 orderLineId"),
        ({"lines": [{"orderLineId": "nonsense", "quantity": 1}]}, "INVALID_ID", "lines 0 orderLineId"),
        ({"lines": []}, "NOTHING_TO_FULFILL", "lines"),
        ({"lines": [{"orderLineId": "0", "quantity": 1}] * 251}, "TOO_MANY", "lines"),
        ({"orderId": f"ord_{NOWHERE}"}, "NOT_FOUND", "orderId"),
        ({"orderId": f"prod_{NOWHERE}"}, "INVALID_ID", "orderId"),
        ({"parcels": [{"trackingNumber": "1"}], "trackingNumber": "2"}, "INVALID", "parcels"),
        ({"parcels": [{}] * 101}, "TOO_MANY", "parcels"),
        ({"trackingNumber": "12\u0007"}, "INVALID", "trackingNumber"),
        ({"trackingNumber": "  "}, "REQUIRED", "trackingNumber"),
        ({"trackingNumber": "1" * 65}, "TOO_LONG", "trackingNumber"),
        ({"carrier": "x" * 61}, "TOO_LONG", "carrier"),
        ({"parcels": [{"carrier": "UPS\nBcc"}]}, "INVALID", "parcels 0 carrier"),
    ],
)
async def test_a_refused_fulfilment_changes_nothing(
    api: Api, staff_token: str, given: dict[str, Any], code: str, field: str
) -> None:
    payload, line_ids = await bought(api, 2)
    _, other_ids = await bought(api, 1)
    known = {"0": line_ids[0], "other": other_ids[0]}
    lines = [
        {**line, "orderLineId": known.get(line["orderLineId"], line["orderLineId"])} for line in given.get("lines", ())
    ]
    given = {"orderId": payload["order"]["id"], **given, **({"lines": lines} if "lines" in given else {})}
    before = await everything()
    (error,) = await api.refused(FULFILL, {"input": given}, token=staff_token)
    assert (error["code"], error["field"]) == (code, ["input", *field.split()])
    assert await everything() == before


async def test_a_cancelled_order_stays_where_it_is(api: Api, staff_token: str) -> None:
    payload, _ = await bought(api, 2)
    gid = payload["order"]["id"]
    await api.ok(
        "mutation ($id: ID!) { orderCancel(orderId: $id) { order { id } userErrors { code message } } }",
        {"id": gid},
        token=staff_token,
    )
    before = await everything()
    (error,) = await api.refused(FULFILL, {"input": {"orderId": gid}}, token=staff_token)
    assert (error["code"], error["field"]) == ("ORDER_NOT_FULFILLABLE", ["input", "orderId"])
    assert await everything() == before


async def test_an_order_that_has_left_does_not_leave_again(api: Api, staff_token: str, drain: Drain) -> None:
    payload, line_ids = await bought(api, 2)
    gid = payload["order"]["id"]
    await fulfill(api, staff_token, gid)
    for _ in range(2):  # before its payment is taken, and when it is complete
        before = await everything()
        (error,) = await api.refused(FULFILL, {"input": {"orderId": gid}}, token=staff_token)
        assert error["code"] == "NOTHING_TO_FULFILL"
        lines = [{"orderLineId": line_ids[0], "quantity": 1}]
        (error,) = await api.refused(FULFILL, {"input": {"orderId": gid, "lines": lines}}, token=staff_token)
        assert error["code"] == "FULFILLMENT_EXCEEDS_ORDER"
        assert await everything() == before
        await drain()


async def test_only_staff_who_may_change_orders_ship_them(api: Api, staff_token: str) -> None:
    payload, _ = await bought(api, 1)
    gid = payload["order"]["id"]
    reader = await staff.signed_in({Permission.ORDERS_READ})
    before = await everything()
    for token, code in ((None, "UNAUTHENTICATED"), (payload["orderToken"], "UNAUTHENTICATED"), (reader, "FORBIDDEN")):
        (error,) = await api.refused(FULFILL, {"input": {"orderId": gid}}, token=token)
        assert error["code"] == code
    assert await everything() == before

    fulfillment = await fulfill(api, staff_token, gid)
    node = """query ($id: ID!) { node(id: $id) { ... on Fulfillment {
        id lines { orderLine { productName } } shipments { carrier }
    } } }"""
    found = await api.ok(node, {"id": fulfillment["id"]}, token=reader)
    assert found["node"] == {
        "id": fulfillment["id"],
        "lines": [{"orderLine": {"productName": "Thing 0"}}],
        "shipments": [{"carrier": "UPS"}],
    }
    nobody = await staff.signed_in({Permission.PRODUCTS_WRITE})
    for token in (None, nobody):
        assert (await api.ok(node, {"id": fulfillment["id"]}, token=token))["node"] is None
    assert (await api.ok(node, {"id": f"ful_{NOWHERE}"}, token=reader))["node"] is None
