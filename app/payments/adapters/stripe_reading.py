"""What Stripe's objects say, in the words of gateways. They are read as plain mappings, as they came."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.payments.adapters.stripe_amounts import from_stripe
from app.payments.gateway import (
    Action,
    GatewayPayment,
    GatewayRefund,
    GatewayRefundState,
    GatewayState,
    PaymentActionType,
    SavedCard,
)

PAYMENT = "tradewind_payment"
CAPTURE = "tradewind_capture"
REFUND = "tradewind_refund"
ACCOUNT = "tradewind_customer"
"""Keys of metadata: the shop's ids of what Stripe's objects were made for."""
FORM = "tradewind_form"
"""Of a payment that the shopper confirms in Stripe's own form, as often as it takes."""
EXPANDED = ["latest_charge", "payment_method"]

_STATES = {
    "requires_capture": GatewayState.AUTHORIZED,
    "succeeded": GatewayState.CAPTURED,
    "canceled": GatewayState.VOIDED,
    "processing": GatewayState.PENDING,
    "requires_action": GatewayState.REQUIRES_ACTION,
    "requires_confirmation": GatewayState.REQUIRES_ACTION,
    "requires_payment_method": GatewayState.REQUIRES_ACTION,
}
_REFUND_STATES = {
    "succeeded": GatewayRefundState.SUCCEEDED,
    "failed": GatewayRefundState.FAILED,
    "canceled": GatewayRefundState.FAILED,
}

Intent = Mapping[str, Any]


def payment_of(intent: Intent) -> GatewayPayment:
    currency = str(intent["currency"]).upper()
    state = _STATES.get(intent["status"], GatewayState.PENDING)
    metadata, error, charge = _part(intent, "metadata"), _part(intent, "last_payment_error"), _charge(intent)
    if intent["status"] == "requires_payment_method" and error and FORM not in metadata:
        state = GatewayState.DECLINED
    declined = state is GatewayState.DECLINED
    return GatewayPayment(
        state=state,
        reference=intent["id"],
        payment_id=uuid_of(metadata.get(PAYMENT)),
        amount_minor=from_stripe(intent["amount"], currency),
        currency=currency,
        captured_minor=from_stripe(intent.get("amount_received") or 0, currency),
        refunded_minor=from_stripe(charge.get("amount_refunded") or 0, currency),
        action=_action(intent) if state is GatewayState.REQUIRES_ACTION else None,
        failure_code=failure_code(error) if declined else None,
        message=shopper_message(error) if declined else None,
        saved=_saved(intent) if state in (GatewayState.AUTHORIZED, GatewayState.CAPTURED) else None,
        authorized_until=_lapses(charge) if state is GatewayState.AUTHORIZED else None,
    )


def refund_of(refund: Mapping[str, Any]) -> GatewayRefund:
    currency = str(refund["currency"]).upper()
    return GatewayRefund(
        state=_REFUND_STATES.get(refund.get("status") or "", GatewayRefundState.PENDING),
        reference=refund["id"],
        amount_minor=from_stripe(refund["amount"], currency),
        currency=currency,
        refund_id=uuid_of(_part(refund, "metadata").get(REFUND)),
        failure_code=refund.get("failure_reason"),
    )


def failure_code(error: Mapping[str, Any]) -> str:
    return str(error.get("decline_code") or error.get("code") or error.get("type") or "declined")


def shopper_message(error: Mapping[str, Any]) -> str | None:
    """Stripe's words about a card are meant for its holder; those about a request are for programmers."""
    return error.get("message") if error.get("type") == "card_error" else None


def intent_named_by(thing: Mapping[str, Any]) -> str | None:
    """The id of the payment that an event's object is about: the payment itself, its charge, refund or dispute."""
    if thing.get("object") == "payment_intent":
        return thing.get("id")
    named = thing.get("payment_intent")
    return named if isinstance(named, str) else None


def uuid_of(text: object) -> uuid.UUID | None:
    """None for what somebody else has written there."""
    try:
        return uuid.UUID(str(text)) if text else None
    except ValueError:
        return None


def _action(intent: Intent) -> Action:
    """The bank's page by redirect where Stripe names one; for all else Stripe.js knows what to do with the secret."""
    page = _part(_part(intent, "next_action"), "redirect_to_url").get("url")
    if page:
        return Action(PaymentActionType.REDIRECT, page)
    return Action(PaymentActionType.CLIENT_SECRET, client_secret=intent.get("client_secret"))


def _saved(intent: Intent) -> SavedCard | None:
    method = intent.get("payment_method")
    customer = intent.get("customer")
    if not intent.get("setup_future_usage") or not isinstance(method, Mapping) or not customer:
        return None
    card = method.get("card")
    if not isinstance(card, Mapping):
        return None
    return SavedCard(
        reference=f"{customer}:{method['id']}",
        brand=card.get("brand"),
        last_characters=card.get("last4"),
        expires_month=card.get("exp_month"),
        expires_year=card.get("exp_year"),
    )


def _charge(intent: Intent) -> Mapping[str, Any]:
    return _part(intent, "latest_charge")


def _lapses(charge: Mapping[str, Any]) -> datetime | None:
    until = _part(_part(charge, "payment_method_details"), "card").get("capture_before")
    return datetime.fromtimestamp(until, UTC) if until else None


def _part(thing: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = thing.get(name)
    return part if isinstance(part, Mapping) else {}
