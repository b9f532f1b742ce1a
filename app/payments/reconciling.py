"""Comparing the shop's payments with each gateway's: money without an order, and orders without their money.

Webhooks get lost, processes die, somebody works at the provider's dashboard. Every few minutes (real time) a gateway
is asked for all that has been begun or changed there since it was asked last, some of it again; what is not as the shop
has it is settled by the same code as ever, by what the gateway says: placed, recorded, given back. Nothing is concluded
from silence: where the gateway does not answer, nothing is done, and the next run begins where this one did.

What lapses, and what should long have been answered, is by business time.
"""

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from app import db, events
from app.checkout import settlement
from app.checkout.models import AttemptState
from app.kit.money import Money
from app.payments import discrepancies, disputes, following, service, strays
from app.payments.gateway import Gateway, GatewayPayment, GatewayState, GatewayUnavailableError
from app.payments.known import begun_at
from app.payments.models import DiscrepancyKind, PaymentState
from app.payments.registry import gateways
from app.upkeep import claims

EVERY_SECONDS = 10 * 60.0
LEASE_SECONDS = 30 * 60.0
OVERLAP = timedelta(hours=1)
"""Asked for again: clocks differ, and providers list what happened with a delay."""
FIRST_LOOK = timedelta(days=7)
GRACE = timedelta(minutes=2)
"""Real time in which a checkout goes on by itself: its answer is under way, or its watch is about to look."""
UNANSWERED_AFTER = timedelta(hours=1)
LAPSES_SOON = timedelta(days=1)

_TAKEN = (GatewayState.AUTHORIZED, GatewayState.CAPTURED)
_GIVEN_UP = (PaymentState.FAILED, PaymentState.VOIDED)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reconciled:
    """What one run over one gateway came to."""

    gateway: str
    compared: int = 0
    found: Counter[str] = field(default_factory=Counter)
    is_complete: bool = True
    """False where the gateway stopped answering: the next run begins where this one did."""


async def reconcile_if_due() -> None:
    """By one scheduler of several, each gateway some minutes after the last time."""
    for gateway in gateways().values():
        name = f"reconcile {gateway.name}"
        if not await claims.claim(name, every_seconds=EVERY_SECONDS, lease_seconds=LEASE_SECONDS):
            continue
        try:
            await reconcile(gateway)
        except BaseException:
            await claims.gave_up(name)
            raise
        await claims.done(name)


async def reconcile(gateway: Gateway, since: datetime | None = None) -> Reconciled:
    """Compare all of a gateway's, and settle what differs. Safe to repeat, and beside itself.

    Args:
        since: real time; from where the last run left off unless given.
    """
    begun, result = datetime.now(UTC), Reconciled(gateway.name)
    try:
        moment = since or await _left_off(gateway.name)
        seen = await _compare_theirs(gateway, moment, result)
        await _compare_ours(gateway, seen, result)
        if disputed := await disputes.compare(gateway, gateway.name, moment):
            result.found["DISPUTED"] += disputed
    except GatewayUnavailableError:
        result.is_complete = False
    await _ask_again(gateway.name, result)
    await _settle_what_is_over(gateway.name)
    if result.is_complete:
        await _leave_off(gateway.name, begun)
    log.info(
        "payments compared",
        gateway=gateway.name,
        compared=result.compared,
        found=dict(result.found),
        complete=result.is_complete,
    )
    return result


async def _left_off(gateway: str) -> datetime:
    moment: datetime | None = await db.fetchval(
        "SELECT compared_until FROM gateway_watermarks WHERE gateway = $1", gateway
    )
    return datetime.now(UTC) - FIRST_LOOK if moment is None else moment - OVERLAP


async def _leave_off(gateway: str, moment: datetime) -> None:
    await db.execute(
        """
        INSERT INTO gateway_watermarks (gateway, compared_until, updated_at) VALUES ($1, $2, clock_timestamp())
        ON CONFLICT (gateway) DO UPDATE
        SET compared_until = greatest(gateway_watermarks.compared_until, EXCLUDED.compared_until),
            updated_at = clock_timestamp()
        """,
        gateway,
        moment,
    )


# --- theirs against ours ----------------------------------------------------------------------------------------------


async def _compare_theirs(gateway: Gateway, since: datetime, result: Reconciled) -> set[uuid.UUID]:
    """Returns the payments that were compared."""
    seen: set[uuid.UUID] = set()
    async for word in gateway.payments_since(since):
        # One that the shop did not ask for is somebody else's: an account may serve more than this shop.
        if word.payment_id is None or word.payment_id in seen:
            continue
        seen.add(word.payment_id)
        result.compared += 1
        await _compare(gateway, word, word.payment_id, result)
    return seen


