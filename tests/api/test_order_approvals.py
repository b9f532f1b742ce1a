"""Approvals: a buyer asks, an approver decides, and just what was approved is ordered, once."""

from collections.abc import Awaitable, Callable

import pytest

from app import db
from app.kit.ids import new_id
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import account_mails, accounts, checkout, companies, staff
from tests.factories import cart as carts
from tests.factories.order_approvals import (
    approved,
    cancel,
    codes,
    decide,
    listed,
    order_input,
    request,
    requested,
    team,
)

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def count(what: str) -> int:
    found: int = await db.fetchval(f"SELECT count(*) FROM {what}")
    return found


async def test_what_an_approver_allows_is_ordered_once(api: Api, staff_token: str, drain: Drain) -> None:
    acme = await team()
    given = await order_input(api, acme.gid, acme.buyer)
    refused = await checkout.complete(
        api,
        given,
        """mutation ($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) { userErrors {
            code message ... on ApprovalRequiredError { threshold { amount } }
        } } }""",
        token=acme.buyer.token,
    )
    assert codes(refused) == ["APPROVAL_REQUIRED"]
    assert refused["userErrors"][0]["threshold"] == {"amount": "50.00"}
    assert "50.00 USD" in refused["userErrors"][0]["message"]

    asked = (await request(api, given["cartId"], acme.buyer.token, message="For the fair"))["orderApproval"]
    assert (asked["state"], asked["total"]["amount"], asked["lines"][0]["quantity"]) == ("PENDING", "60.00", 3)
    await drain()
    mail = await account_mails.last(acme.approver.email, "approval_requested")
    assert f"{acme.buyer.email} writes:\nFor the fair\n" in mail.text
    assert await account_mails.templates(acme.buyer.email) == []
    assert [one["id"] for one in await listed(api, acme.approver.token, state="PENDING")] == [asked["id"]]

    said = (await decide(api, asked["id"], acme.approver.token, comment="Within budget"))["orderApproval"]
    assert (said["state"], said["decidedBy"], said["comment"]) == ("APPROVED", acme.approver.email, "Within budget")
    await drain()
    mail = await account_mails.last(acme.buyer.email, "approval_decided")
    assert "What was said about it:\nWithin budget\n" in mail.text
    placed = await checkout.complete(api, {**given, "idempotencyKey": new_id().hex}, token=acme.buyer.token)
    assert codes(placed) == []
    (used,) = await listed(api, acme.buyer.token)
    assert (used["state"], used["orderId"]) == ("USED", placed["order"]["id"])

    timeline = await api.ok(
        "query ($id: ID!) { order(id: $id) { timeline { type actor actorName reason } } }",
        {"id": placed["order"]["id"]},
        token=staff_token,
    )
    assert {
        "type": "APPROVED",
        "actor": "CUSTOMER",
        "actorName": acme.approver.email,
        "reason": "Within budget",
    } in timeline["order"]["timeline"]
    # The next one of the same is asked for anew.
    again = await order_input(api, acme.gid, acme.buyer)
    assert codes(await checkout.complete(api, again, token=acme.buyer.token)) == ["APPROVAL_REQUIRED"]
    assert await count("orders") == 1


async def test_above_a_members_own_limit_an_approval_helps_too(api: Api) -> None:
    acme = await team(spending_limit_minor=2_000, approval_threshold_minor=None)
    given = await order_input(api, acme.gid, acme.buyer, 2)
    assert codes(await checkout.complete(api, given, token=acme.buyer.token)) == ["SPENDING_LIMIT_EXCEEDED"]
    approval = await requested(api, given["cartId"], acme.buyer.token)
    pending = {**given, "idempotencyKey": new_id().hex}
    assert codes(await checkout.complete(api, pending, token=acme.buyer.token)) == ["SPENDING_LIMIT_EXCEEDED"]
    await approved(api, approval, acme.approver.token)
    given["idempotencyKey"] = new_id().hex
    assert codes(await checkout.complete(api, given, token=acme.buyer.token)) == []


