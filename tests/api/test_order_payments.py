"""Paying for an order that exists: once, whatever happens on the way."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.orders import status
from app.payments import later, test_gateway
from app.payments.gateway import GatewayUnavailableError
from app.payments.models import PaymentPurpose
from app.payments.test_gateway import TestGateway
from tests.client import Api
from tests.factories import accounts, catalogue, checkout
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

PAY = """mutation ($input: OrderPaymentCreateInput!) { orderPaymentCreate(input: $input) {
    order { id status paymentStatus outstanding { amount } }
    paymentAction { type url clientSecret expiresAt }
    userErrors { code field message }
} }"""
ORDER = "query ($id: ID!) { order(id: $id) { status paymentStatus payments { state } } }"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    return await catalogue.product(stock=5)


@pytest.fixture
async def owing(api: Api, product: MadeProduct) -> dict[str, str]:
    """An order of 45.97 that is to be paid at the door, and the token on its receipt."""
    bought = await checkout.placed(api, (product, 2), payment=checkout.CASH)
    return {"orderId": bought["order"]["id"], "token": bought["orderToken"]}


async def pay(api: Api, owing: dict[str, str], card: str = "tok_success", **more: Any) -> dict[str, Any]:
    given = {**owing, "payment": {**checkout.CARD, "token": card}, "idempotencyKey": checkout.new_key(), **more}
    result = await api.query(PAY, {"input": given})
    assert not result.errors, result.errors
    assert result.data is not None
    payload: dict[str, Any] = result.data["orderPaymentCreate"]
    return payload


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


async def charged() -> int:
    total: int = await db.fetchval("SELECT coalesce(sum(captured_minor), 0) FROM test_gateway_payments")
    return total


async def test_the_holder_of_the_link_pays_instead_of_at_the_door(
    api: Api, owing: dict[str, str], drain: Drain
) -> None:
    payload = await pay(api, owing, idempotencyKey="one")
    assert payload["userErrors"] == []
    assert (payload["order"]["paymentStatus"], payload["order"]["outstanding"]["amount"]) == ("PAID", "0.00")
    assert await pay(api, owing, idempotencyKey="one") == payload
    assert codes(await pay(api, owing)) == ["PAYMENT_NOT_DUE"]
    states = await db.fetch("SELECT gateway, state FROM payments ORDER BY id")
    assert [(row["gateway"], row["state"]) for row in states] == [("cash_on_delivery", "VOIDED"), ("test", "CAPTURED")]
    await checkout.watches_due()
    await drain()
    assert await charged() == 4597
    assert await invariants.check() == []


async def test_who_may_pay(api: Api, product: MadeProduct, owing: dict[str, str]) -> None:
    account = await accounts.signed_in()
    mine = await checkout.placed(api, (product, 1), payment=checkout.CASH, token=account.token)
    given = {"payment": checkout.CARD, "idempotencyKey": "key"}
    for order, token in ((owing["orderId"], account.token), (mine["order"]["id"], None)):
        result = await api.query(PAY, {"input": {**given, "orderId": order}}, token=token)
        assert result.data is not None
        assert codes(result.data["orderPaymentCreate"]) == ["NOT_FOUND"]
    assert codes(await pay(api, {**owing, "token": mine["orderToken"]})) == ["NOT_FOUND"]
    assert await charged() == 0
    result = await api.query(PAY, {"input": {**given, "orderId": mine["order"]["id"]}}, token=account.token)
    assert result.data is not None
    assert result.data["orderPaymentCreate"]["order"]["paymentStatus"] == "PAID"


async def test_a_deposit_and_then_the_rest(api: Api, staff_token: str, owing: dict[str, str], drain: Drain) -> None:
    order_id = uuid.UUID(hex=owing["orderId"].removeprefix("ord_"))
    async with db.unit_of_work():
        await status.lock_order(order_id)
        await later.collect_later(order_id, 1_000, PaymentPurpose.DEPOSIT)
    order = (await pay(api, owing))["order"]
    assert (order["paymentStatus"], order["outstanding"]["amount"]) == ("PARTIALLY_PAID", "35.97")
    order = (await pay(api, owing))["order"]
    assert (order["paymentStatus"], order["outstanding"]["amount"]) == ("PAID", "0.00")
    await drain()
    purposes = await db.fetch("SELECT purpose, captured_minor FROM payments WHERE gateway = 'test' ORDER BY id")
    assert [tuple(row.values()) for row in purposes] == [("DEPOSIT", 1000), ("BALANCE", 3597)]
    assert await db.fetchval("SELECT state FROM payment_requests") == "PAID"
    assert await invariants.check() == []


async def test_a_declined_card_and_another_one(api: Api, owing: dict[str, str]) -> None:
    declined = await pay(api, owing, "tok_declined", idempotencyKey="first")
    assert codes(declined) == ["PAYMENT_DECLINED"]
    assert await pay(api, owing, "tok_declined", idempotencyKey="first") == declined
    assert codes(await pay(api, owing, idempotencyKey="first")) == ["IDEMPOTENCY_KEY_REUSED"]
    assert (await pay(api, owing))["order"]["paymentStatus"] == "PAID"
    assert await invariants.check() == []


async def test_what_cannot_be(api: Api, owing: dict[str, str]) -> None:
    for more, code in (
        ({"payment": checkout.CASH}, "INVALID"),
        ({"payment": {"method": "CARD", "gateway": "other", "token": "x"}}, "PAYMENT_METHOD_UNAVAILABLE"),
        ({"payment": {"method": "CARD", "gateway": "test"}}, "REQUIRED"),
        ({"payment": {**checkout.CARD, "save": True}}, "UNAUTHENTICATED"),
        ({"idempotencyKey": "a b"}, "INVALID"),
    ):
        assert codes(await pay(api, owing, **more)) == [code], more
    assert await db.fetchval("SELECT count(*) FROM payments") == 1


async def test_the_buyer_confirms_with_their_bank(
    api: Api, owing: dict[str, str], drain: Drain, webhooks: list[Any]
) -> None:
    waiting = await pay(api, owing, "tok_requires_action", idempotencyKey="one")
    assert waiting["paymentAction"]["type"] == "REDIRECT"
    assert await pay(api, owing, "tok_requires_action", idempotencyKey="one") == waiting
    await api.http.post(waiting["paymentAction"]["url"], data={"decision": "approve"})
    await drain()  # the webhook settles it; nobody comes back
    assert len(webhooks) == 1
    payload = await pay(api, owing, "tok_requires_action", idempotencyKey="one")
    assert payload["order"]["paymentStatus"] == "PAID"
    assert await charged() == 4597
    assert await invariants.check() == []


async def test_a_buyer_who_starts_anew_pays_once(
    api: Api, owing: dict[str, str], drain: Drain, webhooks: list[Any]
) -> None:
    """And approves the first one all the same: it goes back."""
    waiting = await pay(api, owing, "tok_requires_action", idempotencyKey="one")
    assert (await pay(api, owing))["order"]["paymentStatus"] == "PAID"
    await api.http.post(waiting["paymentAction"]["url"], data={"decision": "approve"})
    await drain()
    assert codes(await pay(api, owing, "tok_requires_action", idempotencyKey="one")) == ["PAYMENT_NOT_COMPLETED"]
    assert await charged() == 4597
    assert await invariants.check() == []


async def test_not_confirmed_in_time(api: Api, owing: dict[str, str], advance: Advance) -> None:
    await pay(api, owing, "tok_requires_action", idempotencyKey="one")
    await advance("PT16M")
    assert codes(await pay(api, owing, "tok_requires_action", idempotencyKey="one")) == ["PAYMENT_EXPIRED"]
    assert await db.fetchval("SELECT state FROM test_gateway_payments") == "VOIDED"
    assert await invariants.check() == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_gateway_whose_answer_is_lost(
    api: Api, owing: dict[str, str], drain: Drain, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    authorise = TestGateway.authorise

    async def lost(self: TestGateway, request: Any) -> Any:
        if when == "after":
            await authorise(self, request)
        raise GatewayUnavailableError("connection reset")

    with monkeypatch.context() as patch:
        patch.setattr(TestGateway, "authorise", lost)
        assert codes(await pay(api, owing, idempotencyKey="one")) == ["IN_PROGRESS"]
    await checkout.watches_due()
    await drain()
    payload = await pay(api, owing, idempotencyKey="one")
    if when == "after":
        assert payload["order"]["paymentStatus"] == "PAID"
        assert await charged() == 4597
    else:
        assert codes(payload) == ["PAYMENT_NOT_COMPLETED"]
        assert await charged() == 0
    assert await invariants.check() == []


async def test_twenty_at_once_with_one_key_and_ten_with_others(api: Api, owing: dict[str, str], drain: Drain) -> None:
    keys = ["one"] * 20 + [f"other-{number}" for number in range(10)]
    payloads = await asyncio.gather(*(pay(api, owing, idempotencyKey=key) for key in keys))
    assert {code for payload in payloads for code in codes(payload)} <= {"IN_PROGRESS", "PAYMENT_NOT_DUE"}
    await checkout.watches_due()
    await drain()
    assert await charged() == 4597
    assert await db.fetchval("SELECT count(*) FROM payments WHERE state = 'CAPTURED'") == 1
    assert await invariants.check() == []


async def test_paying_while_the_order_is_cancelled(
    api: Api, staff_token: str, owing: dict[str, str], drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The money is taken at the moment that the order goes: it goes back."""
    authorise = TestGateway.authorise
    cancel = "mutation ($id: ID!) { orderCancel(orderId: $id, refund: true) { userErrors { code } } }"

    async def meanwhile(self: TestGateway, request: Any) -> Any:
        answer = await authorise(self, request)
        await api.ok(cancel, {"id": owing["orderId"]}, token=staff_token)
        return answer

    monkeypatch.setattr(TestGateway, "authorise", meanwhile)
    assert codes(await pay(api, owing)) == ["PAYMENT_DECLINED"]
    await drain()
    row = await db.fetchrow("SELECT state, captured_minor, refunded_minor FROM test_gateway_payments")
    assert row is not None
    assert row["captured_minor"] == row["refunded_minor"]
    order = (await api.ok(ORDER, {"id": owing["orderId"]}, token=staff_token))["order"]
    assert order["status"] == "CANCELLED"
    assert await invariants.check() == []


@pytest.fixture
def webhooks(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def post(url: str, body: bytes, headers: dict[str, str]) -> Any:
        sent.append({"body": body, "headers": headers})
        return await api.http.post(url, content=body, headers=headers)

    monkeypatch.setattr(test_gateway, "post", post)
    return sent
