"""Giving money back: decided with the order locked, so that no two refunds exceed what was taken; then asked of the
gateways, payment by payment, until each has confirmed or refused (`refund_asking`).
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from app import db, events
from app.checkout.errors import CheckoutErrorCode
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.gift_cards import credit, freezing, stored_value
from app.inventory import returns
from app.kit.ids import new_id
from app.kit.money import Money
from app.kit.text import check_text
from app.orders import status
from app.payments import ledger, standing, strays
from app.payments.errors import PaymentErrorCode
from app.payments.models import RefundSource, RefundState, RefundTarget
from app.payments.refund_amounts import Payable, SoldLine, share_out
from app.payments.registry import ASKED_NOBODY
from app.payments.settling_refunds import settle_refund

MAX_REASON_CHARS = 500

_LINES = """
    SELECT l.id, l.quantity, l.variant_id, l.product_kind = 'GIFT_CARD' AS is_gift_card,
           l.total_minor + l.gift_wrap_minor + CASE WHEN o.tax_included THEN 0 ELSE l.tax_minor END AS gross_minor,
           coalesce(given.refunded, 0) AS refunded, l.fulfilled_quantity - coalesce(given.restocked, 0) AS returnable,
           (SELECT count(*) FROM gift_cards g JOIN stored_values s ON s.id = g.id
            WHERE g.order_line_id = l.id AND s.balance_minor < g.initial_minor)::int AS spent
    FROM order_lines l JOIN orders o ON o.id = l.order_id
    LEFT JOIN (
        SELECT (g ->> 'order_line_id')::uuid AS id, sum((g ->> 'quantity')::int)::int AS refunded,
               coalesce(sum((g ->> 'quantity')::int) FILTER (WHERE (g ->> 'restock')::bool), 0)::int AS restocked
        FROM refunds r CROSS JOIN jsonb_array_elements(r.lines) g
        WHERE r.order_id = $1 AND r.state <> 'FAILED' GROUP BY 1
    ) given ON given.id = l.id
    WHERE l.order_id = $1 ORDER BY l.position, l.id
"""
# What is on its way back counts as gone, and so does what a dispute withholds: lost, it would go back twice. Parts that
# were refused do not; nor does what edits put back on gift cards, by which the order's stored value is less.
_PAYMENTS = """
    SELECT p.id, p.gateway, greatest(0, p.captured_minor - coalesce(sum(part.amount_minor), 0) - coalesce((
               SELECT sum(d.amount_minor) FROM payment_disputes d
               WHERE d.payment_id = p.id AND d.state IN ('NEEDS_RESPONSE', 'UNDER_REVIEW')
           ), 0))::bigint AS room_minor
    FROM payments p LEFT JOIN refund_parts part ON part.payment_id = p.id AND part.state <> 'FAILED'
    WHERE p.order_id = $1 AND p.captured_minor > 0
    GROUP BY p.id ORDER BY p.created_at, p.id