async def _compare(gateway: Gateway, word: GatewayPayment, payment_id: uuid.UUID, result: Reconciled) -> None:
    row = await db.fetchrow(
        """
        SELECT p.order_id, p.attempt_id, p.state, p.captured_minor, p.refunded_minor, a.state AS attempt_state,
               coalesce(a.leased_until > clock_timestamp(), false) AS is_leased
        FROM payments p LEFT JOIN checkout_attempts a ON a.id = p.attempt_id
        WHERE p.id = $1 AND p.gateway = $2
        """,
        payment_id,
        gateway.name,
    )
    if row is None:
        await _unknown(gateway.name, word, payment_id, result)
    elif row["order_id"] is not None:
        differs = (row["captured_minor"], row["refunded_minor"]) != (word.captured_minor, word.refunded_minor)
        at_rest = row["state"] in (PaymentState.AUTHORIZED, PaymentState.PARTIALLY_CAPTURED)
        if (differs or (at_rest and word.state not in _TAKEN)) and await following.follow(payment_id):
            result.found["AMOUNT_DIFFERS"] += 1
    elif word.state in _TAKEN:
        await _without_order(gateway.name, word, payment_id, row, result)


async def _unknown(gateway: str, word: GatewayPayment, payment_id: uuid.UUID, result: Reconciled) -> None:
    """The shop notes a payment before it asks for it. One that it has no row of was made by another shop at the same
    account, or before a backup that was restored: a person has to look, and nothing is given back on a guess."""
    if word.state not in _TAKEN or word.captured_minor == word.refunded_minor > 0:
        return
    detail = f"the gateway says {word.state.value}, and the shop has no record of the payment"
    if await _note(gateway, DiscrepancyKind.MONEY_WITHOUT_ORDER, word, payment_id, detail):
        result.found["MONEY_WITHOUT_ORDER"] += 1


async def _without_order(
    gateway: str, word: GatewayPayment, payment_id: uuid.UUID, row: db.Record, result: Reconciled
) -> None:
    """An order is placed where the attempt to check out still stands; otherwise the money goes back."""
    if row["attempt_state"] in (AttemptState.PROCESSING, AttemptState.REQUIRES_ACTION):
        if row["is_leased"] or datetime.now(UTC) - begun_at(payment_id) < GRACE:
            return
        detail = f"the gateway says {word.state.value}, and the checkout was not told"
        await _note(gateway, DiscrepancyKind.MONEY_WITHOUT_ORDER, word, payment_id, detail)
        result.found["MONEY_WITHOUT_ORDER"] += 1
        await settlement.look(row["attempt_id"])
        return
    if row["state"] in _GIVEN_UP:
        detail = f"the gateway says {word.state.value}, and the payment was given up: it goes back"
        await _note(gateway, DiscrepancyKind.MONEY_WITHOUT_ORDER, word, payment_id, detail)
        result.found["MONEY_WITHOUT_ORDER"] += 1
        async with db.unit_of_work():
            await service.want_void(payment_id)


async def _note(gateway: str, kind: DiscrepancyKind, word: GatewayPayment, payment_id: uuid.UUID, detail: str) -> bool:
    async with db.unit_of_work():
        return await discrepancies.note(
            kind,
            gateway=gateway,
            payment_id=payment_id,
            reference=word.reference,
            amount=Money(word.amount_minor, word.currency),
            detail=detail,
        )


# --- ours against theirs ----------------------------------------------------------------------------------------------


async def _compare_ours(gateway: Gateway, seen: set[uuid.UUID], result: Reconciled) -> None:
    """Orders of late whose payments the gateway did not list, and what is set aside and has lapsed: it is asked."""
    rows = await db.fetch(
        """
        SELECT p.id FROM payments p
        WHERE p.gateway = $1 AND p.order_id IS NOT NULL AND p.state IN ('AUTHORIZED', 'PARTIALLY_CAPTURED')
          AND (p.authorized_until <= business_now() OR p.created_at > business_now() - $2::interval)
        ORDER BY p.id
        """,
        gateway.name,
        OVERLAP + timedelta(seconds=2 * EVERY_SECONDS),
    )
    for row in rows:
        if row["id"] not in seen:
            result.compared += 1
            if await following.follow(row["id"]):
                result.found["ORDER_WITHOUT_MONEY"] += 1
    for row in await db.fetch(
        """
        SELECT a.id FROM checkout_attempts a JOIN payments p ON p.id = a.payment_id
        WHERE p.gateway = $1 AND a.state IN ('PROCESSING', 'REQUIRES_ACTION')
          AND a.hold_until < business_now() - $2::interval
        """,
        gateway.name,
        GRACE,
    ):
        await settlement.look(row["id"])


