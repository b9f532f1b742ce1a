"""Flows, their runs and what these sent, as rows: for what reads them, whoever wrote them."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson

from app import db
from app.kit.ids import new_id

REMINDER: dict[str, Any] = {
    "trigger": {"event": "checkout.started"},
    "exitOn": [{"event": "order.placed"}],
    "steps": [
        {"key": "wait-4h", "kind": "delay", "period": "PT4H"},
        {"key": "remind-1", "kind": "send_email", "template": "checkout-abandoned-1"},
        {"key": "wait-2d", "kind": "delay", "period": "P2D"},
        {"key": "text-1", "kind": "send_sms", "template": "checkout-abandoned-text"},
    ],
}


async def profile(email: str | None = None, *, merged_into: uuid.UUID | None = None) -> uuid.UUID:
    profile_id = new_id()
    await db.execute(
        """
        INSERT INTO profiles (id, email, properties, stage, order_count, total_spent_minor, merged_into_id, created_at,
                              updated_at)
        VALUES ($1, $2, '{}', 'LEAD', 0, 0, $3, business_now(), business_now())
        """,
        profile_id,
        email,
        merged_into,
    )
    return profile_id


async def flow(
    key: str = "checkout_abandoned", *definitions: Mapping[str, Any], name: str | None = None, status: str = "PUBLISHED"
) -> uuid.UUID:
    """A flow with these versions, the last of them published unless it is a draft."""
    flow_id = new_id()
    version_ids = []
    for number, definition in enumerate(definitions or (REMINDER,), start=1):
        version_ids.append(new_id())
        await db.execute(
            """
            INSERT INTO flow_versions (id, flow_id, number, definition, created_at, published_at)
            VALUES ($1, $2, $3, $4::jsonb, business_now(), CASE WHEN $5 THEN business_now() END)
            """,
            version_ids[-1],
            flow_id,
            number,
            orjson.dumps(definition).decode(),
            status != "DRAFT",
        )
    await db.execute(
        """
        INSERT INTO flows (id, key, name, status, priority, latest_version, published_version_id, first_published_at,
                           paused_at, created_at, updated_at)
        VALUES ($1, $2, $3, $4::varchar, 60, $5, $6, CASE WHEN $4::varchar <> 'DRAFT' THEN business_now() END,
                CASE WHEN $4::varchar = 'PAUSED' THEN business_now() END, business_now(), business_now())
        """,
        flow_id,
        key,
        name or key.replace("_", " ").capitalize(),
        status,
        len(version_ids),
        None if status == "DRAFT" else version_ids[-1],
    )
    return flow_id


async def run(
    flow_id: uuid.UUID,
    profile_id: uuid.UUID | None = None,
    *,
    status: str = "ACTIVE",
    step: str | None = None,
    reason: str | None = None,
    holdout: bool = False,
    version: int | None = None,
    due_in: timedelta | None = None,
    entered_ago: timedelta = timedelta(0),
) -> uuid.UUID:
    run_id = new_id()
    await db.execute(
        """
        INSERT INTO flow_runs (id, flow_id, version_id, profile_id, key, status, step_key, revision, due_at, in_holdout,
            trigger_type, trigger_event_id, trigger, state, entered_at, finished_at, exit_reason)
        SELECT $1, $2, v.id, $3, $4, $5::varchar, $6, 0, business_now() + $7::interval, $8,
            'checkout.started', gen_random_uuid(), '{}', '{}', business_now() - $9::interval,
            CASE WHEN $5::varchar NOT IN ('PENDING', 'ACTIVE') THEN business_now() END, $10
        FROM flow_versions v
        WHERE v.flow_id = $2 AND ($11::int IS NULL OR v.number = $11) ORDER BY v.number DESC LIMIT 1
        """,
        run_id,
        flow_id,
        profile_id or await profile(f"{run_id.hex}@example.com"),
        run_id.hex,
        status,
        step or (None if status == "PENDING" else "wait-4h"),
        due_in,
        holdout,
        entered_ago,
        reason,
        version,
    )
    return run_id


async def step(
    run_id: uuid.UUID,
    key: str,
    kind: str,
    outcome: str = "DONE",
    *,
    reason: str | None = None,
    message_id: uuid.UUID | None = None,
    ago: timedelta = timedelta(0),
    **detail: Any,
) -> None:
    await db.execute(
        """
        INSERT INTO flow_run_steps (id, run_id, flow_id, step_key, kind, outcome, reason, message_id, detail, at)
        SELECT $1, id, flow_id, $3, $4, $5, $6, $7, $8::jsonb, business_now() - $9::interval
        FROM flow_runs WHERE id = $2
        """,
        new_id(),
        run_id,
        key,
        kind,
        outcome,
        reason,
        message_id,
        orjson.dumps(detail).decode(),
        ago,
    )


async def message(
    run_id: uuid.UUID | None,
    step_key: str | None = None,
    *,
    channel: str = "EMAIL",
    template: str = "checkout-abandoned-1",
    state: str = "SENT",
    reason: str | None = None,
    delivered: bool = False,
    clicked: bool = False,
    unsubscribed: bool = False,
    profile_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """A row of the ledger: of a run, or (without one) about an order."""
    message_id = new_id()
    await db.execute(
        """
        INSERT INTO messages (id, dedupe_key, channel, purpose, template, recipient, context, state, reason, attempts,
            profile_id, flow_id, run_id, step_key, delivered_at, clicked_at, unsubscribed_at, created_at, sent_at)
        SELECT $1::uuid, $1::text, $3, 'MARKETING', $4, 'ada@example.com', '{}', $5::varchar, $6, 1,
            coalesce(r.profile_id, $11), r.flow_id, r.id, $7, CASE WHEN $8 THEN business_now() END,
            CASE WHEN $9 THEN business_now() END, CASE WHEN $10 THEN business_now() END, business_now(),
            CASE WHEN $5::varchar = 'SENT' THEN business_now() END
        FROM (SELECT $2::uuid AS wanted) one LEFT JOIN flow_runs r ON r.id = one.wanted
        """,
        message_id,
        run_id,
        channel,
        template,
        state,
        reason,
        step_key,
        delivered,
        clicked,
        unsubscribed,
        profile_id,
    )
    return message_id


async def click(message_id: uuid.UUID, *, bot: bool = False, ago: timedelta = timedelta(0)) -> None:
    await db.execute(
        """
        INSERT INTO message_clicks (message_id, link_id, is_bot, clicked_at)
        VALUES ($1, 1, $2, business_now() - $3::interval)
        """,
        message_id,
        bot,
        ago,
    )
