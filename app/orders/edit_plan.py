"""What an order will be once it is edited: planned from one look at it, without a lock, as a tax engine may be asked.

Whoever writes the plan has to find the order as it was then.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.addresses.postal import Destination
from app.cart.errors import CartErrorCode
from app.cart.snapshots import VariantSnapshot
from app.catalogue.models import InventoryPolicy, ProductKind
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.inventory.allocation import Demand
from app.kit.ids import new_id
from app.markets.terms import MarketTerms
from app.orders import edit_goods, edit_pricing
from app.orders.edit_goods import Found
from app.orders.edit_pricing import EditedLine
from app.orders.edit_request import LineChange, OrderEditRequested
from app.orders.errors import OrderErrorCode
from app.orders.models import FulfillmentStatus, OrderStatus
from app.pricing.amounts import PriceBreak, unit_price
from app.pricing.results import PricingResult
from app.pricing.rules import price
from app.tax.engines.applying import outside_rates
from app.tax.rules import Taxation
from app.tax.terms import TaxSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Amounts in minor units. `units`: how many more of each counted variant are sold, or fewer."""

    edit_id: uuid.UUID
    found: Found
    lines: tuple[EditedLine, ...]
    priced: PricingResult
    tax_estimated: bool
    shipping_quote: dict[str, Any] | None
    units: Mapping[uuid.UUID, int]

    @property
    def due_before_minor(self) -> int:
        due: int = self.found.order["amount_due_minor"]
        return due

    @property
    def stored_back_minor(self) -> int:
        """What gift cards and store credit have paid too much."""
        before: int = self.found.order["gift_card_minor"] + self.found.order["store_credit_minor"]
        return before - self.priced.gift_card_minor - self.priced.store_credit_minor

    def demands(self) -> list[Demand]:
        """Units that are to be taken in addition."""
        store = self.found.order["pickup_location_id"]
        fetched = {
            line.stored["variant_id"] if line.stored else str(variant_id_of(line)) for line in self.lines if line.ships
        }
        return [
            Demand(
                variant_id,
                count,
                may_backorder=_may_backorder(self.found, variant_id),
                warehouse_id=store if store and str(variant_id) in fetched else None,
            )
            for variant_id, count in sorted(self.units.items())
            if count > 0
        ]

    def given_back(self) -> dict[uuid.UUID, int]:
        return {variant_id: -count for variant_id, count in self.units.items() if count < 0}


def _may_backorder(found: Found, variant_id: uuid.UUID) -> bool:
    variant = found.variants.get(variant_id)
    return variant is not None and variant.inventory_policy is InventoryPolicy.CONTINUE


def variant_id_of(line: EditedLine) -> uuid.UUID:
    if line.stored is not None:
        return uuid.UUID(line.stored["variant_id"])
    if line.variant is None:
        raise ValueError("a line has its row or its variant")
    return line.variant.variant_id


async def make(request: OrderEditRequested) -> Plan:
    """Never inside a transaction.

    Raises:
        DomainError: NOT_FOUND, CONFLICT for an order that changed since `expected_updated_at`, ORDER_NOT_EDITABLE,
            ORDER_FULFILLED, ORDER_EMPTY, TOTAL_TOO_LARGE, TAX_UNAVAILABLE.
        DomainErrors: NOT_FOUND, LINE_NOT_EDITABLE and PRODUCT_UNAVAILABLE for lines; what `request.check` raises.
    """
    found = await edit_goods.find(request.order_id, [added.variant_id for added in request.added])
    if found is None:
        raise not_found("order", ["orderId"])
    request.check(found.order["currency_code"])
    _check_order(found, request)
    address = request.shipping_address.to_json() if request.shipping_address else None
    place = edit_goods.destination(address) if address else found.destination
    taxation = edit_pricing.taxation_of(
        found.order, found.tax_facts, place, _home(found.tax_facts.settings, found.market)
    )
    edit_id, lines = new_id(), _lines(found, request, taxation)
    if not lines:
        message = "An order keeps one line at least; cancel it instead."
        raise DomainError(OrderErrorCode.ORDER_EMPTY, message, ["input", "lines"])
    known = address or found.order["shipping_address"] or found.order["pickup_location_id"]
    if not known and any(line.ships for line in lines):
        message = "Something ships now: enter the address to ship to."
        raise DomainError(CommonErrorCode.REQUIRED, message, ["input", "shippingAddress"])
    to_price = edit_pricing.to_price(
        found.order,
        lines,
        taxation,
        edit_id=edit_id,
        shipping_minor=request.shipping_price.amount_minor if request.shipping_price else None,
        discount=request.discount,
        is_elsewhere=address is not None and place != found.destination,
        rounding_minor=found.market.rounding_minor,
    )
    taxed = await outside_rates(to_price, taxation, edit_pricing.engine_facts(lines, taxation))
    if taxed.problems:
        raise DomainErrors(list(taxed.problems))
    priced = price(taxed.order)
    return Plan(
        edit_id=edit_id,
        found=found,
        lines=lines,
        priced=priced,
        tax_estimated=taxed.estimated if taxation.settings.engine else found.order["tax_estimated"],
        shipping_quote=_quote(found, request),
        units=_units(found, lines),
    )


