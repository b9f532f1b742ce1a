"""The start page and the inbox, as a developer meets them."""

import pytest
from playwright.async_api import expect

from app import db
from app.upkeep import claims
from tests.browser.conftest import PHONE, Watched
from tests.factories import inbox, shop

pytestmark = pytest.mark.browser


async def test_the_start_page_leads_to_everything(watched: Watched) -> None:
    await shop.shop(name="Harbour & Co.")
    await claims.done(claims.TICK)  # as a scheduler does, which nobody started here
    await db.execute("UPDATE upkeep SET done_at = done_at + interval '1 hour'")  # however long the page takes
    page = watched.page
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Harbour & Co. is open")
    await expect(page.get_by_role("status")).to_have_text("Everything is running")
    await expect(page.get_by_text("owner@example.com").first).to_be_visible()
    links = await page.eval_on_selector_all("a", "links => links.map(link => link.getAttribute('href'))")
    for address in ("/graphql", "/inbox", "/flows", "/schema.graphql", "/health/ready"):
        assert address in links
        assert (await page.request.get(address, headers={"Accept": "text/html, */*"})).ok, address


async def test_a_mail_is_shown_as_it_looks(watched: Watched) -> None:
    mail = await inbox.mail("ada@example.com", "order_confirmation")
    page = watched.page
    await page.goto("/inbox")
    await expect(page.get_by_role("heading", level=2)).to_have_text(mail.subject)

    frame = page.frame_locator("iframe")
    await expect(frame.get_by_role("heading").first).to_be_visible()
    assert await page.locator("iframe").get_attribute("sandbox") == "allow-popups allow-popups-to-escape-sandbox"

    await page.get_by_role("tab", name="Phone").click()
    box = await page.locator("iframe").bounding_box()
    assert box is not None
    assert box["width"] == 375
    await page.get_by_role("tab", name="Text").click()
    await expect(page.get_by_role("tabpanel")).to_contain_text(mail.text.splitlines()[0])
    await page.get_by_role("tab", name="Headers").click()
    await expect(page.get_by_role("row", name="Subject")).to_contain_text(mail.subject)


async def test_a_new_message_appears_by_itself(watched: Watched) -> None:
    page = watched.page
    await page.goto("/inbox")
    await expect(page.get_by_text("Nothing was sent yet.")).to_be_visible()
    await inbox.text("+14155550100", "Your order 1001 is on its way. https://shop.example/t/1")
    await expect(page.locator("#messages li")).to_have_count(1)
    await expect(page.locator(".bubble")).to_contain_text("Your order 1001 is on its way.")
    await expect(page.get_by_role("link", name="https://shop.example/t/1")).to_be_visible()


async def test_a_mail_can_run_nothing_and_reach_nothing_of_the_page(watched: Watched) -> None:
    hostile = (
        "<html><head></head><body><h1 id=title>Before</h1>"
        "<script>document.getElementById('title').textContent = 'After'; top.document.title = 'Stolen'</script>"
        "<img src='data:image/gif;base64,broken' onerror='parent.document.title = 1'>"
        "<form action=/graphql><button>Send</button></form></body></html>"
    )
    await inbox.mail("ada@example.com", "order_shipped", subject="<b>Hostile</b>", html=hostile)
    page = watched.page
    await page.goto("/inbox")
    await expect(page.get_by_role("heading", level=2)).to_have_text("<b>Hostile</b>")
    await expect(page.frame_locator("iframe").get_by_role("heading")).to_have_text("Before")
    assert await page.title() == "Inbox · Tradewind"
    # Chromium says that it blocked the script, which is what was wanted.
    assert watched.problems
    watched.problems.clear()


@pytest.mark.viewport(PHONE)
@pytest.mark.parametrize("watched", ["light", "dark"], indirect=True)
async def test_the_pages_fit_a_phone(watched: Watched) -> None:
    mail = await inbox.mail("somebody.with.a.long.address@subdomain.of.a.long.example.com", "order_shipped")
    await shop.shop()
    page = watched.page
    for address in ("/", "/inbox", "/graphql"):
        await page.goto(address)
        await page.wait_for_load_state("networkidle") if address == "/graphql" else None
        assert await watched.overflow() <= 0, address
    await page.goto("/inbox")
    await page.get_by_role("button", name=mail.subject).click()
    await expect(page.frame_locator("iframe").get_by_role("heading").first).to_be_visible()
    assert await watched.overflow() <= 0
    await page.get_by_role("button", name="Inbox").click()
    await expect(page.get_by_role("button", name=mail.subject)).to_be_visible()
