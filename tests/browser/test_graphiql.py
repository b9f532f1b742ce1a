"""GraphiQL as a newcomer uses it: the story from the first tab to the last, and queries clicked together."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext

import pytest
from playwright.async_api import Locator, Page, expect

from app.sample.loading import load_sample_shop
from app.web.story import steps
from tests.browser.conftest import LAPTOP, PHONE, Watched
from tests.delivering import delivering
from tests.factories import shop

pytestmark = pytest.mark.browser


def tab(page: Page, operation: str) -> Locator:
    return page.get_by_role("tablist").get_by_role("button", name=operation, exact=True)


@pytest.mark.viewport(LAPTOP)
async def test_the_story_runs_from_tab_to_tab(watched: Watched, drain: Callable[[], Awaitable[None]]) -> None:
    await shop.shop()
    assert await load_sample_shop()
    page = watched.page
    await page.goto("/graphql")
    pane = page.get_by_label("Story", exact=True)
    response = page.get_by_label("Result Window")
    told = steps()
    for number, step in enumerate(told):
        await expect(page.get_by_role("tab", selected=True)).to_contain_text(step.operation)
        await expect(page.get_by_role("tab", selected=True)).to_be_in_viewport(ratio=0.9)
        await expect(pane.get_by_role("button", name="Run", exact=True)).to_be_enabled()
        await drain()
        async with delivering(drain) if step.operation == "PassTime" else nullcontext():
            await pane.get_by_role("button", name="Run", exact=True).click()
            await expect(response).to_contain_text('"data"')
            await expect(response).not_to_contain_text('"errors"')
            await expect(response).not_to_contain_text('"message"')
            await expect(pane.get_by_role("button", name="Run again")).to_be_visible()
        if number + 1 < len(told):
            await expect(pane.get_by_role("button", name="Next")).to_be_in_viewport(ratio=1)
            await pane.get_by_role("button", name="Next").click()

    await expect(response).to_contain_text("Within the budget")
    # The live view was told over a WebSocket, while the other tabs were used.
    live = pane.locator(".tw-live")
    await expect(live).to_contain_text("label created")
    await expect(live).to_contain_text("delivered, Left at the front door")


async def test_what_an_answer_teaches_is_seen_arriving(watched: Watched) -> None:
    await shop.shop()
    assert await load_sample_shop()
    page = watched.page
    await page.goto("/graphql")
    pane = page.get_by_label("Story", exact=True)
    await tab(page, "Cart").click()
    variables = page.get_by_label("Variables", exact=True)
    await expect(variables).to_contain_text("{{variantId}}")
    await expect(pane).to_contain_text("Needs variantId from “Browse”.")

    # Whoever runs it nevertheless is told what is missing, and nothing is sent.
    await page.get_by_role("button", name="Execute query").click()
    await expect(page.get_by_label("Result Window")).to_contain_text('run \\"Browse\\" first')

    await tab(page, "Browse").click()
    await pane.get_by_role("button", name="Run", exact=True).click()
    await pane.get_by_role("button", name="Next: Fill a cart").click()
    await expect(variables).to_contain_text('"variantId": "var_')
    await expect(page.get_by_role("status")).to_contain_text("variantId came from “Browse”")


async def test_a_query_is_clicked_together(watched: Watched) -> None:
    await shop.shop(name="Harbour & Co.")
    page = watched.page
    await page.goto("/graphql")
    await page.get_by_role("button", name="New tab").click()
    await page.get_by_role("button", name="Show GraphiQL Explorer").click()
    explorer = page.locator(".graphiql-explorer-root")
    await expect(explorer).to_be_visible()
    await explorer.locator(".graphiql-explorer-field-view", has_text="currencyCode").first.click()
    await page.get_by_role("button", name="Execute query").click()
    await expect(page.get_by_label("Result Window")).to_contain_text('"currencyCode": "USD"')


async def test_headers_are_sent(watched: Watched, staff_token: str) -> None:
    page = watched.page
    await page.goto("/graphql")
    await tab(page, "Inbox").click()
    await page.get_by_role("button", name="Headers", exact=True).click()
    editor = page.get_by_role("region", name="Headers").get_by_role("textbox")
    await editor.focus()
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text(f'{{"Authorization": "Bearer {staff_token}"}}')
    await page.get_by_role("button", name="Execute query").click()
    await expect(page.get_by_label("Result Window")).to_contain_text('"devInbox": []')


@pytest.mark.viewport(PHONE)
async def test_the_story_can_be_told_on_a_phone(watched: Watched) -> None:
    await shop.shop()
    assert await load_sample_shop()
    page = watched.page
    await page.goto("/graphql")
    pane = page.get_by_label("Story", exact=True)
    await pane.get_by_role("button", name="Run", exact=True).click()
    await expect(page.get_by_label("Result Window")).to_contain_text("Enamel Mug")
    assert await watched.overflow() <= 0
