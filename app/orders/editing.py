"""Writing an edit: one transaction with the order locked, in which lines, totals, stock and money change together.

The plan is made before, see `edit_plan`. Where anything happened to the order meanwhile, it is planned anew.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app import db
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.gift_cards import stored_value
from app.inventory import changing
from app.inventory.errors import InsufficientStock
from app.orders import edit_plan, edit_rows, status
from app.orders.edit_plan import Plan
from app.orders.edit_request import OrderEditRequested
from app.orders.models import FulfillmentStatus, OrderActorKind
from app.payments import capturing, rebalancing, standing

ORDER_EDITED = "order.edited"
_TRIES = 5

_ORDER = """
    UPDATE orders o SET
        subtotal_minor = n.subtotal_minor, discount_minor = n.discount_minor, gift_wrap_minor = n.gift_wrap_minor,
        shipping_minor = n.shipping_minor, tax_minor = n.tax_minor, tax_estimated = n.tax_estimated,
        rounding_minor = n.rounding_minor, total_minor = n.total_minor, amount_due_minor = n.amount_due_minor,
        gift_card_minor = n.gift_card_minor, store_credit_minor = n.store_credit_minor, stored_value = n.stored_value,
        tax_lines = n.tax_lines, shipping_tax_lines = n.shipping_tax_lines, gift_wrap_tax_lines = n.gift_wrap_tax_lines,
        discounts = n.discounts, reverse_charge = n.reverse_charge, shipping_quote = n.shipping_quote,
        shipping_address = coalesce(n.shipping_address, o.shipping_address),
        updated_at = greatest(business_now(), o.updated_at + interval '1 microsecond')
    FROM jsonb_to_record($2::jsonb) AS n (
        subtotal_minor bigint, discount_minor bigint, gift_wrap_minor bigint, shipping_minor bigint, tax_minor bigint,
        tax_estimated bool, rounding_minor bigint, total_minor bigint, amount_due_minor bigint, gift_card_minor bigint,
        store_credit_minor bigint, stored_value jsonb, tax_lines jsonb, shipping_tax_lines jsonb,
        gift_wrap_tax_lines jsonb, discounts jsonb, reverse_charge bool, shipping_quote jsonb, shipping_address jsonb
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
            tax_lines = n.tax_lines, total_minor = n.total_minor, expected_at = greatest(l.expected_at, n.expected_at)
        FROM given n WHERE l.id = n.id AND l.order_id = $1
    )
    INSERT INTO order_lines (order_id, fulfilled_quantity, attributes, customizations, {_ADDED})
    SELECT $1, 0, '[]', '[]', {_ADDED} FROM given n WHERE NOT EXISTS (SELECT FROM order_lines l WHERE l.id = n.id)
"""
_STORED_VALUE = """
    UPDATE orders o SET stored_value = $2::jsonb, gift_card_minor = n.gift_card, store_credit_minor = n.store_credit
    FROM (
        SELECT coalesce(sum(amount_minor) FILTER (WHERE kind = 'GIFT_CARD'), 0)::bigint AS gift_card,
               coalesce(sum(amount_minor) FILTER (WHERE kind = 'STORE_CREDIT'), 0)::bigint AS store_credit
        FROM jsonb_to_recordset($2::jsonb) AS v (kind text, amount_minor bigint)
    ) n
    WHERE o.id = $1
"""
# The uses stay the order's; what they took off is what they take off now.
_USES = """
    UPDATE discount_redemptions r SET amount_minor = n.amount_minor
    FROM jsonb_to_recordset($2::jsonb) AS n (id text, code_id text, amount_minor bigint)
    WHERE r.order_id = $1 AND r.discount_id::text = n.id AND r.code_id::text IS NOT DISTINCT FROM n.code_id
"""
_FULFILLMENT = """
    UPDATE orders SET fulfillment_status = rest.state
    FROM (
        SELECT CASE WHEN coalesce(sum(quantity), 0) = 0 THEN 'NOT_REQUIRED'
                    WHEN sum(fulfilled_quantity) = 0 THEN 'UNFULFILLED'
                    WHEN sum(fulfilled_quantity) < sum(quantity) THEN 'PARTIALLY_FULFILLED' ELSE 'FULFILLED'
               END AS state
        FROM order_lines WHERE order_id = $1 AND requires_shipping
    ) rest
    WHERE id = $1 RETURNING fulfillment_status
