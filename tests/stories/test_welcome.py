"""Somebody signs up for news."""

from datetime import timedelta

from tests.factories import catalogue
from tests.stories.shopper import Story


async def test_four_mails_in_a_week_once_the_address_is_confirmed(story: Story) -> None:
    await story.subscribe()
    (asked,) = await story.inbox()
    assert asked["purpose"] == "TRANSACTIONAL"
    await story.pass_time("P2D")
    assert len(await story.inbox()) == 1, "nothing but the request to confirm before it is confirmed"

    await story.begin()
    await story.confirm()
    await story.pass_time("P10D")
    days = {step: after.days for step, after in (await story.sent_at("welcome")).items()}
    assert days == {"welcome-1": 0, "welcome-2": 2, "welcome-3": 4, "welcome-4": 7}
    first = next(mail for mail in await story.inbox() if mail["stepKey"] == "welcome-1")
    assert "Ada" in first["text"]
    assert "10%" in first["text"].replace(" %", "%")


async def test_the_code_takes_a_tenth_off_the_first_order_and_the_order_ends_it(story: Story) -> None:
    await story.subscribe()
    await story.confirm()
    cart = await story.cart(await catalogue.product(price_minor=5000))
    await story.enter_code(cart, await story.newest_code())
    order = await story.order(cart)
    assert order["cost"]["total"]["amount"] == "50.99"
    await story.pass_time("P10D")
    assert await story.steps_of("welcome") == ["welcome-1"]
    (run,) = await story.runs("welcome")
    assert run["exitReason"] == "ORDER_PLACED"


async def test_whoever_opts_out_hears_nothing_more(story: Story) -> None:
    await story.subscribe()
    await story.confirm()
    (first,) = [mail for mail in await story.inbox() if mail["flowKey"]]
    target = first["headers"]["List-Unsubscribe"].strip("<>")
    answer = await story.one_click(target)
    assert (answer.status_code, answer.is_redirect) == (200, False)
    await story.pass_time("P10D")
    assert await story.steps_of("welcome") == ["welcome-1"]
    (run,) = await story.runs("welcome")
    assert run["exitReason"] == "CONSENT_REVOKED"


async def test_it_greets_by_text_who_agreed_to_texts(story: Story) -> None:
    await story.subscribe(sms=True)
    await story.confirm()
    await story.reply("Yes!")
    await story.pass_time("P1D")
    (greeting,) = [text for text in await story.texts() if text["flowKey"] == "welcome"]
    assert "Tradewind Supply" in greeting["text"]
    assert len(await story.runs("welcome")) == 1, "once for each person"


async def test_it_waits_while_a_checkout_is_open(story: Story) -> None:
    cart = await story.cart(await catalogue.product(), consent=False)
    await story.start_checkout(cart)
    await story.subscribe()
    await story.begin()
    await story.confirm()
    await story.pass_time("P6D")
    sent = await story.steps_sent()
    assert [flow for flow, _ in sent[:3]] == ["checkout_abandoned"] * 3
    after = await story.sent_at("welcome")
    assert after["welcome-1"] >= timedelta(hours=48), "only after the reminders"


async def test_customers_of_old_are_not_welcomed(story: Story) -> None:
    await story.order(await story.cart(await catalogue.product(), consent=False))
    await story.subscribe()
    await story.confirm()
    await story.pass_time("P10D")
    assert await story.steps_of("welcome") == []
