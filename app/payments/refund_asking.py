"""Asking gateways to give money back, until they confirm or refuse. Nothing here decides how much."""

import uuid
from dataclasses import dataclass

from app import db
from app.orders import status
from app.payments import known, service, standing
from app.payments.gateway import (
    GatewayRefund,
    GatewayRefundState,
    GatewayRefusedError,
    KnownPayment,
    RefundRequest,
)
from app.payments.models import RefundState
from app.payments.settling_refunds import end_part


@dataclass(frozen=True, slots=True)
class _Asked:
    part_id: uuid.UUID
    order_id: uuid.UUID | None
    gateway: str
    payment: KnownPayment
    amount_minor: int


async def ask(part_id: uuid.UUID, *, again: bool = False) -> bool:
    """Ask for a part that is to be given back; anything else is left alone.

    Args:
        again: it may have been asked for before, so the gateway is asked for what it has first: the second request
            could come when the provider remembers the key of the first no more.

    Returns:
        Whether the gateway has decided; it will be asked again otherwise.

    Raises:
        GatewayUnavailableError: ask again.
    """
    asked = await _asked(part_id)
    if asked is None:
        return True
    gateway = service.gateway_named(asked.gateway)
    request = RefundRequest(id=part_id, payment=asked.payment, amount_minor=asked.amount_minor)
    answer = await _known(asked) if again else None
    if answer is None:
        try:
            answer = await service.asked_of(asked.gateway, "refund", gateway.refund(request))
        except GatewayRefusedError as refusal:
            # It may have been done all the same, by a request that was still on its way.
            answer = await _known(asked)
            if answer is None:
                await _note(asked, RefundState.FAILED, failure_code=str(refusal))
                return True
    if answer.state is GatewayRefundState.PENDING:
        await db.execute(
            "UPDATE refund_parts SET reference = $2, updated_at = business_now() WHERE id = $1 AND state = 'PENDING'",
            part_id,
            answer.reference,
        )
        return False
    after = RefundState.SUCCEEDED if answer.state is GatewayRefundState.SUCCEEDED else RefundState.FAILED
    await _note(asked, after, reference=answer.reference, failure_code=answer.failure_code)
    return True


async def _asked(part_id: uuid.UUID) -> _Asked | None:
    row = await db.fetchrow(
        f"""
        SELECT r.order_id, p.gateway, part.amount_minor AS part_minor, {known.of("p")}
        FROM refund_parts part JOIN refunds r ON r.id = part.refund_id JOIN payments p ON p.id = part.payment_id
        WHERE part.id = $1 AND part.state = 'PENDING'
        """,
        part_id,
    )
    if row is None:
        return None
    return _Asked(part_id, row["order_id"], row["gateway"], known.known_payment(row), row["part_minor"])


async def _known(asked: _Asked) -> GatewayRefund | None:
    gateway = service.gateway_named(asked.gateway)
    refunds = await service.asked_of(asked.gateway, "refunds_of", gateway.refunds_of(asked.payment))
    return next((refund for refund in refunds if refund.refund_id == asked.part_id), None)


async def _note(
    asked: _Asked, after: RefundState, *, reference: str | None = None, failure_code: str | None = None
) -> None:
    async with db.unit_of_work():
        if asked.order_id is not None:
            await status.lock_order(asked.order_id)
        noted = await end_part(asked.part_id, after, reference=reference, failure_code=failure_code)
        if noted and asked.order_id is not None:
            await standing.refresh(asked.order_id)
