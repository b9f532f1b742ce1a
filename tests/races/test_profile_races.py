"""One person, many requests at once: one profile, nothing lost, and an order before or after a reminder."""

import asyncio
import contextvars
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest

from app import db, invariants
from app.customers import identification, timeline
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, customers
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]
T = TypeVar("T")

EMAIL = """mutation ($id: ID!, $email: String!) {
    cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: {email: $email}) { cart { id } userErrors { code } } }"""
ADD = """mutation ($id: ID!, $lines: [CartLineInput!]!) {
    cartLinesAdd(cartId: $id, lines: $lines) { cart { id } userErrors { code } } }"""
VISITOR = "mutation { visitorCreate { visitorId } }"
TRACK = "mutation ($input: EventsTrackInput!) { eventsTrack(input: $input) { recordedCount userErrors { code } } }"


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    await checkout.shop_that_ships()
    return await catalogue.product(stock=1000)


async def identify(**given: Any) -> uuid.UUID:
    async with db.unit_of_work():
        return await identification.identify(source="NEWSLETTER", **given)


def outside(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Begun now, and not within the transaction that the caller has open."""
    return asyncio.get_running_loop().create_task(work, context=contextvars.Context())


async def until_blocked() -> None:
    """Until a connection waits for another one's lock."""
    for _ in range(500):
        # Not pg_stat_activity: a transaction goes on seeing there whoever was connected when it first looked.
        if await db.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


async def test_one_new_email_at_once_is_one_profile(product: MadeProduct) -> None:
    found = await asyncio.gather(
        *(identify(email="Ada@example.com" if number % 2 else "ada@example.com") for number in range(12))
    )
    assert len(set(found)) == 1
    assert await db.fetchval("SELECT count(*) FROM profiles") == 1
    assert await db.fetchval("SELECT count(*) FROM profile_events WHERE type = 'profile.created'") == 1


async def test_one_new_number_at_once_is_one_profile(product: MadeProduct) -> None:
    assert len(set(await asyncio.gather(*(identify(phone="+14155550100") for _ in range(8))))) == 1


async def test_many_carts_of_one_email_at_once(api: Api, product: MadeProduct) -> None:
    made = [await carts.cart((product.variant_id, 1)) for _ in range(8)]
    await asyncio.gather(*(api.ok(EMAIL, {"id": cart.gid, "email": "ada@example.com"}) for cart in made))
    assert await db.fetchval("SELECT count(*) FROM profiles") == 1
    assert await db.fetchval("SELECT count(DISTINCT profile_id) FROM carts WHERE profile_id IS NOT NULL") == 1


async def test_first_events_of_a_visitor_at_once(api: Api, product: MadeProduct) -> None:
    visitor_id = (await api.ok(VISITOR))["visitorCreate"]["visitorId"]
    event = {"type": "PRODUCT_VIEWED", "productId": product.gid, "key": "one"}
    sent = {"input": {"visitorId": visitor_id, "events": [event]}}
    answers = await asyncio.gather(*(api.ok(TRACK, sent) for _ in range(8)))
    assert sum(answer["eventsTrack"]["recordedCount"] for answer in answers) == 1, "one event under one key"
    assert await db.fetchval("SELECT count(*) FROM profiles") == 1


async def test_what_is_written_during_a_merge_is_not_lost(product: MadeProduct) -> None:
    """A line for the anonymous profile is written while the visitor becomes known, before and after."""
    visitor_id, before = await customers.visitor()

    async def view() -> None:
        async with db.unit_of_work():
            await timeline.record("product.viewed", profile_id=before, product_id=product.id)

    writing = asyncio.Event()

    async def view_slowly() -> None:
        """Writes its line, and commits only when the merge is waiting for it."""
        async with db.unit_of_work() as work:
            await timeline.record("product.viewed", profile_id=before, product_id=product.id)

            async def wait() -> None:
                writing.set()
                await until_blocked()

            work.before_commit(wait)

    slow = asyncio.create_task(view_slowly())
    await writing.wait()
    known = await identify(email="ada@example.com", visitor_id=visitor_id)
    await slow
    await asyncio.gather(*(view() for _ in range(5)))
    rows = await db.fetch("SELECT DISTINCT profile_id FROM profile_events WHERE type = 'product.viewed'")
    assert [row["profile_id"] for row in rows] == [known]
    assert await db.fetchval("SELECT count(*) FROM profile_events WHERE type = 'product.viewed'") == 6


async def test_a_line_that_waits_for_a_merge_lands_on_the_living(product: MadeProduct) -> None:
    visitor_id, before = await customers.visitor()

    async def view() -> None:
        async with db.unit_of_work():
            await timeline.record("product.viewed", profile_id=before, product_id=product.id)

    async with db.unit_of_work():
        known = await identification.identify(email="ada@example.com", visitor_id=visitor_id, source="NEWSLETTER")
        viewing = outside(view())
        await until_blocked()
    await viewing
    assert await db.fetchval("SELECT profile_id FROM profile_events WHERE type = 'product.viewed'") == known


async def test_carts_change_while_their_person_becomes_known(api: Api, product: MadeProduct, drain: Drain) -> None:
    """Two carts of one visitor: one is filled while an email is given in the other. Nobody waits in a circle."""
    for number in range(6):
        visitor_id = (await api.ok(VISITOR))["visitorCreate"]["visitorId"]
        first, second = await carts.cart((product.variant_id, 1)), await carts.cart((product.variant_id, 1))
        for cart in (first, second):
            await api.ok(TRACK, {"input": {"visitorId": visitor_id, "cartId": cart.gid, "events": []}})
        email = f"ada-{number}@example.com"
        add = {"id": second.gid, "lines": [{"variantId": product.variant_gid}]}
        await asyncio.gather(
            api.ok(EMAIL, {"id": first.gid, "email": email}),
            *(api.ok(ADD, add) for _ in range(4)),
            api.ok(TRACK, {"input": {"visitorId": visitor_id, "cartId": second.gid, "events": []}}),
        )
        await drain()
        known = await db.fetchval("SELECT id FROM profiles WHERE email = $1", email)
        rows = await db.fetch("SELECT profile_id FROM carts WHERE id = ANY($1)", [first.id, second.id])
        assert [row["profile_id"] for row in rows] == [known, known]
    assert await invariants.check() == []


@pytest.mark.parametrize("who", ["cart@example.com", "buyer@example.com"])
async def test_an_order_waits_for_a_reminder_that_is_being_reserved(api: Api, product: MadeProduct, who: str) -> None:
    """Whoever holds the cart's or the order's person decides first; the order comes after, never in between."""
    given = await checkout.ready_input(api, (product, 1), email="buyer@example.com", payment=checkout.CASH)
    await customers.profile(email="buyer@example.com")
    await api.ok(EMAIL, {"id": given["cartId"], "email": "cart@example.com"})
    profile_id = await db.fetchval("SELECT id FROM profiles WHERE email = $1", who)
    async with db.unit_of_work():
        await identification.lock(profile_id)
        order = outside(checkout.complete(api, given))
        await until_blocked()
        assert await db.fetchval("SELECT count(*) FROM orders") == 0
    assert (await order)["order"]
    rows = await db.fetch("SELECT profile_id FROM profile_events WHERE type = 'order.placed'")
    assert len({row["profile_id"] for row in rows}) == 2


async def test_orders_that_cross_wait_in_one_order(api: Api, product: MadeProduct, drain: Drain) -> None:
    """Each buys from a cart with the other's email: both lock two people, and always the same one first."""
    for _ in range(4):
        pair = ("ada@example.com", "bob@example.com")
        inputs = []
        for cart_email, order_email in (pair, pair[::-1]):
            given = await checkout.ready_input(api, (product, 1), email=order_email, payment=checkout.CASH)
            await api.ok(EMAIL, {"id": given["cartId"], "email": cart_email})
            inputs.append(given)
        answers = await asyncio.gather(*(checkout.complete(api, given) for given in inputs))
        assert all(answer["order"] for answer in answers)
    await drain()
    assert await invariants.check() == []
    assert await db.fetchval("SELECT count(*) FROM profiles WHERE order_count = 4") == 2