"""
_GONE = """
    SELECT coalesce(sum(part.amount_minor), 0)::bigint AS minor, coalesce((
               SELECT sum(d.amount_minor) FROM payment_disputes d JOIN payments p ON p.id = d.payment_id
               WHERE p.order_id = $1 AND d.state IN ('NEEDS_RESPONSE', 'UNDER_REVIEW')
           ), 0)::bigint AS withheld_minor,
           coalesce((SELECT sum(shipping_minor) FROM refunds WHERE order_id = $1 AND state <> 'FAILED'), 0)::bigint
               AS shipping_minor
    FROM refunds r JOIN refund_parts part ON part.refund_id = r.id AND part.state <> 'FAILED'
    WHERE r.order_id = $1 AND (r.source <> 'EDIT' OR part.payment_id IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Units of an order's line that are refunded. `restock` takes back to stock what had left."""

    order_line_id: uuid.UUID
    quantity: int
    restock: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequested:
    """What is to be given back. Amounts are minor units of the order's currency.

    Attributes:
        amount_minor: in all; None for what the lines and the shipping are worth.
        shipping_minor: the part that is for shipping.
        everything: all that is left to give back, and no lines.
        keeps_payments: of everything, what stored value has paid alone.
        reason: for the customer, whose mail shows it.
        key: of a client, with the fingerprint of its input: the same refund when it comes again.
    """

    order_id: uuid.UUID
    lines: Sequence[RefundLine] = ()
    shipping_minor: int = 0
    amount_minor: int | None = None
    everything: bool = False
    keeps_payments: bool = False
    target: RefundTarget = RefundTarget.ORIGINAL
    source: RefundSource = RefundSource.STAFF
    reason: str | None = None
    notify_customer: bool = True
    key: str | None = None
    fingerprint: bytes | None = None
    at: Sequence[str] = field(default=("input",))
    """Path of it in the request, for errors."""

    def field(self, *names: str | int) -> list[str | int]:
        return [*self.at, *names]


async def request(wanted: RefundRequested) -> uuid.UUID | None:
    """Decide on a refund, in a unit of work of its own or the open one; the gateways are asked afterwards.

    Returns:
        Its id; None where everything was wanted and nothing is left.

    Raises:
        DomainError: NOT_FOUND; REFUND_TOO_LARGE for more than is left to give back, of a line, of shipping or in all;
            NOT_RETURNABLE for restocking what has not left; STORE_CREDIT_UNAVAILABLE for an order without an account;
            IDEMPOTENCY_KEY_REUSED; REQUIRED, OUT_OF_RANGE, TOO_LONG, INVALID.
    """
    reason = (wanted.reason or "").strip() or None
    if reason is not None and (wrong := check_text(reason, MAX_REASON_CHARS, wanted.field("reason"))):
        raise wrong
    async with db.unit_of_work():
        order = await status.lock_order(wanted.order_id)
        if order is None:
            raise not_found("order", wanted.field("orderId"))
        if (before := await _asked_before(wanted)) is not None:
            return before
        priced = await _price(wanted, order)
        if priced is None:
            return None
        refund_id = new_id()
        await _write(refund_id, wanted, priced, order["currency_code"], reason)
        if restocked := {line.id: n for line, n, restock in priced.lines if restock}:
            await returns.take_back(order["attempt_id"], wanted.order_id, restocked)
        if priced.has_gift_cards:
            await _freeze_cards(refund_id, wanted, priced)
        await _give_back(refund_id, wanted, priced, order)
        await settle_refund(refund_id)
        await standing.refresh(wanted.order_id)
    return refund_id


@dataclass(frozen=True, slots=True)
class _Priced:
    amount_minor: int
    lines: list[tuple[SoldLine, int, bool]]
    parts: Mapping[uuid.UUID | None, int]
    asked_nobody: frozenset[uuid.UUID]
    """Payments that go back by hand."""
    takes_all: bool
    """Nothing of what was paid is left with it."""
    has_gift_cards: bool
    """The order has; they are locked before they are looked at."""


async def _asked_before(wanted: RefundRequested) -> uuid.UUID | None:
    if wanted.key is None:
        return None
    row = await db.fetchrow(
        "SELECT id, fingerprint FROM refunds WHERE order_id = $1 AND idempotency_key = $2", wanted.order_id, wanted.key
    )
    if row is None:
        return None
    if row["fingerprint"] != wanted.fingerprint:
        message = "This key came with another input before; use a new one."
        raise DomainError(CheckoutErrorCode.IDEMPOTENCY_KEY_REUSED, message, wanted.field("idempotencyKey"))
    refund_id: uuid.UUID = row["id"]
    return refund_id


async def _price(wanted: RefundRequested, order: db.Record) -> _Priced | None:
    rows = await db.fetch(_LINES, wanted.order_id)
    sold = {row["id"]: SoldLine(**{name: row[name] for name in _SOLD}) for row in rows}
    has_gift_cards = any(row["is_gift_card"] for row in rows)
    payments = await db.fetch(_PAYMENTS, wanted.order_id)
    stored_minor = await stored_value.refundable(wanted.order_id)
    gone = await db.fetchrow(_GONE, wanted.order_id)
    if gone is None:
        raise LookupError("there is no such order")
    paid = await _paid(wanted.order_id, order)
    left = max(0, paid - gone["minor"] - gone["withheld_minor"])
    if wanted.keeps_payments:
        payments, left = [], min(left, stored_minor)
    lines = _lines(wanted, sold)
    _check_shipping(wanted, order, sold.values(), gone["shipping_minor"])
    amount = _amount(wanted, lines, left, abs(order["rounding_minor"]))
    if wanted.everything and amount == 0:
        return None
    if amount <= 0:
        raise DomainError(CommonErrorCode.REQUIRED, "Say what is to be refunded.", wanted.field("amount"))
    # An edit has taken what it gives back off the order already.
    if amount > left and wanted.source is not RefundSource.EDIT:
        if paid <= 0:
            message = "No money was taken for this order; cancelling it releases what was set aside."
            raise DomainError(PaymentErrorCode.REFUND_TOO_LARGE, message, wanted.field("amount"))
        raise _too_large(Money(left, order["currency_code"]), wanted.field("amount"))
    if wanted.target is RefundTarget.STORE_CREDIT:
        if order["customer_id"] is None:
            message = "Only the customer of an account can have store credit."
            raise DomainError(PaymentErrorCode.STORE_CREDIT_UNAVAILABLE, message, wanted.field("to"))
        return _Priced(amount, lines, {None: amount}, frozenset(), amount == left, has_gift_cards)
    payable = [Payable(row["id"], row["room_minor"]) for row in payments]
    by_hand = frozenset(row["id"] for row in payments if row["gateway"] in ASKED_NOBODY)
    try:
        parts = share_out(amount, payable, stored_minor=stored_minor)
        return _Priced(amount, lines, parts, by_hand, amount == left, has_gift_cards)
    except ValueError:
        most = sum(each.room_minor for each in payable) + stored_minor
        raise _too_large(Money(most, order["currency_code"]), wanted.field("amount")) from None


_SOLD = ("id", "quantity", "gross_minor", "refunded", "returnable", "spent")


async def _paid(order_id: uuid.UUID, order: db.Record) -> int:
    captured: int = await db.fetchval(
        "SELECT coalesce(sum(captured_minor), 0)::bigint FROM payments WHERE order_id = $1", order_id
    )
    stored: int = order["gift_card_minor"] + order["store_credit_minor"]
    return captured + stored


def _lines(wanted: RefundRequested, sold: Mapping[uuid.UUID, SoldLine]) -> list[tuple[SoldLine, int, bool]]:
    problems, lines, seen = [], [], set()
    for index, line in enumerate(wanted.lines):
        at = wanted.field("lines", index)
        found = sold.get(line.order_line_id)
        if found is None or line.order_line_id in seen:
            problems.append(not_found("order line", [*at, "orderLineId"]))
        elif line.quantity <= 0:
            message = "Refund at least one unit."
            problems.append(DomainError(CommonErrorCode.OUT_OF_RANGE, message, [*at, "quantity"]))
        elif line.quantity > found.left:
            message = f"{found.left} of this line are left to refund."
            problems.append(DomainError(PaymentErrorCode.REFUND_TOO_LARGE, message, [*at, "quantity"]))
        elif line.restock and line.quantity > found.returnable:
            message = f"{found.returnable} of this line have left and can be taken back to stock."
            problems.append(DomainError(PaymentErrorCode.NOT_RETURNABLE, message, [*at, "restock"]))
        else:
            lines.append((found, line.quantity, line.restock))
        seen.add(line.order_line_id)
    if problems:
        raise DomainErrors(problems)
    return lines


async def _freeze_cards(refund_id: uuid.UUID, wanted: RefundRequested, priced: _Priced) -> None:
    """Raises DomainError(REFUND_TOO_LARGE) for units that somebody has begun to spend since the order was read."""
    begun = await freezing.lock(wanted.order_id)
    for index, (line, quantity, _) in enumerate(priced.lines):
        if quantity > (left := line.quantity - line.refunded - begun.get(line.id, 0)):
            message = f"{left} of this line are left to refund."
            raise DomainError(PaymentErrorCode.REFUND_TOO_LARGE, message, wanted.field("lines", index, "quantity"))
    if priced.lines:
        await freezing.freeze_units(refund_id, {line.id: quantity for line, quantity, _ in priced.lines})
    elif priced.takes_all:
        await freezing.freeze_all(wanted.order_id, refund_id)


def _check_shipping(
    wanted: RefundRequested, order: db.Record, lines: Sequence[SoldLine] | object, gone_minor: int
) -> None:
    if wanted.shipping_minor < 0:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, "Not below zero.", wanted.field("shipping"))
    if wanted.shipping_minor > (left := shipping_gross(order) - gone_minor):
        raise _too_large(Money(max(left, 0), order["currency_code"]), wanted.field("shipping"))


