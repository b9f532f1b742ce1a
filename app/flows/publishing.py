"""What a definition needs of the rest of the shop before it may be published: templates, segments, endpoints, flows."""

import re
import uuid

from app import db
from app.flows.definitions import Definition
from app.flows.steps.sending import Send
from app.flows.steps.webhook import CallWebhook
from app.messaging import publishing

KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")

_TEMPLATES = """
    SELECT t.key, t.channel, t.trigger FROM message_templates t WHERE t.key = ANY($1)
"""


async def obstacles(definition: Definition) -> list[str]:
    """What keeps it from being published, one sentence each; empty when it may be."""
    return [
        *await _templates(definition),
        *await _segments(definition),
        *await _endpoints(definition),
        *await _flows(definition),
    ]


async def _templates(definition: Definition) -> list[str]:
    sends = definition.sends()
    if not sends:
        return []
    rows = await db.fetch(_TEMPLATES, [send.template for send in sends])
    known = {row["key"]: row for row in rows}
    events = {trigger.event for trigger in definition.triggers}
    found = [problem for send in sends if (problem := _template_problem(send, known.get(send.template), events))]
    for key in dict.fromkeys(send.template for send in sends if send.template in known):
        found += [f"The template {key}: {error.message}" for error in await publishing.publishable(key)]
    return found


async def publish_templates(definition: Definition) -> None:
    """Publish, with the flow, those of its templates that never were; they had no `obstacles`."""
    await publishing.publish_drafts([send.template for send in definition.sends()])


def _template_problem(send: Send, template: db.Record | None, events: set[str]) -> str | None:
    said = f"Step {send.key}: the template {send.template}"
    if template is None:
        return f"{said} does not exist; make it, or name another."
    if template["channel"] != send.channel:
        return f"{said} is for {template['channel']}, and the step sends {send.channel}; name another."
    if template["trigger"] is not None and template["trigger"] not in events:
        return (
            f"{said} prints what comes with {template['trigger']}, and this flow starts on {', '.join(sorted(events))}."
        )
    return None


async def _segments(definition: Definition) -> list[str]:
    keys = [trigger.segment for trigger in definition.triggers if trigger.segment]
    if not keys:
        return []
    known = {row["key"] for row in await db.fetch("SELECT key FROM segments WHERE key = ANY($1)", keys)}
    return [f"The trigger: there is no segment {key}; make it first." for key in keys if key not in known]


async def _endpoints(definition: Definition) -> list[str]:
    steps = [step for step in definition.steps if isinstance(step, CallWebhook)]
    if not steps:
        return []
    rows = await db.fetch("SELECT id FROM webhook_endpoints WHERE id = ANY($1)", [step.endpoint_id for step in steps])
    known: set[uuid.UUID] = {row["id"] for row in rows}
    return [
        f"Step {step.key}: there is no such webhook endpoint; name one of the shop's."
        for step in steps
        if step.endpoint_id not in known
    ]


async def _flows(definition: Definition) -> list[str]:
    keys = [*definition.supersedes, *definition.waits_for]
    if not keys:
        return []
    known = {row["key"] for row in await db.fetch("SELECT key FROM flows WHERE key = ANY($1)", keys)}
    return [
        f"`supersedes` and `waitsFor`: there is no flow {key}; save it first, or take it out."
        for key in dict.fromkeys(keys)
        if key not in known
    ]
