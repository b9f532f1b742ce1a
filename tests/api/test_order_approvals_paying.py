"""An approval and the payment that relies on it: declined, confirmed later, taken back or used at the same time."""

import asyncio

import pytest

from app import db
from app.companies.models import ApprovalState
from app.kit import ids
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import accounts, checkout, companies
from tests.factories.order_approvals import approved, cancel, codes, decide, order_input, request, requested, team

CONFIRMED = {**checkout.CARD, "token": "tok_requires_action"}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def count(what: str) -> int:
    found: int = await db.fetchval(f"SELECT count(*) FROM {what}")
    return found


async def test_a_declined_payment_leaves_the_approval_for_the_next_try(api: Api) -> None:
    acme = await team()
    card = {"method": "CARD", "gateway": "test", "token": "tok_declined"}
    given = await order_input(api, acme.gid, acme.buyer, payment=card)
    await approved(api, await requested(api, given["cartId"], acme.buyer.token), acme.approver.token)
    assert codes(await checkout.complete(api, given, token=acme.buyer.token)) == ["PAYMENT_DECLINED"]
    assert await db.fetchval("SELECT state FROM order_approvals") == "APPROVED"
    retried = {**given, "idempotencyKey": new_id().hex, "payment": checkout.CARD}
    assert codes(await checkout.complete(api, retried, token=acme.buyer.token)) == []
    assert await db.fetchval("SELECT state FROM order_approvals") == "USED"


@pytest.mark.parametrize("is_over", [False, True])
async def test_while_the_bank_asks_the_buyer_the_approval_waits_for_the_answer(api: Api, is_over: bool) -> None:
    acme = await team()
    given = await order_input(api, acme.gid, acme.buyer, payment=CONFIRMED)
    approval = await requested(api, given["cartId"], acme.buyer.token)
    await approved(api, approval, acme.approver.token, comment="Yes")
    waiting = await checkout.complete(api, given, token=acme.buyer.token)
    assert waiting["paymentAction"]
    assert await cancel(api, approval, acme.buyer.token) == ["IN_PROGRESS"]
    assert codes(await request(api, given["cartId"], acme.buyer.token)) == ["IN_PROGRESS"]
    if is_over:
        await db.execute("UPDATE order_approvals SET state = 'EXPIRED', expires_at = business_now()")
    path = waiting["paymentAction"]["url"].partition("://")[2].partition("/")[2]
    assert (await api.http.post(f"/{path}", data={"decision": "approve"})).status_code == 200
    placed = await checkout.complete(api, given, token=acme.buyer.token)
    assert placed["order"]
    assert await db.fetchval("SELECT state FROM order_approvals") == "USED"
    assert await db.fetchval("SELECT reason FROM order_events WHERE type = 'APPROVED'") == "Yes"


@pytest.mark.parametrize("is_approved", [False, True])
async def test_a_cart_that_is_ordered_without_it_needs_it_no_more(api: Api, is_approved: bool) -> None:
    acme = await team()
    given = await order_input(api, acme.gid, acme.buyer)
    approval = await requested(api, given["cartId"], acme.buyer.token)
    if is_approved:
        await approved(api, approval, acme.approver.token)
    await db.execute("UPDATE product_variants SET price_minor = 100")
    placed = await checkout.complete(api, given, token=acme.buyer.token)
    assert codes(placed) == []
    # What was allowed was for this content, so it is what is used.
    state = await db.fetchval("SELECT state FROM order_approvals")
    assert state == ("USED" if is_approved else "CANCELLED")
    assert codes(await decide(api, approval, acme.approver.token)) == ["APPROVAL_NOT_PENDING"]


async def test_two_approvers_and_a_buyer_at_once(api: Api) -> None:
    """One decision counts, and of ten tries to order one goes through."""
    acme = await team()
    second = await accounts.signed_in("second@acme.example")
    await companies.member(acme.company_id, second.id, role="APPROVER")
    given = await order_input(api, acme.gid, acme.buyer)
    approval = await requested(api, given["cartId"], acme.buyer.token)
    decisions = await asyncio.gather(
        decide(api, approval, acme.approver.token, comment="One"),
        decide(api, approval, second.token, comment="Two"),
        decide(api, approval, acme.approver.token, comment="Three"),
    )
    assert sorted(codes(one) for one in decisions) == [[], ["APPROVAL_NOT_PENDING"], ["APPROVAL_NOT_PENDING"]]
    tries = [
        checkout.complete(api, {**given, "idempotencyKey": new_id().hex}, token=acme.buyer.token) for _ in range(10)
    ]
    placed = [one for one in await asyncio.gather(*tries) if one["order"]]
    assert len(placed) == 1
    assert await count("orders") == 1
    assert await count("order_events WHERE type = 'APPROVED'") == 1


async def test_an_approval_that_is_taken_back_while_it_is_used(api: Api) -> None:
    """Either it was cancelled and nothing is ordered, or it is an order."""
    acme = await team(credit_limit_minor=None)
    for _ in range(3):
        given = await order_input(api, acme.gid, acme.buyer)
        approval = await requested(api, given["cartId"], acme.buyer.token)
        await approved(api, approval, acme.approver.token)
        placed, _ = await asyncio.gather(
            checkout.complete(api, given, token=acme.buyer.token), cancel(api, approval, acme.buyer.token)
        )
        state = await db.fetchval("SELECT state FROM order_approvals WHERE id = $1", ids.decode("oapr", approval))
        assert state == (ApprovalState.USED if placed["order"] else ApprovalState.CANCELLED)
