"""Postmark's webhooks.

Source: https://postmarkapp.com/developer/webhooks/webhooks-overview, …/bounce-webhook, …/delivery-webhook,
…/spam-complaint-webhook and …/subscription-change-webhook. Postmark signs nothing: it signs in with the user name and
password that are part of the webhook's URL there.
"""

import base64
import hmac
from collections.abc import Mapping
from typing import Any

from app.messaging.provider_notices.keeping import Notice, NoticeKind
from app.messaging.provider_notices.message_ids import from_hex

PROVIDER = "postmark"
_BOUNCES = {
    "HardBounce": NoticeKind.HARD_BOUNCE,
    "BadEmailAddress": NoticeKind.HARD_BOUNCE,
    "SpamNotification": NoticeKind.SOFT_BOUNCE,
    "SpamComplaint": NoticeKind.COMPLAINT,
    "Unsubscribe": NoticeKind.UNSUBSCRIBED,
}
"""By `Type`; any other did not arrive this time, and may the next."""


def is_signed_in(authorization: str, login: str) -> bool:
    scheme, _, encoded = authorization.partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True) if scheme.lower() == "basic" else b""
    except ValueError:
        given = b""
    return hmac.compare_digest(given, login.encode())


def notices(body: Mapping[str, Any]) -> list[Notice]:
    """One or none. Raises KeyError, TypeError or ValueError for what is not Postmark's."""
    record = body["RecordType"]
    reference = str(body["MessageID"])
    metadata = body.get("Metadata")
    message_id = from_hex(metadata.get("message")) if isinstance(metadata, dict) else None
    code: str | None = None
    external_id = f"{reference}:{record}"
    match record:
        case "Delivery":
            kind = NoticeKind.DELIVERED
        case "Bounce":
            kind = _BOUNCES.get(body["Type"], NoticeKind.SOFT_BOUNCE)
            external_id, code = f"bounce:{body['ID']}", f"{body['Type']} {body.get('TypeCode', '')}".strip()
        case "SpamComplaint":
            kind, external_id = NoticeKind.COMPLAINT, f"bounce:{body['ID']}"
        case "SubscriptionChange" if body.get("SuppressSending") and body.get("Origin") == "Recipient":
            kind, external_id = NoticeKind.UNSUBSCRIBED, f"{reference}:{body['ChangedAt']}"
        case _:
            return []
    return [Notice(PROVIDER, external_id, kind, message_id, reference, code)]
