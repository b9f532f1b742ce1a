"""Disputes at Stripe: inquiries and chargebacks.

Stripe takes the money when a chargeback is opened, and gives it back should the shop win.
Source: https://docs.stripe.com/api/disputes/object, https://docs.stripe.com/disputes/how-disputes-work
"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import stripe

from app.kit.money import Money
from app.payments.adapters.stripe_amounts import from_stripe
from app.payments.adapters.stripe_reading import intent_named_by
from app.payments.gateway import GatewayDispute
from app.payments.models import DisputeState

TELLING = [
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
]
PAGE = 100
_STATES = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY,
    "warning_closed": DisputeState.WON,
    "needs_response": DisputeState.NEEDS_RESPONSE,
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}


def is_dispute(thing: Mapping[str, Any]) -> bool:
    return thing.get("object") == "dispute"


async def retrieve(client: stripe.StripeClient, reference: str) -> GatewayDispute | None:
    try:
        found = await client.v1.disputes.retrieve_async(reference)
    except stripe.InvalidRequestError as error:
        if error.http_status == 404:
            return None
        raise
    return dispute_of(found.to_dict())


async def since(client: stripe.StripeClient, moment: datetime) -> AsyncIterator[GatewayDispute]:
    """Those that events tell of, as they are now. Stripe tells for 30 days."""
    told: set[str] = set()
    after: str | None = None
    while True:
        asked: dict[str, Any] = {"created": {"gte": int(moment.timestamp())}, "limit": PAGE, "types": TELLING}
        if after is not None:
            asked["starting_after"] = after
        page = await client.v1.events.list_async(cast(Any, asked))
        for event in page.data:
            reference = str(event.to_dict()["data"]["object"].get("id"))
            if reference not in told:
                told.add(reference)
                if (found := await retrieve(client, reference)) is not None:
                    yield found
        if not page.has_more or not page.data:
            return
        after = page.data[-1].id


def dispute_of(dispute: Mapping[str, Any]) -> GatewayDispute:
    currency = str(dispute["currency"]).upper()
    due = (dispute.get("evidence_details") or {}).get("due_by")
    state = _state(dispute)
    return GatewayDispute(
        reference=dispute["id"],
        state=state,
        amount_minor=from_stripe(dispute["amount"], currency),
        currency=currency,
        opened_at=datetime.fromtimestamp(dispute["created"], UTC),
        payment_reference=intent_named_by(dispute),
        reason=dispute.get("reason"),
        respond_by=datetime.fromtimestamp(due, UTC) if due and state is not DisputeState.UNDER_REVIEW else None,
        fee=_fee(dispute),
    )


def _fee(dispute: Mapping[str, Any]) -> Money | None:
    """Of all movements of the account's balance that the dispute led to; a fee that is given back is below zero there.
    An inquiry moves nothing. Source: https://docs.stripe.com/api/disputes/object#dispute_object-balance_transactions"""
    rows = dispute.get("balance_transactions") or []
    currencies = {str(row["currency"]).upper() for row in rows}
    if len(currencies) != 1:
        return None
    (currency,) = currencies
    return Money(from_stripe(sum(row.get("fee") or 0 for row in rows), currency), currency)


def _state(dispute: Mapping[str, Any]) -> DisputeState:
    """`prevented`, and what Stripe may think of later, go by what it did to the account's balance."""
    state = _STATES.get(str(dispute.get("status")))
    if state is None:
        moved = sum(row.get("amount") or 0 for row in dispute.get("balance_transactions") or [])
        state = DisputeState.LOST if moved < 0 else DisputeState.WON
    return state
