"""Writing an edit: one transaction with the order locked, in which lines, totals, stock and money change together.

The plan is made before, see `edit_plan`. Where anything happened to the order meanwhile, it is planned anew.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter

from app import db
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.inventory import changing
from app.inventory.errors import InsufficientStock
from app.orders import edit_plan, status
from app.orders.edit_plan import Plan
from app.orders.edit_pricing import EditedLine
from app.orders.edit_request import OrderEditRequested
from app.orders.models import OrderActorKind, OrderStatus
from app.payments import rebalancing, standing
from app.pricing.results import DiscountAllocation, PricedLine, TaxLine
from app.terms.dates import expected_at

ORDER_EDITED = "order.edited"
_TRIES = 5

_TAXES = TypeAdapter(tuple[TaxLine, ...])
_PARTS = TypeAdapter(tuple[DiscountAllocation, ...])

_ORDER = """
    UPDATE orders o SET
        subtotal_minor = n.subtotal_minor, discount_minor = n.discount_minor, gift_wrap_minor = n.gift_wrap_minor,
        shipping_minor = n.shipping_minor, tax_minor = n.tax_minor, tax_estimated = n.tax_estimated,
        rounding_minor = n.rounding_minor, total_minor = n.total_minor, amount_due_minor = n.amount_due_minor,
        tax_lines = n.tax_lines, shipping_tax_lines = n.shipping_tax_lines, gift_wrap_tax_lines = n.gift_wrap_tax_lines,
        discounts = n.discounts, reverse_charge = n.reverse_charge, shipping_quote = n.shipping_quote,
        shipping_address = coalesce(n.shipping_address, o.shipping_address),
        updated_at = greatest(business_now(), o.updated_at + interval '1 microsecond')
    FROM jsonb_to_record($2::jsonb) AS n (
        subtotal_minor bigint, discount_minor bigint, gift_wrap_minor bigint, shipping_minor bigint, tax_minor bigint,
        tax_estimated bool, rounding_minor bigint, total_minor bigint, amount_due_minor bigint, tax_lines jsonb,
        shipping_tax_lines jsonb, gift_wrap_tax_lines jsonb, discounts jsonb, reverse_charge bool, shipping_quote jsonb,
        shipping_address jsonb
    )
    WHERE o.id = $1
"""
_LINE = """
    id uuid, position int, product_id uuid, variant_id uuid, product_name text, variant_name text, sku text,
    image_url text, selected_options jsonb, quantity int, unit_price_minor bigint, subtotal_minor bigint,
    discount_minor bigint, discounts jsonb, gift_wrap_minor bigint, tax_minor bigint, tax_lines jsonb,
    total_minor bigint, weight_grams int, requires_shipping bool, track_inventory bool, expected_at timestamptz,
    product_kind text, tax_class_id uuid
"""
_ADDED = ", ".join(column.split()[0] for column in _LINE.split(","))
_LINES = f"""
    WITH given AS (SELECT * FROM jsonb_to_recordset($2::jsonb) AS n ({_LINE})), gone AS (
        DELETE FROM order_lines WHERE order_id = $1 AND id NOT IN (SELECT id FROM given)
    ), changed AS (
        UPDATE order_lines l SET
            quantity = n.quantity, subtotal_minor = n.subtotal_minor, discount_minor = n.discount_minor,
            discounts = n.discounts, gift_wrap_minor = n.gift_wrap_minor, tax_minor = n.tax_minor,
            tax_lines = n.tax_lines, total_minor = n.total_minor
        FROM given n WHERE l.id = n.id AND l.order_id = $1
    )
    INSERT INTO order_lines (order_id, fulfilled_quantity, attributes, customizations, {_ADDED})
    SELECT $1, 0, '[]', '[]', {_ADDED} FROM given n WHERE NOT EXISTS (SELECT FROM order_lines l WHERE l.id = n.id)
"""
# The uses stay the order's; what they took off is what they take off now.
_USES = """
    UPDATE discount_redemptions r SET amount_minor = n.amount_minor
    FROM jsonb_to_recordset($2::jsonb) AS n (id text, code_id text, amount_minor bigint)
    WHERE r.order_id = $1 AND r.discount_id::text = n.id AND r.code_id::text IS NOT DISTINCT FROM n.code_id
"""
_STATES = """
    UPDATE orders SET
        fulfillment_status = rest.state,
        status = CASE WHEN rest.state IN ('FULFILLED', 'NOT_REQUIRED') AND payment_status = ANY($2) THEN $3
                      ELSE status END
    FROM (
        SELECT CASE WHEN coalesce(sum(quantity), 0) = 0 THEN 'NOT_REQUIRED'
                    WHEN sum(fulfilled_quantity) = 0 THEN 'UNFULFILLED'
                    WHEN sum(fulfilled_quantity) < sum(quantity) THEN 'PARTIALLY_FULFILLED' ELSE 'FULFILLED'
               END AS state
        FROM order_lines WHERE order_id = $1 AND requires_shipping
    ) rest
    WHERE id = $1 RETURNING *
"""
_NOTE = """
    INSERT INTO order_edits (id, order_id, changes, reason, actor_kind, notify_customer, total_before_minor,
                             total_after_minor, due_before_minor, due_after_minor, created_at)
    VALUES ($1, $2, $3::jsonb, $4, $5, $6, $7, $8, $9, $10, business_now())
