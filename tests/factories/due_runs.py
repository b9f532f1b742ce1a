"""Many people and their runs, written as rows in one go, and what must be true of every run and message in the end."""

import uuid
from collections.abc import Sequence

from app import db
from app.customers.addresses import address_hashes
from app.kit.ids import new_id
from app.messaging.models import MessageChannel
from tests.factories import customers

_PEOPLE = """
    INSERT INTO profiles (id, email, properties, stage, order_count, total_spent_minor, created_at, updated_at)
    SELECT id, email, '{}', 'LEAD', 0, 0, business_now(), business_now()
    FROM unnest($1::uuid[], $2::text[]) AS p (id, email)
"""
_CONSENTS = """
    INSERT INTO consents (id, profile_id, channel, address, address_hash, action, purpose, source, text_id, recorded_at)
    SELECT gen_random_uuid(), id, 'EMAIL', email, hash, 'GRANTED', 'MARKETING', 'NEWSLETTER', $4, business_now()
    FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS p (id, email, hash)
"""
_RUNS = """
    WITH begun AS (
        INSERT INTO flow_runs (id, flow_id, version_id, profile_id, key, status, step_key, revision, due_at, in_holdout,
                               trigger_type, trigger_event_id, trigger, triggered_at, state, entered_at,
                               finished_at, exit_reason)
        SELECT r.id, f.id, f.published_version_id, r.profile_id, 'customer',
               CASE WHEN $6::bool THEN 'EXITED' ELSE 'ACTIVE' END, $4::text, 0,
               business_now() + $5::float8 * interval '1 second', false, 'cart.updated', gen_random_uuid(), '{}',
               business_now() - interval '1 hour', jsonb_build_object('wait', jsonb_build_object('step', $4::text)),
               business_now() - interval '1 hour', CASE WHEN $6 THEN business_now() END,
               CASE WHEN $6 THEN 'ORDER_PLACED' END
        FROM flows f, unnest($2::uuid[], $3::uuid[]) AS r (id, profile_id) WHERE f.id = $1
        RETURNING id, due_at
    )
    INSERT INTO timers (id, kind, subject_id, payload, due_at, created_at)
    SELECT gen_random_uuid(), 'flow.run_due', id, '{"revision": 0}', due_at, clock_timestamp() FROM begun
"""


async def people(count: int) -> list[uuid.UUID]:
    """Somebody each, with an email and consent to mail."""
    ids = [new_id() for _ in range(count)]
    emails = [f"{profile_id.hex}@customer.example" for profile_id in ids]
    hashes = [address_hashes(MessageChannel.EMAIL, email)[0] for email in emails]
    await db.execute(_PEOPLE, ids, emails)
    await db.execute(_CONSENTS, ids, emails, hashes, await customers.consent_text(MessageChannel.EMAIL))
    return ids


async def due(
    flow_id: uuid.UUID, profile_ids: Sequence[uuid.UUID], *, step: str, in_seconds: float = 0, left: bool = False
) -> None:
    """A run each, which waits at this step (a delay) until then.

    Args:
        left: it ends at the very moment in which its timer fires.
    """
    ids = [new_id() for _ in profile_ids]
    await db.execute(_RUNS, flow_id, ids, list(profile_ids), step, in_seconds, left)


_UNEXPLAINED = {
    "a row of the ledger that no step of its run tells of": """
        SELECT m.run_id, m.step_key FROM messages m
        WHERE m.run_id IS NOT NULL AND m.resend_of IS NULL AND NOT EXISTS (
            SELECT FROM flow_run_steps s WHERE s.run_id = m.run_id AND s.step_key = m.step_key AND s.message_id = m.id)
    """,
    "a step that wrote, without its row, or that did not, without its reason": """
        SELECT s.run_id, s.step_key FROM flow_run_steps s
        LEFT JOIN messages m ON m.id = s.message_id AND m.run_id = s.run_id AND m.step_key = s.step_key
        WHERE s.kind LIKE 'send_%' AND (
            s.outcome = 'DONE' AND m.id IS NULL OR s.outcome IN ('SKIPPED', 'FAILED') AND s.reason IS NULL)
    """,
    "a step that was done twice": """
        SELECT run_id, step_key FROM flow_run_steps WHERE outcome <> 'WAITING'
        GROUP BY run_id, step_key HAVING count(*) > 1
    """,
    "a mail that came twice, or to which no row belongs": """
        SELECT d.recipient, d.deliveries FROM dev_messages d LEFT JOIN messages m ON m.id = d.message_id
        WHERE d.deliveries <> 1 OR m.id IS NULL OR m.state NOT IN ('SENT', 'UNKNOWN')
    """,
    "two mails of one step": """
        SELECT m.run_id, m.step_key FROM dev_messages d JOIN messages m ON m.id = d.message_id
        WHERE m.run_id IS NOT NULL GROUP BY m.run_id, m.step_key HAVING count(*) > 1
    """,
    "a row that says it was sent, without its mail": """
        SELECT m.id FROM messages m LEFT JOIN dev_messages d ON d.message_id = m.id
        WHERE m.state = 'SENT' AND d.id IS NULL
    """,
}


async def unexplained() -> dict[str, list[dict[str, object]]]:
    """What the ledger, the runs' timelines and the developer's inbox do not agree about; empty when all is well."""
    found = {}
    for what, statement in _UNEXPLAINED.items():
        if rows := await db.fetch(statement):
            found[what] = [dict(row) for row in rows[:5]]
    return found
