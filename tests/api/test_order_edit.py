"""Orders are edited before they are shipped: what stays keeps its price, and stock, money and invoice follow."""

from collections.abc import Awaitable, Callable
from email import message_from_bytes, policy
from typing import Any

import orjson
import pytest

from app import db, invariants
from app.payments import capturing
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import catalogue, checkout, discounts, fulfillments, refunds, staff
from tests.factories.catalogue import MadeProduct
from tests.factories.orders import edit

Drain = Callable[[], Awaitable[None]]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def ordered(api: Api, *lines: tuple[MadeProduct, int], **more: Any) -> tuple[str, list[str]]:
    """The ids of an order and of its lines."""
    order_gid = (await checkout.placed(api, *lines, **more))["order"]["id"]
    rows = await db.fetch("SELECT id FROM order_lines WHERE order_id = $1 ORDER BY position", _uuid(order_gid))
    return order_gid, [f"oline_{row['id'].hex}" for row in rows]


def _uuid(gid: str) -> str:
    return gid.split("_")[1]


async def stock(product: MadeProduct) -> tuple[int, int]:
    row = await db.fetchrow("SELECT available, reserved FROM stock_levels WHERE variant_id = $1", product.variant_id)
    assert row is not None
    return row["available"], row["reserved"]


async def test_lines_are_changed_removed_and_added(api: Api, staff_token: str, drain: Drain) -> None:
    lamp, vase, rug = [await catalogue.product(price_minor=price, stock=10) for price in (2000, 1500, 700)]
    order_gid, (of_lamp, of_vase) = await ordered(api, (lamp, 2), (vase, 1), payment=checkout.CASH)
    await drain()
    await catalogue.reprice(lamp, 9900)
    payload = await edit(
        api,
        staff_token,
        order_gid,
        lines=[{"orderLineId": of_lamp, "quantity": 3}, {"orderLineId": of_vase, "quantity": 0}],
        addLines=[{"variantId": rug.variant_gid, "quantity": 2}],
        reason="Asked for on the phone",
    )
    assert payload["userErrors"] == []
    order = payload["order"]
    assert [(line["quantity"], line["cost"]["unitPrice"]["amount"]) for line in order["lines"]["nodes"]] == [
        (3, "20.00"),
        (2, "7.00"),
    ]
    # 3 x 20.00 + 2 x 7.00 + 5.99; it was 2 x 20.00 + 15.00 + 5.99
    assert order["cost"]["total"] == {"amount": "79.99"}
    assert payload["additionalAmountDue"] == {"amount": "19.00"}
    assert [one["amount"]["amount"] for one in order["payments"]] == ["79.99"], "the carrier collects more"
    assert (await stock(lamp), await stock(vase), await stock(rug)) == ((7, 3), (10, 0), (8, 2))
    await drain()
    assert await invariants.check() == []
    document = (
        "query ($id: ID!) { order(id: $id) { invoices { kind total { amount } } timeline { type actor reason data } } }"
    )
    seen = (await api.ok(document, {"id": order_gid}, token=staff_token))["order"]
    assert [(one["kind"], one["total"]["amount"]) for one in seen["invoices"]] == [
        ("INVOICE", "60.99"),
        ("CREDIT_NOTE", "60.99"),
        ("INVOICE", "79.99"),
    ]
    (told,) = [event for event in seen["timeline"] if event["type"] == "ORDER_EDITED"]
    assert (told["actor"], told["reason"]) == ("STAFF", "Asked for on the phone")
    assert (told["data"]["totalBeforeMinor"], told["data"]["totalAfterMinor"]) == (6099, 7999)
    raw = await db.fetchval("SELECT content FROM dev_messages WHERE template = 'order_edited'")
    body = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    assert body is not None
    mail = body.get_content()
    assert "It costs $79.99 now; $19.00 more than before is to be paid." in mail
    assert "Reason: Asked for on the phone" in mail


async def test_a_preview_changes_nothing(api: Api, staff_token: str) -> None:
    lamp = await catalogue.product(price_minor=2000, stock=10)
    order_gid, (line,) = await ordered(api, (lamp, 2))
    before = await db.fetchrow("SELECT * FROM orders")
    payload = await edit(api, staff_token, order_gid, preview=True, lines=[{"orderLineId": line, "quantity": 5}])
    assert payload["cost"]["total"] == {"amount": "105.99"}
    assert payload["additionalAmountDue"] == {"amount": "60.00"}
    assert await db.fetchrow("SELECT * FROM orders") == before
    assert await stock(lamp) == (8, 2)