def shipping_gross(order: Mapping[str, object]) -> int:
    """What shipping cost with its tax."""
    shipping = int(str(order["shipping_minor"]))
    if order["tax_included"]:
        return shipping
    taxes = orjson.loads(str(order["shipping_tax_lines"] or "[]"))
    return shipping + sum(int(tax["amount_minor"]) for tax in taxes if not tax.get("reverse_charge"))


def _amount(
    wanted: RefundRequested, lines: Sequence[tuple[SoldLine, int, bool]], left_minor: int, rounding_minor: int
) -> int:
    if wanted.everything:
        return max(0, left_minor)
    worth = sum(line.value(quantity) for line, quantity, _ in lines) + wanted.shipping_minor
    if wanted.amount_minor is None:
        # Rounded to coins, an order may have cost a little less than its lines.
        return left_minor if left_minor < worth <= left_minor + rounding_minor else worth
    if wanted.amount_minor < wanted.shipping_minor:
        message = "The amount is for shipping too, so it is no less than that."
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, message, wanted.field("amount"))
    return wanted.amount_minor


def _too_large(left: Money, field: list[str | int]) -> DomainError:
    message = f"{left.decimal} {left.currency} are left to refund."
    return DomainError(PaymentErrorCode.REFUND_TOO_LARGE, message, field)


