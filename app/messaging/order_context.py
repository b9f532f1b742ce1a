"""Fills in what a template about an order is given (see `order_values`) from the frozen order.

Nothing in it is an object: a template reaches no more than it is given.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import orjson
from babel import Locale

from app import db
from app.addresses.lines import address_lines
from app.addresses.postal import PostalAddress
from app.invoices import queries as invoices
from app.invoices.links import invoice_url
from app.messaging import formats, order_details, payment_values
from app.messaging.order_values import (
    CustomerValues,
    LineValues,
    OrderValues,
    ParcelValues,
    TotalValues,
)
from app.messaging.rendering import LANGUAGE
from app.messaging.shop_values import shop_values
from app.orders.placing import token_of
from app.payments.models import PaymentMethod
from app.settings import Settings

MAX_LINES = 60
"""More are counted, not listed: mail programs cut off messages of more than about 100 kB."""


class OrderNotFoundError(Exception):
    """The ledger row points at nothing: no template can be filled."""


@dataclass(frozen=True, slots=True)
class _Shop:
    name: str
    contact_email: str
    legal_name: str
    postal_address: str
    time_zone: str
    locale: Locale
    public_url: str
    storefront_url: str | None


_ORDER = """
    SELECT o.*, s.name AS shop_name, s.contact_email, s.postal_address, s.legal_name, s.time_zone, s.locale,
        (SELECT coalesce(json_agg(l ORDER BY l.position), '[]') FROM order_lines l WHERE l.order_id = o.id) AS lines
    FROM orders o LEFT JOIN shop s ON s.id = 1
    WHERE o.id = $1
"""
_SHIPMENTS = """
    SELECT s.*, f.id AS fulfillment_id,
        (SELECT count(*) FROM shipments s2 JOIN fulfillments f2 ON f2.id = s2.fulfillment_id
         WHERE f2.order_id = f.order_id)
        + EXISTS (SELECT FROM order_lines l WHERE l.order_id = f.order_id AND l.requires_shipping
                                              AND l.fulfilled_quantity < l.quantity)::int AS parcel_count
    FROM shipments s JOIN fulfillments f ON f.id = s.fulfillment_id
    WHERE f.order_id = $1 AND ($2::uuid IS NULL OR f.id = $2) AND ($3::uuid IS NULL OR s.id = $3)
    ORDER BY s.position, s.id
"""
_FULFILLED = """
    SELECT fl.order_line_id, fl.quantity FROM fulfillment_lines fl JOIN fulfillments f ON f.id = fl.fulfillment_id
    WHERE f.id = $1 AND f.order_id = $2
"""
_DELIVERY = """
    SELECT occurred_at, location FROM tracking_events WHERE shipment_id = $1 AND status = 'DELIVERED'
    ORDER BY occurred_at, id LIMIT 1