async def test_what_was_taken_too_much_goes_back(api: Api, staff_token: str, drain: Drain) -> None:
    seat = await catalogue.product(price_minor=2500, stock=10, kind="SERVICE", requires_shipping=False)
    lamp = await catalogue.product(price_minor=2000, stock=10)
    order_gid, (_, of_seat) = await ordered(api, (lamp, 1), (seat, 2))
    async with db.unit_of_work():
        await capturing.want_capture(await db.fetchval("SELECT id FROM orders"), everything=True)
    busy = await edit(api, staff_token, order_gid, lines=[{"orderLineId": of_seat, "quantity": 1}])
    assert [error["code"] for error in busy["userErrors"]] == ["PAYMENT_IN_PROGRESS"]
    await drain()
    weak = await staff.signed_in({Permission.ORDERS_WRITE, Permission.ORDERS_READ})
    refused = await edit(api, weak, order_gid, lines=[{"orderLineId": of_seat, "quantity": 1}])
    assert [error["code"] for error in refused["userErrors"]] == ["FORBIDDEN"]
    payload = await edit(api, staff_token, order_gid, lines=[{"orderLineId": of_seat, "quantity": 1}])
    assert payload["refundAmount"] == {"amount": "25.00"}
    await drain()
    assert await invariants.check() == []
    (payment,) = await db.fetch("SELECT captured_minor, refunded_minor FROM payments")
    assert (payment["captured_minor"], payment["refunded_minor"]) == (7599, 2500)
    kinds = [row["kind"] for row in await db.fetch("SELECT kind FROM invoices ORDER BY id")]
    assert kinds == ["INVOICE", "CREDIT_NOTE", "INVOICE"], "the refund has no credit note of its own"


async def test_less_of_what_is_set_aside_is_taken(api: Api, staff_token: str, drain: Drain) -> None:
    lamp = await catalogue.product(price_minor=2000, stock=10)
    order_gid, (line,) = await ordered(api, (lamp, 3))
    payload = await edit(api, staff_token, order_gid, lines=[{"orderLineId": line, "quantity": 1}])
    assert (payload["userErrors"], payload["refundAmount"]) == ([], {"amount": "0.00"})
    await drain()
    assert await invariants.check() == []
    await fulfillments.fulfill(api, staff_token, order_gid)
    await drain()
    (payment,) = await db.fetch("SELECT amount_minor, captured_minor, state FROM payments")
    assert (payment["amount_minor"], payment["captured_minor"], payment["state"]) == (6599, 2599, "CAPTURED")
    assert await invariants.check() == []


async def test_more_than_is_set_aside_is_asked_for(api: Api, staff_token: str, drain: Drain) -> None:
    lamp = await catalogue.product(price_minor=2000, stock=10)
    order_gid, (line,) = await ordered(api, (lamp, 1))
    for quantity, asked in ((3, [("OPEN", 4000)]), (4, [("OPEN", 6000)]), (1, [("CANCELLED", 6000)])):
        payload = await edit(api, staff_token, order_gid, lines=[{"orderLineId": line, "quantity": quantity}])
        assert payload["userErrors"] == []
        rows = await db.fetch("SELECT state, amount_minor FROM payment_requests")
        assert [(row["state"], row["amount_minor"]) for row in rows] == asked
        await drain()
        assert await invariants.check() == []


async def test_discounts_stay_where_they_fell_and_staff_give_more(api: Api, staff_token: str, drain: Drain) -> None:
    await discounts.discount()
    lamp, vase = [await catalogue.product(price_minor=price, stock=10) for price in (1999, 1501)]
    order_gid, (of_lamp, _) = await ordered(api, (lamp, 2), (vase, 1), payment=checkout.CASH)
    before = await db.fetchrow("SELECT discount_minor FROM order_lines ORDER BY position DESC LIMIT 1")
    payload = await edit(
        api,
        staff_token,
        order_gid,
        lines=[{"orderLineId": of_lamp, "quantity": 1}],
        discount={"amount": {"amount": "3.00", "currencyCode": "USD"}, "reason": "Late"},
    )
    assert payload["userErrors"] == []
    rows = await db.fetch("SELECT discounts FROM order_lines ORDER BY position")
    kept = [orjson.loads(row["discounts"])[0]["amount_minor"] for row in rows]
    assert before is not None
    assert kept == [200, before["discount_minor"]], "half of 400, and as it was"
    await drain()
    assert await invariants.check() == []


