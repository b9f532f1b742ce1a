"""The page behind the link that is mailed to an approver: it shows what is asked for, and a button decides."""

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from argon2 import PasswordHasher

from app import db
from app.companies import approval_links
from app.kit.ids import decode
from app.sessions import passwords
from app.settings import get_settings
from tests.client import Api
from tests.factories import account_mails, checkout, companies
from tests.factories.order_approvals import Team, approved, codes, order_input, request, requested, team

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]
PASSWORD = "correct horse battery"
# As much as the page's own limit lets one type, as browsers send it.
LONGEST = "Within budget,\r\n" + "\N{BANANA}" * 1985


@pytest.fixture(autouse=True)
async def _shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    await checkout.shop_that_ships()


@pytest.fixture
async def acme() -> Team:
    acme = await team()
    await db.execute(
        "UPDATE customers SET password_hash = $2 WHERE id = $1",
        acme.approver.id,
        await passwords.hash_password(PASSWORD),
    )
    return acme


async def asked(api: Api, acme: Team, drain: Drain, **given: Any) -> tuple[dict[str, Any], str]:
    """What the buyer would order with, and the path of the page that the approver is mailed."""
    order = await order_input(api, acme.gid, acme.buyer)
    await requested(api, order["cartId"], acme.buyer.token, **given)
    await drain()
    return order, urlsplit((await account_mails.last(acme.approver.email, "approval_requested")).url).path


async def stored() -> list[Any]:
    return [
        *await db.fetch("SELECT state, comment, approver_id, decided_at, updated_at FROM order_approvals ORDER BY id"),
        await db.fetchval("SELECT count(*) FROM events WHERE type = 'order_approval.decided'"),
        await db.fetchval("SELECT count(*) FROM sessions"),
    ]


async def test_opening_the_link_decides_nothing_and_a_button_does(api: Api, acme: Team, drain: Drain) -> None:
    order, path = await asked(api, acme, drain, message="For the <fair>\nin May")
    before = await stored()
    for method in ("HEAD", "GET"):
        for query in ("", "?approve=1&password=" + PASSWORD.replace(" ", "+")):
            page = await api.http.request(method, path + query)
            assert page.status_code == 200
    assert await stored() == before
    assert page.headers["Cache-Control"] == "no-store"
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    for shown in (acme.buyer.email, "Acme", "For the &lt;fair&gt;<br />", "$60.00", "3 units"):
        assert shown in page.text, shown

    done = await api.http.post(path, data={"approve": "1", "password": PASSWORD, "comment": LONGEST})
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert "This order is approved" in (await api.http.get(path)).text
    assert codes(await checkout.complete(api, order, token=acme.buyer.token)) == []
    assert "has placed it" in (await api.http.get(path)).text
    await drain()
    assert await db.fetchval("SELECT comment FROM order_approvals") == LONGEST.replace("\r\n", "\n")
    assert "Within budget" in (await account_mails.last(acme.buyer.email, "approval_decided")).text


async def test_rejecting_says_why_and_deciding_twice_says_what_was_decided(api: Api, acme: Team, drain: Drain) -> None:
    order, path = await asked(api, acme, drain)
    form = {"reject": "1", "password": PASSWORD, "comment": "Too dear"}
    assert (await api.http.post(path, data=form)).status_code == 303
    after = await stored()
    again = await api.http.post(path, data={**form, "approve": "1"})
    assert again.status_code == 409
    assert "This order is rejected" in again.text
    assert "by you on" in again.text
    assert await stored() == after
    assert codes(await checkout.complete(api, order, token=acme.buyer.token)) == ["APPROVAL_REQUIRED"]
    await drain()
    assert "Too dear" in (await account_mails.last(acme.buyer.email, "approval_decided")).text


async def test_a_forwarded_link_without_the_password_decides_nothing(api: Api, acme: Team, drain: Drain) -> None:
    _, path = await asked(api, acme, drain)
    before = await stored()
    for form in ({"approve": "1"}, {"approve": "1", "password": "another one, guessed"}, {"password": PASSWORD}):
        page = await api.http.post(path, data={**form, "comment": "Kept & shown"})
        assert page.status_code == 422
        assert "Kept &amp; shown" in page.text
        assert PASSWORD not in page.text
    long = await api.http.post(path, data={"approve": "1", "password": PASSWORD, "comment": "x" * 2_001})
    assert long.status_code == 422
    statuses = [(await api.http.post(path, data={"reject": "1", "password": "guess"})).status_code for _ in range(20)]
    assert statuses[-1] == 429
    assert (await api.http.post(path, data={"reject": "1", "password": PASSWORD})).status_code == 429
    assert await stored() == before


