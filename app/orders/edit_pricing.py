"""What an order comes to once it is edited: by the one pricing function, with what was agreed for what stays.

- A line keeps its unit price, whatever the catalogue says by now and however many units it becomes.
- Discounts stay where they fell: a line that keeps its units keeps its part to the minor unit; one of other units has
  its part in proportion, rounded half up; a line that goes takes its part along; what is added has none.
- Taxes are worked out anew at the rates of the order, and at today's of the new address once that is another one. What
  is added is taxed as today. An outside engine decides for the whole order anew.

Pure; `edit_plan` brings what is read.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.addresses.postal import Destination
from app.cart import taxes
from app.cart.snapshots import VariantSnapshot
from app.catalogue.models import ProductKind
from app.orders import itemised
from app.orders.edit_request import StaffDiscount
from app.pricing.allocation import half_up
from app.pricing.amounts import (
    Discount,
    DiscountTarget,
    GiftWrapToPrice,
    LineToPrice,
    PriceBreak,
    PricingInput,
    ShippingToPrice,
    StoredValue,
    StoredValueKind,
    TaxRate,
)
from app.pricing.results import TaxLine
from app.tax.engines.applying import ItemFacts
from app.tax.facts import TaxFacts
from app.tax.rules import Taxation
from app.tax.terms import ShippingTax

SERVICES = frozenset({ProductKind.DIGITAL, ProductKind.SERVICE})
EARLIER = "earlier"
"""Stands for discounts of orders that did not itemise them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedLine:
    """A line as it will be. `stored` is its row, None for one that is added; `variant` what the catalogue says today,
    None where it knows nothing of it any more."""

    id: uuid.UUID
    quantity: int
    price_breaks: tuple[PriceBreak, ...]
    stored: Mapping[str, Any] | None
    variant: VariantSnapshot | None
    discount: StaffDiscount | None = None

    @property
    def kind(self) -> ProductKind | None:
        kind = self.stored["product_kind"] if self.stored else self.variant.product_kind if self.variant else None
        return ProductKind(kind) if kind else None

    @property
    def ships(self) -> bool:
        source: Any = self.stored or {"requires_shipping": self.variant and self.variant.requires_shipping}
        return bool(source["requires_shipping"])

    @property
    def tax_class_id(self) -> uuid.UUID | None:
        if self.stored is None:
            return self.variant.tax_class_id if self.variant else None
        return uuid.UUID(self.stored["tax_class_id"]) if self.stored["tax_class_id"] else None

    @property
    def is_taxable(self) -> bool:
        return self.kind is not ProductKind.GIFT_CARD and (self.variant is None or self.variant.taxable)

    @property
    def gift_wrap_minor(self) -> int:
        """Each unit is wrapped by itself."""
        if self.stored is None:
            return 0
        wrap: int = self.stored["gift_wrap_minor"]
        return half_up(wrap * self.quantity, self.stored["quantity"])


def taxation_of(
    order: Mapping[str, Any], facts: TaxFacts, place: Destination | None, home: Destination | None
) -> Taxation:
    return Taxation(
        settings=facts.settings,
        destination=place,
        buyer=facts.buyer(order["tax_id"]),
        home=home,
        prices_include_tax=order["tax_included"],
    )


def to_price(
    order: Mapping[str, Any],
    lines: Sequence[EditedLine],
    taxation: Taxation,
    *,
    edit_id: uuid.UUID,
    shipping_minor: int | None,
    discount: StaffDiscount | None,
    is_elsewhere: bool,
    rounding_minor: int,
) -> PricingInput:
    """The edited order as pricing has it.

    Args:
        order: with its json columns decoded.
        edit_id: names what staff take off.
        shipping_minor: what shipping costs from now on, before the discounts on it; None for what it did.
        is_elsewhere: it goes to another address, so that all rates are those of `taxation`.
    """
    return PricingInput(
        currency=order["currency_code"],
        lines=tuple(_line(line, taxation, is_elsewhere=is_elsewhere) for line in lines),
        discounts=tuple(_discounts(order, lines, edit_id, discount)),
        gift_wrap=_wrap(order, lines, taxation, is_elsewhere=is_elsewhere),
        shipping=_shipping(order, lines, taxation, shipping_minor, is_elsewhere=is_elsewhere),
        prices_include_tax=order["tax_included"],
        stored_value=tuple(
            StoredValue(one["id"], StoredValueKind(one["kind"]), one["amount_minor"]) for one in order["stored_value"]
        ),
        rounding_minor=rounding_minor,
    )


def engine_facts(lines: Sequence[EditedLine], taxation: Taxation) -> dict[str, ItemFacts]:
    codes: dict[uuid.UUID | None, str] = {one.id: one.code for one in taxation.settings.classes}
    default = taxation.settings.default_class_id
    return {
        str(line.id): ItemFacts(
            tax_class=codes.get(line.tax_class_id or default),
            taxable=line.is_taxable,
            services=line.kind in SERVICES,
            sku=line.stored["sku"] if line.stored else line.variant.sku if line.variant else None,
        )
        for line in lines
    }


def _line(line: EditedLine, taxation: Taxation, *, is_elsewhere: bool) -> LineToPrice:
    wrap_rates = taxes.wrap_rates(taxation) if line.gift_wrap_minor else None
    # A wrap that is taxed by itself has its taxes among the line's, which do not say whose they are.
    if line.stored is None or is_elsewhere or wrap_rates is not None:
        rates = taxation.rates(line.tax_class_id, services=line.kind in SERVICES, taxable=line.is_taxable)
    else:
        rates = _frozen(line.stored["tax_lines"])
    return LineToPrice(
        id=str(line.id),
        # By itself: discounts are named line by line, and prices hold for any quantity.
        variant_key=str(line.id),
        quantity=line.quantity,
        price_breaks=line.price_breaks,
        gift_wrap_minor=line.gift_wrap_minor,
        tax_rates=rates,
        gift_wrap_tax_rates=wrap_rates,
        ships=line.ships,
        fixed=True,
    )


