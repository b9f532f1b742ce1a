"""Stripe: PaymentIntents, for cards, Apple Pay, Google Pay, Link and what else is switched on at Stripe's dashboard.

A payment with a token of Stripe's form (`pm_…` or `ctoken_…`), or with a saved card, is confirmed by the server; one
without a token is made, and confirmed by the form in the client with its secret. Either way the payment's id is the
idempotency key, and in the payment's metadata.

Source: https://docs.stripe.com/api/payment_intents, https://docs.stripe.com/api/idempotent_requests
"""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import stripe

from app.payments.adapters import stripe_disputes, stripe_examining, stripe_finding, stripe_webhooks
from app.payments.adapters.stripe_amounts import NotPayableError, to_stripe
from app.payments.adapters.stripe_client import asking, client, code_of, details_of
from app.payments.adapters.stripe_reading import (
    CAPTURE,
    EXPANDED,
    FORM,
    PAYMENT,
    REFUND,
    Intent,
    failure_code,
    payment_of,
    refund_of,
    shopper_message,
)
from app.payments.gateway import (
    Authorisation,
    Capture,
    Check,
    GatewayDispute,
    GatewayPayment,
    GatewayRefund,
    GatewayRefusedError,
    GatewayState,
    GatewayUnavailableError,
    KnownPayment,
    Notice,
    Payer,
    RefundRequest,
)
from app.payments.known import begun_at
from app.payments.models import PaymentMethod
from app.settings import Settings

NAME = "stripe"
KEYS_ARE_KEPT = timedelta(hours=20)
"""Stripe forgets idempotency keys after 24 hours at the earliest."""
_TOKENS = {"pm_": "payment_method", "ctoken_": "confirmation_token"}
_WRONG_STATE = "payment_intent_unexpected_state"


