"""An order at every instant around a reminder: one that commits first wins, and nobody waits for ever."""

import asyncio
import contextvars
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.customers import permission
from app.messaging import starting
from app.messaging.dev_inbox import list_messages
from app.messaging.marketing import Reserved, Skipped
from app.messaging.models import MessageChannel, MessageReason
from tests.client import Api
from tests.factories import catalogue, checkout
from tests.factories.marketing import EMAIL, reserve, subscriber, template
from tests.factories.messages import ledger

Drain = Callable[[], Awaitable[None]]

WAITING_SECONDS = 0.3


class Shopper:
    """Somebody with a cart, who orders as a guest with another email than the reminder goes to."""

    def __init__(self, api: Api, given: dict[str, Any], profile_id: uuid.UUID) -> None:
        self.api = api
        self.given = given
        self.profile_id = profile_id
        self.cart_id = uuid.UUID(hex=given["cartId"].split("_")[1])
        self.ordering: asyncio.Task[dict[str, Any]] | None = None

    async def order(self) -> None:
        payload = await checkout.complete(self.api, self.given)
        assert payload["order"], payload

    def begin_to_order(self) -> None:
        """At the same time, in a transaction of its own."""
        order = checkout.complete(self.api, self.given)
        self.ordering = asyncio.get_running_loop().create_task(order, context=contextvars.Context())

    @property
    def has_ordered(self) -> bool:
        return self.ordering is not None and self.ordering.done()

    async def remind(self) -> Reserved | Skipped | Any:
        return await reserve(self.profile_id, cart_id=self.cart_id)


@pytest.fixture
async def shopper(api: Api) -> Shopper:
    await checkout.shop_that_ships()
    await template()
    product = await catalogue.product(stock=10)
    given = await checkout.ready_input(api, (product, 1), email="somebody.else@customer.example")
    shopper = Shopper(api, given, await subscriber())
    await db.execute("UPDATE carts SET profile_id = $2 WHERE id = $1", shopper.cart_id, shopper.profile_id)
    return shopper


async def outcome() -> list[tuple[str, str | None]]:
    return [(row["state"], row["reason"]) for row in await ledger() if row["template"] == "news"]


async def reminders() -> int:
    return len(await list_messages(EMAIL))


async def test_an_order_before_the_reservation_wins(shopper: Shopper, drain: Drain) -> None:
    await shopper.order()
    skipped = await shopper.remind()
    assert isinstance(skipped, Skipped)
    assert skipped.reason is MessageReason.ORDER_PLACED
    await drain()
    assert await reminders() == 0


async def test_an_order_during_the_reservation_waits_for_it_and_then_wins(
    shopper: Shopper, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = permission.marketing

    async def order_meanwhile(channel: MessageChannel, address: str) -> MessageReason | None:
        shopper.begin_to_order()
        await asyncio.sleep(WAITING_SECONDS)
        assert not shopper.has_ordered, "the reservation holds the cart's lock"
        return await ask(channel, address)

    with monkeypatch.context() as patch:
        patch.setattr(permission, "marketing", order_meanwhile)
        assert isinstance(await shopper.remind(), Reserved)
    assert shopper.ordering is not None
    assert (await shopper.ordering)["order"]
    await drain()
    assert await outcome() == [("SKIPPED", "ORDER_PLACED")]
    assert await reminders() == 0


async def test_an_order_between_reservation_and_sending_wins(shopper: Shopper, drain: Drain) -> None:
    assert isinstance(await shopper.remind(), Reserved)
    await shopper.order()
    await drain()
    assert await outcome() == [("SKIPPED", "ORDER_PLACED")]
    assert await reminders() == 0


async def test_an_order_that_comes_when_the_sending_has_started_comes_after_the_reminder(
    shopper: Shopper, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(await shopper.remind(), Reserved)
    ask = starting.obstacle

    async def order_meanwhile(row: Any, *, ordered: bool) -> Any:
        if row.template != "news":
            return await ask(row, ordered=ordered)
        shopper.begin_to_order()
        await asyncio.sleep(WAITING_SECONDS)
        assert not shopper.has_ordered, "the start of the sending holds the cart's lock"
        return await ask(row, ordered=ordered)

    with monkeypatch.context() as patch:
        patch.setattr(starting, "obstacle", order_meanwhile)
        await drain()
    assert shopper.ordering is not None
    assert (await shopper.ordering)["order"]
    assert await outcome() == [("SENT", None)]
    assert await reminders() == 1
    later = await db.fetchval("SELECT (SELECT placed_at FROM orders) > (SELECT created_at FROM messages LIMIT 1)")
    assert later


async def test_at_any_other_instant_there_is_either_no_reminder_or_one_that_came_first(
    shopper: Shopper, drain: Drain
) -> None:
    """Not forced: both at once, and whichever was first is right."""
    reservation, _ = await asyncio.gather(shopper.remind(), shopper.order())
    await drain()
    ((state, reason),) = await outcome()
    assert (state, reason) == ("SKIPPED", "ORDER_PLACED"), reservation
    assert await reminders() == 0
