"""The flows' pages, as a developer meets them: who waits where, what came of it, and what a run did."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PHONE, Watched
from tests.factories import flow_rows, shop

pytestmark = pytest.mark.browser

BRANCHED = {
    "trigger": {"event": "checkout.started"},
    "exitOn": [{"event": "order.placed"}],
    "steps": [
        {"key": "wait-4h", "kind": "delay", "period": "PT4H"},
        {"key": "remind-1", "kind": "send_email", "template": "checkout-abandoned-1"},
        {
            "key": "clicked",
            "kind": "wait_for",
            "event": "message.clicked",
            "timeout": "PT6H",
            "then": "which",
            "else": "text-1",
        },
        {"key": "text-1", "kind": "send_sms", "template": "checkout-abandoned-text"},
        {"key": "which", "kind": "condition", "if": "customer.orderCount > 0", "then": "again", "else": "first"},
        {"key": "again", "kind": "send_email", "template": "checkout-abandoned-again", "then": "end"},
        {"key": "first", "kind": "send_email", "template": "checkout-abandoned-first"},
    ],
}


async def test_the_picture_shows_who_waits_where_and_keeps_up(watched: Watched) -> None:
    await shop.shop()
    flow = await flow_rows.flow(name="Checkout abandoned")
    ada = await flow_rows.profile("ada@example.com")
    await flow_rows.run(flow, ada, step="wait-4h", due_in=timedelta(hours=4))
    page = watched.page
    await page.goto("/flows")
    line = page.get_by_role("listitem").filter(has_text="Checkout abandoned")
    await expect(line).to_contain_text("published")
    await expect(line).to_contain_text("on checkout.started")
    await page.get_by_role("link", name="Checkout abandoned").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Checkout abandoned")
    delay = page.locator('[data-step="wait-4h"]')
    await expect(delay).to_contain_text("Wait 4 h")
    await expect(delay).to_contain_text("1 waiting")
    await expect(page.locator("[data-run]")).to_contain_text("goes on in 4 h")

    # Somebody else comes in: the page is not loaded again, and shows it.
    await flow_rows.run(flow, step="wait-4h")
    await expect(delay).to_contain_text("2 waiting")
    await expect(page.locator("[data-run]")).to_have_count(2)


async def test_a_step_and_a_run_tell_what_happened(watched: Watched) -> None:
    await shop.shop()
    flow = await flow_rows.flow()
    ada = await flow_rows.profile("ada@example.com")
    run = await flow_rows.run(flow, ada, status="EXITED", reason="ORDER_PLACED", entered_ago=timedelta(hours=9))
    await flow_rows.step(run, "wait-4h", "delay", ago=timedelta(hours=5))
    mail = await flow_rows.message(run, "remind-1", clicked=True)
    await flow_rows.step(run, "remind-1", "send_email", message_id=mail, ago=timedelta(hours=5))
    await flow_rows.step(run, "text-1", "send_sms", "SKIPPED", reason="QUIET_HOURS")
    page = watched.page
    await page.goto("/flows/checkout_abandoned")
    await page.get_by_role("button", name="SMS checkout-abandoned-text").click()
    await expect(page.get_by_role("region", name="Step")).to_contain_text("QUIET_HOURS")
    await page.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("region", name="Step")).to_be_hidden()

    await page.get_by_role("button", name="ada@example.com").click()
    timeline = page.locator(".timeline li")
    await expect(timeline).to_have_count(5)
    for place, words in enumerate(("entered", "waited 4 h", "sent email", "skipped SMS: QUIET_HOURS", "left: ORDER")):
        await expect(timeline.nth(place)).to_contain_text(words)


async def test_what_a_merchant_typed_is_text_in_the_picture(watched: Watched) -> None:
    await shop.shop()
    hostile = "<img src=x onerror=\"document.title='Stolen'\">"
    steps = [{"key": "mail", "kind": "send_email", "template": hostile}]
    await flow_rows.flow("hostile", {"trigger": {"event": hostile}, "steps": steps}, name=hostile)
    page = watched.page
    await page.goto("/flows/hostile")
    await expect(page.get_by_role("heading", level=1)).to_have_text(hostile)
    await expect(page.locator('[data-step="mail"]')).to_contain_text(hostile)
    assert await page.title() == f"{hostile} · Flows · Tradewind"


async def test_an_unknown_flow_is_said_to_be_none(watched: Watched) -> None:
    page = watched.page
    await page.goto("/flows/no_such_flow")
    await expect(page.get_by_role("heading", name="There is no such flow")).to_be_visible()
    watched.problems.clear()  # Chromium notes the 404, which was wanted


@pytest.mark.viewport(PHONE)
@pytest.mark.parametrize("watched", ["light", "dark"], indirect=True)
async def test_boxes_and_words_stay_apart_on_a_phone(watched: Watched) -> None:
    await shop.shop()
    flow = await flow_rows.flow("checkout_abandoned", BRANCHED)
    await flow_rows.run(flow, step="clicked")
    page = watched.page
    await page.goto("/flows")
    await expect(page.get_by_role("listitem")).to_have_count(1)
    assert await watched.overflow() <= 0
    await page.goto("/flows/checkout_abandoned")
    await expect(page.locator('[data-step="clicked"]')).to_contain_text("1 waiting")
    assert await watched.overflow() <= 0
    boxes = await page.eval_on_selector_all(
        ".box", "boxes => boxes.map(b => b.getBoundingClientRect()).map(b => [b.left, b.top, b.right, b.bottom])"
    )
    assert len(boxes) == 10
    for place, (left, top, right, bottom) in enumerate(boxes):
        for other_left, other_top, other_right, other_bottom in boxes[:place]:
            assert right <= other_left or other_right <= left or bottom <= other_top or other_bottom <= top
    cut_off = await page.eval_on_selector_all(
        ".way, .box .counts",
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.textContent)",
    )
    assert cut_off == []
