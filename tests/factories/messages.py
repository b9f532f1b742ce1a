"""Values for templates, and rows of the send ledger."""

from copy import deepcopy
from typing import Any

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
        "tax_note": None,
        "payment": "Paid by card",
        "shipping_address": ["Ada Lovelace", "1 Engine Way", "Springfield, IL 62704", "United States"],
        "billing_address": ["Ada Lovelace", "1 Engine Way", "Springfield, IL 62704", "United States"],
        "note": "Ring twice.",
    },
    "lines": [LINE],
    "more_lines": 0,
    "has_images": True,
}
_OWN: dict[str, dict[str, Any]] = {
    "order_confirmation": {},
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
    "order_cancelled": {"reason": "Out of stock", "refund": "You have nothing to pay.", "nothing_shipped": True},
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
    )
    values["shop"].update(url=None, email=None, address=[])
    values["customer"]["first_name"] = None
    values["has_images"] = False
    values["lines"][0].update(options=None, notes=[], image_url=None)
    for name in ("estimated_delivery", "delivered_at_place", "reason", "refund"):
        if name in values:
            values[name] = None
    for parcel in values.get("parcels", []):
        parcel.update(tracking_number=None, tracking_url=None, estimated_delivery=None)
    return values
