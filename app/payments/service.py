"""Taking authorised money and giving it back: decided in a transaction, then asked of the gateway until it confirms.

An order's payment is only touched by who has locked the order.
"""

import asyncio
import uuid
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from app import db, events, tracing
from app.errors import DomainError
from app.kit.ids import new_id
from app.metrics import instruments
from app.orders import status
from app.payments import known
from app.payments.errors import PaymentErrorCode
from app.payments.gateway import Capture, Gateway, GatewayUnavailableError, KnownPayment
from app.payments.models import PaymentState
from app.payments.registry import CASH_ON_DELIVERY, gateways

CAPTURE_WANTED = "payment.capture_wanted"
VOID_WANTED = "payment.void_wanted"
GATEWAY_TIMEOUT_SECONDS = 20.0
"""For a whole answer, however often the client behind it tries."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Asked:
    id: uuid.UUID
    order_id: uuid.UUID | None
    gateway: str
    payment: KnownPayment


def gateway_named(name: str) -> Gateway:
    """Raises GatewayUnavailableError when this installation does not have it (any more)."""
    gateway = gateways().get(name)
    if gateway is None:
        raise GatewayUnavailableError(f"no gateway {name} in this process")
    return gateway


# --- decisions, in the open unit of work ------------------------------------------------------------------------------


async def want_capture(order_id: uuid.UUID) -> None:
    """The goods are on their way: the authorised money is due. Repeating it changes nothing."""
    rows = await db.fetch(
        """
        UPDATE payments SET state = 'CAPTURING', updated_at = business_now()
        WHERE order_id = $1 AND state = 'AUTHORIZED' RETURNING id
        """,
        order_id,
    )
    for row in rows:
        await events.record(CAPTURE_WANTED, subject_id=row["id"])


async def want_void(payment_id: uuid.UUID) -> None:
    """Nothing may ever be taken under this payment, not even when its request reaches the gateway only now."""
    await db.execute("UPDATE payments SET state = 'VOIDING', updated_at = business_now() WHERE id = $1", payment_id)
    await events.record(VOID_WANTED, subject_id=payment_id)


async def call_off(order_id: uuid.UUID) -> bool:
    """The order is being cancelled: give back what is set aside.

    Returns:
        Whether nothing is set aside any more; False while the gateway still has to confirm it.

    Raises:
        DomainError: PAYMENT_CAPTURED.
    """
    rows = await db.fetch("SELECT id, gateway, state FROM payments WHERE order_id = $1 FOR NO KEY UPDATE", order_id)
    if any(row["state"] in (PaymentState.CAPTURING, PaymentState.CAPTURED) for row in rows):
        raise DomainError(PaymentErrorCode.PAYMENT_CAPTURED, "The order is paid: it would have to be refunded.")
    settled = True
    for row in rows:
        if row["gateway"] == CASH_ON_DELIVERY:
            await db.execute(
                "UPDATE payments SET state = 'VOIDED', updated_at = business_now() WHERE id = $1", row["id"]
            )
        elif row["state"] == PaymentState.AUTHORIZED:
            await want_void(row["id"])
            settled = False
    return settled


async def collect(order_id: uuid.UUID) -> bool:
    """What is paid on delivery has come in; False when nothing was to be collected."""
    collected = await db.execute(
        """
        WITH collected AS (
            UPDATE payments SET state = 'CAPTURED', captured_minor = amount_minor, updated_at = business_now()
            WHERE order_id = $1 AND gateway = $2 AND state = 'PENDING' RETURNING id, amount_minor
        )
        INSERT INTO payment_transactions (id, payment_id, kind, succeeded, amount_minor, created_at)
        SELECT gen_random_uuid(), id, 'CAPTURE', true, amount_minor, business_now() FROM collected
        """,
        order_id,
        CASH_ON_DELIVERY,
    )
    return collected > 0


# --- asking the gateway, outside any transaction ----------------------------------------------------------------------


async def capture(payment_id: uuid.UUID) -> None:
    """Take the money of a payment that is to be taken; anything else is left alone.

    Raises:
        GatewayUnavailableError: ask again.
        GatewayRefusedError: it cannot be taken; a person has to look.
    """
    asked = await _asked(payment_id, PaymentState.CAPTURING)
    if asked is None:
        return
    gateway = gateway_named(asked.gateway)
    answer = await asked_of(
        asked.gateway,
        "capture",
        gateway.capture(Capture(id=asked.id, payment=asked.payment, amount_minor=asked.payment.amount_minor)),
    )
    async with db.unit_of_work():
        if asked.order_id is not None:
            await status.lock_order(asked.order_id)
        noted = await _move(asked, PaymentState.CAPTURING, PaymentState.CAPTURED, "CAPTURE", answer.reference)
        if noted and asked.order_id is not None:
            await status.payment_captured(asked.order_id)


async def void(payment_id: uuid.UUID) -> None:
    """Give back the money of a payment that is to be given back; anything else is left alone. Raises as `capture`."""
    asked = await _asked(payment_id, PaymentState.VOIDING)
    if asked is None:
        return
    gateway = gateway_named(asked.gateway)
    await asked_of(asked.gateway, "void", gateway.void(asked.payment))
    async with db.unit_of_work():
        if asked.order_id is not None:
            await status.lock_order(asked.order_id)
        noted = await _move(asked, PaymentState.VOIDING, PaymentState.VOIDED, "VOID", None)
        if noted and asked.order_id is not None:
            await status.payment_voided(asked.order_id)


async def _asked(payment_id: uuid.UUID, state: PaymentState) -> _Asked | None:
    row = await db.fetchrow(
        f"SELECT order_id, gateway, {known.COLUMNS} FROM payments WHERE id = $1 AND state = $2", payment_id, state.value
    )
    return None if row is None else _Asked(row["id"], row["order_id"], row["gateway"], known.known_payment(row))


async def _move(asked: _Asked, before: PaymentState, after: PaymentState, kind: str, reference: str | None) -> bool:
    """False when somebody else noted the gateway's answer meanwhile."""
    moved = await db.execute(
        """
        WITH moved AS (
            UPDATE payments SET state = $3::text, updated_at = business_now(),
                captured_minor = CASE WHEN $3::text = 'CAPTURED' THEN amount_minor ELSE captured_minor END
            WHERE id = $1 AND state = $2 RETURNING id, amount_minor, reference
        )
        INSERT INTO payment_transactions (id, payment_id, kind, succeeded, amount_minor, reference, created_at)
        SELECT $4, id, $5, true, amount_minor, coalesce($6, reference), business_now() FROM moved
        """,
        asked.id,
        before.value,
        after.value,
        new_id(),
        kind,
        reference,
    )
    return moved == 1


async def asked_of(gateway: str, call: str, question: Awaitable[T]) -> T:
    """The gateway's answer, counted and timed under the name of the call.

    Raises GatewayUnavailableError after 20 seconds: nobody knows what became of it.
    """
    with instruments.payment_call(gateway, call), tracing.span(f"payment {call}", gateway=gateway):
        try:
            async with asyncio.timeout(GATEWAY_TIMEOUT_SECONDS):
                return await question
        except TimeoutError as error:
            raise GatewayUnavailableError("no answer in time") from error
