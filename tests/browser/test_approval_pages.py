"""What an approver does with the link that they are mailed: looks at the order, and says yes or no."""

import re

import pytest
from playwright.async_api import expect

from app import db
from app.companies import approval_links
from app.sessions import passwords
from tests.browser.conftest import PHONE, Watched
from tests.factories import accounts, companies, shop

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
STANDING = "SELECT state, comment FROM order_approvals"
PLACE = """{"kind": "SHIPPING", "address": {"first_name": "Ada", "last_name": "Lovelace", "company": "Acme Outfitters",
    "address1": "1 Market Street", "city": "San Francisco", "province_code": "CA", "province": "California",
    "postal_code": "94103", "country_code": "US"}}"""
LINES = """[{"name": "Harbour Sweater, M / Navy", "sku": "SWEAT-M-NAVY", "quantity": 12, "total_minor": 95880},
    {"name": "Canvas Tote", "sku": null, "quantity": 1, "total_minor": 1900}]"""


async def link() -> str:
    await shop.shop(name="Harbour & Co.")
    company_id = await companies.company("Acme <Outfitters>")
    # Longer than a phone is wide.
    buyer = await accounts.signed_in("ada.augusta.king.countess.of.lovelace@analytical-engines.customer.example")
    boss = await accounts.signed_in("charlotte.brightwater-hamilton@customer.example")
    await companies.member(company_id, buyer.id)
    member_id = await companies.member(company_id, boss.id, role="APPROVER")
    hashed = await passwords.hash_password(PASSWORD)
    await db.execute("UPDATE customers SET password_hash = $1 WHERE id = $2", hashed, boss.id)
    approval_id = await companies.approval(company_id, buyer.id)
    await db.execute(
        """
        UPDATE order_approvals SET delivery = $1::jsonb, lines = $2::jsonb, total_minor = 97780, maximum_minor = 110000,
            message = E'For the crew of the spring fair.\nThe old ones are worn out.'
        """,
        PLACE,
        LINES,
    )
    return f"{approval_links.PATH}/{approval_links.token_for(approval_id, member_id)}"


@pytest.mark.parametrize("watched", ["light", "dark"], indirect=True)
@pytest.mark.viewport(PHONE)
async def test_an_approver_looks_at_it_and_approves(watched: Watched) -> None:
    page = watched.page
    await page.goto(await link())
    await expect(page.get_by_role("heading", level=1)).to_have_text("Approve this order for Acme <Outfitters>?")
    await expect(page.get_by_text("$977.80")).to_be_visible()
    await expect(page.get_by_text("1 Market Street")).to_be_visible()
    assert await watched.overflow() <= 0
    await page.get_by_label("Your answer").fill("Within budget")
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Approve").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("This order is approved")
    assert tuple(await db.fetchrow(STANDING) or ()) == ("APPROVED", "Within budget")
    await page.reload()
    await expect(page.get_by_text(re.compile("by you on"))).to_be_visible()


async def test_the_enter_key_decides_nothing(watched: Watched) -> None:
    page = watched.page
    await page.goto(await link())
    field = page.get_by_label("Your password")
    await field.fill(PASSWORD)
    await field.press("Enter")
    await page.get_by_role("button", name="Reject").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("This order is rejected")
    assert await db.fetchval("SELECT state FROM order_approvals") == "REJECTED"


async def test_without_the_password_the_browser_sends_nothing(watched: Watched) -> None:
    page = watched.page
    await page.goto(await link())
    await page.get_by_label("Your answer").fill("No")
    await page.get_by_role("button", name="Reject").click()
    await expect(page.get_by_label("Your password")).to_be_focused()
    assert tuple(await db.fetchrow(STANDING) or ()) == ("PENDING", None)
