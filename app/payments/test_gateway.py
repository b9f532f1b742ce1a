"""The gateway `test`, for development and tests: a provider whose answers the token decides.

    tok_success          authorised
    tok_declined         declined
    tok_requires_action  the shopper has to approve at a page of the provider's, see `dev_page`
    tok_timeout          authorised, but the answer gets lost on the way
    tok_late_webhook     no answer yet; a webhook brings it a few seconds later

A saved card goes on as the token did that it was saved with. PAYPAL and WALLET need no token: the shopper agrees at the
provider's page, by redirect or with a client secret, and PAYPAL sets nothing aside before the shop proceeds.

It stands for somebody else's server: its tables (`test_ledger`) are the provider's own database, and the shop learns of
it only by what this class answers and by its webhooks, which come over HTTP, signed as Standard Webhooks are (the id,
the time and the body under HMAC-SHA256; https://www.standardwebhooks.com).
"""

import base64
import hashlib
import hmac
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx2
import orjson

from app import db, events
from app.keys import keyring
from app.kit.ids import new_id
from app.payments import test_ledger
from app.payments.gateway import (
    Action,
    Authorisation,
    Capture,
    Check,
    GatewayPayment,
    GatewayRefund,
    GatewayRefundState,
    GatewayRefusedError,
    GatewayState,
    GatewayUnavailableError,
    InvalidWebhookError,
    KnownPayment,
    Notice,
    PaymentActionType,
    RefundRequest,
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
    "tok_paypal": GatewayState.REQUIRES_ACTION,
    "tok_wallet": GatewayState.REQUIRES_ACTION,
}
_TOKENLESS = {PaymentMethod.PAYPAL: "tok_paypal", PaymentMethod.WALLET: "tok_wallet"}
_ANSWER_LOST = "tok_timeout"
_DECLINED = "The card was declined."
_NOT_KNOWN = "The test gateway takes tok_success, tok_declined, tok_requires_action, tok_timeout, tok_late_webhook."
_SAVED = "test_card_"
_SUCCEEDED = (GatewayState.AUTHORIZED, GatewayState.CAPTURED)
_WEBHOOK_KEY_SUBJECT = uuid.UUID(int=0)


class TestGateway:
    __test__ = False
    """Not a test, whatever pytest makes of the name."""

    name = NAME
    methods = frozenset({PaymentMethod.CARD, PaymentMethod.WALLET, PaymentMethod.PAYPAL})
    tokenless = frozenset(_TOKENLESS)
    redirects = tokenless
    saves = frozenset({PaymentMethod.CARD})
    captures_in_parts = True
    client_key: str | None = None

    async def authorise(self, request: Authorisation) -> GatewayPayment:
        token = request.token or _TOKENLESS.get(request.method, "")
        if request.saved_reference is not None:
            token = await test_ledger.saved_token(_saved_id(request.saved_reference)) or ""
        state = _STATE_BY_TOKEN.get(token, GatewayState.DECLINED)
        if state is GatewayState.AUTHORIZED and request.capture_now:
            state = GatewayState.CAPTURED
        row = await self._open(request, token, state)
        if row is None:
            asked_before = await self._find(request.payment_id)
            if asked_before is None:
                raise GatewayUnavailableError("the payment is being written")
            return asked_before
        if token == _ANSWER_LOST:
            raise GatewayUnavailableError("the answer was lost")
        return _payment(row)

    @staticmethod
    async def _open(request: Authorisation, token: str, state: GatewayState) -> db.Record | None:
        if state is not GatewayState.PENDING:
            return await test_ledger.open_payment(request, token, state)
        async with db.unit_of_work():
            row = await test_ledger.open_payment(request, token, state)
            if row is not None:
                await events.record(CHANGED, subject_id=row["id"], delay_seconds=LATE_WEBHOOK_SECONDS)
        return row

    async def proceed(self, payment: KnownPayment, *, capture_now: bool) -> GatewayPayment:
        await test_ledger.proceed(payment.id, capture_now=capture_now)
        found = await self._find(payment.id)
        if found is None:
            raise GatewayRefusedError("no_such_payment")
        return found

    async def retrieve(self, payment: KnownPayment) -> GatewayPayment | None:
        return await self._find(payment.id)

    @staticmethod
    async def _find(payment_id: uuid.UUID) -> GatewayPayment | None:
        row = await test_ledger.find(payment_id)
        return None if row is None else _payment(row)

    async def capture(self, request: Capture) -> GatewayPayment:
        done = await test_ledger.capture(
            request.payment.id, request.id, request.amount_minor, is_final=request.is_final
        )
        found = await self._find(request.payment.id)
        if not done or found is None:
            raise GatewayRefusedError("nothing_to_capture")
        return found

    async def void(self, payment: KnownPayment) -> None:
        if await test_ledger.void(payment.id) is GatewayState.CAPTURED:
            raise GatewayRefusedError("already_captured")

    async def refund(self, request: RefundRequest) -> GatewayRefund:
        if not await test_ledger.refund(request.payment.id, request.id, request.amount_minor):
            raise GatewayRefusedError("nothing_to_refund")
        for made in await self.refunds_of(request.payment):
            if made.refund_id == request.id:
                return made
        raise GatewayUnavailableError("the refund is being written")

    async def refunds_of(self, payment: KnownPayment) -> Sequence[GatewayRefund]:
        return [_refund(row) for row in await test_ledger.refunds(payment.id)]

    async def forget(self, reference: str) -> None:
        await test_ledger.forget(_saved_id(reference))

    async def notified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
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
            payment_id = uuid.UUID(str(orjson.loads(body)["payment"]))
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidWebhookError("body") from error
        return Notice(event_id=message_id, payment_ids=frozenset({payment_id}))

    async def payments_since(self, moment: datetime) -> AsyncIterator[GatewayPayment]:
        for payment_id in await test_ledger.changed_since(moment):
            if found := await self._find(payment_id):
                yield found

    async def examine(self) -> Sequence[Check]:
        return [Check(True, "takes the tokens of development; no money moves")]


