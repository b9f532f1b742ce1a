"""What a buyer does with a link from staff: looks at the offer, pays at the provider's, comes back, pays the rest."""

import re
import uuid

import pytest
from playwright.async_api import expect

from app import db
from app.assisted import queries, service
from app.assisted.content import DraftContent, DraftLine
from app.assisted.links import url_of
from app.assisted.models import DraftKind, DraftState
from app.settings import get_settings
from tests.browser.conftest import PHONE, Watched
from tests.factories import checkout
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser


@pytest.fixture
async def link(live_server: LiveServer, clean_database: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where a quotation of two lines is opened, of which 120.00 is paid first."""
    monkeypatch.setattr(get_settings(), "public_url", live_server.url)
    await checkout.shop_that_ships()
    lines = (
        DraftLine(id=uuid.uuid4(), quantity=2, title="Oak bench, sawn and oiled", unit_price_minor=18_500),
        DraftLine(id=uuid.uuid4(), quantity=1, title="Fitting it on your terrace", unit_price_minor=9_000),
    )
    content = DraftContent(
        email=checkout.EMAIL, lines=lines, deposit_minor=12_000, shipping_address={**checkout_address()}
    )
    draft_id = await service.create(DraftKind.QUOTATION, DraftState.OPEN, content, created_by=None)
    await service.send(draft_id, days_good=14, reply="As we said on the phone.\nThe wood is dry by then.")
    url = url_of((await queries.by_ids([draft_id]))[draft_id])
    assert url
    return url


def checkout_address() -> dict[str, str]:
    return {"last_name": "Lovelace", "address1": "1 Market Street", "city": "San Francisco", "province_code": "CA",
            "postal_code": "94103", "country_code": "US"}  # fmt: skip


@pytest.mark.parametrize("watched", ["light", "dark"], indirect=True)
@pytest.mark.viewport(PHONE)
async def test_a_deposit_and_then_the_rest(watched: Watched, link: str) -> None:
    page = watched.page
    await page.goto(link)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Your offer")
    await expect(page.get_by_text("$120.00")).to_be_visible()
    assert await watched.overflow() <= 0
    for amount in (12_000, 46_000):
        await page.get_by_role("button", name="Pay with PayPal").click()
        # The page leads there by itself: its policy lets no form, and no script, go to another host.
        await page.wait_for_url(re.compile("/dev/payments/"))
        await page.get_by_role("button", name="Approve").click()
        await page.get_by_role("link", name="Back to the shop").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Your payment")
        assert await watched.overflow() <= 0
        await page.get_by_role("button", name="I have agreed").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
        assert await watched.overflow() <= 0
        assert await db.fetchval("SELECT sum(captured_minor)::int FROM payments") == amount
    await expect(page.get_by_text("Still to pay")).to_have_count(0)
    assert await db.fetchval("SELECT payment_status FROM orders") == "PAID"