def _frozen(stored: Sequence[Mapping[str, Any]]) -> tuple[TaxRate, ...]:
    return tuple(_rate(tax) for tax in itemised.taxes(stored))


def _rate(tax: TaxLine) -> TaxRate:
    return TaxRate(tax.name, Decimal(tax.rate), compound=tax.compound, code=tax.code, reverse_charge=tax.reverse_charge)


def _discounts(
    order: Mapping[str, Any], lines: Sequence[EditedLine], edit_id: uuid.UUID, of_order: StaffDiscount | None
) -> Iterator[Discount]:
    for line in lines:
        yield from _kept(line)
    for line in lines:
        if line.discount is not None:
            yield _staffs(line.discount, f"{edit_id}:{line.id}", DiscountTarget.LINES, [line])
    if of_order is not None:
        yield _staffs(of_order, str(edit_id), DiscountTarget.MERCHANDISE, lines)
    for used in order["discounts"]:
        if used.get("target") == DiscountTarget.SHIPPING.value:
            yield Discount(
                id=str(used["id"]),
                label=used["name"],
                code=used["code"],
                target=DiscountTarget.SHIPPING,
                amount_minor=used["amount_minor"],
            )


def _kept(line: EditedLine) -> Iterator[Discount]:
    if line.stored is None:
        return
    allocated = itemised.discounts(line.stored["discounts"])
    parts = [(one.discount_id, one.label, one.code, one.target, one.amount_minor) for one in allocated]
    if not parts and line.stored["discount_minor"]:
        parts = [(EARLIER, "Discount", None, DiscountTarget.MERCHANDISE, line.stored["discount_minor"])]
    for discount_id, label, code, target, amount in parts:
        yield Discount(
            id=discount_id,
            label=label,
            code=code,
            target=target,
            line_ids=frozenset({str(line.id)}),
            amount_minor=half_up(amount * line.quantity, line.stored["quantity"]),
        )


def _staffs(given: StaffDiscount, name: str, target: DiscountTarget, lines: Sequence[EditedLine]) -> Discount:
    return Discount(
        id=name,
        label=given.reason.strip(),
        target=target,
        line_ids=frozenset(str(line.id) for line in lines if line.kind is not ProductKind.GIFT_CARD),
        percentage=given.percentage,
        amount_minor=given.amount.amount_minor if given.amount else None,
    )


def _shipping(
    order: Mapping[str, Any],
    lines: Sequence[EditedLine],
    taxation: Taxation,
    changed_minor: int | None,
    *,
    is_elsewhere: bool,
) -> ShippingToPrice | None:
    quote = order["shipping_quote"]
    if quote is None and changed_minor is None:
        return None
    off = sum(one["amount_minor"] for one in order["discounts"] if one.get("target") == DiscountTarget.SHIPPING.value)
    price = order["shipping_minor"] + off if changed_minor is None else changed_minor
    label = str(quote.get("service") or "") if quote else ""
    frozen = _frozen(order["shipping_tax_lines"])
    if is_elsewhere or quote is None:
        match taxation.shipping:
            case ShippingTax.AS_GOODS:
                return ShippingToPrice(label=label, price_minor=price, as_goods=True)
            case ShippingTax.SHIPPING_CLASS:
                rates = taxation.rates(taxation.settings.shipping_class_id)
                return ShippingToPrice(label=label, price_minor=price, tax_rates=rates)
            case ShippingTax.NOT_TAXED:
                return ShippingToPrice(label=label, price_minor=price)
    as_goods = _is_in_parts(order) or (
        taxation.shipping is ShippingTax.AS_GOODS and _bears_the_goods_rates(order, frozen)
    )
    return ShippingToPrice(label=label, price_minor=price, tax_rates=() if as_goods else frozen, as_goods=as_goods)


def _is_in_parts(order: Mapping[str, Any]) -> bool:
    """Whether the rates on shipping bore parts of it, as those of different goods do, whatever is decided by now."""
    taxes_of_it = itemised.taxes(order["shipping_tax_lines"])
    net = order["shipping_minor"] - sum(tax.amount_minor for tax in taxes_of_it if order["tax_included"])
    return any(tax.base_minor != net for tax in taxes_of_it)


def _bears_the_goods_rates(order: Mapping[str, Any], rates: Sequence[TaxRate]) -> bool:
    of_goods = {rate for line in order["lines"] if line["requires_shipping"] for rate in _frozen(line["tax_lines"])}
    return set(rates) == of_goods


def _wrap(
    order: Mapping[str, Any], lines: Sequence[EditedLine], taxation: Taxation, *, is_elsewhere: bool
) -> GiftWrapToPrice | None:
    of_lines = sum(line["gift_wrap_minor"] for line in order["lines"])
    price = order["gift_wrap_minor"] - of_lines
    if not price:
        return None
    class_id = taxation.settings.gift_wrap_class_id
    if not is_elsewhere and order["gift_wrap_tax_lines"] and class_id is not None:
        return GiftWrapToPrice(label="", price_minor=price, tax_rates=_frozen(order["gift_wrap_tax_lines"]))
    if class_id is not None:
        return GiftWrapToPrice(label="", price_minor=price, tax_rates=taxation.rates(class_id))
    return GiftWrapToPrice(label="", price_minor=price, as_goods=True)
