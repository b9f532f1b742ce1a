"""Flows as merchants make them, the templates that they send, and what their runs came to."""

import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from app import db
from app.customers import timeline
from app.flows import service
from app.kit.ids import new_id
from app.messaging import library
from app.messaging.library import TemplateText
from app.messaging.models import MessageChannel, MessagePurpose
from tests.factories import customers

EMAIL = "ada@customer.example"
MJML = """
<mjml><mj-head><mj-title>Hello</mj-title></mj-head><mj-body>
  <mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section>
  <mj-include path="marketing_footer.mjml" />
</mj-body></mjml>
"""
PLAIN = "Hello {% render 'marketing_footer.txt.liquid', links: links, shop: shop %}"
SHORT = "{{ shop.name }}: hello"
MAIL: Mapping[str, Any] = {"kind": "send_email", "template": "hello"}
TEXT: Mapping[str, Any] = {"kind": "send_sms", "template": "hello-text"}


async def template(
    key: str = "hello",
    *,
    channel: MessageChannel = MessageChannel.EMAIL,
    purpose: MessagePurpose = MessagePurpose.MARKETING,
    trigger: str | None = None,
) -> None:
    """A published template that needs nothing to be printed but what the law asks for."""
    is_mail = channel is MessageChannel.EMAIL
    text = TemplateText("en", None, None, MJML if is_mail else None, PLAIN if is_mail else SHORT)
    await library.save_template(
        key=key, name=key, channel=channel, purpose=purpose, trigger=trigger, versions=[text], publish=True
    )


def definition(*steps: Mapping[str, Any], **outer: Any) -> dict[str, Any]:
    """Starts on `checkout.started` unless it says otherwise. Steps without a key are called `step-1`, `step-2` …"""
    keyed = [{"key": f"step-{place}", **step} for place, step in enumerate(steps, start=1)]
    trigger = {} if "triggers" in outer else {"trigger": {"event": "checkout.started"}}
    return {**trigger, **outer, "steps": keyed}


async def save(key: str, *steps: Mapping[str, Any], **outer: Any) -> uuid.UUID:
    return (await service.save(key=key, name=key.capitalize(), definition=definition(*steps, **outer))).id


async def publish(key: str, *steps: Mapping[str, Any], **outer: Any) -> uuid.UUID:
    """A published flow; what it sends is there: `hello` for email, `hello-text` for SMS."""
    await template("hello")
    await template("hello-text", channel=MessageChannel.SMS)
    flow_id = await save(key, *steps, **outer)
    await service.publish(flow_id)
    return flow_id


async def change(flow_id: uuid.UUID, *steps: Mapping[str, Any], publish: bool = True, **outer: Any) -> int:
    """A new version, published or not; returns its number."""
    name = await db.fetchval("SELECT name FROM flows WHERE id = $1", flow_id)
    saved = await service.save(flow_id=flow_id, name=name, definition=definition(*steps, **outer))
    if publish:
        await service.publish(flow_id)
    return saved.version


async def person(email: str = EMAIL, *, phone: str | None = None) -> uuid.UUID:
    """Somebody who agreed to everything that they can be reached by."""
    channels = [MessageChannel.EMAIL, *([MessageChannel.SMS] if phone else [])]
    return await customers.profile(email=email, phone=phone, consents=channels, announced=False)


async def happens(event_type: str, profile_id: uuid.UUID, **facts: object) -> uuid.UUID:
    """What the domain that it happens in would record. Names of ids (`cart_id`) and of other data as they are."""
    ids = {name: facts.pop(name) for name in ("cart_id", "order_id", "product_id") if name in facts}
    if event_type == "checkout.started":
        facts.setdefault("checkoutId", str(new_id()))
    async with db.unit_of_work():
        return await timeline.record(event_type, profile_id=profile_id, data=facts, **ids)  # type: ignore[arg-type]


async def runs(profile_id: uuid.UUID | None = None) -> list[dict[str, Any]]:
    """Oldest first, with the flow's key and the names of the columns."""
    rows = await db.fetch(
        """
        SELECT r.*, f.key AS flow FROM flow_runs r JOIN flows f ON f.id = r.flow_id
        WHERE $1::uuid IS NULL OR r.profile_id = $1 ORDER BY r.id
        """,
        profile_id,
    )
    return [{**row, "state": orjson.loads(row["state"]), "trigger": orjson.loads(row["trigger"])} for row in rows]


async def run() -> dict[str, Any]:
    """The only one."""
    [found] = await runs()
    return found


async def story(run_id: uuid.UUID | None = None) -> list[str]:
    """What the steps came to: `wait-4h WAITING`, `remind-1 SKIPPED NO_CONSENT`."""
    rows = await db.fetch(
        """
        SELECT step_key, outcome, reason FROM flow_run_steps WHERE $1::uuid IS NULL OR run_id = $1 ORDER BY at, id
        """,
        run_id,
    )
    return [" ".join(part for part in (row["step_key"], row["outcome"], row["reason"]) if part) for row in rows]


async def sent() -> list[str]:
    """Rows of the ledger, oldest first: `step-1 SENT`, `step-2 SKIPPED NO_CONSENT`."""
    rows = await db.fetch("SELECT step_key, state, reason FROM messages ORDER BY id")
    return [" ".join(str(part) for part in row.values() if part) for row in rows]
