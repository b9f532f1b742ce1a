"""Companies: who buys for them, at which prices, on account up to their limit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.kit import ids
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import account_mails, accounts, catalogue, checkout, companies, drafts

Drain = Callable[[], Awaitable[None]]
CHOOSE = """mutation ($cart: ID!, $company: ID) { cartCompanyUpdate(cartId: $cart, companyId: $company) {
    cart { id cost { total { amount } } } userErrors { code field }
} }"""
COMPANY = "company { id name taxId paymentTermsDays creditLimit { amount } owed { amount } members { email joinedAt } }"
ON_ACCOUNT = {"method": "PURCHASE_ORDER", "purchaseOrderNumber": "PO-7"}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def order_input(api: Api, buyer: accounts.Account, company: str, quantity: int = 1) -> dict[str, Any]:
    """A checkout of goods for 20.00 each, by somebody who buys for the company."""
    product = await catalogue.product(price_minor=2000, stock=100, requires_shipping=False)
    given = await checkout.ready_input(
        api, (product, quantity), shippingQuoteId=None, shippingAddress=None, payment=ON_ACCOUNT
    )
    await api.ok(CHOOSE, {"cart": given["cartId"], "company": company}, token=buyer.token)
    return given


async def complete(api: Api, given: dict[str, Any], token: str | None) -> dict[str, Any]:
    payload: dict[str, Any] = (await drafts.ok(api, checkout.COMPLETE, {"input": given}, token=token))[
        "checkoutComplete"
    ]
    return payload


async def test_staff_invite_a_buyer_who_joins_by_the_mailed_link(api: Api, staff_token: str, drain: Drain) -> None:
    made = await api.ok(
        f"mutation ($input: CompanyInput!) {{ companyCreate(input: $input) {{ {COMPANY} userErrors {{ code }} }} }}",
        {"input": {"name": "Acme GmbH", "taxId": "de 136 695 976", "paymentTermsDays": 30}},
        token=staff_token,
    )
    company = made["companyCreate"]["company"]
    assert (company["taxId"], company["members"]) == ("DE136695976", [])
    await api.ok(
        "mutation ($input: CompanyMemberInviteInput!) { companyMemberInvite(input: $input) { userErrors { code } } }",
        {"input": {"companyId": company["id"], "email": "buyer@acme.example"}},
        token=staff_token,
    )
    await drain()
    assert await db.fetchval("SELECT state FROM messages WHERE template = 'company_invitation'") == "SENT"
    token = (await account_mails.last("buyer@acme.example", "company_invitation")).token
    buyer = await accounts.signed_in("somebody@acme.example")
    accept = """mutation ($token: String!) { companyInvitationAccept(token: $token) {
        company { name buysOnAccount } userErrors { code }
    } }"""
    joined = await drafts.ok(api, accept, {"token": token}, token=buyer.token)
    assert joined["companyInvitationAccept"]["company"] == {"name": "Acme GmbH", "buysOnAccount": True}
    again = await drafts.ok(api, accept, {"token": token}, token=(await accounts.signed_in("other@acme.example")).token)
    assert [error["code"] for error in again["companyInvitationAccept"]["userErrors"]] == ["INVALID_LINK"]
    assert await db.fetchval("SELECT count(*) FROM company_members") == 1


async def test_a_member_orders_on_account(api: Api, staff_token: str) -> None:
    company_id = await companies.company(terms_days=30, credit_limit_minor=10_000)
    buyer = await accounts.signed_in("buyer@acme.example")
    await companies.member(company_id, buyer.id)
    company = ids.encode("comp", company_id)
    placed = await complete(api, await order_input(api, buyer, company), buyer.token)
    assert placed["userErrors"] == []
    order = await db.fetchrow(
        """
        SELECT company_id, purchase_order_number, payment_status,
               payment_due_at - placed_at BETWEEN interval '29 days 23 hours' AND interval '30 days' AS due
        FROM orders
        """
    )
    assert order
    assert tuple(order) == (company_id, "PO-7", "PENDING", True)
    shown = f"query ($id: ID!) {{ {COMPANY.replace('company', 'company(id: $id)', 1)} }}"
    found = await api.ok(shown, {"id": company}, token=staff_token)
    assert found["company"]["owed"] == {"amount": "20.00"}


async def test_who_does_not_buy_for_it_cannot_order_for_it(api: Api) -> None:
    company_id = await companies.company()
    buyer, stranger = await accounts.signed_in("buyer@acme.example"), await accounts.signed_in("else@example.com")
    member_id = await companies.member(company_id, buyer.id)
    given = await order_input(api, buyer, ids.encode("comp", company_id))
    for token in (None, stranger.token):
        refused = await complete(api, {**given, "idempotencyKey": new_id().hex}, token)
        assert [error["code"] for error in refused["userErrors"]] == ["NOT_A_MEMBER"]
    chosen = await drafts.ok(
        api, CHOOSE, {"cart": given["cartId"], "company": ids.encode("comp", company_id)}, token=stranger.token
    )
    assert [error["code"] for error in chosen["cartCompanyUpdate"]["userErrors"]] == ["NOT_A_MEMBER"]
    await db.execute("DELETE FROM company_members WHERE id = $1", member_id)
    refused = await complete(api, {**given, "idempotencyKey": new_id().hex}, buyer.token)
    assert [error["code"] for error in refused["userErrors"]] == ["NOT_A_MEMBER"]
    assert await db.fetchval("SELECT count(*) FROM orders") == 0


async def test_nobody_orders_for_more_than_they_may(api: Api) -> None:
    company_id = await companies.company()
    buyer = await accounts.signed_in("buyer@acme.example")
    await companies.member(company_id, buyer.id, spending_limit_minor=4000)
    company = ids.encode("comp", company_id)
    refused = await complete(api, await order_input(api, buyer, company, 3), buyer.token)
    assert [error["code"] for error in refused["userErrors"]] == ["SPENDING_LIMIT_EXCEEDED"]
    assert (await complete(api, await order_input(api, buyer, company, 2), buyer.token))["userErrors"] == []


async def test_ten_orders_at_once_keep_the_companys_limit(api: Api) -> None:
    company_id = await companies.company(credit_limit_minor=6_000)
    buyer = await accounts.signed_in("buyer@acme.example")
    await companies.member(company_id, buyer.id)
    company = ids.encode("comp", company_id)
    inputs = [await order_input(api, buyer, company) for _ in range(10)]
    answers = await asyncio.gather(*(complete(api, given, buyer.token) for given in inputs))
    codes = [answer["userErrors"][0]["code"] for answer in answers if answer["userErrors"]]
    assert codes == ["CREDIT_LIMIT_EXCEEDED"] * 7
    assert await db.fetchval("SELECT sum(total_minor)::int FROM orders WHERE company_id = $1", company_id) == 6_000


async def test_nobody_orders_on_account_in_another_currency_than_the_limit_is_in(api: Api) -> None:
    company_id = await companies.company(credit_limit_minor=10_000, currency="EUR")
    buyer = await accounts.signed_in("buyer@acme.example")
    await companies.member(company_id, buyer.id)
    refused = await complete(api, await order_input(api, buyer, ids.encode("comp", company_id)), buyer.token)
    assert [error["code"] for error in refused["userErrors"]] == ["PAYMENT_METHOD_UNAVAILABLE"]
    assert await db.fetchval("SELECT count(*) FROM orders") == 0


async def test_a_companys_prices_hold_in_its_carts(api: Api) -> None:
    product = await catalogue.product(price_minor=2000)
    company_id = await companies.company(price_list_id=await companies.prices(product.variant_id, "15.00"))
    buyer = await accounts.signed_in("buyer@acme.example")
    await companies.member(company_id, buyer.id)
    given = await checkout.ready_input(api, (product, 2))
    chosen = await api.ok(
        CHOOSE, {"cart": given["cartId"], "company": ids.encode("comp", company_id)}, token=buyer.token
    )
    assert chosen["cartCompanyUpdate"]["cart"]["cost"]["total"]["amount"] == "30.00"
    alone = await api.ok(CHOOSE, {"cart": given["cartId"], "company": None}, token=buyer.token)
    assert alone["cartCompanyUpdate"]["cart"]["cost"]["total"]["amount"] == "40.00"


async def test_a_draft_is_paid_on_the_companys_account(api: Api, staff_token: str) -> None:
    company_id = await companies.company(credit_limit_minor=5_000)
    company = ids.encode("comp", company_id)
    for outcome in ([], ["CREDIT_LIMIT_EXCEEDED"]):
        draft = await drafts.created(api, staff_token, companyId=company)
        link = await drafts.sent(api, staff_token, draft["id"])
        placed = await drafts.complete(api, link, payment=ON_ACCOUNT)
        assert [error["code"] for error in placed["userErrors"]] == outcome
    assert await db.fetchval("SELECT count(*) FROM orders WHERE purchase_order_number = 'PO-7'") == 1
