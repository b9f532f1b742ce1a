"""What an edit writes into the rows of an order and its lines, and tells of itself."""

from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from app.orders import edit_plan
from app.orders.edit_plan import Plan
from app.orders.edit_pricing import EditedLine
from app.orders.edit_request import OrderEditRequested
from app.pricing.results import DiscountAllocation, PricedLine, TaxLine
from app.terms.dates import expected_at

_TAXES = TypeAdapter(tuple[TaxLine, ...])
_PARTS = TypeAdapter(tuple[DiscountAllocation, ...])


def amounts(plan: Plan) -> dict[str, Any]:
    priced = plan.priced
    return {
        "subtotal_minor": priced.subtotal_minor,
        "discount_minor": priced.discount_minor,
        "gift_wrap_minor": priced.gift_wrap_minor,
        "shipping_minor": priced.shipping_minor,
        "tax_minor": priced.tax_minor,
        "tax_estimated": plan.tax_estimated,
        "rounding_minor": priced.rounding_minor,
        "total_minor": priced.total_minor,
        "amount_due_minor": priced.amount_due_minor,
        "gift_card_minor": priced.gift_card_minor,
        "store_credit_minor": priced.store_credit_minor,
        "stored_value": [
            {"id": one.id, "kind": one.kind.value, "amount_minor": one.amount_minor} for one in priced.stored_value
        ],
        "tax_lines": _TAXES.dump_python(priced.taxes, mode="json"),
        "shipping_tax_lines": _TAXES.dump_python(priced.shipping.taxes if priced.shipping else (), mode="json"),
        "gift_wrap_tax_lines": _TAXES.dump_python(priced.gift_wrap.taxes if priced.gift_wrap else (), mode="json"),
        "discounts": _discounts(plan),
        "reverse_charge": any(tax.reverse_charge for tax in priced.taxes),
        "shipping_quote": plan.shipping_quote,
    }


def _discounts(plan: Plan) -> list[dict[str, Any]]:
    """Those of the order, with what they take off now, if that is nothing too: their uses are the order's. What staff
    have taken off says so; nobody's use is counted for it."""
    taken: dict[tuple[str, str], int] = {}
    labels: dict[tuple[str, str], DiscountAllocation] = {}
    for one in plan.priced.discounts:
        key = (one.discount_id, one.target.value)
        taken[key] = taken.get(key, 0) + one.amount_minor
        labels[key] = one
    kept = []
    for used in plan.found.order["discounts"]:
        key = (str(used["id"]), used.get("target", "MERCHANDISE"))
        kept.append({**used, "amount_minor": taken.pop(key, 0)})
    return kept + [
        {
            "id": name,
            "code_id": None,
            "name": labels[name, target].label,
            "code": labels[name, target].code,
            "amount_minor": amount,
            "target": target,
            "by_staff": True,
        }
        for (name, target), amount in taken.items()
    ]


def lines(plan: Plan) -> list[dict[str, Any]]:
    after = max((line["position"] for line in plan.found.lines), default=-1) + 1
    rows = []
    for line, priced in zip(plan.lines, plan.priced.lines, strict=True):
        row = _amounts_of_line(priced)
        if line.stored is None:
            row |= _description(line, after, plan.found.now)
            after += 1
        elif (more := line.quantity - line.stored["quantity"]) > 0 and line.variant is not None:
            row["expected_at"] = _promised(expected_at(line.variant, more, plan.found.now))
        rows.append({"id": str(line.id), **row})
    return rows


def _amounts_of_line(priced: PricedLine) -> dict[str, Any]:
    return {
        "quantity": priced.quantity,
        "unit_price_minor": priced.unit_price_minor,
        "subtotal_minor": priced.subtotal_minor,
        "discount_minor": priced.discount_minor,
        "discounts": _PARTS.dump_python(priced.discounts, mode="json"),
        "gift_wrap_minor": priced.gift_wrap_minor,
        "tax_minor": priced.tax_minor,
        "tax_lines": _TAXES.dump_python(priced.taxes, mode="json"),
        "total_minor": priced.total_minor,
    }


def _promised(expected: datetime | None) -> str | None:
    return expected.isoformat() if expected else None


def _description(line: EditedLine, position: int, now: datetime) -> dict[str, Any]:
    variant = line.variant
    if variant is None:
        raise ValueError("what is added is in the catalogue")
    expected = expected_at(variant, line.quantity, now)
    return {
        "position": position,
        "product_id": str(variant.product_id),
        "variant_id": str(variant.variant_id),
        "product_name": variant.product_name,
        "variant_name": variant.variant_name,
        "sku": variant.sku,
        "image_url": variant.image_url,
        "selected_options": variant.selected_options,
        "weight_grams": variant.weight_grams,
        "requires_shipping": variant.requires_shipping,
        "track_inventory": variant.track_inventory,
        "expected_at": _promised(expected),
        "product_kind": variant.product_kind.value,
        "tax_class_id": str(variant.tax_class_id) if variant.tax_class_id else None,
    }


def changes(plan: Plan, request: OrderEditRequested) -> dict[str, Any]:
    """What the edit did, without personal data."""
    before = {line["id"]: line for line in plan.found.lines}
    after = {str(line.id): line for line in plan.lines}
    lines = [
        {
            "order_line_id": line_id,
            "variant_id": str(edit_plan.variant_id_of(after[line_id]))
            if line_id in after
            else before[line_id]["variant_id"],
            "before": before[line_id]["quantity"] if line_id in before else 0,
            "after": after[line_id].quantity if line_id in after else 0,
        }
        for line_id in [*before, *(new for new in after if new not in before)]
    ]
    whole = {
        "shipping_address": bool(request.shipping_address),
        "shipping": request.shipping_price is not None or request.shipping_method is not None,
        "discount": bool(request.discount) or any(line.discount for line in plan.lines),
    }
    return {
        "lines": [line for line in lines if line["before"] != line["after"]],
        **{name: True for name, changed in whole.items() if changed},
    }
