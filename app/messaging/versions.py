"""Reading the versions that messages are written from. A version never changes, so each process reads it once."""

import uuid
from dataclasses import dataclass

from app import db
from app.messaging.library import TemplateText
from app.messaging.models import MessageChannel, MessagePurpose

KEPT = 512


@dataclass(frozen=True, slots=True)
class Version:
    id: uuid.UUID
    key: str
    channel: MessageChannel
    purpose: MessagePurpose
    trigger: str | None
    text: TemplateText


_known: dict[uuid.UUID, Version] = {}


async def load(version_id: uuid.UUID) -> Version | None:
    if version_id in _known:
        return _known[version_id]
    row = await db.fetchrow(
        """
        SELECT t.key, t.channel, t.purpose, t.trigger, v.language, v.subject, v.preheader, v.mjml, v.text
        FROM message_template_versions v JOIN message_templates t ON t.id = v.template_id WHERE v.id = $1
        """,
        version_id,
    )
    if row is None:
        return None
    version = Version(
        id=version_id,
        key=row["key"],
        channel=MessageChannel(row["channel"]),
        purpose=MessagePurpose(row["purpose"]),
        trigger=row["trigger"],
        text=TemplateText(row["language"], row["subject"], row["preheader"], row["mjml"], row["text"]),
    )
    if len(_known) >= KEPT:
        _known.clear()
    _known[version_id] = version
    return version
