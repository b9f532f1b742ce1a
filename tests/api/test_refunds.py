"""Giving money back: by lines, by amount, as store credit; never more than was taken, and never twice."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from app import db, invariants
from app.payments import test_gateway
from app.payments.gateway import GatewayRefusedError, GatewayUnavailableError
from app.payments.test_gateway import TestGateway
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, gift_cards, inventory, refunds, staff
from tests.factories.catalogue import MadeProduct
from tests.factories.fulfillments import fulfill
from tests.factories.refunds import usd

Drain = Callable[[], Awaitable[None]]

ORDER = """query ($id: ID!, $token: String) { order(id: $id, token: $token) {
    status paymentStatus
    lines { nodes { id } }
    refunds { state amount { amount } refundedAmount { amount } reason failureCode source }
} }"""
CANCEL = """mutation ($id: ID!, $refund: Boolean) { orderCancel(orderId: $id, refund: $refund) {
    order { status paymentStatus refunds { amount { amount } source state } } userErrors { code field }
} }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    """19.99 each; shipping is 5.99."""
    return await catalogue.product(stock=10)


async def shipped(api: Api, staff_token: str, drain: Drain, product: MadeProduct, quantity: int = 3) -> tuple[str, str]:
    """An order that is paid and on its way; its id and its line's."""
    gid = (await checkout.placed(api, (product, quantity)))["order"]["id"]
    await fulfill(api, staff_token, gid)
    await drain()
    order = (await api.ok(ORDER, {"id": gid}, token=staff_token))["order"]
    assert order["paymentStatus"] == "PAID"
    return gid, order["lines"]["nodes"][0]["id"]


async def gateway_row() -> tuple[int, int]:
    row = await db.fetchrow("SELECT captured_minor, refunded_minor FROM test_gateway_payments")
    assert row is not None
    return row["captured_minor"], row["refunded_minor"]


