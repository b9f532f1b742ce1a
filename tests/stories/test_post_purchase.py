"""Somebody has bought."""

from datetime import timedelta

from tests.factories import catalogue, fulfillments
from tests.stories.shopper import Story


async def _delivered(story: Story, order: dict[str, str]) -> None:
    sent = await fulfillments.fulfill(story.api, story.staff, order["id"], trackingNumber=fulfillments.UPS_NUMBER)
    await story.pass_time("P2D")
    await fulfillments.track(story.api, story.staff, sent["id"], "DELIVERED")
    await story.drain()


async def test_thanks_survey_suggestions_and_review_after_delivery(story: Story) -> None:
    order = await story.order(await story.cart(await catalogue.product(name="Sencha")))
    await _delivered(story, order)
    await story.begin()
    await story.pass_time("P30D")
    days = {step: round(after / timedelta(days=1)) for step, after in (await story.sent_at("post_purchase")).items()}
    assert days == {"thanks-first": 1, "survey": 3, "cross-sell": 7, "review": 14, "review-again": 19}


async def test_whoever_comes_back_is_thanked_for_that(story: Story) -> None:
    tea = await catalogue.product()
    await _delivered(story, await story.order(await story.cart(tea)))
    await story.pass_time("P30D")
    await story.begin()
    await _delivered(story, await story.order(await story.cart(tea)))
    await story.pass_time("P2D")
    steps = [step for step, after in (await story.sent_at("post_purchase")).items() if after > timedelta(0)]
    assert steps == ["thanks-again"]


async def test_a_bad_score_is_told_to_staff_and_ends_the_marketing(story: Story) -> None:
    order = await story.order(await story.cart(await catalogue.product()))
    await _delivered(story, order)
    await story.pass_time("P4D")
    survey = next(mail for mail in await story.inbox() if mail["stepKey"] == "survey")
    page = await story.follow(survey, "2")
    while page.is_redirect:
        page = await story.click(page.headers["location"])
    assert page.status_code == 200
    assert await story.runs("post_purchase") != []
    assert (await story.runs("post_purchase"))[0]["status"] == "ACTIVE", "looking at the survey answers nothing"
    await story.answer_survey(page, score=2, comment="The lid was broken.")
    (run,) = await story.runs("post_purchase")
    assert (run["status"], run["exitReason"]) == ("EXITED", "SURVEY_RESPONDED")
    (told,) = await story.inbox("hello@tradewind.example")
    assert "2 of 10" in told["text"]
    await story.pass_time("P25D")
    assert await story.steps_of("post_purchase") == ["thanks-first", "survey"]


async def test_what_was_cancelled_is_not_followed_up(story: Story) -> None:
    order = await story.order(await story.cart(await catalogue.product()))
    await story.api.ok(
        "mutation ($id: ID!) { orderCancel(orderId: $id) { order { id } userErrors { code message } } }",
        {"id": order["id"]},
        token=story.staff,
    )
    await story.drain()
    (run,) = await story.runs("post_purchase")
    assert run["exitReason"] == "ORDER_CANCELLED"


async def test_notices_about_the_order_are_sent_with_or_without_consent(story: Story) -> None:
    order = await story.order(await story.cart(await catalogue.product(), consent=False))
    await _delivered(story, order)
    await story.pass_time("P30D")
    received = await story.inbox()
    assert {mail["purpose"] for mail in received} == {"TRANSACTIONAL"}
    assert len(received) == 3
