"""The page behind an invitation to a company: with an account, and with a new one."""

import pytest
from playwright.async_api import expect

from app import db
from app.companies.invitations import PATH
from app.sessions import passwords
from tests.browser.conftest import PHONE, Watched
from tests.factories import accounts, companies, shop

pytestmark = pytest.mark.browser

ADA = "ada.lovelace@customer.example"
PASSWORD = "correct horse battery"
JOINED = "SELECT k.email FROM company_members m JOIN customers k ON k.id = m.customer_id"


async def an_invitation() -> str:
    """The path of its page."""
    await shop.shop(name="Harbour & Co.")
    return f"{PATH}/{await companies.invited(await companies.company('Acme <Ltd>'), ADA)}"


@pytest.mark.parametrize("watched", ["light", "dark"], indirect=True)
@pytest.mark.viewport(PHONE)
async def test_who_has_no_account_makes_one_and_is_in(watched: Watched) -> None:
    page = watched.page
    await page.goto(await an_invitation())
    await expect(page.get_by_role("heading", level=1)).to_have_text("Buy for Acme <Ltd> at Harbour & Co.")
    await expect(page.get_by_label("Email")).to_have_value(ADA)
    assert await watched.overflow() <= 0
    assert await db.fetchval("SELECT count(*) FROM company_members WHERE joined_at IS NOT NULL") == 0
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Make an account and join").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You buy for Acme <Ltd> now")
    assert await db.fetchval(JOINED) == ADA


async def test_who_has_an_account_joins_with_it(watched: Watched) -> None:
    path = await an_invitation()
    account = await accounts.signed_in("grace@customer.example")
    hashed = await passwords.hash_password(PASSWORD)
    await db.execute("UPDATE customers SET password_hash = $1 WHERE id = $2", hashed, account.id)
    page = watched.page
    await page.goto(path)
    await page.get_by_label("Email").fill(account.email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in and join").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You buy for Acme <Ltd> now")
    assert await db.fetchval(JOINED) == account.email