async def test_another_content_or_a_higher_total_is_not_what_was_approved(api: Api) -> None:
    acme = await team()
    given = await order_input(api, acme.gid, acme.buyer)
    await approved(api, await requested(api, given["cartId"], acme.buyer.token), acme.approver.token)
    shown = "query ($id: ID!) { cart(id: $id) { lines { nodes { id } } } }"
    (line,) = (await api.ok(shown, {"id": given["cartId"]}))["cart"]["lines"]["nodes"]
    change = """mutation ($cart: ID!, $line: ID!, $quantity: Int!) {
        cartLinesUpdate(cartId: $cart, lines: [{id: $line, quantity: $quantity}]) { userErrors { code } }
    }"""

    async def refusals(quantity: int) -> list[str]:
        variables = {"cart": given["cartId"], "line": line["id"], "quantity": quantity}
        await api.ok(change, variables, token=acme.buyer.token)
        given["idempotencyKey"] = new_id().hex
        return codes(await checkout.complete(api, given, token=acme.buyer.token))

    assert await refusals(4) == ["APPROVAL_REQUIRED"]
    # The same goods again, which cost more meanwhile; then at a price below what was approved, other goods.
    await db.execute("UPDATE product_variants SET price_minor = 2001")
    assert await refusals(3) == ["APPROVAL_REQUIRED"]
    await db.execute("UPDATE product_variants SET price_minor = 1400")
    assert await refusals(4) == ["APPROVAL_REQUIRED"]
    assert await count("orders") == 0
    await db.execute("UPDATE product_variants SET price_minor = 2000")
    assert await refusals(3) == []


async def test_shipping_that_is_not_known_yet_fits_into_the_maximum(api: Api) -> None:
    acme = await team()
    given = await order_input(api, acme.gid, acme.buyer, 2)
    assert codes(await request(api, given["cartId"], acme.buyer.token)) == ["APPROVAL_NOT_REQUIRED"]
    most = {"amount": "70", "currencyCode": "USD"}
    asked = await request(api, given["cartId"], acme.buyer.token, maximumTotal=most)
    assert asked["orderApproval"]["maximumTotal"] == {"amount": "70.00", "currencyCode": "USD"}
    for wrong, code in (("39.99", "OUT_OF_RANGE"), ("70", "INVALID")):
        currency = "EUR" if code == "INVALID" else "USD"
        most = {"amount": wrong, "currencyCode": currency}
        assert codes(await request(api, given["cartId"], acme.buyer.token, maximumTotal=most)) == [code]
    assert [one["state"] for one in await listed(api, acme.buyer.token)] == ["PENDING"]


async def test_nobody_decides_on_what_they_ask_for_themselves(api: Api, staff_token: str, drain: Drain) -> None:
    acme = await team()
    given = await order_input(api, acme.gid, acme.approver)
    approval = await requested(api, given["cartId"], acme.approver.token)
    for how in ("Approve", "Reject"):
        assert codes(await decide(api, approval, acme.approver.token, how)) == ["NOT_AN_APPROVER"]
    # There is nobody else in the company, so the shop is told, and decides.
    await drain()
    assert await account_mails.templates(acme.approver.email) == []
    assert await count("messages WHERE template = 'staff_notice'") == 1
    said = (await decide(api, approval, staff_token, comment="They rang"))["orderApproval"]
    assert (said["state"], said["decidedBy"], said["decidedByStaff"]) == ("APPROVED", None, True)
    placed = await checkout.complete(api, given, token=acme.approver.token)
    assert codes(placed) == []
    actor = await db.fetchval("SELECT actor_kind FROM order_events WHERE type = 'APPROVED'")
    assert actor == "STAFF"


async def test_who_is_no_approver_of_the_company_neither_sees_nor_decides(api: Api) -> None:
    acme, other = await team(), await team("other")
    colleague = await accounts.signed_in("colleague@acme.example")
    await companies.member(acme.company_id, colleague.id)
    given = await order_input(api, acme.gid, acme.buyer)
    approval = await requested(api, given["cartId"], acme.buyer.token)
    strangers = [colleague.token, other.approver.token, other.buyer.token]
    for token in strangers:
        assert await listed(api, token) == []
        assert await listed(api, token, company=acme.gid) == []
        assert codes(await decide(api, approval, token)) == ["NOT_FOUND"]
        assert await cancel(api, approval, token) == ["NOT_FOUND"]
    assert codes(await decide(api, approval, None)) == ["UNAUTHENTICATED"]
    # Whoever asks sees it, and decides on nothing; an approver who has left is a stranger.
    assert [one["id"] for one in await listed(api, acme.buyer.token)] == [approval]
    assert codes(await decide(api, approval, acme.buyer.token)) == ["NOT_AN_APPROVER"]
    await db.execute("DELETE FROM company_members WHERE customer_id = $1", acme.approver.id)
    assert codes(await decide(api, approval, acme.approver.token)) == ["NOT_FOUND"]
    reader = await staff.signed_in({Permission.COMPANIES_READ})
    assert len(await listed(api, reader, "orderApprovals")) == 1
    assert codes(await decide(api, approval, reader)) == ["FORBIDDEN"]
    assert await db.fetchval("SELECT state FROM order_approvals") == "PENDING"


