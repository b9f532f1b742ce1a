"""Which of several flows writes when several could: the one nearest to a purchase.

A message gives way to a living run of a flow with a higher priority that is going to write to the same person on the
same channel within the cap's window. "Going to" means by time alone: along the steps that follow, whatever conditions
and splits decide, and past the timeouts of steps that wait for something. What would have to happen first (a click)
holds nobody back.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from app import db
from app.messaging.models import MessageChannel

SEND_KINDS = {"send_email": MessageChannel.EMAIL, "send_sms": MessageChannel.SMS, "send_voice": MessageChannel.VOICE}
END = "end"

_PERIOD = TypeAdapter(timedelta)
_RIVALS = """
    SELECT r.step_key, r.due_at, r.waiting_for, v.definition -> 'steps' AS steps
    FROM flow_runs r JOIN flows f ON f.id = r.flow_id JOIN flow_versions v ON v.id = r.version_id
    WHERE r.profile_id = $1 AND r.status IN ('PENDING', 'ACTIVE') AND f.status = 'PUBLISHED' AND f.priority > $2
      AND NOT r.in_holdout AND r.id IS DISTINCT FROM $3::uuid AND r.due_at <= $4
"""


async def higher_priority_at(
    profile_id: uuid.UUID,
    channel: MessageChannel,
    *,
    priority: int,
    run_id: uuid.UUID | None,
    now: datetime,
    window: timedelta,
) -> datetime | None:
    """When a run with a higher priority is going to write, at the earliest; None when none is within the window."""
    rows = await db.fetch(_RIVALS, profile_id, priority, run_id, now + window)
    moments = [
        max(row["due_at"], now) + wait
        for row in rows
        if (wait := time_until_writing(orjson.loads(row["steps"] or "[]"), row["step_key"], channel)) is not None
    ]
    return min((moment for moment in moments if moment <= now + window), default=None)


def time_until_writing(
    steps: Sequence[Mapping[str, Any]], step_key: str | None, channel: MessageChannel
) -> timedelta | None:
    """How long after the run goes on its way leads to a message on that channel, at the least; None for never.

    Args:
        step_key: the step that the run stands at. Its own wait ends when the run goes on; one that stands before its
            first step has none.
    """
    by_key = {step["key"]: index for index, step in enumerate(steps)}
    if not steps or (step_key is not None and step_key not in by_key):
        return None
    start = by_key[step_key] if step_key is not None else 0
    best = {start: timedelta()}
    todo = [start]
    while todo:
        index = min(todo, key=lambda candidate: best[candidate])
        todo.remove(index)
        step = steps[index]
        if SEND_KINDS.get(step.get("kind", "")) is channel:
            return best[index]
        standing = index == start and step_key is not None
        waited = best[index] + (timedelta() if standing else _wait(step))
        for following in _followers(steps, index, by_key):
            if following not in best or waited < best[following]:
                best[following] = waited
                if following not in todo:
                    todo.append(following)
    return None


def _wait(step: Mapping[str, Any]) -> timedelta:
    """Of a delay or a timeout; a wait for an hour of the day counts as none, which errs on the side of silence."""
    text = step.get({"delay": "period", "wait_for": "timeout"}.get(step.get("kind", ""), ""))
    try:
        return _PERIOD.validate_python(text) if text else timedelta()
    except ValidationError:
        return timedelta()


def _followers(steps: Sequence[Mapping[str, Any]], index: int, by_key: Mapping[str, int]) -> list[int]:
    step, following = steps[index], index + 1
    match step.get("kind"):
        case "end":
            return []
        case "wait_for":
            targets = [step.get("else")]
        case "condition":
            targets = [step.get("then"), step.get("else")]
        case "split":
            targets = [branch.get("then") for branch in step.get("branches", ())]
        case _:
            targets = [step.get("then")]
    found = [following if target is None else by_key.get(target, -1) for target in targets if target != END]
    return [target for target in found if 0 <= target < len(steps)]
