"""`tradewind after-restore`: what a database from a backup does not know of, and what is done about it.

A restored database believes what was true at the moment of the backup. What the shop did after that moment (mails,
charges, webhooks) happened all the same. This makes sure that marketing is not sent a second time without somebody
having decided it, and lists what a person has to look at. docs/operations.md says what it cannot know.
"""

import datetime as dt
import uuid
from dataclasses import dataclass, field

from app import db
from app.audit import operators
from app.campaigns import service as campaigns
from app.events import outbox
from app.flows import service as flows
from app.invoices import restoring as invoices
from app.messaging.models import MessageReason
from app.payments.gateway import GatewayState, GatewayUnavailableError
from app.payments.known import COLUMNS, known_payment
from app.payments.service import asked_of, gateway_named
from app.runtime import running
from app.settings import Settings

ORDER_NUMBERS_SKIPPED = 1_000
"""Those of orders that were placed after the backup are in somebody's inbox; they must not be given out again."""
HELD = "the database was restored from a backup"


@dataclass(slots=True)
class Restored:
    moment: dt.datetime | None
    """When the last event of this database was written: what happened after it is gone."""
    flows_paused: int = 0
    campaigns_paused: int = 0
    marketing_skipped: int = 0
    ambiguous: int = 0
    """Messages that were being sent at the moment of the backup, and may not be repeated by themselves."""
    events_published: int = 0
    next_order_number: int = 0
    invoice_prefixes: list[tuple[str, str]] = field(default_factory=list)
    """Of each series, before and now: whatever number was given out since the backup, none is given again."""
    differing_payments: list[str] = field(default_factory=list)
    """Ids of payments that their gateway says have gone on since, with what it says."""
    unanswered_payments: int = 0


async def after_restore(settings: Settings) -> Restored:
    """To be run before anything of the shop is started on the restored database. Safe to repeat.

    Flows and campaigns are paused, since their timers between the backup and now have fired already. Marketing that was
    reserved is skipped: it may have left. Messages in hand that must not go out twice are marked as unknown. Order
    numbers go on a thousand later, and invoices and credit notes under new prefixes. Gateways are asked where the
    payments are that the database takes for authorised.
    """
    async with running(settings):
        restored = Restored(await db.fetchval("SELECT max(created_at) FROM events"))
        for row in await db.fetch("SELECT id FROM flows WHERE status = 'PUBLISHED'"):
            await flows.pause(row["id"])
            restored.flows_paused += 1
        for row in await db.fetch("SELECT id FROM campaigns WHERE status IN ('SENDING', 'SCHEDULED')"):
            await campaigns.pause_campaign(row["id"])
            restored.campaigns_paused += 1
        async with db.unit_of_work():
            restored.marketing_skipped = await db.execute(
                "UPDATE messages SET state = 'SKIPPED', reason = $1, detail = $2 "
                "WHERE state = 'RESERVED' AND purpose = 'MARKETING'",
                MessageReason.TOO_LATE,
                HELD,
            )
            # Mail about an order is sent again with the same Message-ID, as after any crash.
            restored.ambiguous = await db.execute(
                "UPDATE messages SET state = 'UNKNOWN', reason = $1, detail = $2, leased_until = NULL "
                "WHERE state = 'SENDING' AND NOT (channel = 'EMAIL' AND purpose = 'TRANSACTIONAL')",
                MessageReason.PROCESS_DIED,
                HELD,
            )
            restored.next_order_number = 1 + await db.fetchval(
                "SELECT setval('order_numbers', (SELECT last_value FROM order_numbers) + $1::bigint)",
                ORDER_NUMBERS_SKIPPED,
            )
        async with operators.command("after-restore"), db.unit_of_work():
            restored.invoice_prefixes = await invoices.begin_anew(dt.datetime.now(dt.UTC))
        restored.events_published = await outbox.everything_visible()
        await _ask_gateways(restored)
    return restored


async def _ask_gateways(restored: Restored) -> None:
    """A payment that is to be captured or voided is asked for again by its own event, which is harmless."""
    rows = await db.fetch(f"SELECT gateway, {COLUMNS} FROM payments WHERE state = 'AUTHORIZED' ORDER BY id")
    for row in rows:
        payment_id: uuid.UUID = row["id"]
        try:
            gateway = gateway_named(row["gateway"])
            word = await asked_of(row["gateway"], "retrieve", gateway.retrieve(known_payment(row)))
        except GatewayUnavailableError:
            restored.unanswered_payments += 1
            continue
        if word is None or word.state is not GatewayState.AUTHORIZED:
            said = "does not know it" if word is None else f"says {word.state.value}"
            restored.differing_payments.append(f"{payment_id} {row['gateway']} {said}")
