"""What shoppers open from a message: unsubscribe, preferences, confirmation; on a phone, and without a script."""

import uuid
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from app import db
from app.customers import consent, links, permission
from app.customers.models import ConsentAction, ConsentSource
from app.messaging.models import MessageChannel, MessageReason
from tests.browser.conftest import PHONE, Watched
from tests.factories import customers, shop

pytestmark = pytest.mark.browser

EMAIL, SMS = MessageChannel.EMAIL, MessageChannel.SMS
ADA = "ada.lovelace@customer.example"
NUMBER = "+15035550142"


async def a_person(*consents: MessageChannel) -> uuid.UUID:
    await shop.shop(name="Harbour & Co.")
    return await customers.profile(email=ADA, phone=NUMBER, consents=consents)


def path(url: str) -> str:
    return urlsplit(url).path


@pytest.mark.parametrize("watched", ["light", "dark"], indirect=True)
@pytest.mark.viewport(PHONE)
async def test_unsubscribing_takes_one_press(watched: Watched) -> None:
    ada = await a_person(EMAIL)
    page = watched.page
    await page.goto(path(links.unsubscribe_url(ada, EMAIL, ADA)))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Unsubscribe?")
    assert await watched.overflow() <= 0
    assert ADA not in await page.content()
    assert await permission.marketing(EMAIL, ADA) is None
    await page.get_by_role("button", name="Unsubscribe").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_REVOKED


@pytest.mark.viewport(PHONE)
async def test_preferences_are_switched_saved_and_held(watched: Watched) -> None:
    ada = await a_person(EMAIL, SMS)
    page = watched.page
    await page.goto(path(links.preferences_url(ada, EMAIL, ADA)))
    assert await watched.overflow() <= 0
    assert ADA not in await page.content()
    assert NUMBER not in await page.content()
    texts = page.get_by_role("switch", name="Text messages")
    await expect(texts).to_be_checked()
    await texts.uncheck()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_have_text("Saved.")
    await expect(texts).not_to_be_checked()
    assert await permission.marketing(SMS, NUMBER) is MessageReason.CONSENT_REVOKED
    assert await permission.marketing(EMAIL, ADA) is None

    await page.get_by_role("button", name="Pause for 30 days").click()
    await expect(page.get_by_role("heading", name="You are taking a break")).to_be_visible()
    days = "SELECT extract(day FROM marketing_held_until - business_now())::int FROM profiles"
    assert await db.fetchval(days) in (29, 30)
    await page.get_by_role("button", name="End the break now").click()
    await expect(page.get_by_role("heading", name="Just a break?")).to_be_visible()
    assert await db.fetchval("SELECT marketing_held_until FROM profiles") is None

    await page.get_by_role("button", name="Unsubscribe from everything").click()
    await expect(page.get_by_role("switch", name="Email")).not_to_be_checked()
    assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_REVOKED


async def test_a_subscription_is_confirmed_by_a_press_not_by_a_look(watched: Watched) -> None:
    ada = await a_person()
    async with db.unit_of_work():
        await consent.request_or_grant(profile_id=ada, channel=EMAIL, address=ADA, source=ConsentSource.NEWSLETTER)
    consent_id = await db.fetchval("SELECT id FROM consents")
    page = watched.page
    await page.goto(path(links.confirmation_url(consent_id)))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Confirm your subscription")
    assert await consent.state(EMAIL, ADA) is ConsentAction.REQUESTED
    await page.get_by_role("button", name="Yes, subscribe me").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are subscribed")
    assert await consent.state(EMAIL, ADA) is ConsentAction.GRANTED
