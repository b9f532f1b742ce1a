"""Reminders: to whom they go, after what they never come, and what an outage or a repetition makes of them."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from app import clock, db
from app.events import delivery
from app.flows import recipes, service
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import catalogue, checkout, flows, shop
from tests.stories.shopper import Story, skipped

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

STRANGERS_PHONE = "+15035550199"


@pytest.fixture
async def story(api: Api, staff_token: str, drain: Drain, advance: Advance) -> Story:
    """Ada, in a shop with every recipe, on a morning."""
    told = Story(api, staff_token, drain, advance)
    await checkout.shop_that_ships()
    await recipes.install(publish=True)
    await told.until_hour(16)
    return told


def uuid_of(cart_id: str) -> uuid.UUID:
    return uuid.UUID(hex=cart_id.split("_")[1])


async def test_a_number_typed_beside_somebodys_email_hears_nothing_of_their_carts(story: Story) -> None:
    stranger = Story(story.api, story.staff, story.drain, story.advance_by, phone=STRANGERS_PHONE)
    assert stranger.email == story.email
    await stranger.cart(await catalogue.product(name="Bait"), consent=False, sms=True)
    await story.pass_time("P2D")
    cart = await story.cart(await catalogue.product(name="Secret"))
    await story.start_checkout(cart)
    await story.pass_time("P3D")
    assert await story.steps_of("checkout_abandoned") == ["remind-1", "remind-2", "remind-3"]
    assert await stranger.texts("checkout_abandoned") == []
    told = await db.fetchval(
        "SELECT count(*) FROM messages WHERE recipient = $1 AND cart_id = $2", STRANGERS_PHONE, uuid_of(cart)
    )
    assert told == 0
    assert ("text-1", "NO_ADDRESS") in await skipped("checkout_abandoned")


async def test_a_text_about_a_cart_goes_to_the_number_given_with_it_or_paid_with_before(story: Story) -> None:
    bought = await story.cart(await catalogue.product(), sms=True)
    await story.order(bought, phone=story.phone)
    await story.pass_time("P10D")
    cart = await story.cart(await catalogue.product(name="Sencha"))
    assert await db.fetchval("SELECT count(*) FROM carts WHERE phone IS NULL") == 1
    await story.start_checkout(cart)
    await story.pass_time("P3D")
    assert [text["stepKey"] for text in await story.texts("checkout_abandoned")] == ["text-1"]


async def test_an_email_that_was_typed_by_mistake_hears_nothing_of_the_cart(story: Story) -> None:
    cart = await story.cart(await catalogue.product(name="Secret"))
    await story.pass_time("PT1H")
    await story.api.ok(
        """
        mutation ($id: ID!, $who: BuyerIdentityInput!) {
          cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: $who) { userErrors { code message } }
        }
        """,
        {
            "id": cart,
            "who": {"email": "grace@example.com", "marketingConsent": [{"channel": "EMAIL", "granted": True}]},
        },
    )
    await story.pass_time("P3D")
    assert await story.steps_of("cart_abandoned") == []
    assert "CART_OF_ANOTHER" in [run["exitReason"] for run in await story.runs("cart_abandoned")]
    mails = await story.inbox("grace@example.com")
    rightly = [mail["stepKey"] for mail in mails if mail["flowKey"] == "cart_abandoned"]
    assert rightly == ["remind-1", "remind-2", "remind-3"]


async def test_two_days_without_a_scheduler_bring_one_mail_and_no_blast(story: Story) -> None:
    people = [
        Story(story.api, story.staff, story.drain, story.advance_by, email=f"{name}@example.com")
        for name in ("ada", "bea", "cleo")
    ]
    for person in people:
        await person.start_checkout(await person.cart(await catalogue.product()))
    await clock.move_to(await clock.now() + timedelta(hours=50))  # and nothing fired on the way
    await story.drain()
    for person in people:
        assert [mail["stepKey"] for mail in await person.inbox() if mail["flowKey"] == "checkout_abandoned"] == [
            "remind-3"
        ]
    mails = [(step, reason) for step, reason in await skipped("checkout_abandoned") if step != "text-1"]
    assert sorted(mails) == sorted([("remind-1", "TOO_LATE"), ("remind-2", "TOO_LATE")] * 3)


# --- the engine by itself ---------------------------------------------------------------------------------------------

REMIND = {"key": "remind", **flows.MAIL}


async def deliver(*types: str) -> None:
    """Only events of these types, in this order: the queue brings them in any."""
    for event_type in types:
        rows = await db.fetch(
            "SELECT id FROM events WHERE type = $1 AND acknowledged_at IS NULL ORDER BY id", event_type
        )
        for row in rows:
            await delivery.deliver(row["id"])


async def test_an_order_that_nobody_told_of_wins_over_a_repetition_of_the_trigger(
    api: Api, advance: Advance, drain: Drain
) -> None:
    await shop.shop()
    await flows.publish(
        "browse",
        {"kind": "delay", "period": "PT2H"},
        REMIND,
        trigger={"event": "product.viewed", "key": "customer"},
        entry="!customer.eventSince('order.placed', now - duration('240h'))",
        onRepeat="restart",
        exitOn=[{"event": "order.placed"}],
    )
    ada = await flows.person()
    await flows.happens("product.viewed", ada, product_id=new_id())
    await drain()
    await advance("PT1H")
    await flows.happens("order.placed", ada, order_id=new_id())
    await advance_clock_only(timedelta(minutes=1))
    await flows.happens("product.viewed", ada, product_id=new_id())
    await deliver("product.viewed", "order.placed")
    await advance("P1D")
    assert await flows.sent() == []
    assert [run["exit_reason"] for run in await flows.runs()] == ["ORDER_PLACED"]


async def advance_clock_only(by: timedelta) -> None:
    await clock.move_to(await clock.now() + by)


async def test_who_waited_for_another_flow_is_not_written_to_long_after_it_ended(
    api: Api, advance: Advance, drain: Drain
) -> None:
    await shop.shop()
    await flows.publish("abandoned", {"kind": "delay", "period": "P2D"})
    welcome = await flows.publish(
        "welcome", {**REMIND, "maxLateness": "P3D"}, trigger={"event": "consent.granted"}, waitsFor=["abandoned"]
    )
    ada = await flows.person()
    await flows.happens("checkout.started", ada, cart_id=new_id())
    await flows.happens("consent.granted", ada, channel="EMAIL")
    await drain()
    await service.pause(welcome)
    await advance("P20D")
    await service.resume(welcome)
    await drain()
    assert await flows.sent() == ["remind SKIPPED TOO_LATE"]


async def test_welcome_waits_for_a_checkout_that_nobody_told_of_yet(api: Api, advance: Advance, drain: Drain) -> None:
    await shop.shop()
    await flows.publish("abandoned", {"kind": "delay", "period": "P2D"}, exitOn=[{"event": "order.placed"}])
    await flows.publish("welcome", REMIND, trigger={"event": "consent.granted"}, waitsFor=["abandoned"])
    ada = await flows.person()
    await flows.happens("checkout.started", ada, cart_id=new_id())
    await flows.happens("consent.granted", ada, channel="EMAIL")
    await deliver("consent.granted", "flow.run_due", "message.reserved")
    assert await flows.sent() == []
    await drain()
    await advance("PT5H")
    assert await flows.sent() == []
    await flows.happens("order.placed", ada, order_id=new_id())
    await drain()
    assert await flows.sent() == ["remind SENT"]


async def test_welcome_goes_on_soon_when_that_checkout_started_nothing(
    api: Api, advance: Advance, drain: Drain
) -> None:
    await shop.shop()
    await flows.publish("abandoned", {"kind": "delay", "period": "P2D"}, entry="customer.orderCount > 100")
    await flows.publish("welcome", REMIND, trigger={"event": "consent.granted"}, waitsFor=["abandoned"])
    ada = await flows.person()
    await flows.happens("checkout.started", ada, cart_id=new_id())
    await flows.happens("consent.granted", ada, channel="EMAIL")
    await deliver("consent.granted", "flow.run_due", "message.reserved")
    assert await flows.sent() == []
    await drain()
    await advance("PT10M")
    assert await flows.sent() == ["remind SENT"]


@pytest.mark.parametrize("key", ["cart_abandoned", "checkout_abandoned"])
def test_a_text_about_a_cart_comes_within_48_hours_of_the_event(key: str) -> None:
    (recipe,) = [recipe for recipe in recipes.recipes() if recipe.key == key]
    steps = {step["key"]: step for step in recipe.definition["steps"]}
    longest = [
        steps["wait-4h"]["period"],
        steps["remind-1"]["maxLateness"],
        steps["clicked"]["timeout"],
        steps["text-1"]["maxLateness"],
    ]
    assert sum(int(period.removeprefix("PT").removesuffix("H")) for period in longest) <= 48
