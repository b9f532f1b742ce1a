"""Where an order goes is part of what is approved, once somebody has said it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.companies.approval_links import PATH
from tests.client import Api
from tests.factories import account_mails, catalogue, checkout
from tests.factories.order_approvals import ON_ACCOUNT, Team, approved, choose_company, codes, team

Drain = Callable[[], Awaitable[None]]
ELSEWHERE = {**checkout.ADDRESS, "address1": "2 Market Street"}
_CREATE = "mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) { userErrors { code } } }"
_REQUEST = """mutation ($input: OrderApprovalRequestInput!) { orderApprovalRequest(input: $input) {
    orderApproval { id isDeliveryOpen delivery { pickupLocationName address { address1 city } } } userErrors { code }
} }"""


@pytest.fixture
async def acme(api: Api) -> Team:
    await checkout.shop_that_ships()
    return await team()


async def asked(api: Api, acme: Team, **known: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the buyer would order with, to the usual address, and what was asked for while this much was known."""
    product = await catalogue.product(price_minor=6000, stock=100)
    given = await checkout.ready_input(api, (product, 1), payment=ON_ACCOUNT)
    await choose_company(api, given["cartId"], acme.gid, acme.buyer.token)
    if known:
        made = await api.ok(_CREATE, {"input": {"cartId": given["cartId"], **known}}, token=acme.buyer.token)
        assert made["checkoutCreate"]["userErrors"] == []
    most = {"amount": "100", "currencyCode": "USD"}
    variables = {"input": {"cartId": given["cartId"], "maximumTotal": most}}
    answer = (await api.ok(_REQUEST, variables, token=acme.buyer.token))["orderApprovalRequest"]
    assert answer["userErrors"] == []
    return given, answer["orderApproval"]


async def refusals(api: Api, acme: Team, given: dict[str, Any], address: dict[str, Any]) -> list[str]:
    tried = {**given, "idempotencyKey": checkout.new_key(), "shippingAddress": address}
    return codes(await checkout.complete(api, tried, token=acme.buyer.token))


async def test_an_address_that_the_approver_has_seen_is_approved_with_it(api: Api, acme: Team, drain: Drain) -> None:
    given, approval = await asked(api, acme, shippingAddress=checkout.ADDRESS)
    place = {"address1": "1 Market Street", "city": "San Francisco"}
    assert approval["delivery"] == {"pickupLocationName": None, "address": place}
    await drain()
    mail = await account_mails.last(acme.approver.email, "approval_requested")
    assert "1 Market Street" in mail.text
    page = await api.http.get(f"{PATH}/{mail.token}")
    assert "1 Market Street<br>" in page.text
    await approved(api, approval["id"], acme.approver.token)
    assert await refusals(api, acme, given, ELSEWHERE) == ["APPROVAL_REQUIRED"]
    assert await db.fetchval("SELECT state FROM order_approvals") == "APPROVED"
    assert await db.fetchval("SELECT count(*) FROM orders") == 0
    # Another number to ring there is no other address.
    assert await refusals(api, acme, given, {**checkout.ADDRESS, "phone": "+14155550123"}) == []
    assert await db.fetchval("SELECT state FROM order_approvals") == "USED"


async def test_where_nobody_had_said_it_the_approver_was_told_and_any_address_will_do(
    api: Api, acme: Team, drain: Drain
) -> None:
    given, approval = await asked(api, acme)
    assert (approval["delivery"], approval["isDeliveryOpen"]) == (None, True)
    await drain()
    mail = await account_mails.last(acme.approver.email, "approval_requested")
    assert "has not been said yet" in mail.text
    assert "approve of any address" in (await api.http.get(f"{PATH}/{mail.token}")).text
    await approved(api, approval["id"], acme.approver.token)
    assert await refusals(api, acme, given, ELSEWHERE) == []
