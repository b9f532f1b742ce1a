"""Which messages an order's life brings about: one for each reason and channel, and none that is no longer true."""

import uuid
from collections.abc import Awaitable, Callable

import pytest

from app import db
from app.kit.ids import new_id
from app.messaging.dev_inbox import list_messages
from tests.factories import shop
from tests.factories.messages import happens, ledger, placed_order

PHONE = "+14155550188"
Drain = Callable[[], Awaitable[None]]


@pytest.fixture
async def shop_row(clean_database: None) -> None:
    await shop.shop()


async def test_a_placed_order_is_confirmed_once_by_email(shop_row: None, drain: Drain) -> None:
    order_id = await placed_order()
    await happens("order.placed", order_id)
    await happens("order.placed", order_id)
    await drain()
    (row,) = await ledger()
    assert (row["channel"], row["template"], row["state"]) == ("EMAIL", "order_confirmation", "SENT")
    assert row["sent_at"] is not None
    (mail,) = await list_messages("ada@customer.example")
    assert mail.subject == "Order 1001 confirmed"
    assert mail.deliveries == 1


async def test_a_phone_given_for_the_order_gets_a_text_too(shop_row: None, drain: Drain) -> None:
    await happens("order.placed", await placed_order(phone=PHONE))
    await drain()
    assert {row["channel"]: row["state"] for row in await ledger()} == {"EMAIL": "SENT", "SMS": "SENT"}
    (text,) = await list_messages(PHONE)
    assert text.text.startswith("Tradewind Supply: thank you, we have your order 1001 ($144.90).")
    assert "STOP" in text.text
    assert text.html is None


async def test_an_order_without_any_contact_writes_to_nobody(shop_row: None, drain: Drain) -> None:
    await happens("order.placed", await placed_order(email=None))
    await drain()
    assert await ledger() == []


async def test_a_text_without_a_provider_is_skipped_and_says_so(
    shop_row: None, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.messaging.providers.is_configured", lambda channel, settings: False)
    await happens("order.placed", await placed_order(phone=PHONE))
    await drain()
    texts = [row for row in await ledger() if row["channel"] == "SMS"]
    assert [(row["state"], row["reason"]) for row in texts] == [("SKIPPED", "NOT_CONFIGURED")]
    assert await list_messages(PHONE) == []


async def test_an_order_cancelled_before_its_confirmation_gets_only_the_cancellation(
    shop_row: None, drain: Drain
) -> None:
    order_id = await placed_order()
    await happens("order.placed", order_id)
    await db.execute("UPDATE orders SET status = 'CANCELLED', cancel_reason = 'Changed my mind'")
    await happens("order.cancelled", order_id)
    await drain()
    assert {row["template"]: (row["state"], row["reason"]) for row in await ledger()} == {
        "order_confirmation": ("SKIPPED", "ORDER_CANCELLED"),
        "order_cancelled": ("SENT", None),
    }
    (mail,) = await list_messages()
    assert mail.subject == "Order 1001 was cancelled"
    assert "Changed my mind" in mail.text
    assert "Your card is not charged" in mail.text


async def parcel(order_id: uuid.UUID, status: str = "LABEL_CREATED") -> tuple[str, str]:
    """A fulfilment of the order in one parcel: its id and the parcel's."""
    fulfillment_id, shipment_id = new_id(), new_id()
    line_id = await db.fetchval("SELECT id FROM order_lines WHERE order_id = $1", order_id)
    await db.execute(
        "INSERT INTO fulfillments (id, order_id, created_at) VALUES ($1, $2, business_now())", fulfillment_id, order_id
    )
    await db.execute(
        "INSERT INTO fulfillment_lines (id, fulfillment_id, order_line_id, quantity) VALUES ($1, $2, $3, 2)",
        new_id(),
        fulfillment_id,
        line_id,
    )
    await db.execute("UPDATE order_lines SET fulfilled_quantity = 2 WHERE id = $1", line_id)
    await db.execute(
        """
        INSERT INTO shipments (id, fulfillment_id, position, carrier, status, created_at, updated_at)
        VALUES ($1, $2, 0, 'UPS', $3, business_now(), business_now())
        """,
        shipment_id,
        fulfillment_id,
        status,
    )
    return str(fulfillment_id), str(shipment_id)


async def test_each_step_of_a_parcel_is_told_once(shop_row: None, drain: Drain) -> None:
    order_id = await placed_order()
    fulfillment_id, shipment_id = await parcel(order_id)
    for _ in range(2):
        await happens("fulfillment.created", order_id, fulfillmentId=fulfillment_id, notifyCustomer=True)
        await happens("shipment.out_for_delivery", order_id, shipmentId=shipment_id)
        await happens("shipment.delivered", order_id, shipmentId=shipment_id)
    await drain()
    assert sorted(mail.subject or "" for mail in await list_messages()) == [
        "Order 1001 is on its way",
        "Order 1001 is out for delivery",
        "Order 1001 was delivered",
    ]


async def test_a_fulfilment_that_is_not_to_be_announced_is_not(shop_row: None, drain: Drain) -> None:
    order_id = await placed_order()
    fulfillment_id, _ = await parcel(order_id)
    await happens("fulfillment.created", order_id, fulfillmentId=fulfillment_id, notifyCustomer=False)
    await drain()
    assert await ledger() == []


async def test_a_parcel_that_has_arrived_is_not_announced_as_on_its_way_to_the_door(
    shop_row: None, drain: Drain
) -> None:
    order_id = await placed_order()
    _, shipment_id = await parcel(order_id, status="DELIVERED")
    await happens("shipment.out_for_delivery", order_id, shipmentId=shipment_id)
    await happens("shipment.delivered", order_id, shipmentId=shipment_id)
    await drain()
    assert {row["template"]: (row["state"], row["reason"]) for row in await ledger()} == {
        "order_out_for_delivery": ("SKIPPED", "SUPERSEDED"),
        "order_delivered": ("SENT", None),
    }