"""
_NOTE = """
    INSERT INTO order_edits (id, order_id, changes, reason, actor_kind, notify_customer, total_before_minor,
                             total_after_minor, due_before_minor, due_after_minor, refund_minor, created_at)
    VALUES ($1, $2, $3::jsonb, $4, $5, $6, $7, $8, $9, $10, $11, business_now())
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
    from_payments = await rebalancing.refund_wanted(plan.found.order["id"], plan.priced.amount_due_minor)
    return Edited(
        {**plan.found.order, **edit_rows.amounts(plan)}, plan.due_before_minor, from_payments + plan.stored_back_minor
    )


async def _apply(plan: Plan, request: OrderEditRequested, *, may_refund: bool, by: OrderActorKind) -> Edited:
    order_id: uuid.UUID = plan.found.order["id"]
    await rebalancing.lock(plan.found.order)
    made = await _edited(plan)
    if made.refund_minor and not may_refund:
        raise DomainError(CommonErrorCode.FORBIDDEN, "Money would go back, which needs REFUNDS_WRITE.", ["input"])
    changed = edit_rows.amounts(plan)
    if request.shipping_address:
        changed["shipping_address"] = request.shipping_address.to_json()
    await _say(_ORDER, order_id, changed, plan.edit_id)
    await _say(_LINES, order_id, edit_rows.lines(plan), plan.edit_id)
    await db.execute(_USES, order_id, orjson.dumps(changed["discounts"]).decode())
    reason = (request.reason or "").strip() or None
    await db.execute(
        _NOTE,
        plan.edit_id,
        order_id,
        orjson.dumps(edit_rows.changes(plan, request)).decode(),
        reason,
        by.value,
        request.notify_customer,
        plan.found.order["total_minor"],
        plan.priced.total_minor,
        plan.due_before_minor,
        plan.priced.amount_due_minor,
        made.refund_minor,
    )
    # Units before money: what is paid and has left is complete, and takes along what is still set aside.
    has_left = await db.fetchval(_FULFILLMENT, order_id) == FulfillmentStatus.FULFILLED
    missing = await changing.change(plan.found.order["attempt_id"], order_id, plan.given_back(), plan.demands())
    if missing:
        raise DomainErrors([_too_few(plan, request, variant_id, left) for variant_id, left in missing.items()])
    locked = {**plan.found.order, **changed}
    await rebalancing.rebalance(
        locked,
        plan.due_before_minor,
        plan.priced.amount_due_minor,
        stored_back_minor=plan.stored_back_minor,
        reason=reason,
    )
    if plan.stored_back_minor:
        await _restate_stored_value(order_id, plan)
    if has_left:
        await capturing.want_capture(order_id)
    await standing.refresh(order_id)
    profile_id = plan.found.order["profile_id"]
    facts = {
        "editId": str(plan.edit_id),
        "notifyCustomer": request.notify_customer,
        "profileId": str(profile_id) if profile_id else None,
    }
    await status.tell(ORDER_EDITED, order_id, profile_id, facts)
    if has_left:
        await status.tell(status.ORDER_FULFILLED, order_id, profile_id)
    status.announce(order_id)
    return made


async def _say(statement: str, order_id: uuid.UUID, values: Any, edit_id: uuid.UUID) -> None:
    """What was sold changes for this statement alone."""
    await db.execute("SELECT set_config('tradewind.editing', $1, true)", edit_id.hex)
    await db.execute(statement, order_id, orjson.dumps(values).decode())
    await db.execute("SELECT set_config('tradewind.editing', '', true)")


async def _restate_stored_value(order_id: uuid.UUID, plan: Plan) -> None:
    """What was spent last came back first, which pricing does not know: the order says what each balance pays now."""
    left = await stored_value.spent_on(order_id)
    now = [
        {**one, "amount_minor": left[uuid.UUID(one["id"])]}
        for one in plan.found.order["stored_value"]
        if left[uuid.UUID(one["id"])]
    ]
    await _say(_STORED_VALUE, order_id, now, plan.edit_id)


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
