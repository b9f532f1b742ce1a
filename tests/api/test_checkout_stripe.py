"""Buying with Stripe, from checkoutComplete to the refund: the real adapter, and a server that behaves like Stripe."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import db, invariants
from app.payments import reconciling
from app.payments.registry import gateways
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, inventory, refunds
from tests.factories.catalogue import MadeProduct
from tests.factories.fulfillments import fulfill
from tests.http_receiver import Received
from tests.providers.serving import Fault, configured, serving
from tests.providers.stripe_server import SECRET, SIGNING_SECRET, StripeServer, signed

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

TOTAL = 2_598
"""19.99 and shipping of 5.99, in cents."""
ACTION = """mutation ($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) {
    order { id paymentStatus } paymentAction { type url clientSecret } userErrors { code message } } }"""
METHODS = """mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) {
    checkout { paymentMethods { method gateway clientKey needsToken } } userErrors { code } } }"""
ORDER = "query ($id: ID!) { order(id: $id) { paymentStatus } }"
SAVED = "{ me { paymentMethods { id gateway brand last4 } } }"


@pytest.fixture
async def stripe(api: Api) -> AsyncIterator[StripeServer]:
    await checkout.shop_that_ships()
    async with serving(StripeServer()) as server:
        with configured(
            stripe_secret_key=SECRET,
            stripe_publishable_key="pk_test_51TradewindStandIn",
            stripe_webhook_secrets=[SIGNING_SECRET],
            stripe_api_url=server.url,
            allow_private_addresses=True,
        ):
            yield server


@pytest.fixture
async def product(api: Api, stripe: StripeServer) -> MadeProduct:
    return await catalogue.product(stock=5)


def card(token: str | None = "pm_card_visa", **more: Any) -> dict[str, Any]:
    return {"method": "CARD", "gateway": "stripe", "token": token, "returnUrl": "https://shop.example/thanks", **more}


async def ready(api: Api, product: MadeProduct, payment: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await checkout.ready_input(api, (product, 1), payment=payment, **more)


async def deliver(api: Api, event: dict[str, Any]) -> int:
    headers, body = signed(event)
    return (await api.http.post("/webhooks/payments/stripe", content=body, headers=headers)).status_code


async def orders() -> int:
    count: int = await db.fetchval("SELECT count(*) FROM orders")
    return count


async def test_a_storefront_gets_the_public_key(api: Api, product: MadeProduct) -> None:
    given = await ready(api, product, card())
    created = await api.ok(METHODS, {"input": {"cartId": given["cartId"]}})
    methods = created["checkoutCreate"]["checkout"]["paymentMethods"]
    stripes = [method for method in methods if method["gateway"] == "stripe"]
    assert {method["method"] for method in stripes} == {"CARD", "WALLET"}
    assert {method["clientKey"] for method in stripes} == {"pk_test_51TradewindStandIn"}
    assert SECRET not in str(methods)


async def test_from_the_card_to_the_refund(
    api: Api, stripe: StripeServer, product: MadeProduct, staff_token: str, drain: Drain
) -> None:
    given = await ready(api, product, card())
    placed = await checkout.complete(api, given)
    order_id = placed["order"]["id"]
    (intent,) = stripe.intents.values()
    assert (intent["status"], intent["amount"], intent["currency"]) == ("requires_capture", TOTAL, "usd")
    await fulfill(api, staff_token, order_id)
    await drain()
    assert intent["amount_received"] == TOTAL
    refunded = await refunds.create(api, staff_token, order_id, amount=refunds.usd("10.00"))
    assert refunded["userErrors"] == []
    await drain()
    assert [refund["amount"] for refund in stripe.refunds.values()] == [1_000]
    # Everything that Stripe has to tell comes late, twice, and the newest first.
    for event in [*reversed(stripe.events), *stripe.events]:
        assert await deliver(api, event) == 204
    await drain()
    order = (await api.ok(ORDER, {"id": order_id}, token=staff_token))["order"]
    assert order["paymentStatus"] == "PARTIALLY_REFUNDED"
    assert (await orders(), len(stripe.intents), len(stripe.refunds)) == (1, 1, 1)
    assert await invariants.check() == []


async def test_the_form_in_the_client_confirms_and_the_webhook_brings_the_order(
    api: Api, stripe: StripeServer, product: MadeProduct, drain: Drain
) -> None:
    given = await ready(api, product, {"method": "WALLET", "gateway": "stripe"})
    waiting = await checkout.complete(api, given, ACTION)
    (intent,) = stripe.intents.values()
    assert waiting["paymentAction"] == {"type": "CLIENT_SECRET", "url": None, "clientSecret": intent["client_secret"]}
    stripe.decline(intent["id"])
    await deliver(api, stripe.events[-1])
    await drain()
    assert await checkout.complete(api, given, ACTION) == waiting, "the form may try another card"
    stripe.succeed(intent["id"])
    assert await deliver(api, stripe.events[-1]) == 204
    await drain()
    assert await orders() == 1
    assert (await checkout.complete(api, given, ACTION))["order"]["paymentStatus"] == "AUTHORIZED"
    assert await invariants.check() == []


@pytest.mark.parametrize("agrees", [True, False])
async def test_three_d_secure(api: Api, stripe: StripeServer, product: MadeProduct, drain: Drain, agrees: bool) -> None:
    given = await ready(api, product, card("pm_card_threeDSecureRequired"))
    waiting = await checkout.complete(api, given, ACTION)
    assert waiting["paymentAction"]["type"] == "REDIRECT"
    (intent,) = stripe.intents.values()
    assert waiting["paymentAction"]["url"] == intent["next_action"]["redirect_to_url"]["url"]
    if agrees:
        stripe.succeed(intent["id"])
    else:
        stripe.decline(intent["id"], "payment_intent_authentication_failure")
    await deliver(api, stripe.events[-1])
    await drain()
    answer = await checkout.complete(api, given, ACTION)
    if agrees:
        assert answer["order"]["paymentStatus"] == "AUTHORIZED"
    else:
        assert [error["code"] for error in answer["userErrors"]] == ["PAYMENT_DECLINED"]
        assert await inventory.available(product.variant_id) == 5
    assert await invariants.check() == []


async def test_a_declined_card_is_told_in_stripes_words(api: Api, stripe: StripeServer, product: MadeProduct) -> None:
    answer = await checkout.complete(api, await ready(api, product, card("pm_card_chargeDeclined")))
    assert [(error["code"], error["message"]) for error in answer["userErrors"]] == [
        ("PAYMENT_DECLINED", "Your card was declined.")
    ]
    assert await inventory.available(product.variant_id) == 5
    assert await invariants.check() == []


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.ERROR_AFTER])
async def test_the_answer_is_lost_after_the_money_was_set_aside(
    api: Api, stripe: StripeServer, product: MadeProduct, drain: Drain, fault: Fault
) -> None:
    stripe.fail("POST /v1/payment_intents", fault)
    given = await ready(api, product, card())
    first = await checkout.complete(api, given)
    assert first["order"] is None
    await checkout.expire_lease()
    assert (await checkout.complete(api, given))["order"]
    await drain()
    assert (await orders(), len(stripe.intents)) == (1, 1)
    assert await invariants.check() == []


async def test_the_webhook_overtakes_the_answer(
    api: Api, stripe: StripeServer, product: MadeProduct, drain: Drain
) -> None:
    async def overtake(request: Received) -> None:
        if request.method == "POST":
            stripe.before_answer = None
            assert await deliver(api, stripe.events[-1]) == 204
            await drain()

    stripe.before_answer = overtake
    assert (await checkout.complete(api, await ready(api, product, card())))["order"]
    await drain()
    assert (await orders(), len(stripe.intents)) == (1, 1)
    assert await invariants.check() == []


async def test_the_webhook_is_lost_and_the_shopper_never_comes_back(
    api: Api, stripe: StripeServer, product: MadeProduct, advance: Advance
) -> None:
    await checkout.complete(api, await ready(api, product, {"method": "WALLET", "gateway": "stripe"}))
    (intent,) = stripe.intents.values()
    stripe.succeed(intent["id"])
    await advance("PT16M")
    assert await orders() == 1
    assert await invariants.check() == []


async def test_a_form_that_nobody_confirms_is_called_off(
    api: Api, stripe: StripeServer, product: MadeProduct, advance: Advance, drain: Drain
) -> None:
    await checkout.complete(api, await ready(api, product, {"method": "WALLET", "gateway": "stripe"}))
    await advance("PT16M")
    await drain()
    (intent,) = stripe.intents.values()
    assert intent["status"] == "canceled"
    assert await inventory.available(product.variant_id) == 5
    assert await orders() == 0
    assert await invariants.check() == []


async def test_a_saved_card_pays_again_and_is_detached_when_it_is_deleted(
    api: Api, stripe: StripeServer, product: MadeProduct, drain: Drain
) -> None:
    ada = await accounts.signed_in()
    assert (await checkout.complete(api, await ready(api, product, card(save=True)), token=ada.token))["order"]
    (saved,) = (await api.ok(SAVED, token=ada.token))["me"]["paymentMethods"]
    assert (saved["gateway"], saved["brand"], saved["last4"]) == ("stripe", "visa", "4242")
    again = {"method": "CARD", "savedPaymentMethodId": saved["id"]}
    assert (await checkout.complete(api, await ready(api, product, again), token=ada.token))["order"]
    assert len(stripe.methods) == 1
    delete = "mutation ($id: ID!) { customerPaymentMethodDelete(id: $id) { userErrors { code } } }"
    await api.ok(delete, {"id": saved["id"]}, token=ada.token)
    await drain()
    assert stripe.methods == {}


async def test_a_forged_webhook_is_refused(api: Api, stripe: StripeServer, product: MadeProduct) -> None:
    await checkout.complete(api, await ready(api, product, {"method": "WALLET", "gateway": "stripe"}))
    headers, body = signed({"id": "evt_1", "data": {"object": {}}}, "whsec_somebody")
    answer = await api.http.post("/webhooks/payments/stripe", content=body, headers=headers)
    assert (answer.status_code, answer.text) == (400, "Not accepted: signature.")


# --- reconciliation ---------------------------------------------------------------------------------------------------


async def test_money_without_an_order_is_found_by_comparing(
    api: Api, stripe: StripeServer, product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "GRACE", timedelta())
    await checkout.complete(api, await ready(api, product, {"method": "WALLET", "gateway": "stripe"}))
    (intent,) = stripe.intents.values()
    stripe.succeed(intent["id"])  # and the webhook is lost
    done = await reconciling.reconcile(gateways()["stripe"])
    assert (done.is_complete, done.found) == (True, {"MONEY_WITHOUT_ORDER": 1})
    await drain()
    assert await orders() == 1
    assert (await reconciling.reconcile(gateways()["stripe"])).found == {}
    assert await invariants.check() == []


async def test_a_refund_at_the_dashboard_is_found_by_comparing(
    api: Api, stripe: StripeServer, product: MadeProduct, staff_token: str, drain: Drain
) -> None:
    order_id = (await checkout.complete(api, await ready(api, product, card())))["order"]["id"]
    await fulfill(api, staff_token, order_id)
    await drain()
    (intent,) = stripe.intents.values()
    stripe.refund_at_dashboard(intent["id"], 700)
    assert (await reconciling.reconcile(gateways()["stripe"])).found == {"AMOUNT_DIFFERS": 1}
    shown = (await api.ok(ORDER, {"id": order_id}, token=staff_token))["order"]
    assert shown["paymentStatus"] == "PARTIALLY_REFUNDED"
    assert (await reconciling.reconcile(gateways()["stripe"])).found == {}
    assert await invariants.check() == []


async def test_where_stripe_does_not_answer_nothing_is_concluded(
    api: Api, stripe: StripeServer, product: MadeProduct
) -> None:
    order_id = (await checkout.complete(api, await ready(api, product, card())))["order"]["id"]
    stripe.fail("GET /v1/payment_intents", Fault.ERROR)
    done = await reconciling.reconcile(gateways()["stripe"])
    assert (done.is_complete, done.found) == (False, {})
    assert order_id
    assert await db.fetchval("SELECT state FROM payments") == "AUTHORIZED"
