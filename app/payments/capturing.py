"""Money follows the goods: what is set aside is taken when they leave, part by part where the gateway can do that.

How much is due is worked out anew from what has left so far, so that no shipment is counted twice or forgotten. One
capture of a payment is open at a time. The gateway is asked for it until it confirms or refuses.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app import db, events
from app.kit.ids import new_id
from app.orders import status
from app.orders.models import OrderStatus
from app.payments import following, known, ledger, payment_settings, service, standing
from app.payments.gateway import Capture, GatewayPayment, GatewayRefusedError, GatewayState, KnownPayment
from app.payments.models import CapturePolicy, CaptureState, PaymentState
from app.payments.registry import gateways
from app.payments.states import CAPTURE, PAYMENT

_OPEN_PAYMENTS = """
    SELECT id, gateway, amount_minor, captured_minor, state FROM payments
    WHERE order_id = $1 AND state NOT IN ('FAILED', 'VOIDED', 'VOIDING') ORDER BY created_at, id FOR NO KEY UPDATE
"""
_LINES = """
    SELECT l.quantity, CASE WHEN l.requires_shipping THEN l.fulfilled_quantity ELSE l.quantity END AS left_quantity,
           l.total_minor + l.gift_wrap_minor + CASE WHEN o.tax_included THEN 0 ELSE l.tax_minor END AS gross_minor
    FROM order_lines l JOIN orders o ON o.id = l.order_id WHERE o.id = $1
