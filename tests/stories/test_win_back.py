"""Somebody stays away."""

from datetime import timedelta

from tests.factories import catalogue
from tests.stories.shopper import Story


async def _customer(story: Story) -> None:
    await story.order(await story.cart(await catalogue.product()))
    await story.begin()


async def test_three_mails_from_the_sixtieth_day_then_dormant(story: Story) -> None:
    await _customer(story)
    await story.pass_time("P59D")
    assert await story.steps_of("win_back") == []
    await story.pass_time("P30D")
    days = {step: after.days for step, after in (await story.sent_at("win_back")).items()}
    first = days["win-back-1"]
    assert first in (60, 61)
    assert {step: day - first for step, day in days.items()} == {"win-back-1": 0, "win-back-2": 7, "win-back-3": 15}
    profile = await story.profile()
    assert profile["stage"] == "DORMANT"


async def test_an_order_ends_it(story: Story) -> None:
    await _customer(story)
    await story.pass_time("P69D")
    cart = await story.cart(await catalogue.product(price_minor=10000))
    await story.enter_code(cart, await story.newest_code())
    order = await story.order(cart)
    assert order["cost"]["total"]["amount"] == "90.99"
    await story.pass_time("P20D")
    sent = await story.steps_of("win_back")
    assert sent == ["win-back-1", "win-back-2"]
    assert (await story.runs("win_back"))[0]["exitReason"] == "ORDER_PLACED"


async def test_whoever_orders_every_week_is_missed_sooner(story: Story) -> None:
    for _ in range(4):
        await story.order(await story.cart(await catalogue.product()))
        await story.pass_time("P7D")
    await story.begin()
    await story.pass_time("P6D")
    after = await story.sent_at("win_back")
    assert timedelta(days=3) <= after["win-back-1"] <= timedelta(days=5), "their own median interval, and half of it"


async def test_people_who_lapsed_before_it_was_first_published_are_found(quiet_story: Story) -> None:
    story = quiet_story
    await _customer(story)
    await story.pass_time("P90D")
    assert await story.runs("win_back") == []
    await story.publish("win_back")
    await story.pass_time("P2D")
    assert await story.steps_of("win_back") == ["win-back-1"]
