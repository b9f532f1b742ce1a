"""Chargebacks and claims: money that a bank or a provider takes back without the shop having given it.

A webhook is a reason to ask, and comparing asks too; what the provider answers is written down. While a dispute is open
its goods do not leave, the gift cards of its order cannot be spent, and its money cannot be refunded as well. One that
is lost is in the books as a refund of the source DISPUTE; should a bank think again, it is out of them.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from app import db, events
from app.gift_cards import freezing
from app.kit.ids import new_id
from app.kit.money import Money
from app.orders import status
from app.orders.models import OrderHold
from app.payments import discrepancies, service, standing
from app.payments.gateway import GatewayDispute, TellsOfDisputes
from app.payments.models import DiscrepancyKind, DisputeState, RefundSource, RefundState, RefundTarget
from app.payments.settling_refunds import end_part, take_back_part
from app.payments.states import DISPUTE

ASK_WANTED = "payment.dispute_notified"
"""Event: a webhook has named a dispute; who asks about it finds gateway and reference in the payload."""
DISPUTED = "payment.disputed"
"""Event: a dispute was opened, or is in another state."""
OPEN = frozenset({DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW})
WITHHELD = frozenset({DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW})
"""States in which the provider has taken the money, and may give it back to the shop."""

_PAYMENT = """
    SELECT id, order_id, gateway, reference, currency_code, captured_minor FROM payments
    WHERE gateway = $1 AND (id = $2 OR reference = $3) ORDER BY id = $2 DESC LIMIT 1
"""
_WRITE = """
    INSERT INTO payment_disputes AS d (id, payment_id, gateway, reference, state, amount_minor, currency_code, reason,
                                       respond_by, opened_at, closed_at, created_at, updated_at, fee_minor,
                                       fee_currency_code)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, CASE WHEN $11 THEN business_now() END, business_now(), $12, $13,
            $14)
    ON CONFLICT (gateway, reference) DO UPDATE
    SET state = EXCLUDED.state, amount_minor = EXCLUDED.amount_minor, reason = EXCLUDED.reason,
        respond_by = EXCLUDED.respond_by, updated_at = EXCLUDED.updated_at,
        fee_minor = coalesce(EXCLUDED.fee_minor, d.fee_minor),
        fee_currency_code = coalesce(EXCLUDED.fee_currency_code, d.fee_currency_code),
        closed_at = CASE WHEN $11 THEN coalesce(d.closed_at, EXCLUDED.closed_at) END
    RETURNING id, refund_id
"""
_ROOM = """
    SELECT p.captured_minor - coalesce((
        SELECT sum(part.amount_minor) FROM refund_parts part WHERE part.payment_id = p.id AND part.state <> 'FAILED'
    ), 0)::bigint FROM payments p WHERE p.id = $1
"""
# Where a provider lists the loss among its refunds, it may have been found as one before.
_FOUND_AS_REFUND = """
    SELECT r.id FROM refunds r JOIN refund_parts part ON part.refund_id = r.id
    WHERE part.payment_id = $1 AND part.amount_minor = $2 AND part.state = 'SUCCEEDED' AND r.source = 'PROVIDER'
      AND r.created_at >= $3 AND NOT EXISTS (SELECT FROM payment_disputes d WHERE d.refund_id = r.id)
    ORDER BY r.id LIMIT 1
"""
_LOST_WITHOUT_ROOM = """
    SELECT id, reference, amount_minor, opened_at FROM payment_disputes
    WHERE payment_id = $1 AND id <> $2 AND state = 'LOST' AND refund_id IS NULL ORDER BY id FOR NO KEY UPDATE
"""
_LOSS = """
    WITH refund AS (
        INSERT INTO refunds (id, order_id, source, target, state, amount_minor, shipping_minor, currency_code, lines,
                             notify_customer, created_at, updated_at)
        VALUES ($1, $2, $3, $4, 'PENDING', $5, 0, $6, '[]', false, business_now(), business_now()) RETURNING id
    )
    INSERT INTO refund_parts (id, refund_id, payment_id, amount_minor, state, reference, created_at, updated_at)
    SELECT $7, id, $8, $5, 'PENDING', $9, business_now(), business_now() FROM refund
"""
_HOLD = """
    UPDATE orders SET holds = array_append(holds, $2), updated_at = business_now()
    WHERE id = $1 AND status = 'OPEN' AND fulfillment_status IN ('UNFULFILLED', 'PARTIALLY_FULFILLED')
      AND NOT $2 = ANY(holds)
