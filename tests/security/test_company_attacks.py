"""Whoever is no member of a company, or not any more, gets nothing in its name."""

import pytest

from app import db
from tests.client import Api
from tests.factories import accounts, checkout
from tests.factories.order_approvals import order_input, team

ASK = """mutation ($input: QuotationRequestInput!) {
    quotationRequest(input: $input) { quotationId userErrors { code field } }
}"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.mark.parametrize("who", ["nobody", "stranger", "former member"])
async def test_only_members_ask_for_a_quotation_in_a_companys_name(api: Api, who: str) -> None:
    acme = await team()
    cart = (await order_input(api, acme.gid, acme.buyer))["cartId"]
    token = None
    if who == "stranger":
        token = (await accounts.signed_in("else@where.example")).token
    elif who == "former member":
        token = acme.buyer.token
        await db.execute("DELETE FROM company_members WHERE customer_id = $1", acme.buyer.id)
    given = {"cartId": cart, "email": "mine@else.example", "message": "The usual, on account"}
    answer = (await api.query(ASK, {"input": given}, token=token)).data
    assert answer is not None
    assert answer["quotationRequest"] == {
        "quotationId": None,
        "userErrors": [{"code": "NOT_A_MEMBER", "field": ["input", "cartId"]}],
    }
    assert await db.fetchval("SELECT count(*) FROM draft_orders") == 0
    assert await db.fetchval("SELECT count(*) FROM messages") == 0


async def test_members_ask_for_it(api: Api) -> None:
    acme = await team()
    cart = (await order_input(api, acme.gid, acme.buyer))["cartId"]
    answer = await api.ok(ASK, {"input": {"cartId": cart}}, token=acme.buyer.token)
    assert answer["quotationRequest"]["userErrors"] == []
    assert await db.fetchval("SELECT content ->> 'company_id' FROM draft_orders") == str(acme.company_id)
