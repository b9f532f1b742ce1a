"""What a run did, as sentences: “waited 4 h”, “skipped SMS: QUIET_HOURS”, “left: ORDER_PLACED”."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app import db
from app.flows.wording import CHANNEL_WORDS, channel_of, duration_in_words, shortened

ENTERED, LEFT = "entered", "left"
"""Kinds of the entries that stand for no step."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    at: datetime
    step_key: str | None
    kind: str
    """The step's kind, or `entered` and `left`."""
    text: str
    reason: str | None = None
    message_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class _StepRow:
    step_key: str
    kind: str
    outcome: str
    reason: str | None
    message_id: uuid.UUID | None
    detail: dict[str, Any]
    at: datetime
    step: dict[str, Any]
    """As the run's version defines it; empty where it is not in it any more, after a migration."""
    message: dict[str, Any] | None
    """State, reason and template of the ledger's row."""


_RUNS = """
    SELECT r.id, r.status, r.step_key, r.due_at, r.in_holdout, r.trigger_type, r.entered_at, r.finished_at,
           r.exit_reason, v.definition->'steps' AS steps
    FROM flow_runs r JOIN flow_versions v ON v.id = r.version_id
    WHERE r.id = ANY($1)
"""

_STEPS = """
    SELECT s.run_id, s.step_key, s.kind, s.outcome, s.reason, s.message_id, s.detail, s.at,
           CASE WHEN m.id IS NOT NULL
                THEN json_build_object('state', m.state, 'reason', m.reason, 'template', m.template) END AS message
    FROM flow_run_steps s LEFT JOIN messages m ON m.id = s.message_id
    WHERE s.run_id = ANY($1)
    ORDER BY s.run_id, s.id
"""


async def timelines(run_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[TimelineEntry]]:
    """Of each of these runs, from its beginning; two statements for any number of them."""
    runs = {row["id"]: row for row in await db.fetch(_RUNS, list(run_ids))}
    steps: dict[uuid.UUID, list[_StepRow]] = {run_id: [] for run_id in runs}
    definitions = {
        run_id: {step.get("key"): step for step in orjson.loads(row["steps"] or "[]")} for run_id, row in runs.items()
    }
    for row in await db.fetch(_STEPS, list(run_ids)):
        if row["run_id"] not in steps:
            continue
        steps[row["run_id"]].append(
            _StepRow(
                row["step_key"],
                row["kind"],
                row["outcome"],
                row["reason"],
                row["message_id"],
                orjson.loads(row["detail"] or "{}"),
                row["at"],
                definitions[row["run_id"]].get(row["step_key"], {}),
                row["message"] and orjson.loads(row["message"]),
            )
        )
    return {run_id: _entries(run, steps[run_id]) for run_id, run in runs.items()}


def _entries(run: db.Record, rows: Sequence[_StepRow]) -> list[TimelineEntry]:
    entries = [TimelineEntry(run["entered_at"], None, ENTERED, _entered(run))]
    began = run["entered_at"]
    for place, row in enumerate(rows):
        # A wait that is over is told once, by what ended it.
        same_step_goes_on = place + 1 < len(rows) and rows[place + 1].step_key == row.step_key
        if row.outcome == "WAITING" and same_step_goes_on and not row.reason:
            continue
        entries.append(TimelineEntry(row.at, row.step_key, row.kind, _text(row, began), row.reason, row.message_id))
        if row.outcome != "WAITING":
            began = row.at
    if run["finished_at"] is not None:
        entries.append(TimelineEntry(run["finished_at"], None, LEFT, _left(run), run["exit_reason"]))
    return entries


def _entered(run: db.Record) -> str:
    words = f"entered: {run['trigger_type']}"
    return f"{words}, held out: gets no messages" if run["in_holdout"] else words


def _left(run: db.Record) -> str:
    if run["status"] == "COMPLETED":
        return "completed"
    word = "failed" if run["status"] == "FAILED" else "left"
    return f"{word}: {run['exit_reason']}" if run["exit_reason"] else word


def _text(row: _StepRow, began: datetime) -> str:
    if row.outcome == "WAITING" and row.reason == "MIGRATED":
        return "moved to another version"
    if row.outcome == "FAILED":
        return f"failed at {row.kind.replace('_', ' ')}: {row.reason or 'OTHER'}"
    if channel := channel_of(row.kind):
        return _message(row, CHANNEL_WORDS[channel])
    if row.outcome == "SKIPPED":
        return f"skipped {row.kind.replace('_', ' ')}: {row.reason or 'OTHER'}"
    waited = duration_in_words(row.at - began)
    if row.kind in ("delay", "delay_until"):
        return "waiting" if row.outcome == "WAITING" else f"waited {waited}"
    if row.kind == "wait_for":
        return _awaited(row, waited)
    return _done(row)


def _awaited(row: _StepRow, waited: str) -> str:
    event = row.step.get("event") or "an event"
    if row.outcome == "WAITING":
        return f"waiting for {event}"
    if row.reason == "TIMEOUT":
        return f"waited {waited} for {event}, in vain"
    return f"{event} came after {waited}"


def _message(row: _StepRow, channel: str) -> str:
    template = (row.message or {}).get("template") or row.step.get("template") or ""
    if row.outcome == "SKIPPED":
        return f"skipped {channel}: {row.reason or 'OTHER'}"
    if row.outcome == "WAITING":
        return f"put off {channel} {template}: {row.reason or 'OTHER'}"
    if row.message is None:
        return f"decided on {channel} {template}".rstrip()
    state, reason = row.message["state"], row.message["reason"] or "OTHER"
    if state == "SENT":
        return f"sent {channel} {template}"
    if state == "SKIPPED":
        return f"skipped {channel}: {reason}"
    if state == "FAILED":
        return f"could not send {channel} {template}: {reason}"
    if state == "UNKNOWN":
        return f"may have sent {channel} {template}: {reason}"
    return f"sending {channel} {template}"


def _done(row: _StepRow) -> str:
    if row.kind == "condition":
        return f"{shortened(str(row.step.get('if') or 'condition'), 80)}: {'yes' if row.reason == 'THEN' else 'no'}"
    if row.kind == "split":
        return f"took the branch to {row.detail.get('then') or 'the next step'}"
    if row.kind == "holdout":
        return "held out: gets no messages from here on" if row.reason == "HOLDOUT" else "not held out"
    if row.kind == "issue_coupon":
        return "issued a coupon"
    if row.kind == "update_profile":
        return "updated the profile"
    if row.kind == "webhook":
        return f"called the webhook {row.step.get('endpoint') or ''}".rstrip()
    if row.kind == "notify_staff":
        return "notified staff"
    return row.kind.replace("_", " ")
