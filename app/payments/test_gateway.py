"""The gateway `test`, for development and tests: a card provider whose answers the token decides.

    tok_success          authorised
    tok_declined         declined
    tok_requires_action  the shopper has to approve at a page of the provider's, see `dev_page`
    tok_timeout          authorised, but the answer gets lost on the way
    tok_late_webhook     no answer yet; a webhook brings it a few seconds later

A saved card goes on as the token did that it was saved with.

It stands for somebody else's server: its table is the provider's own database, and the shop learns of it only by what
this class answers and by its webhooks, which come over HTTP, signed as Standard Webhooks are (the id, the time and the
body under HMAC-SHA256; https://www.standardwebhooks.com).
"""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx2
import orjson

from app import db, events
from app.keys import keyring
from app.kit.ids import new_id
from app.payments.gateway import (
    Action,
    Authorisation,
    GatewayPayment,
    GatewayRefusedError,
    GatewayState,
    GatewayUnavailableError,
    InvalidWebhookError,
    PaymentActionType,
    SavedCard,
)
from app.payments.models import PaymentMethod
from app.settings import get_settings

NAME = "test"
LATE_WEBHOOK_SECONDS = 2.0
WEBHOOK_TIMEOUT_SECONDS = 10.0
WEBHOOK_TOLERANCE = timedelta(minutes=5)
CHANGED = "test_gateway.changed"
"""Event of the pretended provider: it has something to tell the shop."""

_STATE_BY_TOKEN = {
    "tok_success": GatewayState.AUTHORIZED,
    "tok_declined": GatewayState.DECLINED,
    "tok_requires_action": GatewayState.REQUIRES_ACTION,
    "tok_timeout": GatewayState.AUTHORIZED,
    "tok_late_webhook": GatewayState.PENDING,
}
_ANSWER_LOST = "tok_timeout"
_DECLINED = "The card was declined."
_NOT_KNOWN = "The test gateway takes tok_success, tok_declined, tok_requires_action, tok_timeout, tok_late_webhook."
_SAVED = "test_card_"
_WEBHOOK_KEY_SUBJECT = uuid.UUID(int=0)


