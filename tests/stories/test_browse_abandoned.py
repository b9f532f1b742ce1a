"""Somebody looks, and puts nothing in a cart."""

from datetime import timedelta

from tests.factories import catalogue
from tests.stories.shopper import Story


async def _known(story: Story) -> None:
    """They signed up long ago, and this browser is known to be theirs."""
    await story.subscribe()
    await story.confirm()
    cart = await story.cart(await catalogue.product(name="Long gone"), known=True)
    await story.look_at(await catalogue.product(name="First sight"), cart_id=cart)
    await story.pass_time("P21D")


async def test_what_was_looked_at_after_2_and_24_hours(story: Story) -> None:
    await _known(story)
    tea = await catalogue.product(name="Gyokuro")
    await story.begin()
    await story.look_at(tea)
    await story.pass_time("P3D")
    sent = await story.sent_at("browse_abandoned")
    hours = {step: round(after / timedelta(hours=1)) for step, after in sent.items() if after > timedelta(0)}
    assert hours == {"browse-1": 2, "browse-2": 24}
    newest = [mail for mail in await story.inbox() if mail["stepKey"] == "browse-1"][-1]
    assert "Gyokuro" in newest["html"]


async def test_a_cart_ends_it(story: Story) -> None:
    await _known(story)
    await story.begin()
    tea = await catalogue.product(name="Gyokuro")
    await story.look_at(tea)
    await story.pass_time("PT1H")
    await story.cart(tea)
    await story.pass_time("PT3H")
    sent = await story.sent_at("browse_abandoned")
    assert [step for step, after in sent.items() if after > timedelta(0)] == []
    assert (await story.runs("browse_abandoned"))[0]["exitReason"] == "CART_UPDATED"


async def test_again_only_after_two_weeks(story: Story) -> None:
    await _known(story)
    before = len(await story.runs("browse_abandoned"))
    for _ in range(2):
        await story.look_at(await catalogue.product())
        await story.pass_time("P3D")
    assert len(await story.runs("browse_abandoned")) - before == 1
    await story.pass_time("P10D")
    await story.look_at(await catalogue.product())
    assert len(await story.runs("browse_abandoned")) - before == 2


async def test_strangers_are_left_alone(story: Story) -> None:
    await story.look_at(await catalogue.product())
    await story.pass_time("P3D")
    assert await story.runs("browse_abandoned") == []
