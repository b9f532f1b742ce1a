"""What a mail about an order says, from the order's own rows."""

import uuid
from typing import Any

import orjson
import pytest

from app import db
from app.keys import keyring
from app.kit.ids import new_id
from app.messaging import order_context
from app.messaging.order_context import OrderNotFoundError
from app.messaging.rendering import render_email
from app.settings import Settings
from tests.factories import orders, shop
from tests.factories.messages import ADDRESS, placed_order

pytestmark = pytest.mark.usefixtures("clean_database")


async def build(template: str, order_id: uuid.UUID, settings: Settings, **ids: str) -> Any:
    values = await order_context.build(template, order_id, ids, settings)
    render_email(template, values)  # whatever is built, the template prints
    return values


async def test_the_confirmation_has_the_frozen_order_in_the_shops_currency_and_language(settings: Settings) -> None:
    await shop.shop()
    order_id = await placed_order()
    values = await build("order_confirmation", order_id, settings)
    order = values["order"]
    assert order["number"] == "1001"
    assert order["totals"] == [
        {"label": "Subtotal", "amount": "$129.00"},
        {"label": "Shipping", "amount": "$5.90"},
        {"label": "Tax", "amount": "$10.00"},
    ]
    assert order["total"] == "$144.90"
    assert order["payment"] == "Payment by card"
    assert order["shipping_method"] == "UPS Ground"
    assert order["estimated_delivery"].replace("\u2009", " ") == "Nov 24 \u2013 26, 2026"
    assert order["shipping_address"] == [
        "Ada Lovelace", "1 Engine Way", "Apt 4", "Springfield, IL 62704", "United States",
    ]  # fmt: skip
    assert order["billing_address"] == []
    assert values["customer"]["first_name"] == "Ada"
    assert values["shop"]["address"] == ["Tradewind Supply, Inc.", "1 Harbor Way", "Portland, OR 97201"]
    (line,) = values["lines"]
    assert line["options"] == "Navy / M"
    assert line["notes"] == ["Engraving: For Ada"], "attributes that begin with _ are not for people"
    assert (line["quantity"], line["unit_price"], line["total"]) == (2, "$64.50", "$129.00")
    assert line["image_url"] == "http://testserver/media/sweater.webp"


async def test_the_token_opens_the_order_in_the_storefront_or_is_shown(settings: Settings) -> None:
    await shop.shop()
    order_id = await placed_order()
    token = keyring().derive_token("order", order_id)
    values = await build("order_confirmation", order_id, settings)
    assert (values["order"]["url"], values["order"]["token"]) == (None, token)

    storefront = settings.model_copy(update={"storefront_url": "https://shop.example/orders/{token}?from=mail"})
    values = await build("order_confirmation", order_id, storefront)
    assert values["order"]["url"] == f"https://shop.example/orders/{token}?from=mail"
    assert values["order"]["token"] is None
    assert values["shop"]["url"] == "https://shop.example/"


@pytest.mark.parametrize(
    ("locale", "currency", "total", "placed"),
    [
        ("en-US", "USD", "$144.90", "November 22, 2026"),
        ("en-GB", "GBP", "£144.90", "22 November 2026"),
        ("de-DE", "EUR", "144,90 €", "22 November 2026"),
        ("ja-JP", "JPY", "¥14,490", "November 22, 2026"),
        ("xx-nonsense", "USD", "$144.90", "November 22, 2026"),
    ],
)
async def test_amounts_and_dates_follow_the_shop(
    settings: Settings, locale: str, currency: str, total: str, placed: str
) -> None:
    await shop.shop(locale=locale, currency=currency)
    order_id = await placed_order(currency=currency)
    await db.execute("UPDATE orders SET placed_at = '2026-11-22T12:00:00Z'")
    order = (await build("order_confirmation", order_id, settings))["order"]
    assert order["total"].replace("\xa0", " ").replace("JP¥", "¥") == total
    assert order["placed_on"] == placed


async def test_the_day_is_the_shops(settings: Settings) -> None:
    await shop.shop(time_zone="Pacific/Auckland")
    order_id = await placed_order()
    await db.execute("UPDATE orders SET placed_at = '2026-11-22T12:00:00Z'")
    assert (await build("order_confirmation", order_id, settings))["order"]["placed_on"] == "November 23, 2026"


async def test_prices_with_tax_inside_cash_and_a_gift_to_somebody_else(settings: Settings) -> None:
    await shop.shop()
    payer = {**ADDRESS, "first_name": "Grace", "last_name": "Hopper"}
    order_id = await placed_order(tax_included=True, payment_method="CASH_ON_DELIVERY", billing_address=payer)
    values = await build("order_confirmation", order_id, settings)
    assert "Tax" not in [total["label"] for total in values["order"]["totals"]]
    assert values["order"]["tax_note"] == "Including $10.00 tax"
    assert values["order"]["payment"] == "To be paid in cash on delivery: $134.90"
    assert values["customer"]["first_name"] == "Grace", "whoever pays gets the mail"
    assert values["order"]["shipping_address"][0] == "Ada Lovelace"
    assert values["order"]["billing_address"][0] == "Grace Hopper"


