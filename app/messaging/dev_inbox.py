"""The developer's inbox: mail and texts of a shop in development, kept as their receivers would get them."""

import email
import email.policy
import uuid
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from app import db
from app.kit.ids import new_id
from app.messaging.models import MessageChannel, MessagePurpose
from app.messaging.transports import OutgoingCall, OutgoingEmail, OutgoingMessage, OutgoingSms

DEFAULT_LISTED = 50
MAX_LISTED = 100

_STORE = """
    INSERT INTO dev_messages (id, message_id, channel, purpose, recipient, content, template, deliveries, sent_at,
                              flow_key, step_key)
    SELECT $1, $2, $3, $4, $5, $6, $7, 1, business_now(), f.key, m.step_key
    FROM (SELECT) one LEFT JOIN messages m ON m.id = $2 LEFT JOIN flows f ON f.id = m.flow_id
    ON CONFLICT (message_id) DO UPDATE SET deliveries = dev_messages.deliveries + 1
"""


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A received message, taken apart again. SMS and calls have only `text`."""

    id: uuid.UUID
    channel: MessageChannel
    purpose: MessagePurpose
    template: str
    to: str
    subject: str | None
    html: str | None
    text: str
    headers: dict[str, str]
    deliveries: int
    """How often it arrived; above 1 after a crash between sending and noting it."""
    sent_at: datetime
    flow_key: str | None
    step_key: str | None


class DevEmailTransport:
    async def send(self, email: OutgoingEmail) -> str | None:
        content = email.mime.as_bytes(policy=_WIRE)
        await _store(email, MessageChannel.EMAIL, content)
        return "developer inbox"


class DevSmsTransport:
    async def send(self, sms: OutgoingSms) -> str | None:
        await _store(sms, MessageChannel.SMS, sms.text.encode())
        return "developer inbox"


class DevVoiceTransport:
    async def send(self, call: OutgoingCall) -> str | None:
        """Keeps the text that would be spoken."""
        await _store(call, MessageChannel.VOICE, call.text.encode())
        return "developer inbox"


_WIRE = email.policy.SMTP


async def _store(message: OutgoingMessage, channel: MessageChannel, content: bytes) -> None:
    await db.execute(
        _STORE, new_id(), message.id, channel, message.purpose, message.recipient, content, message.template
    )


async def list_messages(to: str | None = None, first: int = DEFAULT_LISTED) -> list[InboxMessage]:
    """The newest messages, to one receiver or to all; at most 100."""
    rows = await db.fetch(
        """
        SELECT id, channel, purpose, template, recipient, content, deliveries, sent_at, flow_key, step_key
        FROM dev_messages
        WHERE $1::text IS NULL OR lower(recipient) = lower($1)
        ORDER BY sent_at DESC, id DESC LIMIT $2
        """,
        to,
        max(0, min(first, MAX_LISTED)),
    )
    return [_read(row) for row in rows]


async def fingerprint() -> str:
    """Another one whenever the inbox has changed, without reading its mails."""
    mark: str = await db.fetchval(
        "SELECT concat_ws('-', count(*), coalesce(sum(deliveries), 0), max(id::text)) FROM dev_messages"
    )
    return mark


async def get_message(id: uuid.UUID) -> InboxMessage | None:
    """One message by its own id, as `list_messages` gives it."""
    row = await db.fetchrow(
        """
        SELECT id, channel, purpose, template, recipient, content, deliveries, sent_at, flow_key, step_key
        FROM dev_messages WHERE id = $1
        """,
        id,
    )
    return _read(row) if row else None


def _read(row: db.Record) -> InboxMessage:
    content: bytes = row["content"]
    channel = MessageChannel(row["channel"])
    subject: str | None = None
    html: str | None = None
    headers: dict[str, str] = {}
    if channel is MessageChannel.EMAIL:
        mail = email.message_from_bytes(content, EmailMessage, policy=email.policy.default)
        headers = {name: str(value) for name, value in mail.items()}
        subject = headers.get("Subject")
        text = _part(mail, "plain") or ""
        html = _part(mail, "html")
    else:
        text = content.decode()
    return InboxMessage(
        id=row["id"],
        channel=channel,
        purpose=MessagePurpose(row["purpose"]),
        template=row["template"],
        to=row["recipient"],
        subject=subject,
        html=html,
        text=text,
        headers=headers,
        deliveries=row["deliveries"],
        sent_at=row["sent_at"],
        flow_key=row["flow_key"],
        step_key=row["step_key"],
    )


def _part(mail: EmailMessage, kind: str) -> str | None:
    part = mail.get_body((kind,))
    if part is None:
        return None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")
