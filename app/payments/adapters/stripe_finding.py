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
    begun, searchable = begun_at - CLOCKS_DIFFER, datetime.now(UTC) - SEARCHABLE_AFTER
    listed_there = await _among_listed(client, payment_id, max(begun, searchable))
    if listed_there is not None or begun >= searchable:
        return listed_there
    query = f'metadata["{PAYMENT}"]:"{payment_id}"'
    try:
        found = await client.v1.payment_intents.search_async(
            {"query": query, "limit": 1, "expand": [f"data.{name}" for name in EXPANDED]}
        )
    except stripe.InvalidRequestError:
        return await _among_listed(client, payment_id, begun)  # not every country's accounts have the search
    return found.data[0].to_dict() if found.data else None


async def _among_listed(client: stripe.StripeClient, payment_id: uuid.UUID, since: datetime) -> Intent | None:
    async for intent in listed(client, since):
        if uuid_of((intent.get("metadata") or {}).get(PAYMENT)) == payment_id:
            return intent
    return None


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
    with asking(may_refuse=False):
        try:
            asked = {"query": f'metadata["{ACCOUNT}"]:"{account_id}"', "limit": 1}
            found = (await client.v1.customers.search_async(cast(Any, asked))).data
        except stripe.InvalidRequestError:
            found = []
        if found:
            return found[0].id
        made = await client.v1.customers.create_async(
            {"metadata": {ACCOUNT: str(account_id)}}, {"idempotency_key": f"customer-{account_id}"}
        )
        return made.id
