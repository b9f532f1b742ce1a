"""Somebody leaves a cart before checking out."""

from datetime import timedelta

from tests.api.test_cart_merge import MERGE
from tests.factories import cart as carts
from tests.factories import catalogue
from tests.stories.shopper import Story


async def test_reminders_at_4_24_and_48_hours_after_the_last_change(story: Story) -> None:
    cart = await story.cart(await catalogue.product(name="Sencha"))
    await story.pass_time("PT2H")
    await story.put_in(cart, await catalogue.product(name="Kyusu"))
    await story.begin()
    await story.pass_time("P3D")
    hours = {step: round(after / timedelta(hours=1)) for step, after in (await story.sent_at("cart_abandoned")).items()}
    assert hours == {"remind-1": 4, "remind-2": 24, "remind-3": 48}
    first = (await story.inbox())[0]
    assert "Sencha" in first["text"]
    assert "Kyusu" in first["text"]


async def test_the_link_shows_the_cart_on_any_device(story: Story) -> None:
    await story.cart(await catalogue.product(name="Sencha"))
    await story.pass_time("PT5H")
    (first,) = await story.inbox()
    answer = await story.follow(first, "Back to my cart")
    restored = await story.click(answer.headers["location"])
    assert restored.status_code == 200
    assert "Sencha" in restored.text


async def test_an_order_with_another_email_ends_it_too(story: Story) -> None:
    cart = await story.cart(await catalogue.product())
    await story.pass_time("PT1H")
    await story.order(cart, email="somebody.else@example.com")
    await story.pass_time("P3D")
    assert await story.steps_of("cart_abandoned") == []


async def test_an_empty_cart_is_nothing_to_come_back_to(story: Story) -> None:
    cart = await story.cart(await catalogue.product())
    await story.pass_time("PT1H")
    await story.clear(cart)
    await story.pass_time("P3D")
    assert await story.steps_of("cart_abandoned") == []


async def test_a_cart_that_was_merged_away_is_nothing_to_come_back_to(story: Story) -> None:
    cart = await story.cart(await catalogue.product(name="Sencha"))
    await story.pass_time("PT1H")
    other = await carts.cart(email="grace@example.com")
    await story.api.ok(MERGE, {"id": cart, "into": other.gid})
    await story.pass_time("P3D")
    assert await story.steps_of("cart_abandoned") == []
    assert "CART_EMPTY" in [run["exitReason"] for run in await story.runs("cart_abandoned")]


async def test_again_only_after_a_week(story: Story) -> None:
    await story.cart(await catalogue.product())
    await story.pass_time("P3D")
    await story.cart(await catalogue.product())
    await story.pass_time("P3D")
    assert len(await story.runs("cart_abandoned")) == 1
    assert len(await story.steps_of("cart_abandoned")) == 3
    await story.pass_time("P2D")
    await story.cart(await catalogue.product())
    await story.pass_time("P3D")
    assert len(await story.runs("cart_abandoned")) == 2
