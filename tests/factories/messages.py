"""Values for templates, and rows of the send ledger."""

import uuid
from copy import deepcopy
from typing import Any

import orjson

from app import db, events
from app.keys import keyring
from app.kit.crypto import hash_token
from app.kit.ids import new_id

LINE: dict[str, Any] = {
    "name": "Harbour sweater",
    "options": "Navy / M",
    "notes": ["Engraving: For Ada"],
    "quantity": 2,
    "unit_price": "$64.50",
    "total": "$129.00",
    "image_url": "https://shop.example/media/sweater.webp",
    "image_alt": "Harbour sweater, Navy / M",
}
PARCEL: dict[str, Any] = {
    "carrier": "UPS",
    "tracking_number": "1Z999AA10123456784",
    "tracking_url": "https://www.ups.com/track?tracknum=1Z999AA10123456784",
    "estimated_delivery": "Nov 24 to 26, 2026",
}
TRANSFER: dict[str, Any] = {
    "account_holder": "Tradewind Supply",
    "iban": "DE89 3704 0044 0532 0130 00",
    "bic": "COBADEFFXXX",
    "bank": "Commerzbank",
    "instructions": "Name the reference.",
    "reference": "1001",
    "amount": "$134.90",
    "pay_by": "December 6, 2026",
}
PICKUP: dict[str, Any] = {
    "store": "Pier Store",
    "address": ["5 Pier Road", "Portland, OR 97204"],
    "hours": ["Monday to Friday: 9:00 AM to 6:00 PM", "Saturday: 10:00 AM to 2:00 PM"],
    "instructions": "Ring at the side door.",
    "ready": "November 23, 2026, 10:00 AM",
}
GIFT: dict[str, Any] = {"is_wrapped": True, "message": "Happy birthday!", "hides_prices": True}
_SHARED: dict[str, Any] = {
    "language": "en",
    "shop": {
        "name": "Tradewind Supply",
        "url": "https://shop.example/",
        "email": "hello@shop.example",
        "address": ["12 Harbour Street", "Portland, ME 04101"],
    },
    "customer": {"first_name": "Ada"},
    "order": {
        "number": "1001",
        "placed_on": "November 22, 2026",
        "url": "https://shop.example/orders/abc",
        "token": None,
        "ships": True,
        "estimated_delivery": "Nov 24 to 26, 2026",
        "shipping_method": "UPS Ground",
        "totals": [
            {"label": "Subtotal", "amount": "$129.00"},
            {"label": "Shipping", "amount": "$5.90"},
        ],
        "total": "$134.90",
        "paid_before": [{"label": "Gift card", "amount": "-$34.90"}, {"label": "Amount due", "amount": "$100.00"}],
        "tax_note": None,
        "payment": "Payment by card",
        "shipping_address": ["Ada Lovelace", "1 Engine Way", "Springfield, IL 62704", "United States"],
        "billing_address": ["Ada Lovelace", "1 Engine Way", "Springfield, IL 62704", "United States"],
        "note": "Ring twice.",
    },
    "lines": [LINE],
    "more_lines": 0,
    "has_images": True,
}
_OWN: dict[str, dict[str, Any]] = {
    "order_confirmation": {
        "invoice_url": "https://api.shop.example/invoices/abc.pdf",
        "transfer": TRANSFER,
        "pickup": None,
        "gift": GIFT,
    },
    "order_shipped": {
        "parcels": [PARCEL],
        "estimated_delivery": "Nov 24 to 26, 2026",
        "is_partial": False,
        "remaining_quantity": 0,
    },
    "order_out_for_delivery": {"parcels": [PARCEL], "parcel_count": 1},
    "order_delivered": {
        "parcels": [PARCEL],
        "parcel_count": 1,
        "delivered_on": "November 25, 2026",
        "delivered_at_place": "Front door",
    },
    "order_ready_for_pickup": {
        "store": "Pier Store",
        "store_address": ["5 Pier Road", "Portland, OR 97204"],
        "instructions": "Ring twice.",
    },
    "order_cancelled": {"reason": "Out of stock", "refund": "You have nothing to pay."},
    "order_refunded": {"amount": "$20.00", "reason": "Chipped", "money": "It goes back the way it came."},
    "order_edited": {"money": "It costs $80.00 now; $20.00 more is to be paid.", "reason": "Asked for"},
    "order_payment_reminder": {"transfer": TRANSFER},
}


def template_values(template: str, **order: Any) -> dict[str, Any]:
    """Everything that the template prints, filled; keyword arguments replace values of the order."""
    values = deepcopy({**_SHARED, **_OWN[template]})
    values["order"].update(order)
    return values