"""


@dataclass(frozen=True, slots=True)
class ShippedLine:
    """Amount in minor units for all of the line, wrap and tax with it."""

    quantity: int
    left_quantity: int
    gross_minor: int


def due_so_far(lines: Sequence[ShippedLine], *, total_minor: int, due_minor: int) -> int:
    """What payments have to have brought in by now.

    A line's part is its price times the part of it that has left, rounded down, so that all of it adds up to the last
    minor unit. Shipping, and whatever else is the whole order's, goes with the first goods. What stored value paid
    comes first.

    Args:
        total_minor: of the order; its lines make up a part of it.
        due_minor: the total less what stored value paid.
    """
    if _all_left(lines):
        return due_minor
    if not any(line.left_quantity for line in lines):
        return 0
    of_order = total_minor - sum(line.gross_minor for line in lines)
    left = sum(line.gross_minor * line.left_quantity // line.quantity for line in lines)
    return min(due_minor, max(0, of_order + left - (total_minor - due_minor)))


def _all_left(lines: Sequence[ShippedLine]) -> bool:
    return all(line.left_quantity >= line.quantity for line in lines)


# --- deciding, in the open unit of work, which has the order locked ---------------------------------------------------


async def want_capture(order_id: uuid.UUID, *, everything: bool = False) -> None:
    """Goods are on their way, and their money is due. Repeating it changes nothing.

    Args:
        everything: take all that is set aside, whatever has left.
    """
    order = await db.fetchrow(
        "SELECT status, total_minor, coalesce(amount_due_minor, total_minor) AS due_minor FROM orders WHERE id = $1",
        order_id,
    )
    if order is None or order["status"] == OrderStatus.CANCELLED:
        return
    payments = await db.fetch(_OPEN_PAYMENTS, order_id)
    if not any(_may_be_captured(row) for row in payments):
        return
    lines = [ShippedLine(**row) for row in await db.fetch(_LINES, order_id)]
    so_far = due_so_far(lines, total_minor=order["total_minor"], due_minor=order["due_minor"])
    done = everything or _all_left(lines)
    at_once = done or (await payment_settings.current()).capture_policy is CapturePolicy.FIRST_SHIPMENT
    # What is being captured counts as taken: it is asked for until it is, or it is decided anew.
    taken = sum(
        row["amount_minor"] if row["state"] == PaymentState.CAPTURING else row["captured_minor"] for row in payments
    )
    missing, most = so_far - taken, order["due_minor"] - taken
    for row in payments:
        if not _may_be_captured(row) or most <= 0 or (missing <= 0 and not everything):
            continue
        gateway, room = gateways().get(row["gateway"]), row["amount_minor"] - row["captured_minor"]
        in_parts = gateway is not None and gateway.captures_in_parts and not at_once
        part = min(room, missing if in_parts else most)
        await _begin(row["id"], part, is_final=done or not in_parts or part == room)
        missing, most = missing - part, most - part


def _may_be_captured(row: db.Record) -> bool:
    return row["state"] in (PaymentState.AUTHORIZED, PaymentState.PARTIALLY_CAPTURED)


async def _begin(payment_id: uuid.UUID, amount_minor: int, *, is_final: bool) -> None:
    await db.execute(
        "UPDATE payments SET state = 'CAPTURING', updated_at = business_now() WHERE id = $1 AND state = ANY($2)",
        payment_id,
        PAYMENT.values_before(PaymentState.CAPTURING),
    )
    await _note(payment_id, amount_minor, is_final=is_final)
    await events.record(service.CAPTURE_WANTED, subject_id=payment_id)


async def _note(payment_id: uuid.UUID, amount_minor: int, *, is_final: bool) -> None:
    await db.execute(
        """
        INSERT INTO payment_captures (id, payment_id, amount_minor, is_final, state, created_at, updated_at)
        VALUES ($1, $2, $3, $4, 'PENDING', business_now(), business_now())
        ON CONFLICT (payment_id) WHERE state = 'PENDING' DO NOTHING
        """,
        new_id(),
        payment_id,
        amount_minor,
        is_final,
    )


# --- asking the gateway, outside any transaction ----------------------------------------------------------------------


async def capture(payment_id: uuid.UUID) -> None:
    """Take the money of a payment that is to be taken; anything else is left alone.

    What the gateway refuses is decided by how the payment stands there; a person is told.

    Raises:
        GatewayUnavailableError: ask again.
    """
    asked = await _asked(payment_id)
    if asked is None:
        return
    gateway = service.gateway_named(asked.gateway)
    try:
        answer = await service.asked_of(asked.gateway, "capture", gateway.capture(asked.capture))
    except GatewayRefusedError as refusal:
        word = await service.asked_of(asked.gateway, "retrieve", gateway.retrieve(asked.capture.payment))
        await _refused(asked, str(refusal), word)
        return
    await _succeeded(asked, answer)


@dataclass(frozen=True, slots=True)
class _Asked:
    order_id: uuid.UUID | None
    gateway: str
    capture: Capture

    @property
    def payment(self) -> KnownPayment:
        return self.capture.payment


async def _asked(payment_id: uuid.UUID) -> _Asked | None:
    """A payment that became due with its order has no capture noted yet: all of it is."""
    query = f"""
        SELECT p.order_id, p.gateway, c.id AS capture_id, c.amount_minor AS part_minor, c.is_final,
               p.amount_minor - p.captured_minor AS room_minor, {known.of("p")}
        FROM payments p LEFT JOIN payment_captures c ON c.payment_id = p.id AND c.state = 'PENDING'
        WHERE p.id = $1 AND p.state = 'CAPTURING'
    """
    row = await db.fetchrow(query, payment_id)
    if row is not None and row["capture_id"] is None:
        await _note(payment_id, row["room_minor"], is_final=True)
        row = await db.fetchrow(query, payment_id)
    if row is None or row["capture_id"] is None:
        return None
    part = Capture(
        id=row["capture_id"],
        payment=known.known_payment(row),
        amount_minor=row["part_minor"],
        is_final=row["is_final"],
    )
    return _Asked(row["order_id"], row["gateway"], part)


async def _succeeded(asked: _Asked, answer: GatewayPayment) -> None:
    part = asked.capture
    async with db.unit_of_work():
        if asked.order_id is not None:
            await status.lock_order(asked.order_id)
        if not await _end(part.id, CaptureState.SUCCEEDED, None):
            return  # somebody else noted the answer meanwhile
        done = part.is_final or answer.state is GatewayState.CAPTURED
        after = PaymentState.CAPTURED if done else PaymentState.PARTIALLY_CAPTURED
        await db.execute(
            """
            UPDATE payments SET state = $2, captured_minor = captured_minor + $3, updated_at = business_now()
            WHERE id = $1 AND state = 'CAPTURING'
            """,
            part.payment.id,
            after.value,
            part.amount_minor,
        )
        await ledger.note(part.payment.id, "CAPTURE", part.amount_minor, reference=answer.reference)
        if asked.order_id is not None:
            await standing.refresh(asked.order_id)
            if after is PaymentState.PARTIALLY_CAPTURED:
                await want_capture(asked.order_id)  # more may have left meanwhile


async def _refused(asked: _Asked, code: str, word: GatewayPayment | None) -> None:
    async with db.unit_of_work():
        if asked.order_id is not None:
            await status.lock_order(asked.order_id)
        if await _end(asked.capture.id, CaptureState.FAILED, code):
            await ledger.note(asked.payment.id, "CAPTURE", asked.capture.amount_minor, failure_code=code)
            await following.after_refused_capture(asked.payment.id, code, word)


async def _end(capture_id: uuid.UUID, after: CaptureState, failure_code: str | None) -> bool:
    ended = await db.execute(
        """
        UPDATE payment_captures SET state = $2, failure_code = $3, updated_at = business_now()
        WHERE id = $1 AND state = ANY($4)
        """,
        capture_id,
        after.value,
        failure_code and failure_code[:80],
        CAPTURE.values_before(after),
    )
    return ended == 1
