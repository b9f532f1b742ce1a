"""Disputes at PayPal: inquiries between buyer and shop, claims, and chargebacks of the buyer's card.

The app at PayPal needs *Disputes* among its features to be told of them.
Source: https://developer.paypal.com/docs/api/customer-disputes/v1/
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import urlencode

from app.payments.adapters.paypal_client import PayPalClient, PayPalError
from app.payments.adapters.paypal_reading import Document, minor, order_named_by, uuid_of
from app.payments.gateway import GatewayDispute, GatewayUnavailableError
from app.payments.models import DisputeState

PAGE = 50
NOT_PERMITTED = "HTTP 403"
_TO_ANSWER = frozenset({"WAITING_FOR_SELLER_RESPONSE", "REQUIRED_ACTION"})
_BUYERS = frozenset({"RESOLVED_BUYER_FAVOUR", "ACCEPTED"})
"""Outcomes for the buyer. With RESOLVED_WITH_PAYOUT, PayPal pays by itself."""


def reference_in(event: Document) -> str | None:
    """The dispute that a webhook is about."""
    if not str(event.get("event_type", "")).startswith("CUSTOMER.DISPUTE."):
        return None
    named = event["resource"].get("dispute_id")
    return named if isinstance(named, str) else None


async def retrieve(client: PayPalClient, reference: str) -> GatewayDispute | None:
    try:
        dispute = await client.ask("GET", f"/v1/customer/disputes/{reference}")
    except PayPalError:
        return None
    for transaction in dispute.get("disputed_transactions") or []:
        found = await _capture(client, str(transaction.get("seller_transaction_id")))
        payment_id = uuid_of(transaction.get("custom")) or uuid_of(found.get("custom_id"))
        order_id = order_named_by(found)
        if payment_id or order_id:
            return _dispute(dispute, {"payment_id": payment_id, "payment_reference": order_id})
    return None


async def since(client: PayPalClient, moment: datetime) -> AsyncIterator[GatewayDispute]:
    """Where the app at PayPal may not see disputes, none: `tradewind doctor` says so."""
    query = {"update_time_after": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"), "page_size": PAGE}
    path: str | None = f"/v1/customer/disputes?{urlencode(query)}"
    while path is not None:
        try:
            page = await client.ask("GET", path)
        except GatewayUnavailableError as error:
            if str(error) == NOT_PERMITTED:
                return
            raise
        except PayPalError as error:
            raise GatewayUnavailableError(f"the list of disputes says {error.issue}") from None
        for row in page.get("items") or []:
            if (found := await retrieve(client, str(row.get("dispute_id")))) is not None:
                yield found
        path = _next(client, page)


async def _capture(client: PayPalClient, transaction_id: str) -> Document:
    try:
        return await client.ask("GET", f"/v2/payments/captures/{transaction_id}")
    except PayPalError:
        return {}


def _dispute(dispute: Document, names: Document) -> GatewayDispute:
    amount = dispute.get("dispute_amount") or {}
    state = _state(dispute)
    if state is DisputeState.LOST:
        amount = (dispute.get("dispute_outcome") or {}).get("amount_refunded") or amount
    return GatewayDispute(
        reference=str(dispute["dispute_id"]),
        state=state,
        amount_minor=minor(amount),
        currency=str(amount.get("currency_code", "")),
        opened_at=_moment(dispute.get("create_time")) or datetime.now(UTC),
        payment_id=names["payment_id"],
        payment_reference=names["payment_reference"],
        reason=dispute.get("reason"),
        respond_by=_moment(dispute.get("seller_response_due_date")),
    )


def _state(dispute: Document) -> DisputeState:
    status = dispute.get("status")
    if status == "RESOLVED":
        outcome = dispute.get("dispute_outcome") or {}
        refunded = outcome.get("amount_refunded")
        lost = outcome.get("outcome_code") in _BUYERS and (refunded is None or minor(refunded) > 0)
        return DisputeState.LOST if lost else DisputeState.WON
    if dispute.get("dispute_life_cycle_stage") == "INQUIRY":
        return DisputeState.INQUIRY
    return DisputeState.NEEDS_RESPONSE if status in _TO_ANSWER else DisputeState.UNDER_REVIEW


def _next(client: PayPalClient, page: Document) -> str | None:
    """The path of the page after this one; a link that leads elsewhere is none."""
    link = next((one.get("href") for one in page.get("links") or [] if one.get("rel") == "next"), None)
    return link.removeprefix(client.api_url) if link and link.startswith(f"{client.api_url}/v1/customer/") else None


def _moment(said: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(said)) if said else None
    except ValueError:
        return None