def _payment(row: Mapping[str, Any]) -> GatewayPayment:
    state = GatewayState(row["state"])
    declined = state is GatewayState.DECLINED
    known = row["token"] in _STATE_BY_TOKEN
    return GatewayPayment(
        state=state,
        reference=f"test_{row['id'].hex}",
        payment_id=uuid.UUID(row["idempotency_key"]),
        amount_minor=row["amount_minor"],
        currency=row["currency_code"],
        captured_minor=row["captured_minor"],
        refunded_minor=row["refunded_minor"],
        action=_action(row) if state is GatewayState.REQUIRES_ACTION else None,
        failure_code=("card_declined" if known else "invalid_token") if declined else None,
        message=(_DECLINED if known else _NOT_KNOWN) if declined else None,
        saved=_card(row) if row["saves"] and state in _SUCCEEDED else None,
        authorized_until=row["authorized_until"] if state is GatewayState.AUTHORIZED else None,
    )


def _action(row: Mapping[str, Any]) -> Action:
    url = page_url(row["id"])
    if row["token"] != _TOKENLESS[PaymentMethod.WALLET]:
        return Action(PaymentActionType.REDIRECT, url)
    return Action(PaymentActionType.CLIENT_SECRET, url, f"test_secret_{row['id'].hex}")


def _refund(row: Mapping[str, Any]) -> GatewayRefund:
    try:
        refund_id = uuid.UUID(row["idempotency_key"])
    except ValueError:
        refund_id = None  # made at the dashboard
    return GatewayRefund(
        state=GatewayRefundState(row["state"]),
        reference=f"test_refund_{row['id'].hex}",
        amount_minor=row["amount_minor"],
        currency=row["currency_code"],
        refund_id=refund_id,
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


def page_url(gateway_payment_id: uuid.UUID) -> str:
    return f"{get_settings().public_url}/dev/payments/{gateway_payment_id}"


# --- the provider's side ----------------------------------------------------------------------------------------------


async def decide(gateway_payment_id: uuid.UUID, *, approve: bool) -> db.Record | None:
    """The shopper clicked on the provider's page. Returns the payment as it stands then; None when there is none.

    A payment that no longer waits for the shopper stays as it is.
    """
    async with db.unit_of_work():
        decided = await db.execute(
            """
            UPDATE test_gateway_payments SET state = CASE
                WHEN NOT $2 THEN 'DECLINED' WHEN token = $3 THEN 'APPROVED' ELSE 'AUTHORIZED' END
            WHERE id = $1 AND state = 'REQUIRES_ACTION'
            """,
            gateway_payment_id,
            approve,
            _TOKENLESS[PaymentMethod.PAYPAL],
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


async def refund_at_dashboard(payment_id: uuid.UUID, amount_minor: int) -> bool:
    """Somebody of the shop refunds at the provider's own dashboard. False when there is so much no more."""
    async with db.unit_of_work():
        if not await test_ledger.refund(payment_id, f"dashboard_{new_id().hex}", amount_minor):
            return False
        row = await test_ledger.find(payment_id)
        if row is not None:
            await events.record(CHANGED, subject_id=row["id"])
    return True