async def test_an_order_that_is_fetched_names_its_store_in_the_place_of_shipping(settings: Settings) -> None:
    await shop.shop()
    order_id = await placed_order(payment_method="CASH_ON_DELIVERY", shipping_address=None)
    store = {"name": "Pier Store", "address": ADDRESS, "openingHours": [], "instructions": "Ring twice."}
    quote = {"kind": "PICKUP", "carrier": "Pick-up", "readyAt": "2026-11-23T10:00:00+00:00", "location": store}
    await orders.rewrite("UPDATE orders SET shipping_quote = $1", orjson.dumps(quote).decode())
    await orders.rewrite("UPDATE orders SET shipping_minor = 0, total_minor = total_minor - shipping_minor")
    await orders.rewrite("""UPDATE orders SET gift_options = '{"wrap": true, "message": "Enjoy!"}'""")
    await orders.rewrite("UPDATE order_lines SET expected_at = '2026-12-01T12:00:00Z'")
    values = await build("order_confirmation", order_id, settings)
    assert (values["pickup"]["store"], values["pickup"]["instructions"]) == ("Pier Store", "Ring twice.")
    assert values["gift"] == {"is_wrapped": True, "message": "Enjoy!", "hides_prices": False}
    assert "Expected on December 1, 2026" in values["lines"][0]["notes"]
    assert {"label": "Pick-up", "amount": "Free"} in values["order"]["totals"]
    assert "when you pick it up" in values["order"]["payment"]
    ready = await build("order_ready_for_pickup", order_id, settings)
    assert (ready["store"], ready["instructions"]) == ("Pier Store", "Ring twice.")


async def test_a_very_long_order_is_listed_in_part(settings: Settings) -> None:
    await shop.shop()
    values = await build("order_confirmation", await placed_order(lines=order_context.MAX_LINES + 3), settings)
    assert len(values["lines"]) == order_context.MAX_LINES
    assert values["more_lines"] == 3
    assert len(render_email("order_confirmation", values).html) < 102_000, "Gmail cuts a longer mail off"


async def test_links_that_are_not_web_addresses_are_left_out(settings: Settings) -> None:
    await shop.shop()
    order_id = await placed_order()
    await orders.rewrite("UPDATE order_lines SET image_url = 'javascript:alert(1)'")
    fulfillment_id = await shipped(order_id, quantity=1, tracking_url="javascript:alert(1)")
    values = await build("order_shipped", order_id, settings, fulfillmentId=str(fulfillment_id))
    assert values["parcels"][0]["tracking_url"] is None
    assert values["lines"][0]["image_url"] is None


async def shipped(
    order_id: uuid.UUID, *, quantity: int, tracking_url: str = "https://www.ups.com/track?tracknum=1Z"
) -> uuid.UUID:
    """Some units of the order's first line, in one parcel."""
    fulfillment_id = new_id()
    line_id = await db.fetchval("SELECT id FROM order_lines WHERE order_id = $1 ORDER BY position", order_id)
    await db.execute(
        "INSERT INTO fulfillments (id, order_id, created_at) VALUES ($1, $2, business_now())", fulfillment_id, order_id
    )
    await db.execute(
        "INSERT INTO fulfillment_lines (id, fulfillment_id, order_line_id, quantity) VALUES ($1, $2, $3, $4)",
        new_id(),
        fulfillment_id,
        line_id,
        quantity,
    )
    await db.execute("UPDATE order_lines SET fulfilled_quantity = $2 WHERE id = $1", line_id, quantity)
    await db.execute(
        """
        INSERT INTO shipments (id, fulfillment_id, position, carrier, tracking_number, tracking_url, status,
                               estimated_from, estimated_to, created_at, updated_at)
        VALUES ($1, $2, 0, 'UPS', '1Z', $3, 'LABEL_CREATED', '2026-11-24', '2026-11-26', business_now(), business_now())
        """,
        new_id(),
        fulfillment_id,
        tracking_url,
    )
    return fulfillment_id


async def test_a_shipment_lists_its_own_units_and_what_is_still_to_come(settings: Settings) -> None:
    await shop.shop()
    order_id = await placed_order(lines=2)
    fulfillment_id = await shipped(order_id, quantity=1)
    values = await build("order_shipped", order_id, settings, fulfillmentId=str(fulfillment_id))
    (line,) = values["lines"]
    assert (line["quantity"], line["unit_price"], line["total"]) == (1, None, None)
    assert values["is_partial"] is True
    assert values["remaining_quantity"] == 3
    (parcel,) = values["parcels"]
    assert (parcel["carrier"], parcel["tracking_number"]) == ("UPS", "1Z")
    assert parcel["tracking_url"] == "https://www.ups.com/track?tracknum=1Z"


async def test_a_delivery_names_its_day_and_place(settings: Settings) -> None:
    await shop.shop()
    order_id = await placed_order()
    await shipped(order_id, quantity=2)
    shipment_id = await db.fetchval("SELECT id FROM shipments")
    await db.execute(
        """
        INSERT INTO tracking_events (id, shipment_id, status, description, location, occurred_at, created_at)
        VALUES ($1, $2, 'DELIVERED', '', 'Front door', '2026-11-25T17:00:00Z', business_now())
        """,
        new_id(),
        shipment_id,
    )
    values = await build("order_delivered", order_id, settings, shipmentId=str(shipment_id))
    assert values["delivered_on"] == "November 25, 2026"
    assert values["delivered_at_place"] == "Front door"
    assert values["parcel_count"] == 1
    assert values["parcels"][0]["estimated_delivery"] is None


async def test_rows_that_point_at_nothing_are_an_error_and_not_an_empty_mail(settings: Settings) -> None:
    await shop.shop()
    order_id, other = await placed_order(), await placed_order()
    fulfillment_id = await shipped(other, quantity=1)
    with pytest.raises(OrderNotFoundError):
        await build("order_confirmation", new_id(), settings)
    with pytest.raises(OrderNotFoundError):
        await build("order_shipped", order_id, settings, fulfillmentId=str(fulfillment_id))
    with pytest.raises(OrderNotFoundError):
        await build("order_delivered", order_id, settings, shipmentId=str(new_id()))
