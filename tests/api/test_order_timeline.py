"""What an order's timeline tells, and to whom; and which moves its states may make."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from app import db
from app.assisted.models import DRAFT
from app.checkout.states import ATTEMPT
from app.companies.models import APPROVAL
from app.inventory.states import RESERVATION
from app.kit.state_machine import StateMachine
from app.orders import states
from app.payments.states import CAPTURE, DISPUTE, PAYMENT, REFUND
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import catalogue, checkout, fulfillments, refunds, staff

Drain = Callable[[], Awaitable[None]]

TIMELINE = """query ($id: ID!, $token: String) {
    order(id: $id, token: $token) { timeline { type actor actorName reason data } }
}"""
CANCEL = """mutation ($id: ID!) { orderCancel(orderId: $id, reason: "Out of stock") { userErrors { code } } }"""
NOTE = (
    """mutation ($id: ID!, $text: String!) { orderNoteAdd(orderId: $id, text: $text) { userErrors { code field } } }"""
)
MACHINES: list[tuple[str, str, StateMachine[Any]]] = [
    ("draft_orders", "state", DRAFT),
    ("order_approvals", "state", APPROVAL),
    ("orders", "status", states.ORDER),
    ("orders", "fulfillment_status", states.FULFILLMENT),
    ("orders", "payment_status", states.PAYMENT_STATUS),
    ("payments", "state", PAYMENT),
    ("payment_captures", "state", CAPTURE),
    ("refunds", "state", REFUND),
    ("refund_parts", "state", REFUND),
    ("payment_disputes", "state", DISPUTE),
    ("checkout_attempts", "state", ATTEMPT),
    ("stock_reservations", "state", RESERVATION),
]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def told(api: Api, order_id: str, **how: str | None) -> list[dict[str, Any]]:
    data = await api.ok(TIMELINE, {"id": order_id, "token": how.get("order_token")}, token=how.get("token"))
    events: list[dict[str, Any]] = data["order"]["timeline"]
    return events


async def test_it_tells_what_was_done_by_whom_and_why(api: Api, staff_token: str, drain: Drain) -> None:
    placed = await checkout.placed(api)
    order_id = placed["order"]["id"]
    await drain()
    assert await api.ok(NOTE, {"id": order_id, "text": " Call first "}, token=staff_token) == {
        "orderNoteAdd": {"userErrors": []}
    }
    await api.ok(CANCEL, {"id": order_id}, token=staff_token)

    events = await told(api, order_id, token=staff_token)
    assert [(event["type"], event["actor"], event["reason"]) for event in events[:6]] == [
        ("PLACED", "GUEST", None),
        ("INVOICE_ISSUED", "SYSTEM", None),
        ("MESSAGE_SENT", "SYSTEM", None),
        ("NOTE_ADDED", "STAFF", "Call first"),
        ("PAYMENT_CHANGED", "STAFF", None),
        ("STATUS_CHANGED", "STAFF", "Out of stock"),
    ]
    assert events[0]["data"]["paymentStatus"] == "AUTHORIZED"
    assert events[2]["data"] == {"channel": "EMAIL", "template": "order_confirmation"}
    assert (events[4]["data"]["before"], events[4]["data"]["after"]) == ("AUTHORIZED", "VOIDING")
    assert events[5]["data"] == {"before": "OPEN", "after": "CANCELLED"}
    assert events[5]["actorName"], "staff are told who of them it was"

    seen = await told(api, order_id, order_token=placed["orderToken"])
    assert not {"NOTE_ADDED", "PAYMENT_CHANGED"} & {event["type"] for event in seen}
    assert {event["actorName"] for event in seen} == {None}
    assert [event["reason"] for event in seen if event["type"] == "STATUS_CHANGED"] == ["Out of stock"]


async def test_parcels_are_in_it(api: Api, staff_token: str) -> None:
    placed = await checkout.placed(api)
    made = await fulfillments.fulfill(api, staff_token, placed["order"]["id"])
    event = {"fulfillmentId": made["id"], "status": "IN_TRANSIT"}
    await api.ok(fulfillments.TRACK, {"input": event}, token=staff_token)
    events = await told(api, placed["order"]["id"], token=staff_token)
    assert {event["type"] for event in events} >= {
        "FULFILLMENT_CREATED",
        "FULFILLMENT_STATUS_CHANGED",
        "SHIPMENT_STATUS_CHANGED",
    }


async def test_a_note_is_checked_and_takes_the_permission(api: Api, staff_token: str) -> None:
    order_id = (await checkout.placed(api))["order"]["id"]
    before = await told(api, order_id, token=staff_token)
    for text, code in (("  ", "REQUIRED"), ("a" * 2_001, "TOO_LONG"), ("a\x00b", "INVALID")):
        refused = (await api.query(NOTE, {"id": order_id, "text": text}, token=staff_token)).data
        assert refused == {"orderNoteAdd": {"userErrors": [{"code": code, "field": ["text"]}]}}
    reader = await staff.signed_in({Permission.ORDERS_READ})
    refused = (await api.query(NOTE, {"id": order_id, "text": "Mine"}, token=reader)).data
    assert refused == {"orderNoteAdd": {"userErrors": [{"code": "FORBIDDEN", "field": None}]}}
    assert await told(api, order_id, token=staff_token) == before


async def test_nobody_rewrites_it(api: Api) -> None:
    await checkout.placed(api)
    for statement in ("UPDATE order_events SET reason = 'Other'", "DELETE FROM order_events"):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await db.execute(statement)


async def test_a_page_of_orders_reads_all_timelines_at_once(api: Api, staff_token: str) -> None:
    product = await catalogue.product(stock=10)
    document = "{ orders(first: 10) { nodes { id timeline { type } } } }"
    counts = []
    for _ in range(2):
        await checkout.placed(api, (product, 1))
        with db.counted_statements() as statements:
            data = await api.ok(document, token=staff_token)
        assert all(order["timeline"] for order in data["orders"]["nodes"])
        counts.append(len(statements))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(("table", "column", "machine"), MACHINES, ids=str)
async def test_the_database_has_the_same_moves(table: str, column: str, machine: StateMachine[Any], api: Api) -> None:
    arguments: bytes = await db.fetchval(
        "SELECT tgargs FROM pg_trigger WHERE tgname = $1 AND tgrelid = $2::regclass", f"legal_{column}", table
    )
    thing, state, moves = arguments.decode().rstrip("\0").split("\0")
    assert (thing, state) == (machine.thing, column)
    assert sorted(moves.split(", ")) == [f"{before} > {after}" for before, after in machine.moves()]


async def test_it_tells_of_money(api: Api, staff_token: str, drain: Drain) -> None:
    placed = await checkout.placed(api)
    await fulfillments.fulfill(api, staff_token, placed["order"]["id"])
    await drain()
    made = await refunds.create(api, staff_token, placed["order"]["id"], amount=refunds.usd("5.00"), reason="A scratch")
    assert not made["userErrors"]
    await drain()
    events = await told(api, placed["order"]["id"], token=staff_token)
    money = [
        (event["type"], event["actor"], event["data"].get("after") or event["data"].get("state")) for event in events
    ]
    assert [one for one in money if one[0] not in {"MESSAGE_SENT", "SHIPMENT_STATUS_CHANGED"}] == [
        ("PLACED", "GUEST", None),
        ("FULFILLMENT_CREATED", "STAFF", None),
        ("FULFILLMENT_STATUS_CHANGED", "STAFF", "FULFILLED"),
        ("INVOICE_ISSUED", "SYSTEM", None),
        ("PAYMENT_CHANGED", "SYSTEM", "CAPTURING"),
        ("CAPTURE_ENDED", "SYSTEM", "SUCCEEDED"),
        ("PAYMENT_CHANGED", "SYSTEM", "CAPTURED"),
        ("STATUS_CHANGED", "SYSTEM", "COMPLETED"),
        ("PAYMENT_STATUS_CHANGED", "SYSTEM", "PAID"),
        ("REFUND_CREATED", "STAFF", "PENDING"),
        ("REFUND_CHANGED", "SYSTEM", "SUCCEEDED"),
        ("PAYMENT_STATUS_CHANGED", "SYSTEM", "PARTIALLY_REFUNDED"),
        ("INVOICE_ISSUED", "SYSTEM", None),
    ]
    assert [event["reason"] for event in events if event["type"] == "REFUND_CREATED"] == ["A scratch"]


async def test_what_was_sold_is_frozen(api: Api) -> None:
    await checkout.placed(api)
    for statement in (
        "UPDATE orders SET total_minor = total_minor + 1, shipping_minor = shipping_minor + 1",
        "UPDATE orders SET shipping_address = NULL",
        "UPDATE order_lines SET product_name = 'Another'",
        "UPDATE order_lines SET tax_lines = '[{}]'",
        "DELETE FROM order_lines",
    ):
        with pytest.raises(asyncpg.CheckViolationError, match="frozen"):
            await db.execute(statement)
    await db.execute("UPDATE orders SET status = 'CANCELLED', note = note")


async def test_the_database_refuses_an_illegal_move(api: Api) -> None:
    await checkout.placed(api)
    await db.execute("UPDATE orders SET status = 'CANCELLED'")
    with pytest.raises(asyncpg.CheckViolationError, match="an order: CANCELLED cannot become OPEN"):
        await db.execute("UPDATE orders SET status = 'OPEN'")
