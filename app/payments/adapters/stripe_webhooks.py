"""Stripe's webhooks. Source: https://docs.stripe.com/webhooks#verify-manually"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
import stripe

from app.payments.adapters import stripe_disputes
from app.payments.adapters.stripe_reading import PAYMENT, intent_named_by, uuid_of
from app.payments.gateway import InvalidWebhookError, Notice

TOLERANCE = timedelta(minutes=5)
"""Stripe signs each delivery anew, those of earlier events too."""


def notice(headers: Mapping[str, str], body: bytes, now: datetime, secrets: Sequence[str]) -> Notice:
    """Raises InvalidWebhookError. While a secret is being exchanged there are two, and one signature is enough."""
    header = headers.get("stripe-signature", "")
    if not any(_is_signed(body, header, secret) for secret in secrets):
        raise InvalidWebhookError("signature")
    if abs(now.timestamp() - _signed_at(header)) > TOLERANCE.total_seconds():
        raise InvalidWebhookError("timestamp")
    try:
        event = orjson.loads(body)
        event_id, thing = str(event["id"]), event["data"]["object"]
        disputes = frozenset({str(thing["id"])}) if stripe_disputes.is_dispute(thing) else frozenset[str]()
        return Notice(event_id=event_id, payment_ids=_named(thing), references=_referred(thing), disputes=disputes)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidWebhookError("body") from None


def _is_signed(body: bytes, header: str, secret: str) -> bool:
    try:
        # The SDK's own look at the time takes this machine's clock; the caller's is asked below.
        return bool(stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None))
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False


def _signed_at(header: str) -> int:
    """Of a header that is signed, so it is of the right form."""
    return next(int(text[2:]) for text in header.split(",") if text.startswith("t="))


def _named(thing: Mapping[str, Any]) -> frozenset[uuid.UUID]:
    named = uuid_of((thing.get("metadata") or {}).get(PAYMENT))
    return frozenset() if named is None else frozenset({named})


def _referred(thing: Mapping[str, Any]) -> frozenset[str]:
    reference = intent_named_by(thing)
    return frozenset() if reference is None else frozenset({reference})
