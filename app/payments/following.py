"""What happened to an order's payment at its gateway without the shop asking for it: captures, refunds and calling off
at the provider's dashboard, authorisations that lapsed. The shop's books follow, and staff are told.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app import db
from app.kit.ids import new_id
from app.kit.money import Money
from app.orders import status
from app.payments import discrepancies, known, ledger, service, standing
from app.payments.gateway import GatewayPayment, GatewayRefund, GatewayRefundState, GatewayState, KnownPayment
from app.payments.models import DiscrepancyKind, PaymentState, RefundSource, RefundState, RefundTarget
from app.payments.registry import ASKED_NOBODY
from app.payments.settling_refunds import end_part, take_back_part

_SET_ASIDE = (PaymentState.AUTHORIZED, PaymentState.PARTIALLY_CAPTURED)
LAPSED = "lapsed"


async def follow(payment_id: uuid.UUID) -> bool:
    """Bring the shop's payment in line with its gateway's. Repeating it changes nothing.

    Payments of checkouts that are under way are not looked at: those are `checkout.settlement`'s.

    Returns:
        Whether anything was not as the shop had it.

    Raises:
        GatewayUnavailableError: ask again.
    """
    row = await db.fetchrow(
        f"SELECT gateway, order_id, state, refunded_minor, {known.COLUMNS} FROM payments WHERE id = $1", payment_id
    )
    if row is None or row["order_id"] is None or row["gateway"] in ASKED_NOBODY:
        return False
    gateway, payment = service.gateway_named(row["gateway"]), known.known_payment(row)
    word = await service.asked_of(gateway.name, "retrieve", gateway.retrieve(payment))
    refunds: Sequence[GatewayRefund] = ()
    if word is not None and (word.refunded_minor or row["refunded_minor"]):
        refunds = await service.asked_of(gateway.name, "refunds_of", gateway.refunds_of(payment))
    async with db.unit_of_work():
        await status.lock_order(row["order_id"])
        now = await _load(payment_id)
        changed = await _follow_money(now, word)
        changed |= await _follow_refunds(now, payment, refunds)
        if changed:
            await standing.refresh(row["order_id"])
    return changed


async def after_refused_capture(payment_id: uuid.UUID, code: str, word: GatewayPayment | None) -> None:
    """In the open unit of work, which has the order locked: the payment becomes what is left of it at the gateway."""
    now = await _load(payment_id)
    if now.state is not PaymentState.CAPTURING:
        return
    back = PaymentState.PARTIALLY_CAPTURED if now.captured_minor else PaymentState.AUTHORIZED
    await _move(now, back)
    if not await _follow_money(now.moved(back), word):
        await _tell(now, DiscrepancyKind.AMOUNT_DIFFERS, f"the gateway refused a capture: {code}")
    if now.order_id is not None:
        await standing.refresh(now.order_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payment:
    id: uuid.UUID
    order_id: uuid.UUID | None
    gateway: str
    state: PaymentState
    amount_minor: int
    captured_minor: int
    currency_code: str
    reference: str | None

    def moved(self, after: PaymentState) -> "_Payment":
        kept = {name: getattr(self, name) for name in self.__slots__}
        return _Payment(**{**kept, "state": after})


async def _load(payment_id: uuid.UUID) -> _Payment:
    row = await db.fetchrow(
        """
        SELECT id, order_id, gateway, state, amount_minor, captured_minor, currency_code, reference
        FROM payments WHERE id = $1 FOR NO KEY UPDATE
        """,
        payment_id,
    )
    if row is None:
        raise LookupError("there is no such payment")
    return _Payment(**{**row, "state": PaymentState(row["state"])})


async def _follow_money(now: _Payment, word: GatewayPayment | None) -> bool:
    if now.state not in _SET_ASIDE:
        return False
    gone = word is None or word.state in (GatewayState.VOIDED, GatewayState.DECLINED)
    if gone or (word is not None and word.state is GatewayState.CAPTURED and word.captured_minor < now.amount_minor):
        return await _lapsed(now, word)
    if word is not None and word.captured_minor > now.captured_minor:
        return await _captured_elsewhere(now, word)
    return False


async def _lapsed(now: _Payment, word: GatewayPayment | None) -> bool:
    """What was set aside, or what was left of it, is set aside no more."""
    if word is not None and word.captured_minor > now.captured_minor:
        await _captured_elsewhere(now, word)
    captured = max(now.captured_minor, word.captured_minor if word else 0)
    after = PaymentState.CAPTURED if captured else PaymentState.VOIDED
    await _move(now, after, failure_code=LAPSED)
    said = "does not know the payment" if word is None else f"says {word.state.value}"
    left = Money(now.amount_minor - captured, now.currency_code)
    detail = f"{left.decimal} {left.currency} is set aside no more: the gateway {said}"
    await _tell(now, DiscrepancyKind.ORDER_WITHOUT_MONEY, detail)
    return True


async def _captured_elsewhere(now: _Payment, word: GatewayPayment) -> bool:
    captured = min(word.captured_minor, now.amount_minor)
    done = word.state is GatewayState.CAPTURED or captured == now.amount_minor
    await db.execute(
        "UPDATE payments SET state = $2, captured_minor = $3, updated_at = business_now() WHERE id = $1",
        now.id,
        (PaymentState.CAPTURED if done else PaymentState.PARTIALLY_CAPTURED).value,
        captured,
    )
    await ledger.note(now.id, "CAPTURE", captured - now.captured_minor, reference=word.reference)
    detail = f"captured at the gateway, not by the shop: {Money(captured, now.currency_code).decimal} in all"
    await _tell(now, DiscrepancyKind.AMOUNT_DIFFERS, detail, settlement="RECORDED")
    return True


async def _follow_refunds(now: _Payment, payment: KnownPayment, refunds: Sequence[GatewayRefund]) -> bool:
    rows = await db.fetch("SELECT id, state, reference FROM refund_parts WHERE payment_id = $1", payment.id)
    ours = {row["id"]: RefundState(row["state"]) for row in rows}
    by_reference = {row["reference"]: row["id"] for row in rows if row["reference"]}
    changed = False
    for refund in refunds:
        part_id = refund.refund_id if refund.refund_id in ours else by_reference.get(refund.reference)
        if part_id is not None:
            changed |= await _follow_part(part_id, ours[part_id], refund)
        elif refund.state is GatewayRefundState.SUCCEEDED and now.order_id is not None:
            if await _is_a_dispute(now, refund):
                continue
            await _record_foreign(now, refund)
            changed = True
    return changed


async def _follow_part(part_id: uuid.UUID, before: RefundState, refund: GatewayRefund) -> bool:
    match before, refund.state:
        case RefundState.PENDING, GatewayRefundState.SUCCEEDED:
            return await end_part(part_id, RefundState.SUCCEEDED, reference=refund.reference)
        case RefundState.PENDING, GatewayRefundState.FAILED:
            return await end_part(
                part_id, RefundState.FAILED, reference=refund.reference, failure_code=refund.failure_code
            )
        case RefundState.SUCCEEDED, GatewayRefundState.FAILED:
            return await take_back_part(part_id, refund.failure_code)
        case _:
            return False


async def _is_a_dispute(now: _Payment, refund: GatewayRefund) -> bool:
    """Some providers list among refunds what a dispute took, and the books have that already."""
    return bool(
        await db.execute(
            """
            UPDATE refund_parts part SET reference = $3, updated_at = business_now()
            FROM payment_disputes d
            WHERE part.id = (
                SELECT p.id FROM refund_parts p JOIN payment_disputes lost ON lost.refund_id = p.refund_id
                WHERE p.payment_id = $1 AND p.amount_minor = $2 AND p.state = 'SUCCEEDED'
                  AND p.reference = lost.reference LIMIT 1
            ) AND d.refund_id = part.refund_id
            """,
            now.id,
            refund.amount_minor,
            refund.reference,
        )
    )


async def _record_foreign(now: _Payment, refund: GatewayRefund) -> None:
    """Somebody gave money back at the provider's dashboard: the order's books have it from now on."""
    refund_id, part_id = new_id(), new_id()
    await db.execute(
        """
        WITH refund AS (
            INSERT INTO refunds (id, order_id, source, target, state, amount_minor, shipping_minor, currency_code,
                                 lines, notify_customer, created_at, updated_at)
            VALUES ($1, $2, $3, $4, 'PENDING', $5, 0, $6, '[]', false, business_now(), business_now())
            RETURNING id
        )
        INSERT INTO refund_parts (id, refund_id, payment_id, amount_minor, state, reference, created_at, updated_at)
        SELECT $7, id, $8, $5, 'PENDING', $9, business_now(), business_now() FROM refund
        """,
        refund_id,
        now.order_id,
        RefundSource.PROVIDER.value,
        RefundTarget.ORIGINAL.value,
        refund.amount_minor,
        now.currency_code,
        part_id,
        now.id,
        refund.reference,
    )
    await end_part(part_id, RefundState.SUCCEEDED, reference=refund.reference)
    given = Money(refund.amount_minor, now.currency_code)
    detail = f"{given.decimal} {given.currency} was given back at the gateway, not by the shop"
    await _tell(now, DiscrepancyKind.AMOUNT_DIFFERS, detail, settlement="RECORDED")


async def _move(now: _Payment, after: PaymentState, failure_code: str | None = None) -> None:
    await db.execute(
        """
        UPDATE payments SET state = $2, failure_code = coalesce($3, failure_code), updated_at = business_now()
        WHERE id = $1
        """,
        now.id,
        after.value,
        failure_code,
    )


async def _tell(now: _Payment, kind: DiscrepancyKind, detail: str, settlement: str | None = None) -> None:
    await discrepancies.note(
        kind,
        gateway=now.gateway,
        payment_id=now.id,
        order_id=now.order_id,
        reference=now.reference,
        amount=Money(now.amount_minor, now.currency_code),
        detail=detail,
        settlement=settlement,
    )
