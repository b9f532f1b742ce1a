"""Giving back what is set aside, and money that comes in by hand: decided in a transaction, then asked of the gateway
until it confirms.

An order's payment is only touched by who has locked the order.
"""

import asyncio
import uuid
from collections.abc import Awaitable
from typing import TypeVar

from app import db, events, tracing
from app.errors import DomainError
from app.kit.ids import new_id
from app.metrics import instruments
from app.orders import status
from app.payments import known, ledger, standing, strays
from app.payments.errors import PaymentErrorCode
from app.payments.gateway import Gateway, GatewayRefusedError, GatewayState, GatewayUnavailableError
from app.payments.models import PaymentMethod, PaymentPurpose, PaymentState
from app.payments.registry import ASKED_NOBODY, BY_HAND, gateways
from app.payments.states import PAYMENT

CAPTURE_WANTED = "payment.capture_wanted"
VOID_WANTED = "payment.void_wanted"
GATEWAY_TIMEOUT_SECONDS = 20.0
"""For a whole answer, however often the client behind it tries."""

T = TypeVar("T")


def gateway_named(name: str) -> Gateway:
    """Raises GatewayUnavailableError when this installation does not have it (any more)."""
    gateway = gateways().get(name)
    if gateway is None:
        raise GatewayUnavailableError(f"no gateway {name} in this process")
    return gateway


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


# --- decisions, in the open unit of work ------------------------------------------------------------------------------


async def want_void(payment_id: uuid.UUID) -> None:
    """Nothing more may ever be taken under this payment, not even when its request reaches the gateway only now."""
    moved = await db.execute(
        "UPDATE payments SET state = 'VOIDING', updated_at = business_now() WHERE id = $1 AND state = ANY($2)",
        payment_id,
        [*PAYMENT.values_before(PaymentState.VOIDING), PaymentState.VOIDING.value],
    )
    if moved:
        await events.record(VOID_WANTED, subject_id=payment_id)


async def call_off(order_id: uuid.UUID) -> bool:
    """The order is being cancelled: let go of all that is set aside or still to come in.

    Returns:
        Whether the shop has, or may yet get, no money of it; False while a gateway still has to confirm that.

    Raises:
        DomainError: PAYMENT_IN_PROGRESS while money is being taken.
    """
    rows = await db.fetch("SELECT id, gateway, state FROM payments WHERE order_id = $1 FOR NO KEY UPDATE", order_id)
    if any(row["state"] == PaymentState.CAPTURING for row in rows):
        raise DomainError(PaymentErrorCode.PAYMENT_IN_PROGRESS, "The money is being taken; try again in a minute.")
    settled = True
    for row in rows:
        if PAYMENT.is_final(state := PaymentState(row["state"])) or state in (PaymentState.VOIDED, PaymentState.FAILED):
            continue
        if row["gateway"] in ASKED_NOBODY:
            await db.execute(
                "UPDATE payments SET state = 'VOIDED', updated_at = business_now() WHERE id = $1", row["id"]
            )
        else:
            await want_void(row["id"])
            settled = False
    return settled


async def collect(order_id: uuid.UUID) -> bool:
    """What comes in by itself, to the carrier or to the bank, has come in; False when nothing was to be collected."""
    collected = await db.fetch(
        """
        UPDATE payments SET state = 'CAPTURED', captured_minor = amount_minor, updated_at = business_now()
        WHERE order_id = $1 AND gateway = ANY($2) AND state = 'PENDING' RETURNING id, amount_minor
        """,
        order_id,
        list(ASKED_NOBODY),
    )
    for row in collected:
        await ledger.note(row["id"], "CAPTURE", row["amount_minor"])
    return bool(collected)


async def note_deposit(attempt_id: uuid.UUID) -> None:
    """The payment of an attempt is of a part of its order."""
    await db.execute("UPDATE payments SET purpose = $2 WHERE attempt_id = $1", attempt_id, PaymentPurpose.DEPOSIT.value)


async def record_by_hand(
    order_id: uuid.UUID,
    amount_minor: int,
    currency: str,
    method: PaymentMethod,
    *,
    key: tuple[str, bytes] | None = None,
) -> uuid.UUID:
    """Money that staff have: in cash, by cheque, or on the account. The order's row is locked.

    Args:
        key: under which it is noted once, with the fingerprint of the input.
    """
    payment_id = new_id()
    await db.execute(
        """
        INSERT INTO payments (id, order_id, purpose, gateway, method, amount_minor, currency_code, state, saves,
                              captured_minor, refunded_minor, idempotency_key, fingerprint, created_at, updated_at)
        VALUES ($1, $2, 'BALANCE', $3, $4, $5, $6, 'CAPTURED', false, $5, 0, $7, $8, business_now(), business_now())
        """,
        payment_id,
        order_id,
        BY_HAND,
        method.value,
        amount_minor,
        currency,
        *(key or (None, None)),
    )
    await ledger.note(payment_id, "CAPTURE", amount_minor)
    return payment_id


# --- asking the gateway, outside any transaction ----------------------------------------------------------------------


async def void(payment_id: uuid.UUID) -> None:
    """Give back what a payment has set aside, if that is to be given back; anything else is left alone.

    What turns out to have been taken, although it was to be called off, is refunded.

    Raises:
        GatewayUnavailableError: ask again.
        GatewayRefusedError: it cannot be given back, and was not taken either; a person has to look.
    """
    row = await db.fetchrow(
        f"SELECT order_id, gateway, {known.COLUMNS} FROM payments WHERE id = $1 AND state = 'VOIDING'", payment_id
    )
    if row is None:
        return
    gateway, payment = gateway_named(row["gateway"]), known.known_payment(row)
    captured = 0
    try:
        await asked_of(gateway.name, "void", gateway.void(payment))
    except GatewayRefusedError:
        word = await asked_of(gateway.name, "retrieve", gateway.retrieve(payment))
        if word is None or word.state is not GatewayState.CAPTURED:
            raise
        captured = word.captured_minor
    async with db.unit_of_work():
        if row["order_id"] is not None:
            await status.lock_order(row["order_id"])
        await _voided(payment_id, row["order_id"], captured)


async def _voided(payment_id: uuid.UUID, order_id: uuid.UUID | None, captured_minor: int) -> None:
    """Nothing is set aside any more. `captured_minor`: what the gateway has taken all the same."""
    row = await db.fetchrow(
        """
        UPDATE payments p SET state = CASE WHEN greatest(captured_minor, $2) > 0 THEN 'CAPTURED' ELSE 'VOIDED' END,
            captured_minor = greatest(captured_minor, $2::bigint), updated_at = business_now()
        FROM (SELECT captured_minor AS before FROM payments WHERE id = $1) was
        WHERE p.id = $1 AND p.state = 'VOIDING'
        RETURNING p.amount_minor - p.captured_minor AS given_back, p.captured_minor - was.before AS taken
        """,
        payment_id,
        captured_minor,
    )
    if row is None:
        return  # somebody else noted the gateway's answer meanwhile
    if row["given_back"]:
        await ledger.note(payment_id, "VOID", row["given_back"])
    if row["taken"]:
        await ledger.note(payment_id, "CAPTURE", row["taken"])
        await strays.refund(payment_id, order_id)
    if order_id is not None:
        await standing.refresh(order_id)