"""


async def build(template: str, order_id: uuid.UUID, ids: dict[str, Any], settings: Settings) -> dict[str, object]:
    """The values of a template.

    Args:
        ids: `fulfillmentId` for order_shipped, `shipmentId` for order_out_for_delivery and order_delivered,
            `refundId` for order_refunded, `editId` for order_edited.

    Raises:
        OrderNotFoundError: there is no such order, fulfilment or parcel.
    """
    row = await db.fetchrow(_ORDER, order_id)
    if row is None:
        raise OrderNotFoundError("no such order")
    shop = _shop_of(row, settings)
    order_lines: list[dict[str, Any]] = orjson.loads(row["lines"])
    lines = [_line(line, row["currency_code"], shop) for line in order_lines]
    order, extra = _order(row, order_lines, shop, template), dict[str, object]()
    if template in ("order_confirmation", "order_edited"):
        order["paid_before"] += await payment_values.paid_in_part(row, shop.locale)
    match template:
        case "order_confirmation":
            invoice_id = await invoices.latest_of(order_id)
            extra = {
                "invoice_url": invoice_url(invoice_id) if invoice_id else None,
                "pickup": order_details.pickup(_quote(row), shop.time_zone, shop.locale),
                "gift": order_details.gift(orjson.loads(row["gift_options"]) if row["gift_options"] else None),
                "transfer": await payment_values.transfer(row, shop.locale, shop.time_zone),
            }
        case "order_shipped":
            lines, extra = await _shipped(order_id, uuid.UUID(ids["fulfillmentId"]), order_lines, lines, shop)
        case "order_out_for_delivery" | "order_delivered":
            extra = await _parcel(order_id, uuid.UUID(ids["shipmentId"]), shop)
        case "order_ready_for_pickup":
            extra = _fetched(row, shop)
        case "order_cancelled":
            extra = await _cancelled(row, shop)
        case "order_refunded":
            extra = await _refunded(uuid.UUID(ids["refundId"]), shop)
        case "order_edited":
            extra = await _edited(uuid.UUID(ids["editId"]), row["currency_code"], shop)
        case "order_payment_reminder":
            extra = await _reminded(row, shop)
    return {
        "language": LANGUAGE,
        "shop": shop_values(shop, settings),
        "customer": _customer(row),
        "order": order,
        "lines": lines[:MAX_LINES],
        "more_lines": max(0, len(lines) - MAX_LINES),
        "has_images": any(line["image_url"] for line in lines),
        **extra,
    }


async def of_order(order_id: uuid.UUID, settings: Settings, locale: Locale) -> dict[str, Any] | None:
    """What templates of the database print of an order; None when there is no such order."""
    row = await db.fetchrow(_ORDER, order_id)
    if row is None:
        return None
    shop = replace(_shop_of(row, settings), locale=locale)
    lines = [_line(line, row["currency_code"], shop) for line in orjson.loads(row["lines"])]
    return {
        "number": str(row["number"]),
        "placed_on": formats.day_text(row["placed_at"], shop.time_zone, locale),
        "url": formats.order_url(shop.storefront_url, token_of(row["id"], row["token_hash"])),
        "total": formats.money_text(row["total_minor"], row["currency_code"], locale),
        "lines": lines[:MAX_LINES],
        "more_lines": max(0, len(lines) - MAX_LINES),
    }


def _shop_of(row: db.Record, settings: Settings) -> _Shop:
    return _Shop(
        name=row["shop_name"] or "",
        contact_email=row["contact_email"] or "",
        legal_name=row["legal_name"] or "",
        postal_address=row["postal_address"] or "",
        time_zone=row["time_zone"] or "UTC",
        locale=formats.text_locale(row["locale"] or LANGUAGE),
        public_url=settings.public_url,
        storefront_url=settings.storefront_url,
    )


def _address(stored: str | None) -> PostalAddress | None:
    parsed = orjson.loads(stored) if stored else None
    return PostalAddress.from_json(parsed) if parsed else None


def _lines(stored: str | None) -> list[str]:
    address = _address(stored)
    return address_lines(address) if address else []


def _customer(row: db.Record) -> CustomerValues:
    # A gift is shipped to somebody else, so whoever pays is greeted first.
    payer = _address(row["billing_address"]) or _address(row["shipping_address"])
    return CustomerValues(first_name=payer.first_name if payer else None)


def _order(row: db.Record, lines: list[dict[str, Any]], shop: _Shop, template: str) -> OrderValues:
    token = token_of(row["id"], row["token_hash"])
    url = formats.order_url(shop.storefront_url, token)
    quote = _quote(row)
    return OrderValues(
        number=str(row["number"]),
        placed_on=formats.day_text(row["placed_at"], shop.time_zone, shop.locale),
        url=url,
        token=None if url else token,
        ships=any(line["requires_shipping"] for line in lines),
        estimated_delivery=_promised(quote, shop.locale),
        shipping_method=_method(quote),
        totals=_totals(row, shop.locale, quote),
        total=formats.money_text(row["total_minor"], row["currency_code"], shop.locale),
        paid_before=payment_values.paid_before(row, shop.locale),
        tax_note=_tax_note(row, shop.locale),
        payment=None if template == "order_cancelled" else _payment(row, shop.locale),
        shipping_address=_lines(row["shipping_address"]),
        billing_address=_lines(row["billing_address"]),
        note=row["note"] or None,
    )


def _fetched(row: db.Record, shop: _Shop) -> dict[str, object]:
    pickup = order_details.pickup(_quote(row), shop.time_zone, shop.locale)
    return {
        "store": pickup["store"] if pickup else "",
        "store_address": pickup["address"] if pickup else [],
        "instructions": pickup["instructions"] if pickup else None,
    }


def _quote(row: db.Record) -> dict[str, Any] | None:
    quote: dict[str, Any] | None = orjson.loads(row["shipping_quote"]) if row["shipping_quote"] else None
    return quote


def _line(line: dict[str, Any], currency: str, shop: _Shop) -> LineValues:
    options = " / ".join(option["value"] for option in line["selected_options"])
    return LineValues(
        name=line["product_name"],
        options=options or None,
        notes=order_details.line_notes(line, shop.time_zone, shop.locale),
        quantity=line["quantity"],
        unit_price=formats.money_text(line["unit_price_minor"], currency, shop.locale),
        total=formats.money_text(line["subtotal_minor"], currency, shop.locale),
        image_url=formats.web_url(line["image_url"], shop.public_url),
        image_alt=", ".join(filter(None, (line["product_name"], options))),
    )


def _totals(row: db.Record, locale: Locale, quote: dict[str, Any] | None) -> list[TotalValues]:
    def amount(minor: int) -> str:
        return formats.money_text(minor, row["currency_code"], locale)

    totals = [TotalValues(label="Subtotal", amount=amount(row["subtotal_minor"]))]
    if row["discount_minor"]:
        totals.append(TotalValues(label="Discount", amount=amount(-row["discount_minor"])))
    if row["gift_wrap_minor"]:
        totals.append(TotalValues(label="Gift wrap", amount=amount(row["gift_wrap_minor"])))
    if quote is not None:
        shipping, label = row["shipping_minor"], "Pick-up" if order_details.is_pickup(quote) else "Shipping"
        totals.append(TotalValues(label=label, amount=amount(shipping) if shipping else "Free"))
    if not row["tax_included"]:
        totals += [TotalValues(label=name, amount=amount(minor)) for name, minor in _taxes(row)]
    if row["rounding_minor"]:
        totals.append(TotalValues(label="Rounding", amount=amount(row["rounding_minor"])))
    return totals


def _taxes(row: db.Record) -> list[tuple[str, int]]:
    """Each tax by its name; orders of before taxes were itemised have their sum alone."""
    itemised = [(tax["name"], tax["amount_minor"]) for tax in orjson.loads(row["tax_lines"])]
    if not itemised and row["tax_minor"]:
        return [("Tax", row["tax_minor"])]
    return itemised


def _tax_note(row: db.Record, locale: Locale) -> str | None:
    if not row["tax_included"] or not row["tax_minor"]:
        return None
    itemised = [
        f"{formats.money_text(minor, row['currency_code'], locale)} {'tax' if name == 'Tax' else name}"
        for name, minor in _taxes(row)
        if minor
    ]
    return f"Including {' and '.join(itemised)}"


def _payment(row: db.Record, locale: Locale) -> str | None:
    match row["payment_method"]:
        case PaymentMethod.CASH_ON_DELIVERY if row["payment_status"] in ("PAID", "PARTIALLY_PAID"):
            return "Payment in cash"
        case PaymentMethod.CASH_ON_DELIVERY:
            left = row["total_minor"] if row["amount_due_minor"] is None else row["amount_due_minor"]
            due = formats.money_text(left, row["currency_code"], locale)
            when = "when you pick it up" if order_details.is_pickup(_quote(row)) else "on delivery"
            return f"To be paid in cash {when}: {due}"
        case PaymentMethod.CARD:
            return "Payment by card"
        case PaymentMethod.PAYPAL:
            return "Payment with PayPal"
        case PaymentMethod.BANK_TRANSFER:
            return "Payment by bank transfer"
        case PaymentMethod.PURCHASE_ORDER:
            number = row["purchase_order_number"]
            return f"On account, purchase order {number}" if number else "On account"
        case _:
            return None


def _method(quote: dict[str, Any] | None) -> str | None:
    if quote is None:
        return None
    carrier, service = quote.get("carrier"), quote.get("service")
    return " ".join(part for part in (carrier, service) if isinstance(part, str) and part) or None


def _promised(quote: dict[str, Any] | None, locale: Locale) -> str | None:
    dates = (quote or {}).get("estimatedDelivery") or {}
    return formats.days_text(_day(dates.get("from")), _day(dates.get("to")), locale)


def _day(text: object) -> date | None:
    return date.fromisoformat(text) if isinstance(text, str) else None


async def _shipped(
    order_id: uuid.UUID,
    fulfillment_id: uuid.UUID,
    order_lines: list[dict[str, Any]],
    lines: list[LineValues],
    shop: _Shop,
) -> tuple[list[LineValues], dict[str, object]]:
    """The lines of one fulfilment, without prices, and its parcels."""
    shipments = await db.fetch(_SHIPMENTS, order_id, fulfillment_id, None)
    rows = await db.fetch(_FULFILLED, fulfillment_id, order_id)
    if not rows:
        raise OrderNotFoundError("no such fulfilment")
    quantities = {row["order_line_id"]: row["quantity"] for row in rows}
    shipped = [
        LineValues(**{**line, "quantity": quantity, "unit_price": None, "total": None})
        for stored, line in zip(order_lines, lines, strict=True)
        if (quantity := quantities.get(uuid.UUID(stored["id"])))
    ]
    to_ship = [line for line in order_lines if line["requires_shipping"]]
    first = min((row["estimated_from"] for row in shipments if row["estimated_from"]), default=None)
    last = max((row["estimated_to"] for row in shipments if row["estimated_to"]), default=None)
    return shipped, {
        "parcels": [_parcel_values(row, shop) for row in shipments],
        "estimated_delivery": formats.days_text(first, last, shop.locale),
        "is_partial": sum(quantities.values()) < sum(line["quantity"] for line in to_ship),
        "remaining_quantity": sum(line["quantity"] - line["fulfilled_quantity"] for line in to_ship),
    }


async def _parcel(order_id: uuid.UUID, shipment_id: uuid.UUID, shop: _Shop) -> dict[str, object]:
    rows = await db.fetch(_SHIPMENTS, order_id, None, shipment_id)
    if not rows:
        raise OrderNotFoundError("no such parcel")
    delivery = await db.fetchrow(_DELIVERY, shipment_id)
    moment = delivery["occurred_at"] if delivery else rows[0]["updated_at"]
    return {
        # On its last day, and after it, an estimate is old news.
        "parcels": [ParcelValues(**{**_parcel_values(rows[0], shop), "estimated_delivery": None})],
        "parcel_count": rows[0]["parcel_count"],
        "delivered_on": formats.day_text(moment, shop.time_zone, shop.locale),
        "delivered_at_place": (delivery["location"] if delivery else None) or None,
    }


def _parcel_values(row: db.Record, shop: _Shop) -> ParcelValues:
    return ParcelValues(
        carrier=row["carrier"],
        tracking_number=row["tracking_number"],
        tracking_url=formats.web_url(row["tracking_url"], shop.public_url),
        estimated_delivery=formats.days_text(row["estimated_from"], row["estimated_to"], shop.locale),
    )


async def _cancelled(row: db.Record, shop: _Shop) -> dict[str, object]:
    refund = await payment_values.of_cancellation(row, shop.locale)
    return {"reason": row["cancel_reason"] or None, "refund": refund}


async def _refunded(refund_id: uuid.UUID, shop: _Shop) -> dict[str, object]:
    values = await payment_values.refunded(refund_id, shop.locale)
    if values is None:
        raise OrderNotFoundError("no such refund")
    return values


async def _edited(edit_id: uuid.UUID, currency: str, shop: _Shop) -> dict[str, object]:
    values = await payment_values.edited(edit_id, currency, shop.locale)
    if values is None:
        raise OrderNotFoundError("no such edit")
    return values


async def _reminded(row: db.Record, shop: _Shop) -> dict[str, object]:
    transfer = await payment_values.transfer(row, shop.locale, shop.time_zone)
    if transfer is None:
        raise OrderNotFoundError("nothing is to be transferred any more")
    return {"transfer": transfer}