def sparse_values(template: str) -> dict[str, Any]:
    """The same with everything left out that may be missing."""
    values = template_values(
        template,
        url=None,
        estimated_delivery=None,
        shipping_method=None,
        payment=None,
        shipping_address=[],
        billing_address=[],
        note=None,
        ships=False,
        paid_before=[],
    )
    values["shop"].update(url=None, email=None, address=[])
    values["customer"]["first_name"] = None
    values["has_images"] = False
    values["lines"][0].update(options=None, notes=[], image_url=None)
    for name in ("estimated_delivery", "delivered_at_place", "invoice_url", "reason", "refund"):
        if name in values:
            values[name] = None
    if template == "order_confirmation":
        values.update(transfer=None, pickup=None, gift=None)
    elif "transfer" in values:
        values["transfer"].update(iban=None, bic=None, bank=None, instructions=None, pay_by=None)
    for parcel in values.get("parcels", []):
        parcel.update(tracking_number=None, tracking_url=None, estimated_delivery=None)
    return values


ADDRESS = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "address1": "1 Engine Way",
    "address2": "Apt 4",
    "city": "Springfield",
    "province_code": "IL",
    "province": "Illinois",
    "postal_code": "62704",
    "country_code": "US",
}


async def placed_order(
    *,
    email: str | None = "ada@customer.example",
    phone: str | None = None,
    status: str = "OPEN",
    payment_method: str = "CARD",
    currency: str = "USD",
    tax_included: bool = False,
    shipping_address: dict[str, str] | None = ADDRESS,
    billing_address: dict[str, str] | None = None,
    lines: int = 1,
) -> uuid.UUID:
    """An order of two Harbour sweaters a line at 64.50, shipping 5.90, tax 10.00, as a checkout would leave it."""
    order_id = new_id()
    subtotal, shipping, tax = 12900 * lines, 590, 1000
    await db.execute(
        """
        INSERT INTO orders (id, number, attempt_id, cart_id, token_hash, email, phone, status, payment_status,
            fulfillment_status, payment_method, currency_code, subtotal_minor, discount_minor, shipping_minor,
            tax_minor, tax_included, total_minor, shipping_address, billing_address, shipping_quote, note, attributes,
            placed_at, updated_at)
        VALUES ($1, nextval('order_numbers'), $2, $3, $4, $5, $6, $7,
            CASE $8 WHEN 'CASH_ON_DELIVERY' THEN 'PENDING' ELSE 'PAID' END, 'UNFULFILLED', $8, $9, $10, 0, $11, $12,
            $13, $14, $15, $16, $17, 'Ring twice.', '[]', business_now(), business_now())
        """,
        order_id,
        new_id(),
        new_id(),
        hash_token(keyring().derive_token("order", order_id)),
        email,
        phone,
        status,
        payment_method,
        currency,
        subtotal,
        shipping,
        tax,
        tax_included,
        subtotal + shipping + (0 if tax_included else tax),
        shipping_address and orjson.dumps(shipping_address).decode(),
        billing_address and orjson.dumps(billing_address).decode(),
        orjson.dumps(
            {
                "carrier": "UPS",
                "service": "Ground",
                "estimatedDelivery": {"from": "2026-11-24", "to": "2026-11-26"},
            }
        ).decode(),
    )
    for position in range(lines):
        await db.execute(
            """
            INSERT INTO order_lines (id, order_id, position, product_id, variant_id, product_name, variant_name, sku,
                image_url, selected_options, attributes, quantity, unit_price_minor, subtotal_minor, discount_minor,
                tax_minor, total_minor, weight_grams, requires_shipping, fulfilled_quantity)
            VALUES ($1, $2, $3, $4, $5, 'Harbour sweater', 'Navy / M', 'HS-N-M', '/media/sweater.webp', $6, $7, 2, 6450,
                12900, 0, 0, 12900, 400, true, 0)
            """,
            new_id(),
            order_id,
            position,
            new_id(),
            new_id(),
            orjson.dumps([{"name": "Color", "value": "Navy"}, {"name": "Size", "value": "M"}]).decode(),
            orjson.dumps([{"key": "Engraving", "value": "For Ada"}, {"key": "_source", "value": "app"}]).decode(),
        )
    return order_id


async def happens(event: str, order_id: uuid.UUID, **payload: object) -> None:
    """What the domain of orders or fulfilments would record."""
    async with db.unit_of_work():
        await events.record(event, subject_id=order_id, payload={"orderId": str(order_id), **payload})


async def ledger() -> list[dict[str, Any]]:
    """The rows of the ledger, oldest first."""
    rows = await db.fetch("SELECT * FROM messages ORDER BY id")
    return [dict(row) for row in rows]
