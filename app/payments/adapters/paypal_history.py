"""What PayPal's account has of payments, by its transaction search: exact, and up to three hours behind.

Source: https://developer.paypal.com/docs/api/transaction-search/v1/. The app at PayPal needs its permission for it.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from app.payments.adapters.paypal_client import PayPalClient, PayPalError
from app.payments.adapters.paypal_reading import Document, order_named_by, unit_of, uuid_of
from app.payments.gateway import GatewayUnavailableError, KnownPayment

LONGEST = timedelta(days=31)
PAGE = 500
BEHIND = timedelta(hours=4)
"""What is listed only now may have happened so long ago, so it is asked for again."""
_CLOCKS_DIFFER = timedelta(minutes=5)
_AUTHORISATIONS, _REFUNDS = "T13", "T11"
"""How codes of events begin: https://developer.paypal.com/docs/transaction-search/transaction-event-codes/"""


async def orders_since(client: PayPalClient, moment: datetime) -> AsyncIterator[Document]:
    """Orders of the shop's that something happened to since then, each once.

    What the account has of other business, such as money sent by hand, is not the shop's to settle.
    """
    told: set[str] = set()
    now = datetime.now(UTC)
    if moment > now:
        return
    async for transaction in transactions(client, moment - BEHIND, now):
        if uuid_of(transaction.get("custom_field")) is None:
            continue
        order_id = await _order_of(client, transaction)
        if order_id is None or order_id in told:
            continue
        told.add(order_id)
        order = await _get(client, f"/v2/checkout/orders/{order_id}")
        if order is not None and uuid_of(unit_of(order).get("custom_id")) is not None:
            yield order


async def find(client: PayPalClient, payment: KnownPayment) -> Document | None:
    """The order of a payment that was begun longer ago than PayPal keeps keys, if money was ever set aside for it."""
    begun = payment.begun_at - _CLOCKS_DIFFER
    async for transaction in transactions(client, begun, min(begun + timedelta(days=3), datetime.now(UTC))):
        if uuid_of(transaction.get("custom_field")) != payment.id:
            continue
        if order_id := await _order_of(client, transaction):
            return await _get(client, f"/v2/checkout/orders/{order_id}")
    return None


async def transactions(client: PayPalClient, since: datetime, until: datetime) -> AsyncIterator[Document]:
    """What is listed of a span of time. Raises GatewayUnavailableError, also where the search is not permitted."""
    while since < until:
        end = min(until, since + LONGEST)
        page, pages = 1, 1
        while page <= pages:
            query = {
                "start_date": _said(since),
                "end_date": _said(end),
                "fields": "transaction_info",
                # What is set aside does not move the balance yet.
                "balance_affecting_records_only": "N",
                "page_size": PAGE,
                "page": page,
            }
            try:
                found = await client.ask("GET", f"/v1/reporting/transactions?{urlencode(query)}")
            except PayPalError as error:
                raise GatewayUnavailableError(f"the transaction search says {error.issue}") from None
            for row in found.get("transaction_details") or []:
                yield row.get("transaction_info") or {}
            page, pages = page + 1, int(found.get("total_pages") or 1)
        since = end


async def _order_of(client: PayPalClient, transaction: Document) -> str | None:
    code, own_id = str(transaction.get("transaction_event_code", "")), transaction.get("transaction_id")
    if code.startswith(_AUTHORISATIONS):
        thing = await _get(client, f"/v2/payments/authorizations/{own_id}")
    elif code.startswith(_REFUNDS):
        thing = await _get(client, f"/v2/payments/captures/{transaction.get('paypal_reference_id')}")
    else:
        thing = await _get(client, f"/v2/payments/captures/{own_id}")
    return None if thing is None else order_named_by(thing)


async def _get(client: PayPalClient, path: str) -> Document | None:
    try:
        return await client.ask("GET", path)
    except PayPalError:
        return None


def _said(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
