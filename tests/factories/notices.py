"""What providers' webhooks send, signed as they do, and a message that they can be about."""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from app import db
from app.kit.ids import new_id
from app.messaging.inbound_twilio import signature
from app.messaging.models import MessageChannel
from app.messaging.provider_notices import sendgrid
from app.settings import Settings
from tests.factories import customers

TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
LOGIN = "tradewind:a-long-webhook-password"
TWILIO_TOKEN = "twilio-token-of-the-account"


async def message(
    *,
    channel: str = "EMAIL",
    recipient: str = "ada@customer.example",
    profile_id: uuid.UUID | None = None,
    state: str = "SENT",
    reference: str | None = None,
    purpose: str = "MARKETING",
    campaign_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """A row of the ledger, sent."""
    message_id = new_id()
    await db.execute(
        """
        INSERT INTO messages (id, dedupe_key, channel, purpose, template, recipient, context, state, reason,
                              profile_id, campaign_id, attempts, provider_reference, created_at, sent_at)
        VALUES ($1, $2, $3, $4, 'news', $5, '{}', $6::text, CASE WHEN $6::text = 'UNKNOWN' THEN 'NO_ANSWER' END, $7, $8,
                1, $9, business_now(), CASE WHEN $6::text = 'SENT' THEN business_now() END)
        """,
        message_id,
        f"test:{message_id.hex}",
        channel,
        purpose,
        recipient,
        state,
        profile_id,
        campaign_id,
        reference,
    )
    return message_id


async def mail_to_ada(**more: Any) -> uuid.UUID:
    """To somebody who agreed to it."""
    profile_id = await customers.profile(email="ada@customer.example", consents=[MessageChannel.EMAIL], announced=False)
    return await message(profile_id=profile_id, **more)


async def marks(message_id: uuid.UUID) -> set[str]:
    """What is known of what became of it."""
    row = await db.fetchrow("SELECT * FROM messages WHERE id = $1", message_id)
    assert row is not None
    columns = ("delivered_at", "bounced_at", "complained_at", "unsubscribed_at")
    return {column.removesuffix("_at") for column in columns if row[column]}


async def nothing_changed(message_id: uuid.UUID) -> None:
    assert await marks(message_id) == set()
    assert await db.fetchval("SELECT count(*) FROM provider_notices") == 0
    assert await db.fetchval("SELECT count(*) FROM events") == 0


def header_of(message_id: uuid.UUID) -> str:
    return f"<{message_id.hex}@shop.example>"


@dataclass
class Providers:
    """All four, with keys of their own; what they post goes to the shop's API."""

    http: httpx2.AsyncClient
    public_url: str
    rsa_key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    ec_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def settings(self) -> dict[str, object]:
        public = self.ec_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {
            "ses_topic_arns": [TOPIC],
            "postmark_webhook_login": LOGIN,
            "sendgrid_webhook_key": base64.b64encode(public).decode(),
            "twilio_auth_token": TWILIO_TOKEN,
        }

    def certificate(self, *, valid_days: int = 30) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.rsa_key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=valid_days))
            .sign(self.rsa_key, hashes.SHA256())
            .public_bytes(Encoding.PEM)
        )

    # --- Amazon ---------------------------------------------------------------------------------------------------

    def sns(self, content: object, *, kind: str = "Notification", version: str = "2", **changed: Any) -> dict[str, Any]:
        body: dict[str, Any] = {
            "Type": kind,
            "MessageId": str(uuid.uuid4()),
            "TopicArn": TOPIC,
            "Message": content if isinstance(content, str) else orjson.dumps(content).decode(),
            "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": version,
            "SigningCertURL": CERTIFICATE_URL,
        }
        if kind == "SubscriptionConfirmation":
            body |= {"Token": "token-1", "SubscribeURL": "https://evil.example/confirm"}
        body |= changed
        names = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
        signed = "".join(f"{name}\n{body[name]}\n" for name in names if name in body)
        algorithm: hashes.HashAlgorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
        body["Signature"] = base64.b64encode(self.rsa_key.sign(signed.encode(), padding.PKCS1v15(), algorithm)).decode()
        return body

    async def ses(self, body: Mapping[str, Any]) -> int:
        headers = {"Content-Type": "text/plain; charset=UTF-8"}
        return (await self.http.post("/webhooks/ses", content=orjson.dumps(body), headers=headers)).status_code

    # --- Postmark, SendGrid, Twilio -------------------------------------------------------------------------------

    async def postmark(self, body: object, login: str | None = LOGIN) -> int:
        headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
        return (await self.http.post("/webhooks/postmark", json=body, headers=headers)).status_code

    async def sendgrid(self, body: object, *, at: datetime | None = None, key: Any = None) -> int:
        content = orjson.dumps(body)
        timestamp = str(int((at or datetime.now(UTC)).timestamp()))
        signed = (key or self.ec_key).sign(timestamp.encode() + content, ec.ECDSA(hashes.SHA256()))
        headers = {sendgrid.SIGNATURE: base64.b64encode(signed).decode(), sendgrid.TIMESTAMP: timestamp}
        return (await self.http.post("/webhooks/sendgrid", content=content, headers=headers)).status_code

    async def twilio(self, message_id: uuid.UUID | None, token: str = TWILIO_TOKEN, **form: str) -> int:
        path = "/webhooks/twilio/status" + (f"?message={message_id.hex}" if message_id else "")
        headers = {
            "X-Twilio-Signature": signature(token, self.public_url + path, list(form.items())),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return (await self.http.post(path, content=urlencode(form), headers=headers)).status_code


def ses_bounce(message_id: uuid.UUID | None, kind: str = "Permanent", **mail: Any) -> dict[str, Any]:
    return {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": "ada@customer.example", "status": "5.1.1"}],
        },
        "mail": ses_mail(message_id, **mail),
    }


def ses_mail(message_id: uuid.UUID | None, reference: str = "0102-ses") -> dict[str, Any]:
    headers = [{"name": "Subject", "value": "News"}]
    if message_id:
        headers.append({"name": "Message-ID", "value": header_of(message_id)})
    return {"messageId": reference, "headersTruncated": False, "headers": headers, "commonHeaders": {"subject": "News"}}


def changed(settings: Settings, **values: object) -> Settings:
    return settings.model_copy(update=values)
