"""What could not be delivered: kept with its cause, and run again by staff."""

from collections.abc import Awaitable, Callable

import pytest

from app import db, events
from app.events import delivery, registry
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import staff

LIST = "{ deadLetters { totalCount nodes { id eventType handler cause attempts replayedAt } } }"
REPLAY = "mutation ($id: ID!) { deadLetterReplay(id: $id) { replayedAt userErrors { code field } } }"


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A handler that fails until `broken` is 0; counts its calls and its committed effects."""
    state = {"broken": 1, "calls": 0}
    monkeypatch.setattr(registry, "_handlers", {})

    @events.on("test.happened", name="tests.flaky")
    async def handle(event: events.Event) -> None:
        state["calls"] += 1
        if state["broken"]:
            raise RuntimeError("the provider is on fire")

    return state


async def happen() -> None:
    async with db.unit_of_work():
        await events.record("test.happened")


async def fail_until_given_up() -> None:
    (row,) = await db.fetch("SELECT id FROM events")
    for _ in range(delivery.MAX_ATTEMPTS):
        await delivery.deliver(row["id"])


async def test_an_exhausted_event_becomes_a_dead_letter_and_its_replay_takes_effect_once(
    api: Api, staff_token: str, flaky: dict[str, int], drain: Callable[[], Awaitable[None]]
) -> None:
    await happen()
    await fail_until_given_up()
    assert flaky["calls"] == delivery.MAX_ATTEMPTS

    listed = (await api.ok(LIST, token=staff_token))["deadLetters"]
    assert listed["totalCount"] == 1
    (letter,) = listed["nodes"]
    assert letter["eventType"] == "test.happened"
    assert letter["handler"] == "tests.flaky"
    assert "the provider is on fire" in letter["cause"]
    assert letter["attempts"] == delivery.MAX_ATTEMPTS

    flaky["broken"] = 0
    await api.ok(REPLAY, {"id": letter["id"]}, token=staff_token)
    await drain()
    assert flaky["calls"] == delivery.MAX_ATTEMPTS + 1

    (error,) = await api.refused(REPLAY, {"id": letter["id"]}, token=staff_token)
    assert error == {"code": "CONFLICT", "field": ["id"]}
    await drain()
    assert flaky["calls"] == delivery.MAX_ATTEMPTS + 1


async def test_dead_letters_are_for_staff_with_the_permission(api: Api, flaky: dict[str, int]) -> None:
    assert (await api.query(LIST)).codes == ["UNAUTHENTICATED"]
    other = await staff.signed_in({Permission.ORDERS_READ})
    assert (await api.query(LIST, token=other)).codes == ["FORBIDDEN"]
    (error,) = await api.refused(REPLAY, {"id": "dead_" + "0" * 32}, token=other)
    assert error["code"] == "FORBIDDEN"
