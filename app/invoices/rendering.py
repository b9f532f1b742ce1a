"""The document as a PDF. The same document gives the same bytes, so none is stored."""

import io
from datetime import date
from pathlib import Path

import segno
from babel import Locale
from babel.dates import format_date

from app.invoices.document import Document, DocumentLine, percent
from app.invoices.models import InvoiceKind
from app.kit import typesetting
from app.messaging.formats import money_text, text_locale

TEMPLATE = Path(__file__).with_name("invoice.typ")


async def pdf(document: Document, number: str, track_url: str | None) -> bytes:
    """Print it, in a thread.

    Args:
        track_url: the page of the order, with what opens it; printed as a QR code. None where there is no such page.
    """
    return await typesetting.pdf(TEMPLATE, printed(document, number, track_url))


def printed(document: Document, number: str, track_url: str | None) -> dict[str, object]:
    """Everything as text, as the template prints it."""
    locale = text_locale(document.locale)
    credit = document.kind is InvoiceKind.CREDIT_NOTE

    def money(minor: int) -> str:
        return money_text(minor, document.currency, locale)

    return {
        "title": f"{'Credit note' if credit else 'Invoice'} {number}",
        "paper": typesetting.paper_of(locale.territory),
        "seller": document.seller.lines,
        "buyer": [*document.buyer.lines, *_tax_id(document.buyer.tax_id)] or [document.buyer.email or ""],
        "facts": _facts(document, number, locale),
        "columns": ["Item", "Quantity", "Unit price", "Tax", "Amount"],
        "lines": [_line(line, document, locale) for line in document.lines],
        "totals": [
            {"label": label, "amount": money(minor), "strong": strong} for label, minor, strong in _totals(document)
        ],
        "tax_columns": ["Tax", "Rate", "Taxable amount", "Amount"],
        "taxes": [
            {
                "name": tax.name,
                "rate": percent(tax.rate),
                "base": money(tax.base_minor),
                "amount": money(tax.amount_minor),
            }
            for tax in document.taxes
        ],
        "notes": _notes(document),
        "ship_to": document.ship_to if document.ship_to != document.buyer.lines else [],
        "footer": [*document.seller.more, *filter(None, [document.seller.email, document.footer])],
        "qr": _qr(track_url) if track_url else "",
        "track_url": track_url or "",
        "labels": {"page": "Page", "track": "Track your order", "ship_to": "Shipped to"},
    }


def _facts(document: Document, number: str, locale: Locale) -> list[tuple[str, str]]:
    def day(value: date) -> str:
        return format_date(value, "long", locale=locale)

    facts = [("Number", number), ("Date", day(document.issued_on))]
    if document.corrects_number:
        facts.append(("Corrects invoice", document.corrects_number))
    facts += [("Order", document.order_number), ("Ordered on", day(document.supplied_on))]
    if document.purchase_order_number:
        facts.append(("Your reference", document.purchase_order_number))
    if document.due_on:
        facts.append(("Payable until", day(document.due_on)))
    if document.seller.tax_id:
        facts.append(("Our VAT number", document.seller.tax_id))
    return facts


def _line(line: DocumentLine, document: Document, locale: Locale) -> dict[str, object]:
    details = list(line.details)
    if line.sku:
        details.append(f"SKU {line.sku}")
    if line.discount_minor:
        details.append(f"Discount {money_text(-line.discount_minor, document.currency, locale)}")
    unit = line.unit_price_minor
    return {
        "name": line.name,
        "details": details,
        "quantity": "" if line.quantity is None else str(line.quantity),
        "unit_price": "" if unit is None else money_text(unit, document.currency, locale),
        "tax": ", ".join(percent(rate) for rate in line.rates.values()),
        "total": money_text(line.total_minor, document.currency, locale),
    }


def _totals(document: Document) -> list[tuple[str, int, bool]]:
    """Label, amount and whether it stands out. What is nothing is left out."""
    rows = [("Items", document.subtotal_minor, False)]
    if document.gift_wrap_minor:
        rows.append(("Gift wrap", document.gift_wrap_minor, False))
    if document.shipping_name is not None or document.shipping_minor:
        rows.append((f"Shipping: {document.shipping_name or 'other'}", document.shipping_minor, False))
    if not document.tax_included and document.tax_minor:
        rows.append(("Tax", document.tax_minor, False))
    if document.rounding_minor:
        rows.append(("Rounding", document.rounding_minor, False))
    rows.append(("Total", document.total_minor, True))
    if document.tax_included and document.tax_minor:
        rows.append(("Including tax", document.tax_minor, False))
    if document.stored_value_minor:
        rows.append(("Paid with gift cards and store credit", -document.stored_value_minor, False))
        rows.append(("Amount due", document.total_minor - document.stored_value_minor, True))
    return rows


def _notes(document: Document) -> list[str]:
    notes = []
    if document.reverse_charge:
        notes.append("Reverse charge: the tax is due from the recipient (Directive 2006/112/EC, Art. 226 point 11a).")
    if document.kind is InvoiceKind.CREDIT_NOTE:
        notes.append("These amounts are given back to you.")
    return notes


def _tax_id(tax_id: str | None) -> list[str]:
    return [f"VAT number {tax_id}"] if tax_id else []


def _qr(url: str) -> str:
    drawn = io.BytesIO()
    segno.make(url, error="m", micro=False).save(drawn, kind="svg", border=0, xmldecl=False)
    return drawn.getvalue().decode()