async def _write(
    refund_id: uuid.UUID, wanted: RefundRequested, priced: _Priced, currency: str, reason: str | None
) -> None:
    lines = [
        {"order_line_id": str(line.id), "quantity": n, "restock": restock, "amount_minor": line.value(n)}
        for line, n, restock in priced.lines
    ]
    await db.execute(
        """
        INSERT INTO refunds (id, order_id, source, target, state, amount_minor, shipping_minor, currency_code, lines,
                             reason, notify_customer, idempotency_key, fingerprint, created_at, updated_at)
        VALUES ($1, $2, $3, $4, 'PENDING', $5, $6, $7, $8, $9, $10, $11, $12, business_now(), business_now())
        """,
        refund_id,
        wanted.order_id,
        wanted.source.value,
        wanted.target.value,
        priced.amount_minor,
        wanted.shipping_minor,
        currency,
        orjson.dumps(lines).decode(),
        reason,
        wanted.notify_customer,
        wanted.key,
        wanted.fingerprint,
    )


async def _give_back(refund_id: uuid.UUID, wanted: RefundRequested, priced: _Priced, order: db.Record) -> None:
    """A part for each payment, to be asked for; what the shop gives back itself is done with it."""
    for payment_id, amount in priced.parts.items():
        done = payment_id is None or payment_id in priced.asked_nobody
        part_id = await write_part(
            refund_id, payment_id, amount, RefundState.SUCCEEDED if done else RefundState.PENDING
        )
        if not done:
            await events.record(strays.REFUND_WANTED, subject_id=part_id)
        elif payment_id is not None:
            await count_refunded(payment_id, amount)
        elif wanted.target is RefundTarget.STORE_CREDIT:
            owed = Money(amount, order["currency_code"])
            key = f"refund:{refund_id}"
            await credit.credit(order["customer_id"], owed, None, key, order_id=wanted.order_id, refund_id=refund_id)
        else:
            await stored_value.refund(wanted.order_id, refund_id, amount)


async def write_part(
    refund_id: uuid.UUID,
    payment_id: uuid.UUID | None,
    amount_minor: int,
    state: RefundState,
    reference: str | None = None,
) -> uuid.UUID:
    """What of a refund goes back through one payment (None: the shop's own stored value). In the open unit of work."""
    part_id = new_id()
    await db.execute(
        """
        INSERT INTO refund_parts (id, refund_id, payment_id, amount_minor, state, reference, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, business_now(), business_now())
        """,
        part_id,
        refund_id,
        payment_id,
        amount_minor,
        state.value,
        reference,
    )
    return part_id


async def count_refunded(payment_id: uuid.UUID, amount_minor: int, reference: str | None = None) -> None:
    """It is confirmed that so much went back through a payment. In the open unit of work."""
    await db.execute(
        "UPDATE payments SET refunded_minor = refunded_minor + $2, updated_at = business_now() WHERE id = $1",
        payment_id,
        amount_minor,
    )
    await ledger.note(payment_id, "REFUND", amount_minor, reference=reference)