class StripeGateway:
    name = NAME
    saves = frozenset({PaymentMethod.CARD})
    captures_in_parts = False
    """Stripe does that for few accounts, and for each card or not: it could not be promised."""

    def __init__(self, settings: Settings) -> None:
        if settings.stripe_secret_key is None:
            raise ValueError("STRIPE_SECRET_KEY is missing")
        self._settings = settings
        self.client_key = settings.stripe_publishable_key
        self.methods = frozenset({PaymentMethod.CARD, PaymentMethod.WALLET}) | (
            {PaymentMethod.PAYPAL} if settings.stripe_paypal else frozenset()
        )
        self.tokenless = self.methods
        # Cards and wallets are typed into Stripe's own form, which takes its script.
        self.redirects = self.methods & {PaymentMethod.PAYPAL}
        self._client = client(
            settings.stripe_secret_key, settings.stripe_api_url, allow_private=settings.allow_private_addresses
        )

    async def authorise(self, request: Authorisation) -> GatewayPayment:
        try:
            amount = to_stripe(request.amount_minor, request.currency)
            way = _way_to_pay(request)
        except NotPayableError as error:
            return _declined(request, str(error), "This amount cannot be paid this way.")
        known = _known(request)
        # The key of an older request may be forgotten, and asking again would then charge again.
        if _is_old(request.payment_id) and (found := await self.retrieve(known)) is not None:
            return found
        if request.save and request.payer.customer_id and "customer" not in way:
            way["customer"] = await stripe_finding.customer_of(self._client, request.payer.customer_id)
            way["setup_future_usage"] = "on_session"
        asked = {
            "amount": amount,
            "currency": request.currency.lower(),
            "capture_method": "automatic" if request.capture_now else "manual",
            "expand": EXPANDED,
            **_shipping(request.payer),
            **way,
            "metadata": {**request.metadata, **way.get("metadata", {}), PAYMENT: str(request.payment_id)},
        }
        with asking():
            try:
                intent = await self._create(asked, request.payment_id)
            except stripe.CardError as error:
                return _declined_by_bank(request, error)
            except stripe.InvalidRequestError as error:
                return _declined(request, code_of(error))
            except stripe.IdempotencyError:
                # Asked before in other words, such as with another token; or called off before it was asked for.
                found = await self.retrieve(known)
                if found is None:
                    raise GatewayUnavailableError("the key is taken, and there is no payment") from None
                return found
        return payment_of(intent)

    async def _create(self, asked: Mapping[str, Any], payment_id: uuid.UUID) -> Intent:
        options: stripe.RequestOptions = {"idempotency_key": f"payment-{payment_id}"}
        intent = await self._client.v1.payment_intents.create_async(cast(Any, asked), options)
        return intent.to_dict()

    async def proceed(self, payment: KnownPayment, *, capture_now: bool) -> GatewayPayment:
        """Nothing waits for the shop after the shopper has agreed."""
        found = await self.retrieve(payment)
        if found is None:
            raise GatewayRefusedError("no_such_payment")
        return found

    async def retrieve(self, payment: KnownPayment) -> GatewayPayment | None:
        intent = await self._find(payment)
        return None if intent is None else payment_of(intent)

    async def _find(self, payment: KnownPayment) -> Intent | None:
        with asking(may_refuse=False):
            if payment.reference:
                return await stripe_finding.by_reference(self._client, payment.reference)
            return await stripe_finding.by_payment(self._client, payment.id, payment.begun_at)

    async def _reference(self, payment: KnownPayment) -> str:
        if payment.reference:
            return payment.reference
        found = await self._find(payment)
        if found is None:
            raise GatewayRefusedError("no_such_payment")
        return str(found["id"])

    async def capture(self, request: Capture) -> GatewayPayment:
        if not request.is_final:
            raise GatewayRefusedError("captures_once")
        reference = await self._reference(request.payment)
        amount = _number(request.amount_minor, request.payment.currency)
        with asking():
            try:
                intent = await self._client.v1.payment_intents.capture_async(
                    reference,
                    {"amount_to_capture": amount, "metadata": {CAPTURE: str(request.id)}, "expand": EXPANDED},
                    {"idempotency_key": f"capture-{request.id}"},
                )
            except (stripe.InvalidRequestError, stripe.APIError):
                # The key may be forgotten, or keep the error of a server's that did it all the same.
                before = await stripe_finding.by_reference(self._client, reference)
                if before is None or (before.get("metadata") or {}).get(CAPTURE) != str(request.id):
                    raise
                return payment_of(before)
        return payment_of(intent.to_dict())

    async def void(self, payment: KnownPayment) -> None:
        reference = payment.reference or await self._call_off(payment)
        if reference is None:
            return
        with asking():
            try:
                # Without a key of ours: calling off twice is once, and a key would keep a passing refusal for a day.
                await self._client.v1.payment_intents.cancel_async(reference)
                return
            except stripe.InvalidRequestError as error:
                if error.code != _WRONG_STATE:
                    raise
            intent = await stripe_finding.by_reference(self._client, reference)
        state = None if intent is None else payment_of(intent).state
        if state is GatewayState.CAPTURED:
            raise GatewayRefusedError("already_captured")
        if state not in (None, GatewayState.VOIDED):
            raise GatewayUnavailableError("the payment is being worked on")

    async def _call_off(self, payment: KnownPayment) -> str | None:
        """The reference of a payment that was asked for, or of one that takes its place: whatever comes under the
        payment's key from now on is refused, as its key is used.
        """
        if (found := await self._find(payment)) is not None:
            return str(found["id"])
        if _is_old(payment.id):
            return None
        placeholder = {
            "amount": _number(payment.amount_minor, payment.currency),
            "currency": payment.currency.lower(),
            "payment_method_types": ["card"],
            "metadata": {PAYMENT: str(payment.id)},
        }
        with asking():
            try:
                return str((await self._create(placeholder, payment.id))["id"])
            except stripe.IdempotencyError:
                found = await stripe_finding.by_payment(self._client, payment.id, payment.begun_at)
                return None if found is None else str(found["id"])
            except stripe.InvalidRequestError:
                return None  # the amount alone is refused, so a payment of it would be

    async def refund(self, request: RefundRequest) -> GatewayRefund:
        reference = await self._reference(request.payment)
        if _is_old(request.id):
            for made in await self.refunds_of(request.payment):
                if made.refund_id == request.id:
                    return made
        amount = _number(request.amount_minor, request.payment.currency)
        with asking():
            refund = await self._client.v1.refunds.create_async(
                {"payment_intent": reference, "amount": amount, "metadata": {REFUND: str(request.id)}},
                {"idempotency_key": f"refund-{request.id}"},
            )
        return refund_of(refund.to_dict())

    async def refunds_of(self, payment: KnownPayment) -> Sequence[GatewayRefund]:
        intent = await self._find(payment)
        if intent is None:
            return []
        with asking(may_refuse=False):
            return [refund_of(refund) for refund in await stripe_finding.refunds(self._client, intent["id"])]

    async def forget(self, reference: str) -> None:
        with asking():
            try:
                await self._client.v1.payment_methods.detach_async(reference.rpartition(":")[2])
            except stripe.InvalidRequestError:
                return  # it is nobody's (any more)

    async def notified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        return stripe_webhooks.notice(headers, body, now, self._settings.stripe_webhook_secrets)

    async def payments_since(self, moment: datetime) -> AsyncIterator[GatewayPayment]:
        told: set[str] = set()
        with asking(may_refuse=False):
            async for intent in stripe_finding.listed(self._client, moment):
                told.add(intent["id"])
                yield payment_of(intent)
            async for reference in stripe_finding.told_of(self._client, moment):
                if reference in told:
                    continue
                told.add(reference)
                changed = await stripe_finding.by_reference(self._client, reference)
                if changed is not None:
                    yield payment_of(changed)

    async def dispute(self, reference: str) -> GatewayDispute | None:
        with asking(may_refuse=False):
            return await stripe_disputes.retrieve(self._client, reference)

    async def disputes_since(self, moment: datetime) -> AsyncIterator[GatewayDispute]:
        with asking(may_refuse=False):
            async for found in stripe_disputes.since(self._client, moment):
                yield found

    async def examine(self) -> Sequence[Check]:
        return await stripe_examining.examine(self._client, self._settings)