class TestGateway:
    __test__ = False
    """Not a test, whatever pytest makes of the name."""

    name = NAME
    methods = frozenset({PaymentMethod.CARD})
    saves = True

    async def authorise(self, request: Authorisation) -> GatewayPayment:
        if request.saved_reference is not None:
            request = replace(request, token=await saved_token(request.saved_reference) or "")
        state = _STATE_BY_TOKEN.get(request.token, GatewayState.DECLINED)
        row = await (self._open_late(request) if state is GatewayState.PENDING else self._open(request, state))
        if row is None:
            asked_before = await self.retrieve(request.payment_id)
            if asked_before is None:
                raise GatewayUnavailableError("the payment is being written")
            return asked_before
        if request.token == _ANSWER_LOST:
            raise GatewayUnavailableError("the answer was lost")
        return _payment(row)

    async def forget(self, reference: str) -> None:
        await db.execute(
            "UPDATE test_gateway_payments SET forgotten_at = clock_timestamp() WHERE id = $1 AND forgotten_at IS NULL",
            _saved_id(reference),
        )

    async def _open_late(self, request: Authorisation) -> db.Record | None:
        async with db.unit_of_work():
            row = await self._open(request, GatewayState.PENDING)
            if row is not None:
                await events.record(CHANGED, subject_id=row["id"], delay_seconds=LATE_WEBHOOK_SECONDS)
        return row

    @staticmethod
    async def _open(request: Authorisation, state: GatewayState) -> db.Record | None:
        """None when the payment was asked for before."""
        return await db.fetchrow(
            """
            INSERT INTO test_gateway_payments (id, idempotency_key, token, amount_minor, currency_code, state,
                                               return_url, saves, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())
            ON CONFLICT (idempotency_key) DO NOTHING RETURNING *
            """,
            new_id(),
            str(request.payment_id),
            request.token[:80],
            request.amount_minor,
            request.currency,
            state.value,
            request.return_url,
            request.save,
        )

    async def retrieve(self, payment_id: uuid.UUID) -> GatewayPayment | None:
        row = await db.fetchrow("SELECT * FROM test_gateway_payments WHERE idempotency_key = $1", str(payment_id))
        return None if row is None else _payment(row)

    async def capture(self, payment_id: uuid.UUID, amount_minor: int) -> GatewayPayment:
        row = await db.fetchrow(
            """
            UPDATE test_gateway_payments SET state = 'CAPTURED'
            WHERE idempotency_key = $1 AND state IN ('AUTHORIZED', 'CAPTURED') AND amount_minor = $2 RETURNING *
            """,
            str(payment_id),
            amount_minor,
        )
        if row is None:
            raise GatewayRefusedError("nothing_to_capture")
        return _payment(row)

    async def void(self, payment_id: uuid.UUID) -> None:
        state = await db.fetchval(
            """
            INSERT INTO test_gateway_payments (id, idempotency_key, token, amount_minor, currency_code, state,
                                               created_at)
            VALUES ($1, $2, '', 0, 'XXX', 'VOIDED', clock_timestamp())
            ON CONFLICT (idempotency_key) DO UPDATE SET state = CASE
                WHEN test_gateway_payments.state IN ('CAPTURED', 'DECLINED') THEN test_gateway_payments.state
                ELSE 'VOIDED' END
            RETURNING state
            """,
            new_id(),
            str(payment_id),
        )
        if state == GatewayState.CAPTURED.value:
            raise GatewayRefusedError("already_captured")

    def notified_payments(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[uuid.UUID]:
        message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
            raise InvalidWebhookError("timestamp")
        if abs(now.timestamp() - int(timestamp)) > WEBHOOK_TOLERANCE.total_seconds():
            raise InvalidWebhookError("timestamp")
        sent = headers.get("webhook-signature", "").split()
        expected = [signature(key, message_id, timestamp, body) for key in _webhook_keys()]
        if not any(hmac.compare_digest(one.encode(), other.encode()) for one in sent for other in expected):
            raise InvalidWebhookError("signature")
        try:
            return [uuid.UUID(str(orjson.loads(body)["payment"]))]
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidWebhookError("body") from error


def _payment(row: Mapping[str, Any]) -> GatewayPayment:
    state = GatewayState(row["state"])
    declined = state is GatewayState.DECLINED
    known = row["token"] in _STATE_BY_TOKEN
    return GatewayPayment(
        state=state,
        reference=f"test_{row['id'].hex}",
        action=Action(PaymentActionType.REDIRECT, page_url(row["id"]))
        if state is GatewayState.REQUIRES_ACTION
        else None,
        failure_code=("card_declined" if known else "invalid_token") if declined else None,
        message=(_DECLINED if known else _NOT_KNOWN) if declined else None,
        saved=_card(row) if row["saves"] and state in (GatewayState.AUTHORIZED, GatewayState.CAPTURED) else None,
    )


def _card(row: Mapping[str, Any]) -> SavedCard:
    """The card that every token of this gateway stands for."""
    return SavedCard(
        reference=f"{_SAVED}{row['id'].hex}",
        brand="visa",
        last_characters="4242",
        expires_month=12,
        expires_year=row["created_at"].year + 3,
    )


def _saved_id(reference: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(hex=reference.removeprefix(_SAVED)) if reference.startswith(_SAVED) else None
    except ValueError:
        return None


async def saved_token(reference: str) -> str | None:
    """A saved card goes on as the token did that it was saved with; None for one that is not kept (any more)."""
    token: str | None = await db.fetchval(
        "SELECT token FROM test_gateway_payments WHERE id = $1 AND saves AND forgotten_at IS NULL",
        _saved_id(reference),
    )
    return token


def page_url(gateway_payment_id: uuid.UUID) -> str:
    return f"{get_settings().public_url}/dev/payments/{gateway_payment_id}"


# --- the provider's side ----------------------------------------------------------------------------------------------


async def decide(gateway_payment_id: uuid.UUID, *, approve: bool) -> db.Record | None:
    """The shopper clicked on the provider's page. Returns the payment as it stands then; None when there is none.

    A payment that no longer waits for the shopper stays as it is.
    """
    async with db.unit_of_work():
        decided = await db.execute(
            "UPDATE test_gateway_payments SET state = $2 WHERE id = $1 AND state = 'REQUIRES_ACTION'",
            gateway_payment_id,
            (GatewayState.AUTHORIZED if approve else GatewayState.DECLINED).value,
        )
        if decided:
            await events.record(CHANGED, subject_id=gateway_payment_id)
        return await find(gateway_payment_id)


async def find(gateway_payment_id: uuid.UUID) -> db.Record | None:
    return await db.fetchrow("SELECT * FROM test_gateway_payments WHERE id = $1", gateway_payment_id)


async def notify(gateway_payment_id: uuid.UUID) -> None:
    """Send the shop a webhook about the payment; what was still undecided is authorised by now.

    Raises:
        httpx2.HTTPError: the shop did not take it; the event comes again.
    """
    row = await db.fetchrow(
        """
        UPDATE test_gateway_payments SET state = CASE state WHEN 'PENDING' THEN 'AUTHORIZED' ELSE state END
        WHERE id = $1 RETURNING *
        """,
        gateway_payment_id,
    )
    if row is None:
        return
    body = orjson.dumps({"type": "payment.changed", "payment": row["idempotency_key"]})
    response = await post(f"{get_settings().public_url}/webhooks/payments/{NAME}", body, signed_headers(body))
    response.raise_for_status()


async def post(url: str, body: bytes, headers: dict[str, str]) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=WEBHOOK_TIMEOUT_SECONDS, trust_env=False) as client:
        return await client.post(url, content=body, headers=headers)


def signed_headers(body: bytes, moment: datetime | None = None) -> dict[str, str]:
    timestamp = str(int((moment or datetime.now().astimezone()).timestamp()))
    message_id = f"msg_{new_id().hex}"
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(_webhook_keys()[0], message_id, timestamp, body),
    }


def signature(key: str, message_id: str, timestamp: str, body: bytes) -> str:
    digest = hmac.digest(key.encode(), f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def _webhook_keys() -> list[str]:
    return keyring().derivations("test-gateway-webhook", _WEBHOOK_KEY_SUBJECT)
