"""What an invoice or a credit note says, frozen when it is issued. Pure: rows go in, a document comes out.

What it has to say: Directive 2006/112/EC, Art. 226 (date, number, both parties with their VAT numbers, quantity and
nature of the goods, taxable amount and tax for each rate, a reference to what was corrected, Art. 219).

Amounts are in minor units and never negative: a credit note says by its name that they go back.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import TypeAdapter

from app.addresses.lines import address_lines
from app.addresses.postal import PostalAddress
from app.invoices.models import InvoiceKind
from app.pricing.allocation import half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """`lines` are name and address, as the post would have them."""

    lines: list[str]
    tax_id: str | None = None
    email: str | None = None
    more: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """`rates` are fractions by the name of the tax: `{"VAT": "0.19"}`. `total_minor` is after discounts."""

    name: str
    details: list[str]
    sku: str | None
    quantity: int | None
    unit_price_minor: int | None
    discount_minor: int
    total_minor: int
    rates: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTax:
    """`base_minor` is the taxable amount, without the tax."""

    name: str
    rate: str
    base_minor: int
    amount_minor: int
    reverse_charge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """All that is printed but the number, which the series gives, and what opens the order."""

    kind: InvoiceKind
    corrects_number: str | None = None
    order_number: str
    purchase_order_number: str | None = None
    issued_on: date
    supplied_on: date
    """When the order was placed: the date of supply of Art. 226 (7), as far as it is known then."""
    due_on: date | None = None
    currency: str
    locale: str
    seller: Party
    buyer: Party
    ship_to: list[str] = field(default_factory=list)
    lines: list[DocumentLine]
    subtotal_minor: int
    """The lines after their discounts."""
    gift_wrap_minor: int = 0
    shipping_name: str | None = None
    shipping_minor: int = 0
    rounding_minor: int = 0
    """The only amount that may be below zero."""
    taxes: list[DocumentTax] = field(default_factory=list)
    tax_minor: int
    tax_included: bool
    total_minor: int
    stored_value_minor: int = 0
    """Paid with gift cards and store credit."""
    footer: str | None = None

    @property
    def reverse_charge(self) -> bool:
        return any(tax.reverse_charge for tax in self.taxes)

    def to_json(self) -> str:
        return _DOCUMENT.dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> "Document":
        return _DOCUMENT.validate_json(text)


_DOCUMENT = TypeAdapter(Document)

Row = Mapping[str, Any]


def invoice_of(
    order: Row, seller: Party, *, issued_on: date, supplied_on: date, locale: str, footer: str | None = None
) -> Document:
    """An order's invoice.

    Args:
        order: a row of `orders` with its json columns and its `lines` decoded.
    """
    due = order["payment_due_at"]
    return Document(
        kind=InvoiceKind.INVOICE,
        order_number=str(order["number"]),
        purchase_order_number=order["purchase_order_number"],
        issued_on=issued_on,
        supplied_on=supplied_on,
        due_on=due.date() if due else None,
        currency=order["currency_code"],
        locale=locale,
        seller=seller,
        buyer=_buyer(order),
        ship_to=_address(order["shipping_address"]),
        lines=[_line(line) for line in order["lines"]],
        subtotal_minor=order["subtotal_minor"] - order["discount_minor"],
        gift_wrap_minor=order["gift_wrap_minor"],
        shipping_name=_shipping_name(order["shipping_quote"]),
        shipping_minor=order["shipping_minor"],
        rounding_minor=order["rounding_minor"],
        taxes=[_tax(stored) for stored in order["tax_lines"]],
        tax_minor=order["tax_minor"],
        tax_included=order["tax_included"],
        total_minor=order["total_minor"],
        stored_value_minor=order["gift_card_minor"] + order["store_credit_minor"],
        footer=footer,
    )


def credit_in_full(invoice: Document, number: str, *, issued_on: date) -> Document:
    """All of an invoice, taken back."""
    return _crediting(invoice, number, issued_on)


def credit_of_refund(
    invoice: Document, number: str, order: Row, refund: Row, *, issued_on: date, label: str = "Allowance"
) -> Document:
    """The part of an invoice that a refund gives back.

    What comes back of a line has the line's taxes, of shipping those of shipping; anything else is an allowance on the
    whole order and has the order's taxes in their proportion. All amounts of a refund have their tax inside.

    Args:
        refund: `amount_minor`, `shipping_minor`, and `lines` with `order_line_id`, `quantity` and `amount_minor`.
        label: what is refunded beyond lines and shipping.
    """
    by_id = {uuid.UUID(line["id"]): line for line in order["lines"]}
    lines, sums = [], _Sums()
    for back in refund["lines"]:
        line = by_id[uuid.UUID(back["order_line_id"])]
        if not back["amount_minor"]:
            continue
        sums.add(back["amount_minor"], _gross(line, included=order["tax_included"]), line["tax_lines"])
        lines.append(_credited(line, back["quantity"], back["amount_minor"]))
    if shipping := refund["shipping_minor"]:
        taxes = order["shipping_tax_lines"]
        gross = order["shipping_minor"] + (0 if order["tax_included"] else _amounts(taxes))
        sums.add(shipping, gross, taxes)
    if rest := refund["amount_minor"] - shipping - sum(back["amount_minor"] for back in refund["lines"]):
        sums.add(rest, order["total_minor"], order["tax_lines"])
        lines.append(_allowance(label, rest))
    taxes_back = sums.taxes()
    return _crediting(
        invoice,
        number,
        issued_on,
        lines=lines,
        subtotal_minor=sum(line.total_minor for line in lines),
        gift_wrap_minor=0,
        shipping_name=invoice.shipping_name if shipping else None,
        shipping_minor=shipping,
        rounding_minor=0,
        taxes=taxes_back,
        tax_minor=sum(tax.amount_minor for tax in taxes_back),
        tax_included=True,
        total_minor=refund["amount_minor"],
        stored_value_minor=0,
    )


class _Sums:
    """Taxes of several parts, added up by name and rate; rounded once, at the end."""

    def __init__(self) -> None:
        self._gross: dict[tuple[str, str, bool], Fraction] = defaultdict(Fraction)
        self._tax: dict[tuple[str, str, bool], Fraction] = defaultdict(Fraction)

    def add(self, amount_minor: int, of_minor: int, taxes: Sequence[Row]) -> None:
        """`amount_minor` of something that was `of_minor`, tax inside, and had these taxes."""
        share = Fraction(amount_minor, of_minor) if of_minor else Fraction()
        for tax in taxes:
            key = (tax["name"], str(tax["rate"]), bool(tax.get("reverse_charge")))
            self._tax[key] += share * tax["amount_minor"]
            self._gross[key] += share * tax.get("base_minor", 0)

    def taxes(self) -> list[DocumentTax]:
        return [
            DocumentTax(
                name=name,
                rate=rate,
                base_minor=_rounded(self._gross[name, rate, reverse]),
                amount_minor=_rounded(amount),
                reverse_charge=reverse,
            )
            for (name, rate, reverse), amount in self._tax.items()
        ]


def _rounded(amount: Fraction) -> int:
    return half_up(amount.numerator, amount.denominator)


def _crediting(invoice: Document, number: str, issued_on: date, **changed: Any) -> Document:
    values = {name: getattr(invoice, name) for name in Document.__dataclass_fields__}
    values |= {"kind": InvoiceKind.CREDIT_NOTE, "corrects_number": number, "issued_on": issued_on, "due_on": None}
    return Document(**{**values, **changed})


def _line(line: Row) -> DocumentLine:
    options = [f"{option['name']}: {option['value']}" for option in line["selected_options"]]
    chosen = [f"{made['label']}: {made['value']}" for made in line["customizations"] if made.get("label")]
    return DocumentLine(
        name=line["product_name"],
        details=options + chosen,
        sku=line["sku"],
        quantity=line["quantity"],
        unit_price_minor=line["unit_price_minor"],
        discount_minor=line["discount_minor"],
        total_minor=line["total_minor"],
        rates={tax["name"]: str(tax["rate"]) for tax in line["tax_lines"]},
    )


def _credited(line: Row, quantity: int, amount_minor: int) -> DocumentLine:
    shown = _line(line)
    return DocumentLine(
        name=shown.name,
        details=shown.details,
        sku=shown.sku,
        quantity=quantity or None,
        unit_price_minor=None,
        discount_minor=0,
        total_minor=amount_minor,
        rates=shown.rates,
    )


def _allowance(label: str, amount_minor: int) -> DocumentLine:
    return DocumentLine(
        name=label,
        details=[],
        sku=None,
        quantity=None,
        unit_price_minor=None,
        discount_minor=0,
        total_minor=amount_minor,
        rates={},
    )


def _tax(stored: Row) -> DocumentTax:
    return DocumentTax(
        name=stored["name"],
        rate=str(stored["rate"]),
        base_minor=stored.get("base_minor", 0),
        amount_minor=stored["amount_minor"],
        reverse_charge=bool(stored.get("reverse_charge")),
    )


def _gross(line: Row, *, included: bool) -> int:
    whole: int = line["total_minor"] + line["gift_wrap_minor"]
    return whole if included else whole + _amounts(line["tax_lines"])


def _amounts(taxes: Sequence[Row]) -> int:
    return sum(tax["amount_minor"] for tax in taxes)


def _buyer(order: Row) -> Party:
    lines = _address(order["billing_address"]) or _address(order["shipping_address"])
    return Party(lines=lines, tax_id=order["tax_id"], email=order["email"])


def _address(stored: dict[str, str] | None) -> list[str]:
    return address_lines(PostalAddress.from_json(stored)) if stored else []


def _shipping_name(quote: Row | None) -> str | None:
    if quote is None:
        return None
    return " ".join(part for part in (quote.get("carrier"), quote.get("service")) if part) or None


def percent(rate: str) -> str:
    """`0.19` as `19 %`, without digits that say nothing."""
    return f"{(Decimal(rate) * 100).normalize():f} %"
