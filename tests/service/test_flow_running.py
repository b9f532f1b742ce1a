"""A run from its trigger to its end: waiting, sending, pausing, lateness, and faults on the way."""

from collections.abc import Awaitable, Callable

import pytest

from app import invariants
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import flows, shop

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop()


async def test_waits_writes_waits_and_writes_again(advance: Advance, drain: Drain) -> None:
    await flows.publish(
        "reminder",
        {"key": "wait-4h", "kind": "delay", "period": "PT4H"},
        {"key": "remind-1", **flows.MAIL},
        {"key": "wait-20h", "kind": "delay", "period": "PT20H"},
        {"key": "remind-2", **flows.MAIL},
    )
    ada = await flows.person()
    await flows.happens("checkout.started", ada, cart_id=new_id())
    await drain()
    assert await flows.sent() == []
    assert (await flows.run())["status"] == "ACTIVE"
    await advance("PT3H59M")
    assert await flows.sent() == []
    await advance("PT1M")
    assert await flows.sent() == ["remind-1 SENT"]
    await advance("PT20H")
    assert await flows.sent() == ["remind-1 SENT", "remind-2 SENT"]
    assert (await flows.run())["status"] == "COMPLETED"
    assert await flows.story() == [
        "wait-4h WAITING", "wait-4h DONE", "remind-1 DONE", "wait-20h WAITING", "wait-20h DONE", "remind-2 DONE",
    ]  # fmt: skip
    assert await invariants.check() == []