async def test_an_approval_is_of_whoever_asked_and_only_while_they_buy_for_the_company(api: Api) -> None:
    acme = await team()
    colleague = await accounts.signed_in("colleague@acme.example")
    await companies.member(acme.company_id, colleague.id)
    given = await order_input(api, acme.gid, acme.buyer)
    await approved(api, await requested(api, given["cartId"], acme.buyer.token), acme.approver.token)
    for token, code in ((colleague.token, "APPROVAL_REQUIRED"), (None, "NOT_A_MEMBER")):
        tried = {**given, "idempotencyKey": new_id().hex}
        assert codes(await checkout.complete(api, tried, token=token)) == [code]
    await db.execute("DELETE FROM company_members WHERE customer_id = $1", acme.buyer.id)
    assert codes(await checkout.complete(api, given, token=acme.buyer.token)) == ["NOT_A_MEMBER"]
    assert await listed(api, acme.buyer.token) == []
    assert await count("orders") == 0


async def test_what_was_rejected_cancelled_or_asked_anew_allows_nothing(api: Api, drain: Drain) -> None:
    acme = await team()
    given = await order_input(api, acme.gid, acme.buyer)
    cart, buyer, boss = given["cartId"], acme.buyer.token, acme.approver.token
    rejected = await requested(api, cart, buyer)
    assert (await decide(api, rejected, boss, "Reject", comment="No"))["orderApproval"]["state"] == "REJECTED"
    assert codes(await decide(api, rejected, boss)) == ["APPROVAL_NOT_PENDING"]
    cancelled = await requested(api, cart, buyer)
    await approved(api, cancelled, boss)
    assert await cancel(api, cancelled, buyer) == []
    assert await cancel(api, cancelled, buyer) == ["APPROVAL_NOT_PENDING"]
    older = await requested(api, cart, buyer)
    await approved(api, older, boss)
    await requested(api, cart, buyer)
    assert codes(await checkout.complete(api, given, token=buyer)) == ["APPROVAL_REQUIRED"]
    states = [one["state"] for one in await listed(api, buyer)]
    assert states == ["PENDING", "CANCELLED", "CANCELLED", "REJECTED"]
    await drain()
    assert "No" in (await account_mails.mails(acme.buyer.email))[0].text
    assert await count("orders") == 0


async def test_it_is_over_when_its_time_is(api: Api, advance: Advance) -> None:
    acme = await team()
    given = await order_input(api, acme.gid, acme.buyer)
    approval = await requested(api, given["cartId"], acme.buyer.token)
    await advance("P13D")
    await approved(api, approval, acme.approver.token)
    await advance("P13D")
    assert [one["state"] for one in await listed(api, acme.buyer.token)] == ["APPROVED"]
    await advance("P2D")
    assert await db.fetchval("SELECT state FROM order_approvals") == "EXPIRED"
    assert codes(await checkout.complete(api, given, token=acme.buyer.token)) == ["APPROVAL_REQUIRED"]
    late = await requested(api, given["cartId"], acme.buyer.token)
    # Time decides, whether or not the timer has been seen to.
    await db.execute("UPDATE order_approvals SET expires_at = business_now() WHERE state = 'PENDING'")
    assert next(one["state"] for one in await listed(api, acme.buyer.token)) == "EXPIRED"
    assert codes(await decide(api, late, acme.approver.token)) == ["APPROVAL_NOT_PENDING"]
    assert await count("orders") == 0


async def test_what_cannot_be_asked_for(api: Api) -> None:
    acme, other = await team(), await team("other")
    given = await order_input(api, acme.gid, acme.buyer)
    cart = given["cartId"]
    assert codes(await request(api, cart, None)) == ["UNAUTHENTICATED"]
    assert codes(await request(api, cart, other.buyer.token)) == ["NOT_A_MEMBER"]
    assert codes(await request(api, cart, acme.buyer.token, message="x" * 2_001)) == ["TOO_LONG"]
    empty = await carts.cart()
    assert codes(await request(api, empty.gid, acme.buyer.token)) == ["CART_EMPTY"]
    private = await order_input(api, acme.gid, acme.buyer)
    await db.execute("UPDATE carts SET company_id = NULL")
    assert codes(await request(api, private["cartId"], acme.buyer.token)) == ["INVALID"]
    assert await count("order_approvals") == 0
    assert await count("events WHERE type LIKE 'order_approval%'") == 0