def _way_to_pay(request: Authorisation) -> dict[str, Any]:
    """Raises NotPayableError for a token that is none of Stripe's."""
    back = {"return_url": request.return_url} if request.return_url else {}
    if request.saved_reference is not None:
        customer, _, method = request.saved_reference.partition(":")
        paid = {"payment_method_types": ["card"], "customer": customer, "payment_method": method}
        return {**paid, **back, **_by_server(request)}
    types: dict[str, Any] = {"payment_method_types": ["card"]}
    if request.method is PaymentMethod.WALLET:
        # Without a way back, only what needs none.
        types = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "always" if back else "never"}}
    if request.method is PaymentMethod.PAYPAL:
        types = {"payment_method_types": ["paypal"]}
        if not request.token and back:
            return {**types, **back, "payment_method_data": {"type": "paypal"}, "confirm": True}
    if not request.token:
        return {**types, "metadata": {FORM: "1"}}
    for prefix, name in _TOKENS.items():
        if request.token.startswith(prefix):
            return {**types, **back, name: request.token, **_by_server(request)}
    raise NotPayableError("invalid_token")


def _by_server(request: Authorisation) -> dict[str, Any]:
    """Without a way back, what the bank wants to ask is asked by Stripe.js on the shop's page."""
    return {"confirm": True} if request.return_url else {"confirm": True, "use_stripe_sdk": True}


def _shipping(payer: Payer) -> dict[str, Any]:
    """Where it goes: banks and Stripe look at it for fraud. Nothing else of the payer's is sent."""
    address = payer.shipping_address
    if address is None:
        return {}
    lines = {
        "line1": address.address1,
        "line2": address.address2,
        "city": address.city,
        "state": address.province_code,
        "postal_code": address.postal_code,
        "country": address.country_code,
    }
    name = " ".join(filter(None, (address.first_name, address.last_name)))
    return {"shipping": {"name": name, "address": {key: text for key, text in lines.items() if text}}}


def _known(request: Authorisation) -> KnownPayment:
    return KnownPayment(
        id=request.payment_id,
        reference=None,
        amount_minor=request.amount_minor,
        currency=request.currency,
        method=request.method,
        begun_at=begun_at(request.payment_id),
    )


def _is_old(key: uuid.UUID) -> bool:
    """Whether Stripe may have forgotten what was asked under this key (UUIDv7, whose time is in it)."""
    return datetime.now(UTC) - begun_at(key) > KEYS_ARE_KEPT


def _number(amount_minor: int, currency: str) -> int:
    """Raises GatewayRefusedError."""
    try:
        return to_stripe(amount_minor, currency)
    except NotPayableError as error:
        raise GatewayRefusedError(str(error)) from None


def _declined_by_bank(request: Authorisation, error: stripe.CardError) -> GatewayPayment:
    detail = details_of(error)
    reference = (detail.get("payment_intent") or {}).get("id", "")
    return _declined(request, failure_code(detail), shopper_message(detail), reference)


def _declined(request: Authorisation, code: str, message: str | None = None, reference: str = "") -> GatewayPayment:
    return GatewayPayment(
        state=GatewayState.DECLINED,
        reference=reference,
        payment_id=request.payment_id,
        amount_minor=request.amount_minor,
        currency=request.currency,
        failure_code=code,
        message=message,
    )
