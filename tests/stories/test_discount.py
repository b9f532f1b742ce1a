"""Somebody hesitates."""

from datetime import timedelta

from tests.factories import catalogue
from tests.stories.shopper import Story


async def _known(story: Story, **consent: bool) -> None:
    await story.subscribe(**consent)
    await story.confirm()
    if consent.get("sms"):
        await story.reply("YES")
    cart = await story.cart(await catalogue.product(name="Long gone"))
    await story.order(cart)
    await story.look_at(await catalogue.product(name="First sight"), cart_id=cart)
    await story.pass_time("P62D")  # the code of the welcome keeps others away for sixty days


async def test_three_looks_bring_a_code_and_a_reminder_on_its_last_day(story: Story) -> None:
    await _known(story)
    tea = await catalogue.product(name="Gyokuro", price_minor=5000)
    await story.begin()
    for _ in range(3):
        await story.look_at(tea)
        await story.pass_time("PT10M")
    await story.pass_time("P5D")
    sent = {step: after for step, after in (await story.sent_at("discount")).items() if after > timedelta(0)}
    browse = await story.sent_at("browse_abandoned")
    assert sent["discount-1"] > browse["browse-2"], "what is nearer to a purchase goes first"
    assert set(sent) == {"discount-1", "remind-mail"}
    assert timedelta(hours=24) < sent["remind-mail"] - sent["discount-1"] <= timedelta(hours=48)


async def test_the_code_ends_after_three_days(story: Story) -> None:
    await _known(story)
    tea = await catalogue.product(price_minor=5000)
    for _ in range(3):
        await story.look_at(tea)
    await story.pass_time("P2D")
    assert "discount-1" in await story.steps_of("discount")
    cart = await story.cart(tea)
    code = await story.newest_code()
    assert (await story.enter_code(cart, code))["discountCodes"][0]["applicable"]
    await story.pass_time("P4D")
    shown = (await story.enter_code(cart, code))["discountCodes"][0]
    assert (shown["applicable"], shown["reason"]) == (False, "EXPIRED")


async def test_a_cart_that_lies_for_a_day(story: Story) -> None:
    await _known(story)
    cart = await story.cart(await catalogue.product())
    await story.begin()
    await story.pass_time("PT23H")
    assert (await story.runs("discount"))[0]["status"] != "ACTIVE"
    await story.put_in(cart, await catalogue.product())
    await story.pass_time("PT23H")
    assert (await story.runs("discount"))[0]["status"] != "ACTIVE"
    await story.pass_time("PT2H")
    assert (await story.runs("discount"))[0]["status"] == "ACTIVE"


async def test_no_second_code_within_sixty_days(story: Story) -> None:
    await _known(story)
    for _ in range(2):
        tea = await catalogue.product()
        for _ in range(3):
            await story.look_at(tea)
        await story.pass_time("P20D")
    recent = [run for run in await story.runs("discount") if run["status"] == "COMPLETED"]
    assert len(recent) == 1


async def test_an_order_ends_it(story: Story) -> None:
    await _known(story)
    tea = await catalogue.product()
    for _ in range(3):
        await story.look_at(tea)
    await story.pass_time("PT2H")
    await story.order(await story.cart(tea))
    await story.pass_time("P5D")
    assert (await story.runs("discount"))[0]["exitReason"] == "ORDER_PLACED"
    assert await story.steps_of("discount") == []


async def test_the_code_of_a_nearer_flow_is_enough(story: Story) -> None:
    cart = await story.cart(await catalogue.product())
    await story.start_checkout(cart)
    await story.pass_time("P6D")
    assert await story.steps_of("checkout_abandoned") == ["remind-1", "remind-2", "remind-3"]
    assert await story.steps_of("discount") == []
    (run,) = await story.runs("discount")
    assert (run["status"], run["exitReason"]) == ("EXITED", "COUPON_ISSUED")
