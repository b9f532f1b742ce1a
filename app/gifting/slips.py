"""The slip in a parcel: what is in it, and what is said to whoever opens it. Prices only where nobody hides them.

A line's own wish to hide prices hides them all: from the other lines and what is known of the whole it could be told.
"""

import uuid
from dataclasses import dataclass
from typing import Any

import orjson

from app import db
from app.gifting.options import GiftOptions
from app.kit.money import Money

_SLIP = """
    SELECT o.number, o.currency_code, o.gift_options, o.shipping_address, o.note, (
        SELECT json_agg(json_build_object(
            'product_name', l.product_name, 'variant_name', l.variant_name, 'sku', l.sku, 'quantity', fl.quantity,
            'unit_price_minor', l.unit_price_minor, 'gift_options', l.gift_options
        ) ORDER BY l.position)
        FROM fulfillment_lines fl JOIN order_lines l ON l.id = fl.order_line_id WHERE fl.fulfillment_id = f.id
    ) AS lines, EXISTS (
        SELECT FROM order_lines h WHERE h.order_id = o.id AND (h.gift_options ->> 'hide_prices')::bool
    ) AS a_line_hides
    FROM fulfillments f JOIN orders o ON o.id = f.order_id WHERE f.id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipLine:
    """`unit_price` is None where the slip hides prices."""

    product_name: str
    variant_name: str
    sku: str | None
    quantity: int
    unit_price: Money | None
    options: GiftOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingSlip:
    order_number: str
    shipping_address: dict[str, str] | None
    options: GiftOptions
    hides_prices: bool
    lines: list[SlipLine]


async def of_fulfillment(fulfillment_id: uuid.UUID) -> PackingSlip | None:
    """None when there is no such fulfilment."""
    row = await db.fetchrow(_SLIP, fulfillment_id)
    if row is None:
        return None
    options = GiftOptions.of(_decoded(row["gift_options"]))
    hides = options.hide_prices or row["a_line_hides"]
    return PackingSlip(
        order_number=str(row["number"]),
        shipping_address=_decoded(row["shipping_address"]),
        options=options,
        hides_prices=hides,
        lines=[_line(line, row["currency_code"], hides=hides) for line in _decoded(row["lines"]) or []],
    )


def _line(line: dict[str, Any], currency: str, *, hides: bool) -> SlipLine:
    return SlipLine(
        product_name=line["product_name"],
        variant_name=line["variant_name"],
        sku=line["sku"],
        quantity=line["quantity"],
        unit_price=None if hides else Money(line["unit_price_minor"], currency),
        options=GiftOptions.of(line["gift_options"]),
    )


def _decoded(text: str | None) -> Any:
    return orjson.loads(text) if text else None