async def test_refusals_change_nothing(api: Api, staff_token: str, drain: Drain) -> None:
    lamp, vase = await catalogue.product(price_minor=2000, stock=3), await catalogue.product(stock=5)
    order_gid, (of_lamp, of_vase) = await ordered(api, (lamp, 2), (vase, 2))
    await drain()
    footprint, order = await checkout.footprint(), await db.fetchrow("SELECT * FROM orders")
    cases: list[tuple[dict[str, Any], str, list[str]]] = [
        ({}, "REQUIRED", ["input"]),
        (
            {"lines": [{"orderLineId": of_lamp, "quantity": 4}]},
            "INSUFFICIENT_STOCK",
            ["input", "lines", "0", "quantity"],
        ),
        ({"lines": [{"orderLineId": of_lamp, "quantity": -1}]}, "OUT_OF_RANGE", ["input", "lines", "0", "quantity"]),
        (
            {"lines": [{"orderLineId": of_lamp, "quantity": 0}, {"orderLineId": of_vase, "quantity": 0}]},
            "ORDER_EMPTY",
            ["input", "lines"],
        ),
        (
            {"lines": [{"orderLineId": f"oline_{'1' * 32}", "quantity": 1}]},
            "NOT_FOUND",
            ["input", "lines", "0", "orderLineId"],
        ),
        (
            {"expectedUpdatedAt": "2020-01-01T00:00:00Z", "lines": [{"orderLineId": of_lamp, "quantity": 1}]},
            "CONFLICT",
            ["input", "expectedUpdatedAt"],
        ),
        (
            {"shippingPrice": {"amount": "1.00", "currencyCode": "EUR"}},
            "INVALID",
            ["input", "shippingPrice"],
        ),
        (
            {"discount": {"percentage": "101", "reason": "Much"}},
            "OUT_OF_RANGE",
            ["input", "discount", "percentage"],
        ),
    ]
    for given, code, field in cases:
        payload = await edit(api, staff_token, order_gid, **given)
        assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [(code, field)], given
        assert payload["order"] is None
    assert await db.fetchrow("SELECT * FROM orders") == order
    assert await checkout.footprint() == footprint
    assert await invariants.check() == []


async def test_what_was_shipped_cancelled_or_refunded_stays(api: Api, staff_token: str, drain: Drain) -> None:
    lamp, vase = await catalogue.product(price_minor=2000, stock=9), await catalogue.product(price_minor=500, stock=9)
    order_gid, (of_lamp, of_vase) = await ordered(api, (lamp, 2), (vase, 2))
    await fulfillments.fulfill(api, staff_token, order_gid, lines=[{"orderLineId": of_lamp, "quantity": 1}])
    await drain()
    ten = {"percentage": "10", "reason": "Late"}
    for change in ({"quantity": 0}, {"discount": ten}, {"quantity": 2, "discount": ten}):
        refused = await edit(api, staff_token, order_gid, lines=[{"orderLineId": of_lamp, **change}])
        assert [error["code"] for error in refused["userErrors"]] == ["LINE_NOT_EDITABLE"], change
    refused = await edit(api, staff_token, order_gid, shippingMethod="By hand")
    assert [error["code"] for error in refused["userErrors"]] == ["ORDER_FULFILLED"]
    done = await edit(api, staff_token, order_gid, lines=[{"orderLineId": of_vase, "quantity": 1}])
    assert done["userErrors"] == []
    await drain()
    assert await invariants.check() == []
    assert not (await refunds.create(api, staff_token, order_gid, amount=refunds.usd("1.00")))["userErrors"]
    refused = await edit(api, staff_token, order_gid, lines=[{"orderLineId": of_vase, "quantity": 2}])
    assert [error["code"] for error in refused["userErrors"]] == ["ORDER_NOT_EDITABLE"]
    await drain()
    assert await invariants.check() == []


READDRESS = """mutation ($id: ID!, $to: AddressInput!, $token: String) {
    orderShippingAddressUpdate(orderId: $id, shippingAddress: $to, token: $token) {
        order { shippingAddress { address1 } cost { total { amount } } } userErrors { code field }
    }
}"""


async def test_a_buyer_corrects_the_street(api: Api, staff_token: str, drain: Drain) -> None:
    placed = await checkout.placed(api)
    order_gid, token = placed["order"]["id"], placed["orderToken"]

    async def to(changed: dict[str, Any], token: str | None = token) -> dict[str, Any]:
        given = {"id": order_gid, "to": {**checkout.ADDRESS, **changed}, "token": token}
        result = await api.query(READDRESS, given)
        assert result.data is not None
        payload: dict[str, Any] = result.data["orderShippingAddressUpdate"]
        return payload

    assert [one["code"] for one in (await to({"address1": "2 Oak Street"}, "wrong"))["userErrors"]] == ["NOT_FOUND"]
    elsewhere = await to({"provinceCode": "NY", "city": "New York", "postalCode": "10001"})
    assert [one["code"] for one in elsewhere["userErrors"]] == ["ADDRESS_CHANGES_PRICE"]
    payload = await to({"address1": "2 Oak Street"})
    assert payload["order"]["shippingAddress"] == {"address1": "2 Oak Street"}
    assert payload["order"]["cost"]["total"] == placed["order"]["cost"]["total"]
    await drain()
    assert await invariants.check() == []
    assert await db.fetchval("SELECT actor_kind FROM order_events WHERE type = 'ORDER_EDITED'") == "GUEST"
    await fulfillments.fulfill(api, staff_token, order_gid)
    late = await to({"address1": "3 Elm Street"})
    assert [one["code"] for one in late["userErrors"]] == ["ORDER_NOT_EDITABLE"]