async def _ask_again(gateway: str, result: Reconciled) -> None:
    """What a gateway should have confirmed long ago: its event may be lost or given up on, so there is another."""
    rows = await db.fetch(
        """
        SELECT p.id, p.id AS subject_id, p.state::text AS wanted, p.order_id, p.amount_minor, p.currency_code
        FROM payments p
        WHERE p.gateway = $1 AND p.state IN ('CAPTURING', 'VOIDING') AND p.updated_at < business_now() - $2::interval
        UNION ALL
        SELECT p.id, part.id, 'REFUND', p.order_id, part.amount_minor, p.currency_code
        FROM refund_parts part JOIN payments p ON p.id = part.payment_id
        WHERE p.gateway = $1 AND part.state = 'PENDING' AND part.created_at < business_now() - $2::interval
          AND part.reference IS NULL
        """,
        gateway,
        UNANSWERED_AFTER,
    )
    for row in rows:
        wanted = {"CAPTURING": service.CAPTURE_WANTED, "VOIDING": service.VOID_WANTED, "REFUND": strays.REFUND_WANTED}
        async with db.unit_of_work():
            noted = await discrepancies.note(
                DiscrepancyKind.UNANSWERED,
                gateway=gateway,
                payment_id=row["id"],
                order_id=row["order_id"],
                amount=Money(row["amount_minor"], row["currency_code"]),
                detail=f"{row['wanted']} has not been confirmed for over an hour",
            )
            if noted:
                result.found["UNANSWERED"] += 1
                await events.record(wanted[row["wanted"]], subject_id=row["subject_id"], payload={"tries": 1})
    await _note_lapsing(gateway, result)


async def _note_lapsing(gateway: str, result: Reconciled) -> None:
    rows = await db.fetch(
        """
        SELECT p.id, p.order_id, p.reference, p.amount_minor - p.captured_minor AS left_minor, p.currency_code,
               p.authorized_until
        FROM payments p JOIN orders o ON o.id = p.order_id
        WHERE p.gateway = $1 AND p.state IN ('AUTHORIZED', 'PARTIALLY_CAPTURED')
          AND p.authorized_until BETWEEN business_now() AND business_now() + $2::interval
        """,
        gateway,
        LAPSES_SOON,
    )
    for row in rows:
        left = Money(row["left_minor"], row["currency_code"])
        async with db.unit_of_work():
            noted = await discrepancies.note(
                DiscrepancyKind.LAPSING,
                gateway=gateway,
                payment_id=row["id"],
                order_id=row["order_id"],
                reference=row["reference"],
                amount=left,
                detail=f"{left.decimal} {left.currency} is set aside until {row['authorized_until']:%Y-%m-%d %H:%M} "
                "UTC and not captured; ship, or ask for another payment",
            )
        result.found["LAPSING"] += int(noted)


_OVER = """
    UPDATE payment_discrepancies d SET settled_at = business_now(), settlement = s.how
    FROM (
        SELECT d.id, CASE
            WHEN d.kind = 'UNANSWERED' AND p.state NOT IN ('CAPTURING', 'VOIDING') AND NOT EXISTS (
                SELECT FROM refund_parts part WHERE part.payment_id = p.id AND part.state = 'PENDING'
                  AND part.reference IS NULL
            ) THEN 'CONFIRMED'
            WHEN d.kind = 'LAPSING' AND p.state NOT IN ('AUTHORIZED', 'PARTIALLY_CAPTURED') THEN p.state
            WHEN d.kind = 'MONEY_WITHOUT_ORDER' AND p.order_id IS NOT NULL THEN 'PLACED'
            WHEN d.kind = 'MONEY_WITHOUT_ORDER' AND p.state = 'VOIDED' THEN 'VOIDED'
            WHEN d.kind = 'MONEY_WITHOUT_ORDER' AND p.captured_minor > 0 AND p.refunded_minor = p.captured_minor
                THEN 'REFUNDED'
            WHEN d.kind = 'ORDER_WITHOUT_MONEY' AND o.status = 'CANCELLED' THEN 'CANCELLED'
            WHEN d.kind = 'ORDER_WITHOUT_MONEY' AND o.payment_status IN ('AUTHORIZED', 'PAID') THEN 'PAID'
        END AS how
        FROM payment_discrepancies d JOIN payments p ON p.id = d.payment_id LEFT JOIN orders o ON o.id = p.order_id
        WHERE d.gateway = $1 AND d.settled_at IS NULL
    ) s
    WHERE d.id = s.id AND s.how IS NOT NULL
"""


async def _settle_what_is_over(gateway: str) -> None:
    await db.execute(_OVER, gateway)