async def test_an_account_that_is_opened_by_mailed_links_alone_decides_by_this_one(api: Api, drain: Drain) -> None:
    acme = await team()
    _, path = await asked(api, acme, drain)
    assert 'type="password"' not in (await api.http.get(path)).text
    assert (await api.http.post(path, data={"approve": "1"})).status_code == 303
    assert await db.fetchval("SELECT approver_id FROM order_approvals WHERE state = 'APPROVED'") == acme.approver.id


async def test_who_approves_no_more_is_told_so(api: Api, acme: Team, drain: Drain) -> None:
    _, path = await asked(api, acme, drain)
    before, form = await stored(), {"approve": "1", "password": PASSWORD}
    for change in (
        "UPDATE company_members SET role = 'BUYER' WHERE customer_id = $1",
        "UPDATE customers SET is_active = false WHERE id = $1",
        "DELETE FROM company_members WHERE customer_id = $1",
    ):
        await db.execute(change, acme.approver.id)
        for page in (await api.http.get(path), await api.http.post(path, data=form)):
            assert page.status_code == 403
            assert "any more" in page.text
            assert acme.buyer.email not in page.text
        await db.execute("UPDATE company_members SET role = 'APPROVER' WHERE customer_id = $1", acme.approver.id)
        await db.execute("UPDATE customers SET is_active = true WHERE id = $1", acme.approver.id)
    # Invited anew, they are another member: what was mailed to the one before stays over.
    await companies.member(acme.company_id, acme.approver.id, role="APPROVER")
    assert (await api.http.post(path, data=form)).status_code == 403
    assert await stored() == before


async def test_what_was_asked_anew_taken_back_decided_elsewhere_or_is_over_is_not_decided_here(
    api: Api, acme: Team, drain: Drain, advance: Advance
) -> None:
    order, path = await asked(api, acme, drain)
    form = {"approve": "1", "password": PASSWORD}
    assert codes(await request(api, order["cartId"], acme.buyer.token, message="More of it")) == []
    await drain()
    stale = await api.http.post(path, data=form)
    assert stale.status_code == 409
    assert "has asked anew" in stale.text
    newer = urlsplit((await account_mails.last(acme.approver.email, "approval_requested")).url).path
    assert "More of it" in (await api.http.get(newer)).text
    approval = await db.fetchval("SELECT id FROM order_approvals WHERE state = 'PENDING'")
    await db.execute("UPDATE order_approvals SET state = 'CANCELLED' WHERE id = $1", approval)
    assert "Nothing is left to decide" in (await api.http.get(newer)).text

    again = await requested(api, order["cartId"], acme.buyer.token)
    assert decode("oapr", again, ["id"]) != approval
    await drain()
    last = urlsplit((await account_mails.last(acme.approver.email, "approval_requested")).url).path
    await approved(api, again, acme.approver.token)
    assert "by you on" in (await api.http.get(last)).text
    _, late = await asked(api, acme, drain)
    await advance("P15D")
    over = await api.http.post(late, data=form)
    assert over.status_code == 409
    assert "Its time is over" in over.text
    assert await db.fetchval("SELECT count(*) FROM order_approvals WHERE state = 'APPROVED'") == 0


async def test_links_that_are_cut_off_made_up_for_something_else_or_old_open_nothing(api: Api, acme: Team) -> None:
    order = await order_input(api, acme.gid, acme.buyer)
    approval_id = decode("oapr", await requested(api, order["cartId"], acme.buyer.token), ["id"])
    member_id = await db.fetchval("SELECT id FROM company_members WHERE customer_id = $1", acme.approver.id)
    token = approval_links.token_for(approval_id, member_id)
    invitation = await companies.invited(acme.company_id, "new@acme.example")
    old = approval_links.token_for(approval_id, member_id, now=time.time() - approval_links.GOOD_SECONDS)
    stranger = approval_links.token_for(approval_id, (await team("other")).company_id)
    before = await stored()
    for wrong, status in ((token[:-1], 404), (invitation, 404), ("x" * 400, 404), (old, 410), (stranger, 403)):
        for page in (
            await api.http.get(f"{approval_links.PATH}/{wrong}"),
            await api.http.post(f"{approval_links.PATH}/{wrong}", data={"approve": "1", "password": PASSWORD}),
        ):
            assert page.status_code == status
            assert acme.buyer.email not in page.text
    assert await stored() == before


async def test_a_front_end_of_ones_own_takes_the_pages_place(
    api: Api, acme: Team, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "https://harbour.example/account/{action}#{token}"
    monkeypatch.setattr(get_settings(), "storefront_account_url", page)
    order = await order_input(api, acme.gid, acme.buyer)
    approval = await requested(api, order["cartId"], acme.buyer.token)
    await drain()
    mail = await account_mails.last(acme.approver.email, "approval_requested")
    assert mail.url == f"https://harbour.example/account/order-approval#{approval}"
    assert not re.search(approval_links.PATH, mail.text)
