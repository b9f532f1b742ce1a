"""The slip in a parcel: what is in it, and what is said to whoever opens it. Prices only where nobody hides them.

A line's own wish to hide prices hides them all: from the other lines and what is known of the whole it could be told.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app import db
from app.addresses.lines import address_lines
from app.addresses.postal import PostalAddress
from app.gifting.options import GiftOptions
from app.kit.money import Money

_LINE = """json_agg(json_build_object(
    'product_name', l.product_name, 'variant_name', l.variant_name, 'sku', l.sku, 'quantity', {quantity},
    'unit_price_minor', l.unit_price_minor, 'gift_options', l.gift_options, 'customizations', l.customizations
) ORDER BY l.position)"""
_SLIP = """
    SELECT o.number, o.placed_at, o.currency_code, o.gift_options, o.shipping_address, o.billing_address,
           o.pickup_location_id, o.shipping_quote, s.name AS shop_name, s.postal_address, s.locale, s.time_zone,
           ({lines}) AS lines, EXISTS (
               SELECT FROM order_lines h WHERE h.order_id = o.id AND (h.gift_options ->> 'hide_prices')::bool
           ) AS a_line_hides
    FROM {whose} LEFT JOIN shop s ON s.id = 1
"""
_OF_FULFILLMENT = _SLIP.format(
    lines=f"""SELECT {_LINE.format(quantity="fl.quantity")}
        FROM fulfillment_lines fl JOIN order_lines l ON l.id = fl.order_line_id WHERE fl.fulfillment_id = f.id""",
    whose="fulfillments f JOIN orders o ON o.id = f.order_id AND f.id = $1",
)
_OF_ORDER = _SLIP.format(
    lines=f"""SELECT {_LINE.format(quantity="l.quantity - l.fulfilled_quantity")}
        FROM order_lines l WHERE l.order_id = o.id AND l.requires_shipping AND l.quantity > l.fulfilled_quantity""",
    whose="(SELECT * FROM orders WHERE id = $1) o",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipLine:
    """`unit_price` is None where the slip hides prices; `made_to_order` are labels and what was chosen."""

    product_name: str
    variant_name: str
    sku: str | None
    quantity: int
    unit_price: Money | None
    options: GiftOptions
    made_to_order: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingSlip:
    """
    Attributes:
        recipient: name and address as on the label; of what is fetched from a store, the name of who was billed.
        pickup: name and address of that store; empty for what is shipped.
        shop_lines: name and address of the shop.
    """

    order_number: str
    placed_at: datetime
    recipient: list[str]
    pickup: list[str]
    options: GiftOptions
    hides_prices: bool
    lines: list[SlipLine]
    shop_lines: list[str]
    locale: str
    time_zone: str


async def of_fulfillment(fulfillment_id: uuid.UUID) -> PackingSlip | None:
    """What is in a parcel. None when there is no such fulfilment."""
    return _slip(await db.fetchrow(_OF_FULFILLMENT, fulfillment_id))


async def of_order(order_id: uuid.UUID) -> PackingSlip | None:
    """What is still to be packed of an order. None when there is no such order."""
    return _slip(await db.fetchrow(_OF_ORDER, order_id))


def _slip(row: db.Record | None) -> PackingSlip | None:
    if row is None:
        return None
    options = GiftOptions.of(_decoded(row["gift_options"]))
    hides = options.hide_prices or row["a_line_hides"]
    is_pickup = row["pickup_location_id"] is not None
    name = row["shop_name"] or ""
    address = [line for line in (row["postal_address"] or "").splitlines() if line.strip()]
    return PackingSlip(
        order_number=str(row["number"]),
        placed_at=row["placed_at"],
        recipient=_address(row["billing_address"])[:1] if is_pickup else _address(row["shipping_address"]),
        pickup=_store(_decoded(row["shipping_quote"]) or {}) if is_pickup else [],
        options=options,
        hides_prices=hides,
        lines=[_line(line, row["currency_code"], hides=hides) for line in _decoded(row["lines"]) or []],
        # Many shops have their name on the first line of the address already.
        shop_lines=address if address[:1] == [name] else [name, *address],
        locale=row["locale"] or "en-US",
        time_zone=row["time_zone"] or "UTC",
    )


def _line(line: dict[str, Any], currency: str, *, hides: bool) -> SlipLine:
    return SlipLine(
        product_name=line["product_name"],
        variant_name=line["variant_name"],
        sku=line["sku"],
        quantity=line["quantity"],
        unit_price=None if hides else Money(line["unit_price_minor"], currency),
        options=GiftOptions.of(line["gift_options"]),
        made_to_order=[(made["label"], made.get("shown") or made["value"]) for made in line["customizations"]],
    )


def _address(text: str | None) -> list[str]:
    return address_lines(PostalAddress.from_json(orjson.loads(text))) if text else []


def _store(quote: Mapping[str, Any]) -> list[str]:
    """Of a store as the order keeps it; its address begins with a name, which may be another one than the store's."""
    stored = quote.get("location")
    return [stored["name"], *address_lines(PostalAddress.from_json(stored["address"]))] if stored else []


def _decoded(text: str | None) -> Any:
    return orjson.loads(text) if text else None
