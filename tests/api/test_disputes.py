"""Chargebacks and claims: what leaves through a bank leaves a trace, and goods do not follow the money."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import db, invariants
from app.kit import ids
from app.payments import disputes, reconciling
from app.payments.gateway import GatewayDispute
from app.payments.models import DisputeState
from app.payments.registry import gateways
from tests.client import Api
from tests.factories import catalogue, checkout, deposits, refunds
from tests.factories.fulfillments import FULFILL, fulfill
from tests.factories.orders import cancel
from tests.providers.paypal_server import CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, PayPalServer
from tests.providers.serving import configured, serving
from tests.providers.stripe_server import SECRET, SIGNING_SECRET, StripeServer, signed

Drain = Callable[[], Awaitable[None]]

ORDER = """query ($id: ID!) { order(id: $id) {
    paymentStatus holds refunds { source state amount { amount } } invoices { kind } timeline { type data }
    payments { refundedAmount { amount } disputes { state reason respondBy closedAt amount { amount } } } } }"""
TOTAL = "45.97"
"""Twice 19.99, and shipping of 5.99."""


@pytest.fixture
async def stripe(api: Api) -> AsyncIterator[StripeServer]:
    await checkout.shop_that_ships()
    async with serving(StripeServer()) as server:
        with configured(
            stripe_secret_key=SECRET,
            stripe_webhook_secrets=[SIGNING_SECRET],
            stripe_api_url=server.url,
            allow_private_addresses=True,
        ):
            yield server


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


async def half_shipped(api: Api, token: str, drain: Drain) -> str:
    """An order of two units, all of its money taken with the first one."""
    card = {"method": "CARD", "gateway": "stripe", "token": "pm_card_visa", "returnUrl": "https://shop.example/"}
    order: str = (await checkout.placed(api, (await catalogue.product(stock=5), 2), payment=card))["order"]["id"]
    assert await ship_one(api, token, order) == []
    await drain()
    return order


async def ship_one(api: Api, token: str, order: str) -> list[str]:
    """The codes of what was refused."""
    line = ids.encode("oline", await db.fetchval("SELECT id FROM order_lines"))
    given = {"orderId": order, "lines": [{"orderLineId": line, "quantity": 1}]}
    answer = (await api.query(FULFILL, {"input": given}, token=token)).data
    assert answer is not None
    return [error["code"] for error in answer["fulfillmentCreate"]["userErrors"]]


async def deliver(api: Api, drain: Drain, stripe: StripeServer, count: int = 1) -> None:
    """The latest events, the newest first, each twice."""
    for event in [*reversed(stripe.events[-count:]), *stripe.events[-count:]]:
        headers, body = signed(event)
        answer = await api.http.post("/webhooks/payments/stripe", content=body, headers=headers)
        assert answer.status_code == 204
    await drain()


async def seen(api: Api, token: str, order: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ok(ORDER, {"id": order}, token=token))["order"]
    return found


async def staff_mails() -> list[str]:
    rows = await db.fetch("SELECT context ->> 'subject' AS subject FROM messages WHERE template = 'staff_notice'")
    return [row["subject"] for row in rows]


async def reconcile(name: str) -> reconciling.Reconciled:
    return await reconciling.reconcile(gateways()[name])


async def test_goods_stay_while_a_payment_is_disputed_and_go_when_it_is_won(
    api: Api, stripe: StripeServer, staff_token: str, drain: Drain
) -> None:
    order = await half_shipped(api, staff_token, drain)
    (intent,) = stripe.intents
    dispute = stripe.dispute(intent)
    await deliver(api, drain, stripe)
    shown = await seen(api, staff_token, order)
    assert (shown["paymentStatus"], shown["holds"], shown["refunds"]) == ("PAID", ["DISPUTE"], [])
    (found,) = shown["payments"][0]["disputes"]
    assert (found["state"], found["reason"], found["amount"]["amount"]) == ("NEEDS_RESPONSE", "fraudulent", TOTAL)
    assert found["respondBy"]
    assert not found["closedAt"]
    moves = [event["data"]["after"] for event in shown["timeline"] if event["type"] == "DISPUTE_CHANGED"]
    assert moves == ["NEEDS_RESPONSE"], "told twice, noted once"
    assert await ship_one(api, staff_token, order) == ["ORDER_ON_HOLD"]
    # Refunded as well, the buyer would have it twice should the shop lose.
    twice = await refunds.create(api, staff_token, order, amount=refunds.usd("1.00"))
    assert [error["code"] for error in twice["userErrors"]] == ["REFUND_TOO_LARGE"]
    stripe.decide(dispute, "won")
    await deliver(api, drain, stripe, 2)
    shown = await seen(api, staff_token, order)
    assert (shown["paymentStatus"], shown["holds"], shown["refunds"]) == ("PAID", [], [])
    assert shown["payments"][0]["disputes"][0]["state"] == "WON"
    assert await ship_one(api, staff_token, order) == []
    assert len(await staff_mails()) == 2
    assert await invariants.check() == []


async def test_what_is_lost_is_in_the_books_and_out_of_them_when_the_bank_thinks_again(
    api: Api, stripe: StripeServer, staff_token: str, drain: Drain
) -> None:
    order = await half_shipped(api, staff_token, drain)
    (intent,) = stripe.intents
    dispute = stripe.dispute(intent)
    stripe.decide(dispute, "lost")
    await deliver(api, drain, stripe, 2)
    shown = await seen(api, staff_token, order)
    assert (shown["paymentStatus"], shown["holds"]) == ("REFUNDED", ["DISPUTE"])
    assert shown["refunds"] == [{"source": "DISPUTE", "state": "SUCCEEDED", "amount": {"amount": TOTAL}}]
    assert shown["payments"][0]["refundedAmount"]["amount"] == TOTAL
    assert [invoice["kind"] for invoice in shown["invoices"]] == ["INVOICE"], "what was sold has not changed"
    assert await invariants.check() == []
    assert (await reconcile("stripe")).found == {}, "both sides know of it"
    stripe.decide(dispute, "won")
    await deliver(api, drain, stripe)
    shown = await seen(api, staff_token, order)
    assert (shown["paymentStatus"], shown["holds"]) == ("PAID", [])
    assert shown["payments"][0]["refundedAmount"]["amount"] == "0.00"
    assert not [subject for subject in await staff_mails() if "refused" in subject]
    assert await invariants.check() == []


@pytest.mark.parametrize("between", ["won", "under_review"])
async def test_what_is_lost_a_second_time_is_in_the_books_again(
    api: Api, stripe: StripeServer, staff_token: str, drain: Drain, between: str
) -> None:
    order = await half_shipped(api, staff_token, drain)
    (intent,) = stripe.intents
    dispute = stripe.dispute(intent)
    for status in ("lost", between, "lost"):
        stripe.decide(dispute, status)
        await deliver(api, drain, stripe)
    shown = await seen(api, staff_token, order)
    assert shown["paymentStatus"] == "REFUNDED"
    assert sorted(refund["state"] for refund in shown["refunds"]) == ["FAILED", "SUCCEEDED"]
    assert shown["payments"][0]["refundedAmount"]["amount"] == TOTAL
    assert await invariants.check() == []
    assert (await reconcile("stripe")).found == {}


async def test_of_a_claim_and_a_chargeback_that_are_lost_the_one_that_comes_back_leaves_the_other(
    api: Api, stripe: StripeServer, staff_token: str, drain: Drain
) -> None:
    order = await half_shipped(api, staff_token, drain)
    (intent,) = stripe.intents
    first, second = stripe.dispute(intent), stripe.dispute(intent)
    for dispute in (first, second):
        stripe.decide(dispute, "lost")
        await deliver(api, drain, stripe)
    stripe.decide(first, "won")
    await deliver(api, drain, stripe)
    shown = await seen(api, staff_token, order)
    assert (shown["paymentStatus"], shown["payments"][0]["refundedAmount"]["amount"]) == ("REFUNDED", TOTAL)
    assert await invariants.check() == []
    stripe.decide(second, "won")
    await deliver(api, drain, stripe)
    assert (await seen(api, staff_token, order))["paymentStatus"] == "PAID"
    assert await invariants.check() == []


async def test_what_stripe_charges_is_kept_and_what_it_gives_back_taken_off(
    api: Api, stripe: StripeServer, staff_token: str, drain: Drain
) -> None:
    order = await half_shipped(api, staff_token, drain)
    (intent,) = stripe.intents
    dispute = stripe.dispute(intent)
    await deliver(api, drain, stripe)
    assert await fees(api, staff_token, order) == (None, []), "no word of it yet"
    # Booked after the dispute was told of, and with it: both are on the timeline, in the account's currency.
    booked = stripe.disputes[dispute]["balance_transactions"]
    booked.append({"amount": -4300, "currency": "eur", "fee": 2000})
    stripe.decide(dispute, "needs_response", told="funds_withdrawn")
    await deliver(api, drain, stripe)
    assert await fees(api, staff_token, order) == ({"amount": "20.00", "currencyCode": "EUR"}, [2000])
    booked.append({"amount": 4300, "currency": "eur", "fee": -500})
    stripe.decide(dispute, "won")
    await deliver(api, drain, stripe)
    assert await fees(api, staff_token, order) == ({"amount": "15.00", "currencyCode": "EUR"}, [2000, 1500])


async def fees(api: Api, token: str, order: str) -> tuple[Any, list[int]]:
    """As the dispute has it, and as the timeline tells of it."""
    listing = "{ paymentDisputes { nodes { fee { amount currencyCode } } } }"
    (found,) = (await api.ok(listing, token=token))["paymentDisputes"]["nodes"]
    moves = [event["data"] for event in (await seen(api, token, order))["timeline"]]
    return found["fee"], [data["feeMinor"] for data in moves if "feeMinor" in data]


async def test_webhooks_that_are_lost_are_made_up_for_by_comparing(
    api: Api, stripe: StripeServer, staff_token: str, drain: Drain
) -> None:
    order = await half_shipped(api, staff_token, drain)
    (intent,) = stripe.intents
    dispute = stripe.dispute(intent)
    assert (await reconcile("stripe")).found == {"DISPUTED": 1}
    assert (await reconcile("stripe")).found == {}
    # Stripe has forgotten its events by the time that it is decided: what is open is asked after.
    stripe.decide(dispute, "lost")
    stripe.events.clear()
    await db.execute("UPDATE payment_disputes SET updated_at = clock_timestamp() - interval '2 hours'")
    assert (await reconcile("stripe")).found == {"DISPUTED": 1}
    assert (await seen(api, staff_token, order))["paymentStatus"] == "REFUNDED"
    assert await invariants.check() == []


async def test_an_inquiry_takes_no_money_and_may_be_refunded(
    api: Api, stripe: StripeServer, staff_token: str, drain: Drain
) -> None:
    order = await half_shipped(api, staff_token, drain)
    (intent,) = stripe.intents
    dispute = stripe.dispute(intent, "warning_needs_response")
    await deliver(api, drain, stripe)
    assert (await seen(api, staff_token, order))["holds"] == ["DISPUTE"]
    assert (await refunds.create(api, staff_token, order, amount=refunds.usd("5.97")))["userErrors"] == []
    await drain()
    # It becomes a chargeback all the same, over the whole payment, and is lost.
    stripe.decide(dispute, "lost")
    await deliver(api, drain, stripe)
    shown = await seen(api, staff_token, order)
    assert [refund["amount"]["amount"] for refund in shown["refunds"]] == ["5.97", "40.00"]
    (row,) = await db.fetch("SELECT kind, amount_minor, settled_at FROM payment_discrepancies")
    assert tuple(row.values()) == ("AMOUNT_DIFFERS", 597, None), "the shop has lost more than it took: a person looks"
    assert await invariants.check() == []


async def test_staff_list_what_is_not_decided_yet(
    api: Api, stripe: StripeServer, staff_token: str, drain: Drain
) -> None:
    order = await half_shipped(api, staff_token, drain)
    (intent,) = stripe.intents
    stripe.decide(stripe.dispute(intent, amount=1_000), "won")
    stripe.dispute(intent, amount=2_000)
    await deliver(api, drain, stripe, 3)
    listing = """{ paymentDisputes(first: 1, open: %s) {
        totalCount nodes { state gateway orderId amount { amount } } pageInfo { hasNextPage } } }"""
    found = (await api.ok(listing % "true", token=staff_token))["paymentDisputes"]
    assert (found["totalCount"], found["pageInfo"]["hasNextPage"]) == (1, False)
    assert found["nodes"] == [
        {"state": "NEEDS_RESPONSE", "gateway": "stripe", "orderId": order, "amount": {"amount": "20.00"}}
    ]
    everything = (await api.ok(listing % "false", token=staff_token))["paymentDisputes"]
    assert (everything["totalCount"], everything["pageInfo"]["hasNextPage"]) == (2, True)
    # The one that is won lets go of nothing while the other one is open.
    assert (await seen(api, staff_token, order))["holds"] == ["DISPUTE"]


async def test_a_cancellation_promises_no_money_that_a_bank_withholds(
    api: Api, stripe: StripeServer, staff_token: str, drain: Drain
) -> None:
    bought = await checkout.placed(api, (await catalogue.product(stock=5), 1), payment=checkout.CASH)
    card = {"method": "CARD", "gateway": "stripe", "token": "pm_card_visa", "returnUrl": "https://shop.example/"}
    assert (await deposits.pay(api, bought, payment=card))["order"]["paymentStatus"] == "PAID"
    order = bought["order"]["id"]
    (intent,) = stripe.intents
    dispute = stripe.dispute(intent)
    await deliver(api, drain, stripe)
    for given in ({"refund": True}, {"refundTo": "ORIGINAL"}):
        refused = await cancel(api, staff_token, order, **given)
        assert [error["code"] for error in refused["userErrors"]] == ["REFUND_TOO_LARGE"]
    assert await db.fetchval("SELECT status FROM orders") == "OPEN"
    assert await db.fetchval("SELECT count(*) FROM refunds") == 0
    # The money is not promised to anybody; should the shop win, staff decide on it.
    assert (await cancel(api, staff_token, order, refund=False))["userErrors"] == []
    stripe.decide(dispute, "won")
    await deliver(api, drain, stripe)
    back = await refunds.create(api, staff_token, order, amount=refunds.usd("1.00"))
    assert back["userErrors"] == []
    await drain()
    assert await invariants.check() == []


async def test_an_older_answer_does_not_win(api: Api, stripe: StripeServer, staff_token: str, drain: Drain) -> None:
    order = await half_shipped(api, staff_token, drain)
    (intent,) = stripe.intents
    now = await db.fetchval("SELECT clock_timestamp()")

    def said(state: DisputeState) -> GatewayDispute:
        return GatewayDispute(
            reference="du_1", state=state, amount_minor=4597, currency="USD", opened_at=datetime.now(UTC),
            payment_reference=intent,
        )  # fmt: skip

    assert await disputes.record("stripe", said(DisputeState.LOST), now)
    assert not await disputes.record("stripe", said(DisputeState.NEEDS_RESPONSE), now - timedelta(seconds=3))
    assert not await disputes.record("stripe", said(DisputeState.INQUIRY), now + timedelta(seconds=3)), "no such move"
    assert (await seen(api, staff_token, order))["paymentStatus"] == "REFUNDED"
    assert await invariants.check() == []


async def test_gift_cards_of_a_disputed_payment_cannot_be_spent(
    api: Api, stripe: StripeServer, staff_token: str, drain: Drain
) -> None:
    card = await catalogue.product(price_minor=2500, kind="GIFT_CARD", requires_shipping=False, stock=None)
    paid = {"method": "CARD", "gateway": "stripe", "token": "pm_card_visa", "returnUrl": "https://shop.example/"}
    bare = {"shippingQuoteId": None, "shippingAddress": None}
    order = (await checkout.placed(api, (card, 2), payment=paid, **bare))["order"]["id"]
    await drain()
    (intent,) = stripe.intents
    dispute = stripe.dispute(intent)
    statuses = "SELECT array_agg(DISTINCT status) FROM stored_values"
    await deliver(api, drain, stripe)
    assert await db.fetchval(statuses) == ["DISABLED"]
    stripe.decide(dispute, "won")
    await deliver(api, drain, stripe)
    assert await db.fetchval(statuses) == ["ACTIVE"]
    assert ids.decode("ord", order) == await db.fetchval("SELECT DISTINCT order_id FROM gift_cards")


async def bought_with_paypal(api: Api, paypal: PayPalServer, token: str, drain: Drain) -> tuple[str, str]:
    """The shop's order and PayPal's."""
    by_paypal = {"method": "PAYPAL", "gateway": "paypal", "returnUrl": "https://shop.example/"}
    given = await checkout.ready_input(api, (await catalogue.product(stock=5), 1), payment=by_paypal)
    await checkout.complete(api, given)
    (theirs,) = paypal.orders
    paypal.approve(theirs)
    order: str = (await checkout.complete(api, given))["order"]["id"]
    await fulfill(api, token, order)
    await drain()
    return order, theirs


async def test_a_claim_at_paypal_that_is_lost_in_part_counts_once(
    api: Api, paypal: PayPalServer, staff_token: str, drain: Drain
) -> None:
    order, theirs = await bought_with_paypal(api, paypal, staff_token, drain)
    dispute = paypal.dispute(theirs, 2598, stage="INQUIRY")
    states = []
    for event in (None, "RESOLVED_BUYER_FAVOUR"):
        if event:
            paypal.decide(dispute, event, refunded=1000)
        headers, body = paypal.signed(paypal.events[-1])
        answer = await api.http.post("/webhooks/payments/paypal", content=body, headers=headers)
        assert answer.status_code == 204
        await drain()
        shown = await seen(api, staff_token, order)
        states.append((shown["payments"][0]["disputes"][0]["state"], shown["paymentStatus"]))
    assert states == [("INQUIRY", "PAID"), ("LOST", "PARTIALLY_REFUNDED")]
    # PayPal lists what it took among the capture's refunds, and the books have it already.
    paypal.refund_at_dashboard(theirs, 1000)
    headers, body = paypal.signed(paypal.events[-1])
    await api.http.post("/webhooks/payments/paypal", content=body, headers=headers)
    await drain()
    await reconcile("paypal")
    assert [refund["source"] for refund in (await seen(api, staff_token, order))["refunds"]] == ["DISPUTE"]
    assert await invariants.check() == []


async def test_what_was_found_as_a_refund_first_is_not_lost_twice(
    api: Api, paypal: PayPalServer, staff_token: str, drain: Drain
) -> None:
    order, theirs = await bought_with_paypal(api, paypal, staff_token, drain)
    dispute = paypal.dispute(theirs, 2598)
    paypal.disputes[dispute]["create_time"] = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    paypal.refund_at_dashboard(theirs, 2598)
    paypal.decide(dispute, "ACCEPTED", refunded=2598)
    await reconcile("paypal")
    shown = await seen(api, staff_token, order)
    assert [refund["source"] for refund in shown["refunds"]] == ["PROVIDER"]
    assert shown["paymentStatus"] == "REFUNDED"
    assert await invariants.check() == []


async def test_an_app_that_may_not_see_disputes_compares_payments_all_the_same(
    api: Api, paypal: PayPalServer, staff_token: str, drain: Drain
) -> None:
    await bought_with_paypal(api, paypal, staff_token, drain)
    paypal.may_see_disputes = False
    assert (await reconcile("paypal")).is_complete
    checks = await gateways()["paypal"].examine()
    assert "disputes cannot be seen" in " ".join(check.text for check in checks if not check.is_well)