def _check_order(found: Found, request: OrderEditRequested) -> None:
    order = found.order
    if request.expected_updated_at is not None and request.expected_updated_at != order["updated_at"]:
        message = "The order changed meanwhile; look at it again."
        raise DomainError(CommonErrorCode.CONFLICT, message, ["input", "expectedUpdatedAt"])
    if order["status"] != OrderStatus.OPEN or order["fulfillment_status"] == FulfillmentStatus.FULFILLED:
        message = "Only an order that is open, with something left to ship, can be edited."
        raise DomainError(OrderErrorCode.ORDER_NOT_EDITABLE, message, ["orderId"])
    if found.is_refunded:
        message = "Something of the order was refunded, which would not fit an order of another price."
        raise DomainError(OrderErrorCode.ORDER_NOT_EDITABLE, message, ["orderId"])
    if request.is_of_the_whole and any(line["fulfilled_quantity"] for line in found.lines):
        message = "Something has been shipped: only lines of which nothing has can still be changed."
        raise DomainError(OrderErrorCode.ORDER_FULFILLED, message, ["input"])
    if request.shipping_address and order["pickup_location_id"] is not None:
        message = "The order is fetched from a store."
        raise DomainError(CommonErrorCode.INVALID, message, ["input", "shippingAddress"])


def _lines(found: Found, request: OrderEditRequested, taxation: Taxation) -> tuple[EditedLine, ...]:
    changes = {change.order_line_id: (place, change) for place, change in enumerate(request.lines)}
    errors, lines = list[DomainError](), list[EditedLine]()
    for stored in found.lines:
        line_id = uuid.UUID(stored["id"])
        place, change = changes.pop(line_id, (0, None))
        variant = found.variants.get(uuid.UUID(stored["variant_id"]))
        if change is not None and (message := _why_it_stays(stored, change)):
            errors.append(
                DomainError(OrderErrorCode.LINE_NOT_EDITABLE, message, ["input", "lines", place, "orderLineId"])
            )
        quantity = stored["quantity"] if change is None or change.quantity is None else change.quantity
        if quantity:
            lines.append(
                EditedLine(
                    id=line_id,
                    quantity=quantity,
                    price_breaks=(PriceBreak(1, stored["unit_price_minor"]),),
                    stored=stored,
                    variant=variant,
                    discount=change.discount if change else None,
                )
            )
    errors += [not_found("order line", ["input", "lines", place, "orderLineId"]) for place, _ in changes.values()]
    for place, added in enumerate(request.added):
        variant = found.variants.get(added.variant_id)
        at: list[str | int] = ["input", "addLines", place, "variantId"]
        if variant is None:
            errors.append(not_found("variant", at))
        elif variant.is_removed or variant.product_kind is ProductKind.GIFT_CARD:
            message = "Gift cards cannot be added to an order." if not variant.is_removed else "It is no longer sold."
            errors.append(DomainError(CartErrorCode.PRODUCT_UNAVAILABLE, message, at))
        else:
            own = (PriceBreak(1, added.unit_price.amount_minor),) if added.unit_price else None
            lines.append(
                EditedLine(
                    id=new_id(),
                    quantity=added.quantity,
                    price_breaks=own or (PriceBreak(1, _asked(variant, added.quantity, taxation)),),
                    stored=None,
                    variant=variant,
                    discount=added.discount,
                )
            )
    if errors:
        raise DomainErrors(errors)
    return tuple(lines)


def _why_it_stays(stored: Mapping[str, Any], change: LineChange) -> str | None:
    """Of a line of which something has left, the rest can be taken off, or be more."""
    if stored["product_kind"] == ProductKind.GIFT_CARD:
        return "Gift cards stay as sold."
    left: int = stored["fulfilled_quantity"]
    if left and change.discount is not None:
        return "Some of it has been shipped, at the price that it had."
    if left and (change.quantity or 0) < left:
        return f"{left} of it have been shipped."
    return None


def _asked(variant: VariantSnapshot, quantity: int, taxation: Taxation) -> int:
    """What the catalogue asks of this buyer for a unit."""
    breaks: Sequence[PriceBreak] = variant.price_breaks or (PriceBreak(1, variant.unit_price_minor),)
    return taxation.charged(
        unit_price(breaks, quantity),
        variant.tax_class_id,
        services=variant.product_kind in edit_pricing.SERVICES,
        taxable=variant.taxable,
    )


def _home(settings: TaxSettings, market: MarketTerms) -> Destination | None:
    """As of a cart, see `app.cart.taxes.home_of`."""
    own, countries = settings.home_country_code, market.country_codes
    if own is not None and (not countries or own in countries):
        return Destination(own)
    return Destination(countries[0]) if len(countries) == 1 else None


def _quote(found: Found, request: OrderEditRequested) -> dict[str, Any] | None:
    """What was promised; of another way to ship no days are."""
    quote: dict[str, Any] | None = found.order["shipping_quote"]
    if request.shipping_method is None and request.shipping_price is None:
        return quote
    changed = dict(quote or {"carrier": "", "service": "", "estimatedDelivery": None})
    changed["currencyCode"] = found.order["currency_code"]
    if request.shipping_price is not None:
        changed["priceMinor"] = request.shipping_price.amount_minor
    changed.setdefault("priceMinor", 0)
    if request.shipping_method is not None:
        changed |= {"carrier": request.shipping_method.strip(), "service": "", "estimatedDelivery": None}
    return changed


def _units(found: Found, lines: Sequence[EditedLine]) -> dict[uuid.UUID, int]:
    units: Counter[uuid.UUID] = Counter()
    for stored in found.lines:
        if stored["track_inventory"]:
            units[uuid.UUID(stored["variant_id"])] -= stored["quantity"]
    for line in lines:
        counted = line.stored["track_inventory"] if line.stored else line.variant and line.variant.track_inventory
        if counted:
            units[variant_id_of(line)] += line.quantity
    return {variant_id: count for variant_id, count in units.items() if count}
