"""How people come into a company, what they are there, and in which currency their limits are."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.companies.invitations import PATH
from app.kit import ids
from app.kit.ids import new_id
from app.settings import get_settings
from tests.client import Api
from tests.factories import account_mails, accounts, checkout, companies, drafts, staff

Drain = Callable[[], Awaitable[None]]
INVITE = """mutation ($input: CompanyMemberInviteInput!) { companyMemberInvite(input: $input) {
    company { members { id email role spendingLimit { amount } } } userErrors { code field }
} }"""
CHANGE = """mutation ($id: ID!, $input: CompanyMemberInput!) { companyMemberUpdate(id: $id, input: $input) {
    company { members { role spendingLimit { amount } } } userErrors { code field }
} }"""
COMPANY = """mutation ($id: ID!, $input: CompanyInput!) { companyUpdate(id: $id, input: $input) {
    company { creditLimit { amount currencyCode } approvalThreshold { amount currencyCode } }
    userErrors { code field }
} }"""
ADA = "ada@acme.example"
PASSWORD = "correct horse battery"


@pytest.fixture
async def company(api: Api) -> str:
    await checkout.shop_that_ships()
    return ids.encode("comp", await companies.company())


async def invite(api: Api, token: str, company: str, **given: Any) -> dict[str, Any]:
    answer = await drafts.ok(api, INVITE, {"input": {"companyId": company, "email": ADA, **given}}, token=token)
    payload: dict[str, Any] = answer["companyMemberInvite"]
    return payload


async def members() -> list[tuple[str, bool]]:
    rows = await db.fetch("SELECT email, joined_at IS NOT NULL AS joined FROM company_members ORDER BY id")
    return [(row["email"], row["joined"]) for row in rows]


async def test_the_mailed_link_leads_somewhere_with_and_without_a_storefront(
    api: Api, staff_token: str, company: str, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await invite(api, staff_token, company)
    await drain()
    mail = await account_mails.last(ADA, "company_invitation")
    assert mail.url == f"{get_settings().public_url}{PATH}/{mail.token}"
    page = await api.http.get(f"{PATH}/{mail.token}")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert await members() == [(ADA, False)], "a mail scanner opens every link"
    monkeypatch.setattr(get_settings(), "storefront_account_url", "https://shop.example/{action}#{token}")
    await invite(api, staff_token, company)
    await drain()
    newer = await account_mails.last(ADA, "company_invitation")
    assert newer.url.startswith("https://shop.example/company-invitation#")
    assert (await api.http.get(f"{PATH}/{mail.token}")).status_code == 404, "only the newest one is good"


async def test_the_page_takes_in_nobody_without_their_password(api: Api, company: str) -> None:
    token = await companies.invited(ids.decode("comp", company), ADA)
    await accounts.signed_in(ADA)
    for form in (
        {"email": ADA, "password": "a wrong password", "join": "1"},
        {"email": ADA, "password": "short", "create": "1"},
        {"email": "nobody", "password": PASSWORD, "create": "1"},
        {},
    ):
        refused = await api.http.post(f"{PATH}/{token}", data=form)
        assert (refused.status_code, 'role="alert"' in refused.text) == (422, True), form
    for other in (new_id().hex, "x" * 500):
        assert (await api.http.post(f"{PATH}/{other}", data={"email": ADA, "password": PASSWORD})).status_code == 404
    assert await members() == [(ADA, False)]
    assert await db.fetchval("SELECT count(*) FROM customers") == 1
    joined = await api.http.post(f"{PATH}/{token}", data={"email": "b@x.example", "password": PASSWORD, "create": "1"})
    assert joined.status_code == 200
    again = await api.http.post(f"{PATH}/{token}", data={"email": "c@x.example", "password": PASSWORD, "create": "1"})
    assert again.status_code == 404
    assert await db.fetchval("SELECT count(*) FROM customers") == 2
    assert (
        await db.fetchval("SELECT count(*) FROM sessions WHERE subject_kind = 'customer' AND revoked_at IS NULL") == 1
    )


async def test_an_invitation_is_over_after_a_week(api: Api, company: str) -> None:
    token = await companies.invited(ids.decode("comp", company), ADA)
    await db.execute("UPDATE company_members SET invited_until = clock_timestamp()")
    accept = "mutation ($token: String!) { companyInvitationAccept(token: $token) { userErrors { code } } }"
    buyer = await accounts.signed_in(ADA)
    answer = await drafts.ok(api, accept, {"token": token}, token=buyer.token)
    assert answer["companyInvitationAccept"]["userErrors"] == [{"code": "INVALID_LINK"}]
    assert (await api.http.get(f"{PATH}/{token}")).status_code == 404
    assert await members() == [(ADA, False)]


async def test_staff_say_what_a_member_does_and_may_order_for(api: Api, staff_token: str, company: str) -> None:
    limit = {"amount": "100", "currencyCode": "USD"}
    invited = await invite(api, staff_token, company, role="APPROVER", spendingLimit=limit)
    (member,) = invited["company"]["members"]
    assert (member["role"], member["spendingLimit"]) == ("APPROVER", {"amount": "100.00"})

    async def changed(**given: Any) -> Any:
        answer = await drafts.ok(api, CHANGE, {"id": member["id"], "input": given}, token=staff_token)
        payload = answer["companyMemberUpdate"]
        return [error["code"] for error in payload["userErrors"]] or payload["company"]["members"]

    assert await changed(role="BUYER") == [{"role": "BUYER", "spendingLimit": {"amount": "100.00"}}]
    assert await changed(spendingLimit={"amount": "7", "currencyCode": "EUR"}) == ["INVALID"]
    assert await changed(spendingLimit={"amount": "-1", "currencyCode": "USD"}) == ["OUT_OF_RANGE"]
    assert await changed(spendingLimit=None) == [{"role": "BUYER", "spendingLimit": None}]
    reader = await staff.signed_in(set())
    refused = await drafts.ok(api, CHANGE, {"id": member["id"], "input": {"role": "APPROVER"}}, token=reader)
    assert refused["companyMemberUpdate"]["userErrors"][0]["code"] == "FORBIDDEN"
    assert await db.fetchval("SELECT role FROM company_members") == "BUYER"


async def test_all_limits_of_a_company_are_in_one_currency(api: Api, staff_token: str, company: str) -> None:
    def money(amount: str, currency: str) -> dict[str, str]:
        return {"amount": amount, "currencyCode": currency}

    async def update(**given: Any) -> tuple[list[tuple[str, str]], dict[str, Any] | None]:
        answer = await drafts.ok(api, COMPANY, {"id": company, "input": given}, token=staff_token)
        payload = answer["companyUpdate"]
        return [(one["code"], one["field"][-1]) for one in payload["userErrors"]], payload["company"]

    both = {"creditLimit": money("500.00", "EUR"), "approvalThreshold": money("50.00", "EUR")}
    assert await update(**both) == ([], both)
    assert (await update(approvalThreshold=money("40", "USD")))[0] == [("INVALID", "approvalThreshold")]
    assert (await update(creditLimit=money("40", "USD")))[0] == [("INVALID", "creditLimit")]
    mixed = await update(creditLimit=money("5", "EUR"), approvalThreshold=money("5", "USD"))
    assert mixed[0] == [("INVALID", "approvalThreshold")]
    assert (await update(approvalThreshold=money("-1", "EUR")))[0] == [("OUT_OF_RANGE", "amount")]
    # With nothing kept in the old currency another one is taken; a member's limit is something.
    assert await invite(api, staff_token, company, spendingLimit=money("9", "EUR"))
    dollars = {"creditLimit": money("600.00", "USD"), "approvalThreshold": None}
    assert (await update(**dollars))[0] == [("CONFLICT", "creditLimit")]
    assert await update() == ([], both)
    await db.execute("DELETE FROM company_members")
    assert await update(**dollars) == ([], dollars)