"""


@dataclass(frozen=True, slots=True)
class Edited:
    """What an order costs with an edit, as its columns say it; minor units. `refund_minor` goes back."""

    cost: Mapping[str, Any]
    due_before_minor: int
    refund_minor: int


async def preview(request: OrderEditRequested) -> Edited:
    """What `edit` would make of the order; stock is not looked at. Raises as `edit_plan.make`."""
    return await _edited(await edit_plan.make(request))


async def edit(request: OrderEditRequested, *, may_refund: bool, by: OrderActorKind = OrderActorKind.STAFF) -> Edited:
    """Change what was sold.

    Args:
        may_refund: whether whoever asks may give money back.

    Raises:
        DomainError: PAYMENT_IN_PROGRESS while a gateway is asked; FORBIDDEN where money would go back and may not;
            CREDIT_LIMIT_EXCEEDED; CONFLICT where others keep changing it; and as `edit_plan.make`.
        DomainErrors: INSUFFICIENT_STOCK.
    """
    for _ in range(_TRIES):
        plan = await edit_plan.make(request)
        async with db.unit_of_work():
            order = await status.lock_order(request.order_id)
            version = await db.fetchval("SELECT xmin::text FROM orders WHERE id = $1", request.order_id)
            if order is not None and version == plan.found.version:
                return await _apply(plan, request, may_refund=may_refund, by=by)
    raise DomainError(CommonErrorCode.CONFLICT, "The order is being changed by others; try again.", ["orderId"])


async def _edited(plan: Plan) -> Edited:
    due = plan.priced.amount_due_minor
    return Edited(
        {**plan.found.order, **_amounts(plan)},
        plan.due_before_minor,
        await rebalancing.refund_wanted(plan.found.order["id"], due),
    )


async def _apply(plan: Plan, request: OrderEditRequested, *, may_refund: bool, by: OrderActorKind) -> Edited:
    order_id: uuid.UUID = plan.found.order["id"]
    await rebalancing.check_idle(order_id)
    made = await _edited(plan)
    if made.refund_minor and not may_refund:
        raise DomainError(CommonErrorCode.FORBIDDEN, "Money would go back, which needs REFUNDS_WRITE.", ["input"])
    await db.execute("SELECT set_config('tradewind.editing', $1, true)", plan.edit_id.hex)
    changed = _amounts(plan)
    if request.shipping_address:
        changed["shipping_address"] = request.shipping_address.to_json()
    await db.execute(_ORDER, order_id, orjson.dumps(changed).decode())
    await db.execute(_LINES, order_id, orjson.dumps(_line_rows(plan)).decode())
    await db.execute("SELECT set_config('tradewind.editing', '', true)")
    await db.execute(_USES, order_id, orjson.dumps(changed["discounts"]).decode())
    reason = (request.reason or "").strip() or None
    await db.execute(
        _NOTE,
        plan.edit_id,
        order_id,
        orjson.dumps(_changes(plan, request)).decode(),
        reason,
        by.value,
        request.notify_customer,
        plan.found.order["total_minor"],
        plan.priced.total_minor,
        plan.due_before_minor,
        plan.priced.amount_due_minor,
    )
    locked = {**plan.found.order, **changed}
    await rebalancing.rebalance(
        locked, plan.priced.amount_due_minor, reason=reason, notify_customer=request.notify_customer
    )
    await standing.refresh(order_id)
    await _move(order_id, plan)
    missing = await changing.change(plan.found.order["attempt_id"], order_id, plan.given_back(), plan.demands())
    if missing:
        raise DomainErrors([_too_few(plan, request, variant_id, left) for variant_id, left in missing.items()])
    profile_id = plan.found.order["profile_id"]
    facts = {
        "editId": str(plan.edit_id),
        "notifyCustomer": request.notify_customer,
        "profileId": str(profile_id) if profile_id else None,
    }
    await status.tell(ORDER_EDITED, order_id, profile_id, facts)
    status.announce(order_id)
    return made


async def _move(order_id: uuid.UUID, plan: Plan) -> None:
    now = await db.fetchrow(
        _STATES, order_id, [settled.value for settled in standing.SETTLED], OrderStatus.COMPLETED.value
    )
    if now is None:
        raise RuntimeError("a locked order has gone")


def _amounts(plan: Plan) -> dict[str, Any]:
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


def _line_rows(plan: Plan) -> list[dict[str, Any]]:
    after = max((line["position"] for line in plan.found.lines), default=-1) + 1
    rows = []
    for line, priced in zip(plan.lines, plan.priced.lines, strict=True):
        row = _amounts_of_line(priced)
        if line.stored is None:
            row |= _description(line, after, plan.found.now)
            after += 1
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
        "expected_at": expected and expected.isoformat(),
        "product_kind": variant.product_kind.value,
        "tax_class_id": str(variant.tax_class_id) if variant.tax_class_id else None,
    }


def _changes(plan: Plan, request: OrderEditRequested) -> dict[str, Any]:
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


def _too_few(plan: Plan, request: OrderEditRequested, variant_id: uuid.UUID, left: int) -> DomainError:
    at: list[str | int] = ["input"]
    for place, added in enumerate(request.added):
        if added.variant_id == variant_id:
            at = ["input", "addLines", place, "quantity"]
    of_lines = {line["id"]: line["variant_id"] for line in plan.found.lines}
    for place, change in enumerate(request.lines):
        if of_lines.get(str(change.order_line_id)) == str(variant_id):
            at = ["input", "lines", place, "quantity"]
    message = "It is sold out." if left == 0 else f"Only {left} more can be sold."
    return InsufficientStock(left, message, at)
