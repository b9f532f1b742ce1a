"""Finding at Stripe what was made for the shop's ids; docs/decisions/payment-providers.md says why in this way."""

import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import stripe

from app.payments.adapters.stripe_client import asking
from app.payments.adapters.stripe_reading import ACCOUNT, EXPANDED, PAYMENT, Intent, intent_named_by, uuid_of

SEARCHABLE_AFTER = timedelta(hours=2)
"""Stripe's search is a minute behind, and up to an hour in its bad times."""
CLOCKS_DIFFER = timedelta(minutes=5)
PAGE = 100
_TELLING = ["payment_intent.succeeded", "payment_intent.canceled", "charge.captured", "charge.refunded"]
"""Events after which a payment of earlier days is another."""


async def by_reference(client: stripe.StripeClient, reference: str) -> Intent | None:
    try:
        intent = await client.v1.payment_intents.retrieve_async(reference, {"expand": EXPANDED})
    except stripe.InvalidRequestError as error:
        if error.http_status == 404:
            return None
        raise
    return intent.to_dict()


async def by_payment(client: stripe.StripeClient, payment_id: uuid.UUID, begun_at: datetime) -> Intent | None:
    """The payment that was made with this id in its metadata.

    Lists are exact at once, and long; the search is quick, and behind. So the last two hours are listed, and what is
    older is searched for.
    """
    now = datetime.now(UTC)
    begun = begun_at - CLOCKS_DIFFER
    async for intent in listed(client, max(begun, now - SEARCHABLE_AFTER)):
        if uuid_of(_metadata(intent).get(PAYMENT)) == payment_id:
            return intent
    if begun >= now - SEARCHABLE_AFTER:
        return None
    found = await client.v1.payment_intents.search_async(
        {"query": f'metadata["{PAYMENT}"]:"{payment_id}"', "limit": 1, "expand": [f"data.{name}" for name in EXPANDED]}
    )
    return found.data[0].to_dict() if found.data else None


async def listed(client: stripe.StripeClient, since: datetime) -> AsyncIterator[Intent]:
    """Payments made since then, the newest first."""
    after: str | None = None
    while True:
        asked: dict[str, Any] = {
            "created": {"gte": int(since.timestamp())},
            "limit": PAGE,
            "expand": [f"data.{name}" for name in EXPANDED],
        }
        if after is not None:
            asked["starting_after"] = after
        page = await client.v1.payment_intents.list_async(cast(Any, asked))
        for intent in page.data:
            yield intent.to_dict()
        if not page.has_more or not page.data:
            return
        after = page.data[-1].id


async def told_of(client: stripe.StripeClient, since: datetime) -> AsyncIterator[str]:
    """Ids of payments, whenever they were made, that something happened to since then. Stripe tells for 30 days."""
    after: str | None = None
    while True:
        asked: dict[str, Any] = {"created": {"gte": int(since.timestamp())}, "limit": PAGE, "types": _TELLING}
        if after is not None:
            asked["starting_after"] = after
        page = await client.v1.events.list_async(cast(Any, asked))
        for event in page.data:
            if named := intent_named_by(event.to_dict()["data"]["object"]):
                yield named
        if not page.has_more or not page.data:
            return
        after = page.data[-1].id


async def refunds(client: stripe.StripeClient, reference: str) -> list[Mapping[str, Any]]:
    """All of a payment's."""
    found: list[Mapping[str, Any]] = []
    after: str | None = None
    while True:
        asked: dict[str, Any] = {"payment_intent": reference, "limit": PAGE}
        if after is not None:
            asked["starting_after"] = after
        page = await client.v1.refunds.list_async(cast(Any, asked))
        found += [refund.to_dict() for refund in page.data]
        if not page.has_more or not page.data:
            return found
        after = page.data[-1].id


async def customer_of(client: stripe.StripeClient, account_id: uuid.UUID) -> str:
    """Stripe's customer for an account of the shop, made when there is none; it knows nothing of who that is.

    One that was made too lately for the search is the answer to the same key.
    """
    with asking():
        found = await client.v1.customers.search_async({"query": f'metadata["{ACCOUNT}"]:"{account_id}"', "limit": 1})
        if found.data:
            return found.data[0].id
        made = await client.v1.customers.create_async(
            {"metadata": {ACCOUNT: str(account_id)}}, {"idempotency_key": f"customer-{account_id}"}
        )
        return made.id


def _metadata(intent: Intent) -> Mapping[str, Any]:
    return intent.get("metadata") or {}
