"""Buying with PayPal, from checkoutComplete to the refund: the real adapter, and a server that behaves like PayPal."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import db, invariants
from app.payments import reconciling
from app.payments.registry import gateways
from tests.client import Api
from tests.factories import catalogue, checkout, inventory, refunds
from tests.factories.catalogue import MadeProduct
from tests.factories.fulfillments import fulfill
from tests.http_receiver import Received
from tests.providers.paypal_server import CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, PayPalServer
from tests.providers.serving import Fault, configured, serving

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

ACTION = """mutation ($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) {
    order { id paymentStatus } paymentAction { type url clientSecret } userErrors { code message } } }"""
ORDER = "query ($id: ID!) { order(id: $id) { paymentStatus } }"
BY_PAYPAL = {"method": "PAYPAL", "gateway": "paypal", "returnUrl": "https://shop.example/thanks"}


@pytest.fixture
async def paypal(api: Api) -> AsyncIterator[PayPalServer]:
    await checkout.shop_that_ships()
    async with serving(PayPalServer()) as server:
        with configured(
            paypal_client_id=CLIENT_ID,
            paypal_secret=CLIENT_SECRET,
            paypal_webhook_id=WEBHOOK_ID,
            paypal_api_url=server.url,
            allow_private_addresses=True,
        ):
            yield server


@pytest.fixture
async def product(api: Api, paypal: PayPalServer) -> MadeProduct:
    return await catalogue.product(stock=5)


async def ready(api: Api, product: MadeProduct, payment: dict[str, Any] = BY_PAYPAL) -> dict[str, Any]:
    return await checkout.ready_input(api, (product, 1), payment=payment)


async def deliver(api: Api, paypal: PayPalServer, event: dict[str, Any]) -> int:
    headers, body = paypal.signed(event)
    return (await api.http.post("/webhooks/payments/paypal", content=body, headers=headers)).status_code


async def orders() -> int:
    count: int = await db.fetchval("SELECT count(*) FROM orders")
    return count


async def test_from_the_redirect_to_the_refund(
    api: Api, paypal: PayPalServer, product: MadeProduct, staff_token: str, drain: Drain
) -> None:
    given = await ready(api, product)
    waiting = await checkout.complete(api, given, ACTION)
    ((paypal_id, order),) = paypal.orders.items()
    assert waiting["paymentAction"]["type"] == "REDIRECT"
    assert waiting["paymentAction"]["url"].endswith(f"token={paypal_id}")
    assert order["purchase_units"][0]["amount"] == {"currency_code": "USD", "value": "25.98"}
    assert order["purchase_units"][0]["shipping"]["address"]["postal_code"] == "94103"
    assert await checkout.complete(api, given, ACTION) == waiting
    paypal.approve(paypal_id)
    placed = await checkout.complete(api, given, ACTION)
    assert placed["order"]["paymentStatus"] == "AUTHORIZED"
    await fulfill(api, staff_token, placed["order"]["id"])
    await drain()
    assert [row["amount"]["value"] for row in paypal.captures.values()] == ["25.98"]
    refunded = await refunds.create(api, staff_token, placed["order"]["id"], amount=refunds.usd("10.00"))
    assert refunded["userErrors"] == []
    await drain()
    assert [row["amount"]["value"] for row in paypal.refunds.values()] == ["10.00"]
    # Everything that PayPal has to tell comes late, twice, and the newest first.
    for event in [*reversed(paypal.events), *paypal.events]:
        assert await deliver(api, paypal, event) == 204
    await drain()
    shown = (await api.ok(ORDER, {"id": placed["order"]["id"]}, token=staff_token))["order"]
    assert shown["paymentStatus"] == "PARTIALLY_REFUNDED"
    assert (await orders(), len(paypal.authorisations), len(paypal.captures), len(paypal.refunds)) == (1, 1, 1, 1)
    assert await invariants.check() == []


async def test_the_payer_agrees_and_never_comes_back(
    api: Api, paypal: PayPalServer, product: MadeProduct, drain: Drain
) -> None:
    given = await ready(api, product)
    await checkout.complete(api, given)
    (paypal_id,) = paypal.orders
    paypal.approve(paypal_id)
    assert await deliver(api, paypal, paypal.events[-1]) == 204
    await drain()
    assert (await orders(), len(paypal.authorisations)) == (1, 1)
    assert (await checkout.complete(api, given))["order"]
    assert await invariants.check() == []


async def test_the_webhook_is_lost_and_the_payer_comes_back_in_time(
    api: Api, paypal: PayPalServer, product: MadeProduct, drain: Drain
) -> None:
    given = await ready(api, product)
    await checkout.complete(api, given)
    (paypal_id,) = paypal.orders
    paypal.approve(paypal_id)
    paypal.fail("/authorize", Fault.CUT)
    assert (await checkout.complete(api, given))["order"] is None
    assert (await checkout.complete(api, given))["order"], "set aside, and the answer lost"
    assert (await orders(), len(paypal.authorisations)) == (1, 1)
    assert await invariants.check() == []


async def test_the_webhook_of_what_is_set_aside_overtakes_the_answer(
    api: Api, paypal: PayPalServer, product: MadeProduct, drain: Drain
) -> None:
    given = await ready(api, product)
    await checkout.complete(api, given)
    (paypal_id,) = paypal.orders
    paypal.approve(paypal_id)

    async def overtake(request: Received) -> None:
        if request.path.endswith("/authorize"):
            paypal.before_answer = None
            assert await deliver(api, paypal, paypal.events[-1]) == 204
            await drain()

    paypal.before_answer = overtake
    assert (await checkout.complete(api, given))["order"]
    await drain()
    assert (await orders(), len(paypal.authorisations)) == (1, 1)
    assert await invariants.check() == []


async def test_the_payers_bank_refuses(api: Api, paypal: PayPalServer, product: MadeProduct) -> None:
    given = await ready(api, product)
    await checkout.complete(api, given)
    (paypal_id,) = paypal.orders
    paypal.declining.add(paypal_id)
    paypal.approve(paypal_id)
    refused = await checkout.complete(api, given)
    assert [error["code"] for error in refused["userErrors"]] == ["PAYMENT_DECLINED"]
    assert await inventory.available(product.variant_id) == 5
    assert await invariants.check() == []


async def test_the_payer_agrees_too_late(
    api: Api, paypal: PayPalServer, product: MadeProduct, advance: Advance, drain: Drain
) -> None:
    given = await ready(api, product)
    await checkout.complete(api, given)
    (paypal_id,) = paypal.orders
    await advance("PT16M")
    paypal.approve(paypal_id)
    await deliver(api, paypal, paypal.events[-1])
    await drain()
    assert [error["code"] for error in (await checkout.complete(api, given))["userErrors"]] == ["PAYMENT_EXPIRED"]
    assert (await orders(), paypal.authorisations) == (0, {})
    assert await inventory.available(product.variant_id) == 5
    assert await invariants.check() == []


async def test_an_address_that_paypal_finds_wrong_is_no_reason_not_to_sell(
    api: Api, paypal: PayPalServer, product: MadeProduct
) -> None:
    paypal.wrong_address = True
    assert (await checkout.complete(api, await ready(api, product), ACTION))["paymentAction"]["url"]
    (order,) = paypal.orders.values()
    assert order["context"]["shipping_preference"] == "NO_SHIPPING"


async def test_a_forged_webhook_is_refused_and_one_that_cannot_be_checked_is_sent_again(
    api: Api, paypal: PayPalServer, product: MadeProduct
) -> None:
    await checkout.complete(api, await ready(api, product))
    event = {"id": "WH-1", "resource_type": "capture", "resource": {}}
    headers, body = paypal.signed(event)
    forged = await api.http.post("/webhooks/payments/paypal", content=body + b" ", headers=headers)
    assert forged.status_code == 400
    unknown = paypal.signed(event, certificate=f"{paypal.url}/v1/notifications/certs/CERT-unknown")
    answer = await api.http.post("/webhooks/payments/paypal", content=unknown[1], headers=unknown[0])
    assert answer.status_code == 503


async def test_money_without_an_order_is_found_by_comparing(
    api: Api, paypal: PayPalServer, product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set aside, and then neither the answer nor a webhook came."""
    monkeypatch.setattr(reconciling, "GRACE", timedelta())
    given = await ready(api, product)
    await checkout.complete(api, given)
    (paypal_id,) = paypal.orders
    paypal.approve(paypal_id)
    paypal.fail("/authorize", Fault.CUT)
    assert (await checkout.complete(api, given))["order"] is None
    done = await reconciling.reconcile(gateways()["paypal"])
    assert (done.is_complete, done.found) == (True, {"MONEY_WITHOUT_ORDER": 1})
    await drain()
    assert (await orders(), len(paypal.authorisations)) == (1, 1)
    assert (await reconciling.reconcile(gateways()["paypal"])).found == {}
    assert await invariants.check() == []
