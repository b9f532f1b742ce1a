"""An order at each instant in the life of a flow's reminder, by the cart's person and by a guest with another email.

An order that commits before the sending starts wins; after that nothing can be called back, and nothing more comes.
"""

import asyncio
import contextvars
import uuid
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import pytest

from app import clock, db, invariants
from app.events.delivery import deliver
from app.events.ticking import tick
from app.flows import runs
from app.messaging import dev_inbox, ledger, marketing, starting, writing
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, flows

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]

WAITING_SECONDS = 0.2
ORDERED = [{"event": "order.placed"}]
REMINDER = [
    {"key": "wait-10m", "kind": "delay", "period": "PT10M"},
    {"key": "first", **flows.MAIL},
    {"key": "wait-1d", "kind": "delay", "period": "P1D"},
    {"key": "second", **flows.MAIL},
]


class Shopper:
    """Ada has a cart and has looked at something. Whoever orders the cart gives the email `buyer`."""

    def __init__(self, api: Api, given: dict[str, Any]) -> None:
        self.api = api
        self.given = given
        self.ordering: asyncio.Task[dict[str, Any]] | None = None

    def begin_to_order(self) -> "asyncio.Task[dict[str, Any]]":
        """At the same time, in a transaction of its own."""
        order = checkout.complete(self.api, self.given)
        self.ordering = asyncio.get_running_loop().create_task(order, context=contextvars.Context())
        return self.ordering

    async def order(self) -> None:
        """Returns when the order is committed; its event is recorded and delivered to nobody."""
        payload = await self.begin_to_order()
        assert payload["order"], payload

    async def order_has_to_wait(self) -> None:
        self.begin_to_order()
        await asyncio.sleep(WAITING_SECONDS)
        assert self.ordering is not None
        assert not self.ordering.done(), "whoever holds the cart and the profile goes first"


@pytest.fixture(params=[flows.EMAIL, "grace@customer.example"], ids=["the cart's person", "another email"])
async def shopper(request: pytest.FixtureRequest, api: Api, drain: Drain) -> Shopper:
    await checkout.shop_that_ships()
    product = await catalogue.product(stock=10)
    ada = await flows.person()
    later = [{"key": "wait-2d", "kind": "delay", "period": "P2D"}, {"key": "look-again", **flows.MAIL}]
    await flows.publish("viewed", *later, trigger={"event": "product.viewed"}, exitOn=ORDERED)
    await flows.happens("product.viewed", ada, product_id=product.id)
    await drain()
    await flows.publish("reminder", *REMINDER, trigger={"event": "cart.updated", "key": "cartId"}, exitOn=ORDERED)
    made = await carts.cart((product.variant_id, 1), email=flows.EMAIL)
    given = {
        "cartId": made.gid,
        "idempotencyKey": checkout.new_key(),
        "email": request.param,
        "shippingAddress": checkout.ADDRESS,
        "shippingQuoteId": await checkout.quote_for(api, made.gid),
        "payment": checkout.CARD,
    }
    return Shopper(api, given)


async def run_of(flow: str) -> dict[str, Any] | None:
    return next((run for run in await flows.runs() if run["flow"] == flow), None)


async def reminders() -> list[str]:
    """What the ledger says of the reminder's mails; the notices about the order are not among them."""
    rows = await db.fetch(
        "SELECT step_key, state, reason FROM messages m JOIN flows f ON f.id = m.flow_id WHERE f.key = 'reminder' "
        "ORDER BY m.id"
    )
    return [" ".join(part for part in row.values() if part) for row in rows]


async def come_due() -> uuid.UUID:
    """The reminder's timer has fired; returns the wake-up that nobody has delivered yet."""
    run = await run_of("reminder")
    assert run is not None
    await clock.move_to(run["due_at"])
    await tick()
    wake_up: uuid.UUID = await db.fetchval(
        "SELECT id FROM events WHERE type = 'flow.run_due' AND subject_id = $1 AND acknowledged_at IS NULL", run["id"]
    )
    return wake_up


async def nothing_comes_after_the_order(sent: list[str], advance: Advance, drain: Drain) -> None:
    """At once, and after days: the runs have left, the ledger explains every mail, and each came before the order."""
    await drain()
    viewed, reminder = await run_of("viewed"), await run_of("reminder")
    assert viewed is not None
    assert (viewed["status"], viewed["exit_reason"]) == ("EXITED", "ORDER_PLACED")
    if reminder is not None:
        assert (reminder["status"], reminder["exit_reason"]) == ("EXITED", "ORDER_PLACED")
    assert await reminders() == sent
    await advance("P3D")
    assert await reminders() == sent
    mails = [mail for mail in await dev_inbox.list_messages(flows.EMAIL) if mail.flow_key]
    assert [f"{mail.step_key} SENT" for mail in mails] == [row for row in sent if row.endswith("SENT")]
    assert all(mail.deliveries == 1 for mail in mails)
    placed_at = await db.fetchval("SELECT placed_at FROM orders")
    assert (
        await db.fetchval("SELECT count(*) FROM messages WHERE flow_id IS NOT NULL AND created_at > $1", placed_at) == 0
    )
    assert await invariants.check() == []


