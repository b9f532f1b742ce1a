"""Doing an erasure: every step of `steps`, batch by batch, as often as it takes until nothing is left.

It may be killed anywhere and run again, also twice at once: what is done is not found again. What has to wait (an order
that is not closed, a payment under way, a message that is being sent) is come back for by a timer.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson
import structlog

from app import clock, db
from app.crm import forgetting
from app.events import timers
from app.keys import keyring
from app.privacy import batches, retention
from app.privacy.erasure import LOOKED_FOR, request_erasure
from app.privacy.steps import STEPS, Step
from app.privacy.tables import Subject, bound

DUE = "privacy.erasure_due"
"""Timer and event: look again."""
SOON, TOMORROW, NEXT_WEEK = timedelta(minutes=15), timedelta(days=1), timedelta(days=7)
WITH_ORDERS = frozenset(
    {"orders", "invoices", "order_edits", "order_events", "order_lines", "shipments", "tracking_events", "messages",
     "message_links", "message_clicks", "provider_notices", "dev_messages", "payments", "refunds",
     "test_gateway_payments"}
)  # fmt: skip
"""What waits for orders to be closed long enough."""
_NEXT_ORDER = """
    SELECT min(t.updated_at) + :days * interval '1 day' FROM orders t WHERE t.id IN :orders AND t.status <> 'OPEN'
      AND t.updated_at > business_now() - :days * interval '1 day'
"""

log = structlog.get_logger(__name__)


class KeyIsGoneError(Exception):
    """What the erasure looks for was encrypted under a secret key that has left the ring."""


@dataclass(slots=True)
class _Work:
    request_id: uuid.UUID
    subject: Subject
    carts: list[uuid.UUID]
    """That were open when it was asked for."""
    erased: dict[str, int]
    """Rows by table."""
    waiting: dict[str, int] = field(default_factory=dict)


async def run(request_id: uuid.UUID) -> None:
    """Erase what may go by now; quiet when it is done already."""
    work = await _taken_up(request_id)
    if work is None:
        return
    for step in STEPS:
        await _do(step, work)
    await _erase_newcomers(work)
    for profile_id in work.subject.profiles:
        if contacts := await forgetting.left(profile_id):
            work.waiting["crm_contacts"] = work.waiting.get("crm_contacts", 0) + contacts
    await _note(work)
    log.info("erased", request=str(request_id), rows=sum(work.erased.values()), waiting=work.waiting)


async def _taken_up(request_id: uuid.UUID) -> _Work | None:
    row = await db.fetchrow(
        """
        UPDATE privacy_requests SET status = 'RUNNING'
        WHERE id = $1 AND kind = 'ERASURE' AND status <> 'DONE' RETURNING profile_id, addresses, result
        """,
        request_id,
    )
    if row is None:
        return None
    opened = keyring().decrypt(LOOKED_FOR, row["addresses"])
    if opened is None:
        raise KeyIsGoneError("put the secret key back at the end of SECRET_KEYS until the erasure is done")
    looked_for = orjson.loads(opened)
    rows = await db.fetch("SELECT id FROM profiles WHERE id = $1 OR merged_into_id = $1 ORDER BY id", row["profile_id"])
    subject = Subject(
        profiles=tuple(row["id"] for row in rows),
        customers=tuple(uuid.UUID(text) for text in looked_for["customers"]),
        emails=tuple(looked_for["emails"]),
        phones=tuple(looked_for["phones"]),
        days=await retention.days_of(retention.ERASED_ORDERS),
    )
    result = orjson.loads(row["result"]) if row["result"] else {}
    return _Work(request_id, subject, [uuid.UUID(text) for text in looked_for["carts"]], result.get("erased", {}))


async def _do(step: Step, work: _Work) -> None:
    while changed := await batches.one(step, work.subject):
        work.erased[step.table] = work.erased.get(step.table, 0) + changed
    sql, arguments = bound(f'SELECT count(*) FROM "{step.table}" t WHERE {step.condition}', work.subject)
    if waiting := await db.fetchval(sql, *arguments):
        work.waiting[step.table] = work.waiting.get(step.table, 0) + waiting


async def _erase_newcomers(work: _Work) -> None:
    """A checkout that completed while, or after, its person was erased made an order of somebody new: it is them."""
    rows = await db.fetch(
        """
        SELECT DISTINCT p.id FROM orders o JOIN profiles p ON p.id = o.profile_id
        WHERE o.cart_id = ANY($1) AND p.erased_at IS NULL
          AND p.created_at >= (SELECT min(erased_at) FROM profiles WHERE id = ANY($2))
        """,
        work.carts,
        list(work.subject.profiles),
    )
    for row in rows:
        async with db.unit_of_work():
            await request_erasure(profile_id=row["id"])


async def _note(work: _Work) -> None:
    """How far it is; and when to look again, if anything waits."""
    waits = bool(work.waiting)
    result = orjson.dumps({"erased": work.erased, "waiting": work.waiting}).decode()
    async with db.unit_of_work():
        noted = await db.execute(
            """
            UPDATE privacy_requests SET status = $2::text, result = $3::jsonb,
                addresses = CASE WHEN $2::text = 'DONE' THEN NULL ELSE addresses END,
                finished_at = CASE WHEN $2::text = 'DONE' THEN clock_timestamp() END
            WHERE id = $1 AND status = 'RUNNING'
            """,
            work.request_id,
            "RUNNING" if waits else "DONE",
            result,
        )
        if noted and waits:
            await timers.schedule(DUE, subject_id=work.request_id, due_at=await _look_again(work))


async def _look_again(work: _Work) -> datetime:
    now, waiting = await clock.now(), set(work.waiting)
    if waiting - WITH_ORDERS - {"crm_contacts"}:
        return now + SOON
    sql, arguments = bound(_NEXT_ORDER, work.subject)
    closed_long_enough: datetime | None = await db.fetchval(sql, *arguments)
    latest = now + (TOMORROW if "crm_contacts" in waiting else NEXT_WEEK)
    return min(closed_long_enough or latest, latest)
