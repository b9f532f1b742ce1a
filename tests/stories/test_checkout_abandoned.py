"""Somebody begins to check out and does not finish."""

from datetime import timedelta

import pytest

from app import db
from tests.factories import catalogue
from tests.stories.shopper import Story, skipped

pytestmark = pytest.mark.long


async def test_three_mails_bring_the_cart_back_and_the_last_carries_a_code(story: Story) -> None:
    tea = await catalogue.product(name="Sencha", images=["https://cdn.example/sencha.webp"])
    cart = await story.cart(tea, 2)
    await story.pass_time("PT10M")
    await story.begin()
    await story.start_checkout(cart)

    await story.pass_time("P3D")
    assert await story.steps_of("checkout_abandoned") == ["remind-1", "remind-2", "remind-3"]
    hours = {
        step: round(after / timedelta(hours=1)) for step, after in (await story.sent_at("checkout_abandoned")).items()
    }
    assert hours == {"remind-1": 4, "remind-2": 24, "remind-3": 48}
    assert [run["exitReason"] for run in await story.runs("cart_abandoned")] in (
        [],
        ["SUPERSEDED"],
        ["CHECKOUT_STARTED"],
    )

    first = (await story.inbox())[0]
    assert "Sencha" in first["html"]
    assert "Sencha" in first["text"]
    assert first["purpose"] == "MARKETING"
    assert first["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    restored = await story.follow(first, "Finish my order")
    assert restored.status_code in (302, 303, 307)

    code = (await story.enter_code(cart, await story.newest_code()))["discountCodes"][0]
    assert code["applicable"], code
    order = await story.order(cart)
    assert order["cost"]["total"]["amount"] == "41.97"  # 39.98 less a tenth, and 5.99 for shipping


async def test_an_order_ends_it_and_begins_the_thanks(story: Story) -> None:
    cart = await story.cart(await catalogue.product())
    await story.start_checkout(cart)
    await story.pass_time("PT5H")
    await story.order(cart)
    await story.pass_time("P3D")

    assert await story.steps_of("checkout_abandoned") == ["remind-1"]
    (run,) = await story.runs("checkout_abandoned")
    assert (run["status"], run["exitReason"]) == ("EXITED", "ORDER_PLACED")
    assert run["timeline"][-1]["text"] == "left: ORDER_PLACED"
    (thanks,) = await story.runs("post_purchase")
    assert thanks["status"] == "ACTIVE"


async def test_one_text_at_the_most_and_only_without_a_click(story: Story) -> None:
    cart = await story.cart(await catalogue.product(), sms=True)
    await story.start_checkout(cart)
    await story.pass_time("P3D")
    texts = await story.texts("checkout_abandoned")
    assert [text["stepKey"] for text in texts] == ["text-1"]
    assert "STOP" in texts[0]["text"]
    assert texts[0]["text"].count(await db.fetchval("SELECT name FROM shop")) == 1, "every character is paid for"
    assert "/l/" in texts[0]["text"]


async def test_whoever_clicks_gets_no_text(story: Story) -> None:
    cart = await story.cart(await catalogue.product(), sms=True)
    await story.start_checkout(cart)
    await story.pass_time("PT4H30M")
    (first,) = [mail for mail in await story.inbox() if mail["flowKey"]]
    await story.follow(first, "Finish my order")
    await story.pass_time("P3D")
    assert await story.texts("checkout_abandoned") == []
    assert await story.steps_of("checkout_abandoned") == ["remind-1", "remind-2", "remind-3"]


async def test_an_answer_of_stop_ends_the_texts(story: Story) -> None:
    cart = await story.cart(await catalogue.product(), sms=True)
    await story.reply("stop please")
    await story.start_checkout(cart)
    await story.pass_time("P3D")
    texts = await story.texts()
    assert [text["stepKey"] for text in texts if text["flowKey"]] == []
    assert len(texts) == 1, "one confirmation that they were taken off"
    assert ("text-1", "CONSENT_REVOKED") in await skipped("checkout_abandoned")


async def test_nobody_is_reminded_of_what_cannot_be_bought(story: Story, staff_token: str) -> None:
    await db.execute("UPDATE shop SET reservation_minutes = 0")  # or the checkout would keep it
    tea = await catalogue.product(stock=1)
    cart = await story.cart(tea)
    await story.start_checkout(cart)
    other = Story(story.api, story.staff, story.drain, story.advance_by, email="grace@example.com")
    await other.order(await other.cart(tea))
    await story.pass_time("P3D")
    assert await story.steps_of("checkout_abandoned") == []
    (run,) = [run for run in await story.runs("checkout_abandoned") if run["exitReason"] == "OUT_OF_STOCK"]
    assert run["status"] == "EXITED"


async def test_without_consent_nothing_is_sent_and_the_ledger_says_why(story: Story) -> None:
    cart = await story.cart(await catalogue.product(), consent=False)
    await story.start_checkout(cart)
    await story.pass_time("P3D")
    assert await story.inbox() == []
    assert {reason for _, reason in await skipped("checkout_abandoned")} == {"NO_CONSENT", "NO_ADDRESS"}


async def test_a_newer_checkout_takes_over(story: Story) -> None:
    tea = await catalogue.product(name="Sencha")
    pot = await catalogue.product(name="Kyusu")
    await story.start_checkout(await story.cart(tea))
    await story.pass_time("PT1H")
    await story.start_checkout(await story.cart(pot))
    await story.pass_time("P3D")
    newer, older = await story.runs("checkout_abandoned")
    assert (older["exitReason"], newer["status"]) == ("CHECKOUT_STARTED", "COMPLETED")
    reminders = [mail for mail in await story.inbox() if mail["flowKey"] == "checkout_abandoned"]
    assert len(reminders) == 3
    assert all("Kyusu" in mail["text"] and "Sencha" not in mail["text"].split("Often")[0] for mail in reminders)


async def test_whoever_brings_everything_at_once_and_is_declined_is_brought_back(story: Story) -> None:
    tea = await catalogue.product(name="Sencha")
    cart = await story.cart(tea, known=False)
    refused = await story.buy_at_once(cart, "tok_declined")
    assert [error["code"] for error in refused["userErrors"]] == ["PAYMENT_DECLINED"]
    again = await story.buy_at_once(cart, "tok_declined")
    assert again["order"] is None, "told of once, however often it is tried"

    await story.pass_time("P3D")
    assert await story.steps_of("checkout_abandoned") == ["remind-1", "remind-2", "remind-3"]
    first = (await story.inbox())[0]
    assert "Sencha" in first["text"]
    assert (await story.follow(first, "Finish my order")).status_code in (302, 303, 307)


async def test_whoever_never_comes_back_from_the_bank_is_reminded_and_whoever_does_is_not(story: Story) -> None:
    cart = await story.cart(await catalogue.product(), known=False)
    waiting = await story.buy_at_once(cart, "tok_requires_action")
    assert waiting["paymentAction"]
    await story.pass_time("PT5H")
    assert await story.steps_of("checkout_abandoned") == ["remind-1"]

    bought = await story.buy_at_once(cart, "tok_success")
    assert bought["order"], bought["userErrors"]
    await story.pass_time("P3D")
    (run,) = await story.runs("checkout_abandoned")
    assert (run["status"], run["exitReason"]) == ("EXITED", "ORDER_PLACED")
    assert await story.steps_of("checkout_abandoned") == ["remind-1"]


async def test_whoever_pays_at_the_first_or_second_go_is_reminded_of_nothing(story: Story) -> None:
    tea = await catalogue.product()
    straight = await story.cart(tea, known=False)
    assert (await story.buy_at_once(straight, "tok_success"))["order"]
    second = await story.cart(tea, known=False)
    await story.buy_at_once(second, "tok_declined")
    assert (await story.buy_at_once(second, "tok_success"))["order"]
    await story.pass_time("P3D")
    assert await story.steps_of("checkout_abandoned") == []
