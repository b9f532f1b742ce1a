"""Webhooks that come twice, late, all at once and in any order: each fact counts once, and the newest is believed."""

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import orjson
import pytest

from app import db, invariants
from app.kit import http
from app.kit.http import Answer
from app.messaging.provider_notices import sns
from app.payments import test_gateway
from app.settings import Settings
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, customers, notices
from tests.factories.notices import Providers, ses_bounce, ses_mail
from tests.faults.report import Figures

pytestmark = pytest.mark.faults

Drain = Callable[[], Awaitable[None]]
SHOPPERS = 18
TIMES = 3
TOKENS = ["tok_late_webhook", "tok_requires_action", "tok_success", "tok_declined", "tok_timeout", "tok_late_webhook"]


async def test_webhooks_of_a_gateway_three_times_and_in_any_order(api: Api, drain: Drain, figures: Figures) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    await checkout.shop_that_ships()
    product = await catalogue.product(stock=SHOPPERS)
    first = await checkout.ready_input(api, (product, 1))
    inputs = [
        {
            **first,
            "cartId": (await carts.cart((product.variant_id, 1))).gid,
            "idempotencyKey": checkout.new_key(),
            "email": f"{number}@guest.example",
            "payment": {**checkout.CARD, "token": TOKENS[number % len(TOKENS)]},
        }
        for number in range(SHOPPERS)
    ]
    await asyncio.gather(*(checkout.complete(api, given) for given in inputs))
    payments = [row["id"] for row in await db.fetch("SELECT id FROM payments")]
    assert len(payments) == SHOPPERS
    posts = [one for payment in payments for one in webhooks_of(payment)]

    async def tell_all() -> None:
        chance.shuffle(posts)
        answers = await asyncio.gather(
            *(api.http.post("/webhooks/payments/test", content=body, headers=headers) for body, headers in posts)
        )
        assert {answer.status_code for answer in answers} == {204}

    # Before the gateway knows, then while shoppers ask again and workers work, then long after everything is settled.
    start = time.monotonic()
    await tell_all()
    approved = """
        UPDATE test_gateway_payments SET state = 'AUTHORIZED' WHERE state IN ('PENDING', 'REQUIRES_ACTION')
    """
    await db.execute(approved)
    await asyncio.gather(tell_all(), drain(), *(checkout.complete(api, given) for given in inputs))
    await checkout.expire_lease()
    await drain()
    seconds = time.monotonic() - start
    before = await footprint()
    await tell_all()
    await drain()
    assert await footprint() == before, seed

    expected = sum(given["payment"]["token"] != "tok_declined" for given in inputs)
    emails = Counter(row["email"] for row in await db.fetch("SELECT email FROM orders"))
    confirmed = Counter(
        row["recipient"] for row in await db.fetch("SELECT recipient FROM messages WHERE template='order_confirmation'")
    )
    lost = expected - len(emails)
    doubled = emails.total() - len(emails) + confirmed.total() - len(confirmed)
    assert (lost, doubled) == (0, 0), seed
    assert emails == confirmed, seed
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0
    assert await invariants.check() == [], seed
    figures(
        f"{3 * len(posts)} webhooks of a gateway about {SHOPPERS} payments, in any order",
        lost=lost,
        doubled=doubled,
        recovered_seconds=seconds,
    )


async def footprint() -> dict[str, Any]:
    """Everything that a checkout leaves, but the events that told of webhooks."""
    return {name: count for name, count in (await checkout.footprint()).items() if name != "events"}


def webhooks_of(payment: uuid.UUID) -> list[tuple[bytes, dict[str, str]]]:
    """One that is delivered again and again, and another of the same content."""
    body = orjson.dumps({"type": "payment.changed", "payment": str(payment)})
    return [(body, test_gateway.signed_headers(body))] * (TIMES - 1) + [(body, test_gateway.signed_headers(body))]


@pytest.fixture
def providers(api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Providers]:
    made = Providers(api.http, settings.public_url)
    state = api.app.state
    state.settings = notices.changed(settings, **made.settings())

    async def request(method: str, url: str, **options: Any) -> Answer:
        return Answer(200, {}, made.certificate())

    monkeypatch.setattr(http, "request", request)
    sns._keys.clear()
    yield made
    state.settings = settings
    sns._keys.clear()


async def test_notices_of_a_mail_provider_three_times_and_in_any_order(
    providers: Providers, drain: Drain, figures: Figures
) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    people = [await customers.profile(email=f"{number}@reader.example", announced=False) for number in range(10)]
    mails = {
        await notices.message(profile_id=profile_id, recipient=f"{number}@reader.example"): kind
        for number, profile_id in enumerate(people)
        for kind in ("delivered", "bounced", "complained")
    }
    bodies = [providers.sns(body) for message_id, kind in mails.items() for body in told(message_id, kind)] * TIMES
    chance.shuffle(bodies)
    start = time.monotonic()
    half = len(bodies) // 2
    assert set(await asyncio.gather(*(providers.ses(body) for body in bodies[:half]))) == {204}
    later = asyncio.gather(*(providers.ses(body) for body in bodies[half:]))
    await drain()
    assert set(await later) == {204}
    await drain()
    seconds = time.monotonic() - start

    rows = await db.fetch("SELECT id, delivered_at, bounced_at, complained_at FROM messages")
    wrong = [
        row["id"]
        for row in rows
        for kind in ("delivered", "bounced", "complained")
        if (row[f"{kind}_at"] is not None) != (kind in {mails[row["id"]], *ALSO[mails[row["id"]]]})
    ]
    doubled: int = await db.fetchval(
        """
        SELECT (SELECT count(*) - count(DISTINCT (type, data->>'messageId')) FROM profile_events)
             + (SELECT count(*) - count(DISTINCT (channel, address_hash, reason)) FROM suppressions)
        """
    )
    assert (wrong, doubled) == ([], 0), seed
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0
    assert await invariants.check() == [], seed
    figures(
        f"{len(bodies)} notices of a provider about {len(mails)} mails, in any order",
        lost=len(wrong),
        doubled=doubled,
        recovered_seconds=seconds,
    )


ALSO = {"delivered": (), "bounced": (), "complained": ("delivered",)}
"""Who complains of a mail has got it, which the provider tells as well."""


def told(message_id: uuid.UUID, kind: str) -> list[dict[str, Any]]:
    mail = ses_mail(message_id)
    delivery = {"notificationType": "Delivery", "mail": mail}
    if kind == "delivered":
        return [delivery]
    if kind == "bounced":
        return [ses_bounce(message_id)]
    return [delivery, {"notificationType": "Complaint", "complaint": {}, "mail": mail}]