@pytest.fixture
def webhooks(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The gateway's webhooks reach the application in process; what was sent is noted."""
    sent: list[dict[str, Any]] = []

    async def post(url: str, body: bytes, headers: dict[str, str]) -> httpx2.Response:
        sent.append({"body": body, "headers": headers})
        return await api.http.post(url, content=body, headers=headers)

    monkeypatch.setattr(test_gateway, "post", post)
    return sent


def codes(payload: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


# --- by lines ---------------------------------------------------------------------------------------------------------


async def test_a_line_unit_by_unit_adds_up_to_all_of_it(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct
) -> None:
    gid, line = await shipped(api, staff_token, drain, product)
    for restock in (False, True, True):
        one = {"orderLineId": line, "quantity": 1, "restock": restock}
        payload = await refunds.create(api, staff_token, gid, lines=[one], reason="Chipped")
        assert payload["userErrors"] == []
        assert payload["refund"]["amount"]["amount"] == "19.99"
        assert payload["refund"]["state"] == "PENDING"
    assert await inventory.available(product.variant_id) == 9, "one of three was thrown away"
    payload = await refunds.create(api, staff_token, gid, shipping=usd("5.99"))
    assert payload["refund"]["amount"]["amount"] == "5.99"
    await drain()
    order = (await api.ok(ORDER, {"id": gid}, token=staff_token))["order"]
    assert (order["status"], order["paymentStatus"]) == ("COMPLETED", "REFUNDED")
    assert {refund["state"] for refund in order["refunds"]} == {"SUCCEEDED"}
    assert await gateway_row() == (6596, 6596)
    assert await invariants.check() == []


async def test_more_than_is_left_is_refused(api: Api, staff_token: str, drain: Drain, product: MadeProduct) -> None:
    gid, line = await shipped(api, staff_token, drain, product)
    await refunds.create(api, staff_token, gid, lines=[{"orderLineId": line, "quantity": 2}])
    await drain()
    before = await db.fetchval("SELECT count(*) FROM refunds"), await gateway_row()
    for given, expected in (
        ({"lines": [{"orderLineId": line, "quantity": 2}]}, ("REFUND_TOO_LARGE", ["input", "lines", "0", "quantity"])),
        ({"lines": [{"orderLineId": line, "quantity": 0}]}, ("OUT_OF_RANGE", ["input", "lines", "0", "quantity"])),
        ({"amount": usd("25.99")}, ("REFUND_TOO_LARGE", ["input", "amount"])),
        ({"amount": usd("0")}, ("REQUIRED", ["input", "amount"])),
        ({"amount": {"amount": "1", "currencyCode": "EUR"}}, ("INVALID", ["input", "amount", "currencyCode"])),
        ({"shipping": usd("6")}, ("REFUND_TOO_LARGE", ["input", "shipping"])),
        ({"shipping": usd("5.99"), "amount": usd("1")}, ("OUT_OF_RANGE", ["input", "amount"])),
        ({"amount": usd("1"), "to": "STORE_CREDIT"}, ("STORE_CREDIT_UNAVAILABLE", ["input", "to"])),
        ({}, ("REQUIRED", ["input", "amount"])),
        ({"amount": usd("1"), "idempotencyKey": ""}, ("REQUIRED", ["input", "idempotencyKey"])),
        ({"amount": usd("1"), "reason": "x" * 501}, ("TOO_LONG", ["input", "reason"])),
    ):
        assert codes(await refunds.create(api, staff_token, gid, **given)) == [expected], given
    assert (await db.fetchval("SELECT count(*) FROM refunds"), await gateway_row()) == before
    assert (await refunds.create(api, staff_token, gid, amount=usd("25.98")))["refund"]
    await drain()
    assert await invariants.check() == []


async def test_only_what_has_left_is_taken_back_to_stock(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct
) -> None:
    gid = (await checkout.placed(api, (product, 2), payment=checkout.CASH))["order"]["id"]
    await api.ok("mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }", {"id": gid},
                 token=staff_token)  # fmt: skip
    line = (await api.ok(ORDER, {"id": gid}, token=staff_token))["order"]["lines"]["nodes"][0]["id"]
    one = {"orderLineId": line, "quantity": 1, "restock": True}
    payload = await refunds.create(api, staff_token, gid, lines=[one])
    assert codes(payload) == [("NOT_RETURNABLE", ["input", "lines", "0", "restock"])]
    # Nobody has to be asked for cash: it is given back with the word of staff.
    payload = await refunds.create(api, staff_token, gid, lines=[{**one, "restock": False}])
    assert payload["refund"]["state"] == "SUCCEEDED"
    assert await inventory.available(product.variant_id) == 8
    assert await invariants.check() == []


async def test_nothing_is_refunded_before_it_is_taken(api: Api, staff_token: str, product: MadeProduct) -> None:
    gid = (await checkout.placed(api, (product, 1)))["order"]["id"]
    refused = await refunds.create(api, staff_token, gid, amount=usd("1"))
    assert codes(refused) == [("REFUND_TOO_LARGE", ["input", "amount"])]
    assert "No money was taken" in refused["userErrors"][0]["message"]


# --- once -------------------------------------------------------------------------------------------------------------


async def test_the_same_key_is_the_same_refund(api: Api, staff_token: str, drain: Drain, product: MadeProduct) -> None:
    gid, _ = await shipped(api, staff_token, drain, product)
    given = {"amount": usd("10"), "idempotencyKey": "once"}
    first = await refunds.create(api, staff_token, gid, **given)
    await drain()
    again = await refunds.create(api, staff_token, gid, **given)
    assert again["refund"]["id"] == first["refund"]["id"]
    other = await refunds.create(api, staff_token, gid, **{**given, "amount": usd("11")})
    assert codes(other) == [("IDEMPOTENCY_KEY_REUSED", ["input", "idempotencyKey"])]
    assert await gateway_row() == (6596, 1000)


async def test_a_gateway_that_loses_its_answer_gives_back_once(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It forgets keys after a day, as providers do: the shop asks for what became of the first time."""
    gid, _ = await shipped(api, staff_token, drain, product)
    refund, times = TestGateway.refund, 0

    async def loses(self: TestGateway, request: Any) -> Any:
        nonlocal times
        times += 1
        await refund(self, request)
        raise GatewayUnavailableError("the answer was lost")

    monkeypatch.setattr(TestGateway, "refund", loses)
    await refunds.create(api, staff_token, gid, amount=usd("10"))
    await drain()
    await checkout.watches_due()
    await drain()
    assert times == 1
    assert await gateway_row() == (6596, 1000)
    assert (await api.ok(ORDER, {"id": gid}, token=staff_token))["order"]["refunds"][0]["state"] == "SUCCEEDED"
    assert await invariants.check() == []


async def test_what_the_gateway_refuses_can_be_given_back_another_way(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    gid, _ = await shipped(api, staff_token, drain, product)

    async def refuses(*args: Any) -> Any:
        raise GatewayRefusedError("charge_too_old")

    with monkeypatch.context() as patch:
        patch.setattr(TestGateway, "refund", refuses)
        await refunds.create(api, staff_token, gid, amount=usd("65.96"))
        await drain()
    order = (await api.ok(ORDER, {"id": gid}, token=staff_token))["order"]
    assert order["paymentStatus"] == "PAID"
    (failed,) = order["refunds"]
    assert (failed["state"], failed["refundedAmount"]["amount"]) == ("FAILED", "0.00")
    assert failed["failureCode"] == "charge_too_old"
    await refunds.create(api, staff_token, gid, amount=usd("65.96"))
    await drain()
    assert (await api.ok(ORDER, {"id": gid}, token=staff_token))["order"]["paymentStatus"] == "REFUNDED"
    assert await invariants.check() == []


# --- where it goes ----------------------------------------------------------------------------------------------------


async def test_store_credit_leaves_the_card_alone(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct
) -> None:
    account = await accounts.signed_in()
    gid = (await checkout.placed(api, (product, 1), token=account.token))["order"]["id"]
    await fulfill(api, staff_token, gid)
    await drain()
    payload = await refunds.create(api, staff_token, gid, amount=usd("20"), to="STORE_CREDIT")
    assert payload["refund"]["state"] == "SUCCEEDED"
    credit = await db.fetchval("SELECT balance_minor FROM stored_values WHERE customer_id = $1", account.id)
    assert (credit, await gateway_row()) == (2000, (2598, 0))
    # What was given as credit is not given again to the card.
    payload = await refunds.create(api, staff_token, gid, amount=usd("6"))
    assert codes(payload) == [("REFUND_TOO_LARGE", ["input", "amount"])]
    await refunds.create(api, staff_token, gid, amount=usd("5.98"))
    await drain()
    assert (await api.ok(ORDER, {"id": gid}, token=staff_token))["order"]["paymentStatus"] == "REFUNDED"
    assert await invariants.check() == []


# --- at the provider's dashboard --------------------------------------------------------------------------------------


async def test_a_refund_at_the_dashboard_comes_into_the_books(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct, webhooks: list[dict[str, Any]]
) -> None:
    gid, _ = await shipped(api, staff_token, drain, product)
    payment_id = await db.fetchval("SELECT id FROM payments")
    assert await test_gateway.refund_at_dashboard(payment_id, 1500)
    await drain()
    assert len(webhooks) == 1
    for _ in range(2):  # sent again, and late
        await api.http.post("/webhooks/payments/test", content=webhooks[0]["body"], headers=webhooks[0]["headers"])
        await drain()
    order = (await api.ok(ORDER, {"id": gid}, token=staff_token))["order"]
    assert order["paymentStatus"] == "PARTIALLY_REFUNDED"
    assert [(one["source"], one["amount"]["amount"]) for one in order["refunds"]] == [("PROVIDER", "15.00")]
    assert codes(await refunds.create(api, staff_token, gid, amount=usd("51"))) == [
        ("REFUND_TOO_LARGE", ["input", "amount"])
    ]
    assert await db.fetchval("SELECT settlement FROM payment_discrepancies") == "RECORDED"
    assert await invariants.check() == []


async def test_a_webhook_that_overtakes_the_answer_to_a_refund(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It succeeded, and the shop hears of it from somebody else first: not as another refund."""
    gid, _ = await shipped(api, staff_token, drain, product)
    payment_id = await db.fetchval("SELECT id FROM payments")
    refund = TestGateway.refund

    async def overtaken(self: TestGateway, request: Any) -> Any:
        answer = await refund(self, request)
        body = b'{"payment": "%s"}' % str(payment_id).encode()
        await api.http.post("/webhooks/payments/test", content=body, headers=test_gateway.signed_headers(body))
        raise GatewayUnavailableError(answer.reference)

    monkeypatch.setattr(TestGateway, "refund", overtaken)
    await refunds.create(api, staff_token, gid, amount=usd("10"))
    await drain()
    order = (await api.ok(ORDER, {"id": gid}, token=staff_token))["order"]
    assert [(one["source"], one["state"]) for one in order["refunds"]] == [("STAFF", "SUCCEEDED")]
    await checkout.watches_due()
    await drain()
    assert await gateway_row() == (6596, 1000)
    assert await invariants.check() == []


# --- cancelling -------------------------------------------------------------------------------------------------------


async def test_cancelling_what_is_paid_gives_it_back_if_that_is_said(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct
) -> None:
    gid = (await checkout.placed(api, (product, 2), payment=checkout.CASH))["order"]["id"]
    await api.ok("mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }", {"id": gid},
                 token=staff_token)  # fmt: skip
    (error,) = await api.refused(CANCEL, {"id": gid}, token=staff_token)
    assert (error["code"], error["field"]) == ("PAYMENT_CAPTURED", ["orderId"])
    order = (await api.ok(CANCEL, {"id": gid, "refund": True}, token=staff_token))["orderCancel"]["order"]
    assert (order["status"], order["paymentStatus"]) == ("CANCELLED", "REFUNDED")
    assert [(one["source"], one["amount"]["amount"]) for one in order["refunds"]] == [("CANCELLATION", "45.97")]
    assert await inventory.available(product.variant_id) == 10
    await drain()
    assert await invariants.check() == []


async def test_a_deposit_may_be_kept(api: Api, staff_token: str, drain: Drain, product: MadeProduct) -> None:
    gid = (await checkout.placed(api, (product, 2), payment=checkout.CASH))["order"]["id"]
    await api.ok("mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }", {"id": gid},
                 token=staff_token)  # fmt: skip
    order = (await api.ok(CANCEL, {"id": gid, "refund": False}, token=staff_token))["orderCancel"]["order"]
    assert (order["status"], order["paymentStatus"], order["refunds"]) == ("CANCELLED", "PAID", [])
    await drain()
    assert await invariants.check() == []


async def test_a_gift_card_has_its_money_again_after_the_cancellation(
    api: Api, staff_token: str, drain: Drain, product: MadeProduct
) -> None:
    card = await gift_cards.gift_card(1000)
    given = await checkout.ready_input(api, (product, 1))
    apply = """mutation ($id: ID!, $codes: [String!]!) {
        cartGiftCardCodesUpdate(cartId: $id, codes: $codes) { userErrors { code message } }
    }"""
    await api.ok(apply, {"id": given["cartId"], "codes": [card.code]})
    gid = (await checkout.complete(api, given))["order"]["id"]
    assert await db.fetchval("SELECT balance_minor FROM stored_values") == 0
    order = (await api.ok(CANCEL, {"id": gid}, token=staff_token))["orderCancel"]["order"]
    await drain()
    assert await db.fetchval("SELECT balance_minor FROM stored_values") == 1000
    assert order["paymentStatus"] == "REFUNDED"
    assert await db.fetchval("SELECT state FROM test_gateway_payments") == "VOIDED"
    assert await invariants.check() == []


# --- who --------------------------------------------------------------------------------------------------------------


async def test_who_may_give_money_back(api: Api, staff_token: str, drain: Drain, product: MadeProduct) -> None:
    gid, _ = await shipped(api, staff_token, drain, product)
    keeper = await staff.signed_in({Permission.ORDERS_READ, Permission.ORDERS_WRITE})
    given = {"orderId": gid, "idempotencyKey": "x", "amount": usd("1")}
    for token in (None, keeper):
        (error,) = await api.refused(refunds.REFUND, {"input": given}, token=token)
        assert error["code"] == ("FORBIDDEN" if token else "UNAUTHENTICATED")
    (error,) = await api.refused(CANCEL, {"id": gid, "refund": True}, token=keeper)
    assert error["code"] == "FORBIDDEN"
    assert await db.fetchval("SELECT count(*) FROM refunds") == 0


async def test_the_buyer_sees_what_came_back(api: Api, staff_token: str, drain: Drain, product: MadeProduct) -> None:
    bought = await checkout.placed(api, (product, 1))
    gid, token = bought["order"]["id"], bought["orderToken"]
    await fulfill(api, staff_token, gid)
    await drain()
    await refunds.create(api, staff_token, gid, amount=usd("5"), reason="Late")
    await drain()
    (seen,) = (await api.ok(ORDER, {"id": gid, "token": token}))["order"]["refunds"]
    assert (seen["amount"]["amount"], seen["reason"], seen["failureCode"]) == ("5.00", "Late", None)
