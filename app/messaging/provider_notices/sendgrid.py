"""SendGrid's event webhook, signed.

Source: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event and
…/getting-started-event-webhook-security-features: an ECDSA signature over timestamp and body, by a key of the account.
"""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.messaging.provider_notices.keeping import Notice, NoticeKind
from app.messaging.provider_notices.message_ids import from_header

PROVIDER = "sendgrid"
SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
TOLERANCE = timedelta(hours=25)
"""SendGrid tries for a day to get a webhook through; a repetition within it changes nothing."""
_DROPPED = {
    "Bounced Address": NoticeKind.HARD_BOUNCE,
    "Invalid": NoticeKind.HARD_BOUNCE,
    "Unsubscribed Address": NoticeKind.UNSUBSCRIBED,
    "Spam Reporting Address": NoticeKind.COMPLAINT,
}
_KINDS = {
    "delivered": NoticeKind.DELIVERED,
    "deferred": NoticeKind.SOFT_BOUNCE,
    "spamreport": NoticeKind.COMPLAINT,
    "unsubscribe": NoticeKind.UNSUBSCRIBED,
    "group_unsubscribe": NoticeKind.UNSUBSCRIBED,
}


@lru_cache(maxsize=4)
def public_key(text: str) -> ec.EllipticCurvePublicKey:
    """The verification key as SendGrid shows it: base64 of DER. Raises ValueError."""
    key = load_der_public_key(base64.b64decode(text))
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("not an elliptic curve key")
    return key


def is_signed(key: ec.EllipticCurvePublicKey, signature: str, timestamp: str, body: bytes, now: datetime) -> bool:
    try:
        if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
            return False
        key.verify(base64.b64decode(signature, validate=True), timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return True


def notices(events: object) -> list[Notice]:
    """Of a batch. Raises TypeError for what is no list of events; one that says nothing to us is left out."""
    if not isinstance(events, list):
        raise TypeError("not a list of events")
    found = (_notice(event) for event in events if isinstance(event, dict))
    return [notice for notice in found if notice is not None]


def _notice(event: Mapping[str, Any]) -> Notice | None:
    name, external_id = event.get("event"), event.get("sg_event_id")
    if not isinstance(name, str) or not isinstance(external_id, str):
        return None
    kind = _KINDS.get(name)
    if name == "bounce":
        # "blocked" is what SendGrid calls a refusal that is not about the address.
        kind = NoticeKind.SOFT_BOUNCE if event.get("type") == "blocked" else NoticeKind.HARD_BOUNCE
    elif name == "dropped":
        kind = _DROPPED.get(str(event.get("reason")), NoticeKind.FAILED)
    if kind is None:
        return None
    status = event.get("status")
    code = status if isinstance(status, str) else name
    return Notice(PROVIDER, external_id, kind, from_header(event.get("smtp-id")), None, code)
