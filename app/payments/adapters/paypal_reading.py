"""What PayPal's documents say, in the words of gateways.

An order of PayPal's is a payment of the shop's: it has one purchase unit, and in time an authorisation, captures of it,
and refunds of those. Source: https://developer.paypal.com/docs/api/orders/v2/
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.errors import DomainError
from app.kit.money import Money
from app.payments.gateway import (
    Action,
    GatewayPayment,
    GatewayRefund,
    GatewayRefundState,
    GatewayState,
    PaymentActionType,
)

CURRENCIES = frozenset(
    {"AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY", "MXN", "MYR", "NOK"}
    | {"NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"}
)
_WITHOUT_DECIMALS = frozenset({"HUF", "JPY", "TWD"})
"""By PayPal's rules: https://developer.paypal.com/docs/reports/reference/paypal-supported-currencies/"""
_TAKEN = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})
_GIVEN_BACK = frozenset({"COMPLETED", "PENDING"})
_STATES = {
    "APPROVED": GatewayState.APPROVED,
    "VOIDED": GatewayState.VOIDED,
}
_AUTHORISATION_STATES = {
    "CREATED": GatewayState.AUTHORIZED,
    "PARTIALLY_CAPTURED": GatewayState.AUTHORIZED,
    "CAPTURED": GatewayState.CAPTURED,
    "DENIED": GatewayState.DECLINED,
    "VOIDED": GatewayState.VOIDED,
    "EXPIRED": GatewayState.VOIDED,
}
_REFUND_STATES = {"COMPLETED": GatewayRefundState.SUCCEEDED, "PENDING": GatewayRefundState.PENDING}

Document = Mapping[str, Any]


class NotPayableError(Exception):
    """PayPal does not take this amount of this currency."""


def amount(amount_minor: int, currency: str) -> dict[str, str]:
    """As PayPal writes it. Nothing is rounded. Raises NotPayableError."""
    value = Money(amount_minor, currency).decimal
    if currency not in CURRENCIES:
        raise NotPayableError("CURRENCY_NOT_SUPPORTED")
    if currency not in _WITHOUT_DECIMALS:
        return {"currency_code": currency, "value": f"{value:.2f}"}
    if value != value.to_integral_value():
        raise NotPayableError("DECIMALS_NOT_SUPPORTED")
    return {"currency_code": currency, "value": f"{value:.0f}"}


def minor(said: Document) -> int:
    """Minor units of what PayPal has written; 0 for what is no amount."""
    try:
        return Money.from_decimal(Decimal(said["value"]), said["currency_code"]).amount_minor
    except (DomainError, ArithmeticError, LookupError, TypeError):
        return 0


def payment_of(order: Document) -> GatewayPayment:
    unit = unit_of(order)
    authorisation = next(iter(part(order, "authorizations")), None)
    taken = [capture for capture in part(order, "captures") if capture.get("status") in _TAKEN]
    given_back = [refund for refund in part(order, "refunds") if refund.get("status") in _GIVEN_BACK]
    state = _state(order, authorisation, taken)
    return GatewayPayment(
        state=state,
        reference=order["id"],
        payment_id=uuid_of(unit.get("custom_id")),
        amount_minor=minor(unit.get("amount") or {}),
        currency=(unit.get("amount") or {}).get("currency_code", ""),
        captured_minor=_sum(taken),
        refunded_minor=_sum(given_back),
        action=_action(order) if state is GatewayState.REQUIRES_ACTION else None,
        failure_code="DENIED" if state is GatewayState.DECLINED else None,
        authorized_until=_lapses(authorisation) if state is GatewayState.AUTHORIZED else None,
    )


def _state(order: Document, authorisation: Document | None, taken: Sequence[Document]) -> GatewayState:
    if authorisation is None:
        return _STATES.get(order.get("status", ""), GatewayState.REQUIRES_ACTION)
    state = _AUTHORISATION_STATES.get(authorisation.get("status", ""), GatewayState.PENDING)
    if taken and (state is GatewayState.VOIDED or any(capture.get("final_capture") for capture in taken)):
        return GatewayState.CAPTURED  # what was left is let go of
    return state


def refunds_of(order: Document) -> list[GatewayRefund]:
    """One of ours may be several of PayPal's: each capture is refunded by itself."""
    grouped: dict[str, list[Document]] = {}
    for refund in part(order, "refunds"):
        ours = uuid_of(refund.get("custom_id"))
        # What the dashboard makes bears the payment's id, or none.
        foreign = ours is None or ours == uuid_of(unit_of(order).get("custom_id"))
        grouped.setdefault(refund["id"] if foreign else str(ours), []).append(refund)
    return [_refund(key, rows) for key, rows in grouped.items()]


def _refund(key: str, rows: Sequence[Document]) -> GatewayRefund:
    states = {_REFUND_STATES.get(row.get("status", ""), GatewayRefundState.FAILED) for row in rows}
    worst = (GatewayRefundState.FAILED, GatewayRefundState.PENDING, GatewayRefundState.SUCCEEDED)
    state = next(state for state in worst if state in states)
    return GatewayRefund(
        state=state,
        reference=rows[0]["id"],
        amount_minor=_sum(rows),
        currency=rows[0]["amount"]["currency_code"],
        refund_id=uuid_of(key),
        failure_code=rows[0].get("status") if state is GatewayRefundState.FAILED else None,
    )


def refundable(order: Document) -> list[tuple[str, int]]:
    """Ids of captures with what is left of each, the oldest first."""
    back: dict[str, int] = {}
    for refund in part(order, "refunds"):
        if refund.get("status") in _GIVEN_BACK:
            of = capture_named_by(refund) or ""
            back[of] = back.get(of, 0) + minor(refund["amount"])
    taken = [capture for capture in part(order, "captures") if capture.get("status") in _TAKEN]
    return [(capture["id"], minor(capture["amount"]) - back.get(capture["id"], 0)) for capture in taken]


def unit_of(order: Document) -> Document:
    return next(iter(order.get("purchase_units") or []), {})


def part(order: Document, name: str) -> Sequence[Document]:
    """`authorizations`, `captures` or `refunds`."""
    return (unit_of(order).get("payments") or {}).get(name) or []


def order_named_by(thing: Document) -> str | None:
    """The id of the order that an authorisation, capture or refund belongs to."""
    related = (thing.get("supplementary_data") or {}).get("related_ids") or {}
    named = related.get("order_id")
    return named if isinstance(named, str) else None


def capture_named_by(refund: Document) -> str | None:
    link = _link(refund, "up") or ""
    before, _, capture = link.rpartition("/")
    return capture if before.endswith("/captures") else None


def uuid_of(text: object) -> uuid.UUID | None:
    """None for what somebody else has written there."""
    try:
        return uuid.UUID(str(text)) if text else None
    except ValueError:
        return None


def _action(order: Document) -> Action:
    """The page of PayPal's where the payer agrees; PayPal's buttons in the client take the order's id."""
    page = _link(order, "payer-action")
    if page is not None:
        return Action(PaymentActionType.REDIRECT, page)
    return Action(PaymentActionType.CLIENT_SECRET, _link(order, "approve"), order["id"])


def _link(thing: Document, rel: str) -> str | None:
    return next((link.get("href") for link in thing.get("links") or [] if link.get("rel") == rel), None)


def _lapses(authorisation: Document | None) -> datetime | None:
    said = (authorisation or {}).get("expiration_time")
    try:
        return datetime.fromisoformat(said) if said else None
    except ValueError:
        return None


def _sum(rows: Iterable[Document]) -> int:
    return sum(minor(row.get("amount") or {}) for row in rows)