"""
_LET_GO = """
    UPDATE orders SET holds = array_remove(holds, $2), updated_at = business_now()
    WHERE id = $1 AND $2 = ANY(holds) AND NOT EXISTS (
        SELECT FROM payment_disputes d JOIN payments p ON p.id = d.payment_id
        WHERE p.order_id = $1 AND d.state <> 'WON'
    )
"""


async def ask(gateway_name: str, reference: str) -> bool:
    """Ask the gateway about a dispute, and write down what it says. Whether that was news.

    Raises:
        GatewayUnavailableError: ask again.
    """
    gateway = service.gateway_named(gateway_name)
    if not isinstance(gateway, TellsOfDisputes):
        return False
    asked_at = await _now()
    said = await service.asked_of(gateway_name, "dispute", gateway.dispute(reference))
    return said is not None and await record(gateway_name, said, asked_at)


async def compare(gateway: object, name: str, since: datetime) -> int:
    """Ask for all that have changed, and for those that have been open for an hour. Returns how many differed.

    Raises:
        GatewayUnavailableError: ask again.
    """
    if not isinstance(gateway, TellsOfDisputes):
        return 0
    found, asked_at = 0, await _now()
    async for said in gateway.disputes_since(since):
        found += await record(name, said, asked_at)
    rows = await db.fetch(
        """
        SELECT reference FROM payment_disputes
        WHERE gateway = $1 AND state NOT IN ('WON', 'LOST') AND updated_at < clock_timestamp() - interval '1 hour'
        ORDER BY updated_at LIMIT 100
        """,
        name,
    )
    for row in rows:
        found += await ask(name, row["reference"])
    return found


async def _now() -> datetime:
    """Real time of the database, which all processes share: an answer that was asked for earlier is older."""
    moment: datetime = await db.fetchval("SELECT clock_timestamp()")
    return moment


async def record(gateway: str, said: GatewayDispute, asked_at: datetime) -> bool:
    """Write down where a dispute stands, with all that follows from it. Repeating it changes nothing.

    A payment that the shop has no row of is another shop's at the same account.

    Args:
        asked_at: real time at which the gateway was asked for it.

    Returns:
        Whether it is news.
    """
    async with db.unit_of_work():
        found = await db.fetchrow(_PAYMENT, gateway, said.payment_id, said.payment_reference)
        if found is None:
            return False
        if found["order_id"] is not None:
            await status.lock_order(found["order_id"])
        payment = await db.fetchrow(f"{_PAYMENT} FOR NO KEY UPDATE", gateway, found["id"], None)
        if payment is None:
            raise LookupError("the payment is gone")
        before = await db.fetchrow(
            "SELECT id, state, amount_minor, refund_id, updated_at FROM payment_disputes "
            "WHERE gateway = $1 AND reference = $2 FOR NO KEY UPDATE",
            gateway,
            said.reference,
        )
        # Two may have asked at once, and the older answer come last.
        if before is not None and (
            before["updated_at"] > asked_at or not DISPUTE.allows(DisputeState(before["state"]), said.state)
        ):
            return False
        change = _Change(payment, before, said)
        written = await change.write(asked_at)
        if not change.is_news:
            return False
        await change.settle(written)
        return True


@dataclass(frozen=True, slots=True)
class _Change:
    """From what the shop had of a dispute (None: nothing) to what the provider says."""

    payment: db.Record
    before: db.Record | None
    said: GatewayDispute

    @property
    def was(self) -> DisputeState | None:
        return None if self.before is None else DisputeState(self.before["state"])

    @property
    def amount_minor(self) -> int:
        """In another currency than the payment's it is of the account's: then all of the payment is meant."""
        taken: int = self.payment["captured_minor"]
        return self.said.amount_minor if self.said.currency == self.payment["currency_code"] else taken

    @property
    def is_news(self) -> bool:
        return self.before is None or (self.was, self.before["amount_minor"]) != (self.said.state, self.amount_minor)

    async def write(self, asked_at: datetime) -> db.Record:
        said = self.said
        row = await db.fetchrow(
            _WRITE,
            new_id(),
            self.payment["id"],
            self.payment["gateway"],
            said.reference,
            said.state.value,
            self.amount_minor,
            self.payment["currency_code"],
            said.reason and said.reason[:80].lower(),
            said.respond_by if said.state in OPEN else None,
            said.opened_at,
            said.state not in OPEN,
            asked_at,
            said.fee and said.fee.amount_minor,
            said.fee and said.fee.currency,
        )
        if row is None:
            raise LookupError("the dispute was not written")
        return row

    async def settle(self, written: db.Record) -> None:
        order_id: uuid.UUID | None = self.payment["order_id"]
        if self.was is DisputeState.LOST:
            await self._undo_loss(written)
        if self.said.state is DisputeState.LOST:
            await self._lose(written["id"], self.said.reference, self.amount_minor, self.said.opened_at)
        if self.was is DisputeState.LOST:
            # A claim and a chargeback of one payment: what came back of one of them is gone by the other.
            for row in await db.fetch(_LOST_WITHOUT_ROOM, self.payment["id"], written["id"]):
                await self._lose(row["id"], row["reference"], row["amount_minor"], row["opened_at"])
        if order_id is not None:
            await self._hold_goods(order_id, written["id"])
            await standing.refresh(order_id)
            status.announce(order_id)
        facts: dict[str, object] = {
            "disputeId": str(written["id"]),
            "orderId": str(order_id) if order_id else None,
            "gateway": self.payment["gateway"],
            "before": self.was.value if self.was else None,
            "state": self.said.state.value,
            "amountMinor": self.amount_minor,
            "currencyCode": self.payment["currency_code"],
            "reason": self.said.reason,
            "feeMinor": self.said.fee and self.said.fee.amount_minor,
            "feeCurrencyCode": self.said.fee and self.said.fee.currency,
            "respondBy": self.said.respond_by.isoformat() if self.said.respond_by else None,
        }
        await events.record(DISPUTED, subject_id=self.payment["id"], payload=facts)

    async def _hold_goods(self, order_id: uuid.UUID, dispute_id: uuid.UUID) -> None:
        if self.said.state is DisputeState.WON:
            await db.execute(_LET_GO, order_id, OrderHold.DISPUTE.value)
            await freezing.thaw(order_id, dispute_id)
        elif self.was in (None, DisputeState.WON):
            # Staff may let go of the hold, and it does not come back while the dispute goes on.
            await db.execute(_HOLD, order_id, OrderHold.DISPUTE.value)
            await freezing.freeze_all(order_id, dispute_id)

    async def _lose(self, dispute_id: uuid.UUID, reference: str, amount_minor: int, opened: datetime) -> None:
        """The buyer has the money: as much of it as had not gone back before is a refund in the books."""
        payment_id = self.payment["id"]
        refund_id = await db.fetchval(_FOUND_AS_REFUND, payment_id, amount_minor, opened)
        if refund_id is None:
            lost = min(amount_minor, max(0, await db.fetchval(_ROOM, payment_id)))
            if lost < amount_minor:
                await self._tell_of_more(reference, amount_minor - lost)
            if lost == 0:
                return
            refund_id, part_id = new_id(), new_id()
            await db.execute(
                _LOSS,
                refund_id,
                self.payment["order_id"],
                RefundSource.DISPUTE.value,
                RefundTarget.ORIGINAL.value,
                lost,
                self.payment["currency_code"],
                part_id,
                payment_id,
                reference,
            )
            await end_part(part_id, RefundState.SUCCEEDED, reference=reference)
        await db.execute("UPDATE payment_disputes SET refund_id = $2 WHERE id = $1", dispute_id, refund_id)

    async def _undo_loss(self, written: db.Record) -> None:
        """What the provider lists among its refunds is undone there."""
        part_id = await db.fetchval(
            "SELECT part.id FROM refund_parts part JOIN refunds r ON r.id = part.refund_id "
            "WHERE r.id = $1 AND r.source = $2",
            written["refund_id"],
            RefundSource.DISPUTE.value,
        )
        if part_id is not None:
            await take_back_part(part_id, "dispute_reopened")
            # Lost once more, it is another part by the same name.
            await db.execute(
                "UPDATE refund_parts SET reference = NULL WHERE id = $1 AND reference = $2",
                part_id,
                self.said.reference,
            )
        await db.execute("UPDATE payment_disputes SET refund_id = NULL WHERE id = $1", written["id"])

    async def _tell_of_more(self, reference: str, more_minor: int) -> None:
        money = Money(more_minor, self.payment["currency_code"])
        await discrepancies.note(
            DiscrepancyKind.AMOUNT_DIFFERS,
            gateway=self.payment["gateway"],
            payment_id=self.payment["id"],
            order_id=self.payment["order_id"],
            reference=reference,
            amount=money,
            detail=f"a dispute took {money.decimal} {money.currency} that had gone back to the buyer before",
        )