class Instant:
    """A function of the application, before or after whose next call something happens."""

    def __init__(self, owner: ModuleType | type, name: str, when: str = "before") -> None:
        self.owner, self.name, self.when = owner, name, when

    def at(self, happens: Callable[[], Awaitable[None]], patch: pytest.MonkeyPatch) -> None:
        original, due = getattr(self.owner, self.name), [happens]

        async def called(*args: Any, **kwargs: Any) -> Any:
            mine = [due.pop()] if due else []
            for each in mine if self.when == "before" else []:
                await each()
            result = await original(*args, **kwargs)
            for each in mine if self.when == "after" else []:
                await each()
            return result

        patch.setattr(self.owner, self.name, called)


async def test_before_it_is_enrolled(shopper: Shopper, advance: Advance, drain: Drain) -> None:
    await shopper.order()
    await nothing_comes_after_the_order([], advance, drain)
    assert await run_of("reminder") is None


async def test_while_it_is_enrolled(
    shopper: Shopper, advance: Advance, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    Instant(runs, "begin", "after").at(shopper.order_has_to_wait, monkeypatch)
    [updated] = await db.fetch("SELECT id FROM events WHERE type = 'cart.updated' AND acknowledged_at IS NULL")
    await deliver(updated["id"])
    assert shopper.ordering is not None
    assert (await shopper.ordering)["order"]
    assert await run_of("reminder") is not None
    await nothing_comes_after_the_order([], advance, drain)


async def test_while_it_sleeps(shopper: Shopper, advance: Advance, drain: Drain) -> None:
    await drain()
    await shopper.order()
    await nothing_comes_after_the_order([], advance, drain)


async def test_between_its_timer_and_its_wake_up(shopper: Shopper, advance: Advance, drain: Drain) -> None:
    await drain()
    wake_up = await come_due()
    await shopper.order()
    await deliver(wake_up)
    assert await reminders() == []
    await nothing_comes_after_the_order([], advance, drain)


async def test_between_its_reading_and_its_lock(
    shopper: Shopper, advance: Advance, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await drain()
    wake_up = await come_due()
    Instant(marketing, "lock").at(shopper.order, monkeypatch)
    await deliver(wake_up)
    assert await reminders() == []
    await nothing_comes_after_the_order([], advance, drain)


@pytest.mark.parametrize(
    "instant",
    [Instant(marketing, "lock", "after"), Instant(ledger, "reserve"), Instant(runs, "move", "after")],
    ids=["before it decides", "before its row", "before its commit"],
)
async def test_between_its_lock_and_its_commit(
    shopper: Shopper, advance: Advance, drain: Drain, monkeypatch: pytest.MonkeyPatch, instant: Instant
) -> None:
    await drain()
    wake_up = await come_due()
    instant.at(shopper.order_has_to_wait, monkeypatch)
    await deliver(wake_up)
    assert shopper.ordering is not None
    assert (await shopper.ordering)["order"]
    assert await reminders() == ["first RESERVED"]
    await nothing_comes_after_the_order(["first SKIPPED ORDER_PLACED"], advance, drain)


async def test_between_its_reservation_and_its_sending(shopper: Shopper, advance: Advance, drain: Drain) -> None:
    await drain()
    await deliver(await come_due())
    await shopper.order()
    await nothing_comes_after_the_order(["first SKIPPED ORDER_PLACED"], advance, drain)


@pytest.mark.parametrize(
    "instant",
    [Instant(writing, "write", "after"), Instant(starting, "lock_subject")],
    ids=["when it is written", "before the claim's lock"],
)
async def test_between_its_writing_and_its_claim(
    shopper: Shopper, advance: Advance, drain: Drain, monkeypatch: pytest.MonkeyPatch, instant: Instant
) -> None:
    await drain()
    await deliver(await come_due())
    instant.at(shopper.order, monkeypatch)
    await nothing_comes_after_the_order(["first SKIPPED ORDER_PLACED"], advance, drain)


async def test_while_it_is_claimed(
    shopper: Shopper, advance: Advance, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await drain()
    await deliver(await come_due())
    Instant(ledger, "claim", "after").at(shopper.order_has_to_wait, monkeypatch)
    await drain()
    assert shopper.ordering is not None
    assert (await shopper.ordering)["order"]
    await nothing_comes_after_the_order(["first SENT"], advance, drain)


@pytest.mark.parametrize(
    "instant",
    [
        Instant(dev_inbox.DevEmailTransport, "send"),
        Instant(dev_inbox.DevEmailTransport, "send", "after"),
        Instant(ledger, "settle", "after"),
    ],
    ids=["before the provider has it", "before its answer", "before the note"],
)
async def test_between_its_claim_and_the_note_that_it_was_sent(
    shopper: Shopper, advance: Advance, drain: Drain, monkeypatch: pytest.MonkeyPatch, instant: Instant
) -> None:
    """It cannot be called back. The order does not wait for the provider, and what would come next does not."""
    await drain()
    await deliver(await come_due())
    waits = instant.name == "settle"  # in the transaction that notes it on the person's timeline
    instant.at(shopper.order_has_to_wait if waits else shopper.order, monkeypatch)
    await drain()
    assert shopper.ordering is not None
    assert (await shopper.ordering)["order"]
    await nothing_comes_after_the_order(["first SENT"], advance, drain)


async def test_after_it_was_sent(shopper: Shopper, advance: Advance, drain: Drain) -> None:
    await drain()
    await advance("PT10M")
    assert await reminders() == ["first SENT"]
    await shopper.order()
    await nothing_comes_after_the_order(["first SENT"], advance, drain)
