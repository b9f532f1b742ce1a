"""Signatures after Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks, specification 1.0)."""

import base64
import uuid
from datetime import UTC, datetime

from standardwebhooks import Webhook

from app.keys import keyring

PREFIX = "whsec_"


def secrets_of(endpoint_id: uuid.UUID, generation: int) -> list[str]:
    """The endpoint's secret, as its receiver has it, under every key of the ring; the newest first.

    256 bits, derived: nothing that signs is stored. The receiver holds the one that was shown; which key of the ring it
    was made with, nobody knows any more, so deliveries carry a signature under each.
    """
    halves = [keyring().derivations(f"webhook-secret:{generation}:{half}", endpoint_id) for half in ("a", "b")]
    return [
        PREFIX + base64.b64encode(_bytes(first) + _bytes(second)).decode()
        for first, second in zip(*halves, strict=True)
    ]


def _bytes(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "==")


def signed_headers(secrets: list[str], message_id: str, body: str) -> dict[str, str]:
    """`webhook-id`, `webhook-timestamp` (real time) and `webhook-signature` with one signature for each secret."""
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, now, body) for secret in secrets),
    }
