"""The page behind a link: a buyer pays on it, at a provider's page or by what comes in by itself, once."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from httpx2 import Response

from app import db, invariants
from tests.client import Api
from tests.factories import checkout, deposits, drafts
from tests.providers.paypal_server import CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, PayPalServer
from tests.providers.serving import configured, serving
from tests.providers.stripe_server import SECRET, SIGNING_SECRET, StripeServer

Drain = Callable[[], Awaitable[None]]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def transfers(api: Api, staff_token: str) -> None:
    change = "mutation ($input: PaymentSettingsInput!) { paymentSettingsUpdate(input: $input) { userErrors { code } } }"
    account = {"bankAccountHolder": "Tradewind", "bankIban": "DE89 3704 0044 0532 0130 00"}
    done = await api.ok(change, {"input": {"bankTransfer": True, **account}}, token=staff_token)
    assert done["paymentSettingsUpdate"]["userErrors"] == []


async def link(api: Api, token: str, **more: Any) -> str:
    return "/offers/" + await drafts.sent(api, token, (await drafts.created(api, token, **more))["id"])


def form(page: Response, method: str | None) -> dict[str, str]:
    """What the browser would send with the button for this way to pay."""
    for text in re.findall(r"<form method=\"post\">(.*?)</form>", page.text, re.DOTALL):
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', text))
        if fields.get("method") == method and "decline" not in fields:
            return fields
    raise AssertionError(f"the page does not offer {method}")


async def press(api: Api, path: str, method: str | None) -> Response:
    return await api.http.post(path, data=form(await api.http.get(path), method))


async def counted() -> tuple[int, int, int]:
    """Orders, payments, and what gateways have taken or set aside."""
    row = await db.fetchrow(
        """
        SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM payments) AS payments,
               (SELECT coalesce(sum(amount_minor), 0)::int FROM test_gateway_payments
                WHERE state IN ('AUTHORIZED', 'CAPTURED')) AS minor
        """
    )
    assert row
    return row["orders"], row["payments"], row["minor"]


async def test_the_buyer_pays_at_the_provider_and_comes_back(api: Api, staff_token: str, drain: Drain) -> None:
    path = await link(api, staff_token)
    shown = await api.http.get(path)
    assert (shown.status_code, "$50.00" in shown.text, "Workshop" in shown.text) == (200, True, True)
    leaving = await api.http.post(path, data=form(shown, "PAYPAL"))
    policy = leaving.headers["Content-Security-Policy"]
    assert "form-action 'self'" in policy
    assert "script" not in policy
    assert leaving.headers["Referrer-Policy"] == "no-referrer"
    url = leaving.headers["Refresh"].removeprefix("0; url=")
    assert f'href="{url}"' in leaving.text
    assert (await counted())[0] == 0
    # Looked at again, by the buyer or a scanner of mail: nothing happens.
    for _ in range(2):
        waiting = await api.http.get(path)
        assert url in waiting.text
    assert url in (await press(api, path, "PAYPAL")).text, "not agreed to yet"
    assert (await counted())[0] == 0
    await api.http.post(urlsplit(url).path, data={"decision": "approve"})
    assert (await counted())[0] == 0
    done = await press(api, path, "PAYPAL")
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert "Thank you" in (await api.http.get(path)).text
    assert await counted() == (1, 1, 5000)
    assert await db.fetchval("SELECT return_url FROM test_gateway_payments") == f"http://testserver{path}"
    await drain()
    assert await invariants.check() == []


async def test_a_form_that_is_sent_twice_at_once_places_one_order(api: Api, staff_token: str, transfers: None) -> None:
    path = await link(api, staff_token)
    given = form(await api.http.get(path), "BANK_TRANSFER")
    answers = await asyncio.gather(*(api.http.post(path, data=given) for _ in range(5)))
    assert 303 in {answer.status_code for answer in answers}
    # From a page that was open all the while: it is shown what has become of the offer.
    for late in (given, {**given, "key": "page-other"}):
        assert (await api.http.post(path, data=late)).status_code == 303
    assert await counted() == (1, 1, 0)
    shown = (await api.http.get(path)).text
    number = await db.fetchval("SELECT number::text FROM orders")
    assert "Still to pay" in shown
    for told in ("Tradewind", "DE89 3704 0044 0532 0130 00", f"Reference <strong>{number}</strong>", "$50.00"):
        assert told in shown


async def test_a_deposit_and_the_rest_are_paid_on_the_page(api: Api, staff_token: str, drain: Drain) -> None:
    path = await link(api, staff_token, deposit=drafts.usd("20"), needsGuarantee=True)
    shown = await api.http.get(path)
    assert ("$20.00" in shown.text, "$30.00" in shown.text, "CASH_ON_DELIVERY" in shown.text) == (True, True, False)
    for expected in ((1, 1, 2000), (1, 2, 5000)):
        url = (await press(api, path, "PAYPAL")).headers["Refresh"].removeprefix("0; url=")
        await api.http.post(urlsplit(url).path, data={"decision": "approve"})
        assert (await press(api, path, "PAYPAL")).status_code == 303
        assert await counted() == expected
    page = (await api.http.get(path)).text
    assert ("Thank you" in page, "Still to pay" in page) == (True, False)
    assert await db.fetchval("SELECT holds FROM orders") == ["GUARANTEE"]
    await drain()
    assert await invariants.check() == []


async def test_who_was_shown_a_deposit_is_not_led_to_pay_it_all(api: Api, staff_token: str, transfers: None) -> None:
    path = await link(api, staff_token, deposit=drafts.usd("20"))
    stale = form(await api.http.get(path), "PAYPAL")
    await press(api, path, "BANK_TRANSFER")
    answer = await api.http.post(path, data=stale)
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    assert await counted() == (1, 1, 0)
    shown = (await api.http.get(path)).text
    for told in ("Transfer <strong>$20.00</strong>", "Or pay all of it at once", "<strong>$50.00</strong>"):
        assert told in shown


async def test_a_declined_payment_can_be_made_anew(api: Api, staff_token: str) -> None:
    path = await link(api, staff_token)
    url = (await press(api, path, "PAYPAL")).headers["Refresh"].removeprefix("0; url=")
    await api.http.post(urlsplit(url).path, data={"decision": "decline"})
    refused = await press(api, path, "PAYPAL")
    assert (refused.status_code, "declined" in refused.text) == (422, True)
    assert await counted() == (0, 1, 0)
    url = (await press(api, path, "WALLET")).headers["Refresh"].removeprefix("0; url=")
    await api.http.post(urlsplit(url).path, data={"decision": "approve"})
    await press(api, path, "WALLET")
    assert await counted() == (1, 2, 5000)


async def test_what_the_page_does_not_offer(api: Api, staff_token: str) -> None:
    path = await link(api, staff_token)
    given = form(await api.http.get(path), "PAYPAL")
    for changed in (
        {"method": "CARD", "gateway": "test"},
        {"method": "CASH_ON_DELIVERY", "gateway": ""},
        {"gateway": "nobodys"},
        {"key": ""},
        {"key": "by-hand-0"},
        {"seen": "4999"},
    ):
        assert (await api.http.post(path, data={**given, **changed})).status_code == 422, changed
    assert await counted() == (0, 0, 0)


async def test_what_staff_changed_meanwhile_is_not_paid(api: Api, staff_token: str, transfers: None) -> None:
    draft = await drafts.created(api, staff_token)
    path = "/offers/" + await drafts.sent(api, staff_token, draft["id"])
    given = form(await api.http.get(path), "BANK_TRANSFER")
    await drafts.updated(api, staff_token, draft["id"], lines=[drafts.custom("70")])
    assert (await api.http.post(path, data=given)).status_code == 404
    await drafts.sent(api, staff_token, draft["id"])
    refused = await api.http.post(path, data=given)
    assert (refused.status_code, "$70.00" in refused.text) == (422, True)
    assert await counted() == (0, 0, 0)


async def test_what_staff_placed_by_hand_is_paid_by_its_link(api: Api, staff_token: str) -> None:
    draft = await drafts.created(api, staff_token)
    path = "/offers/" + await drafts.sent(api, staff_token, draft["id"])
    done = await drafts.marked_complete(api, staff_token, draft["id"], daysToPay=30)
    url = (await press(api, path, "PAYPAL")).headers["Refresh"].removeprefix("0; url=")
    assert "I have agreed" in (await api.http.get(path)).text
    await api.http.post(urlsplit(url).path, data={"decision": "approve"})
    await press(api, path, "PAYPAL")
    order = await deposits.order(api, staff_token, done["draftOrder"]["orderId"])
    assert (order["paymentStatus"], order["status"]) == ("PAID", "COMPLETED")


async def test_a_link_to_what_is_left_of_an_order_that_staff_placed(api: Api, staff_token: str, drain: Drain) -> None:
    draft = await drafts.created(api, staff_token, deposit=drafts.usd("20"))
    cash = {"paidBy": "CASH_ON_DELIVERY", "amount": drafts.usd("20")}
    await drafts.marked_complete(api, staff_token, draft["id"], **cash)
    sent = await drafts.send(api, staff_token, draft["id"], message="Thank you for coming by.")
    assert (sent["userErrors"], sent["draftOrder"]["state"]) == ([], "COMPLETED")
    path = urlsplit(sent["draftOrder"]["url"]).path
    await drain()
    mail = await db.fetchval("SELECT content FROM dev_messages WHERE template = 'draft_order'")
    assert b"$30.00" in mail
    url = (await press(api, path, "PAYPAL")).headers["Refresh"].removeprefix("0; url=")
    await api.http.post(urlsplit(url).path, data={"decision": "approve"})
    assert (await press(api, path, "PAYPAL")).status_code == 303
    assert await db.fetchval("SELECT payment_status FROM orders") == "PAID"
    refused = await drafts.send(api, staff_token, draft["id"])
    assert [error["code"] for error in refused["userErrors"]] == ["PAYMENT_NOT_DUE"]
    await drain()
    assert await db.fetchval("SELECT count(*) FROM messages WHERE template = 'draft_order'") == 1
    assert await invariants.check() == []


@pytest.fixture
async def paypal(api: Api) -> AsyncIterator[PayPalServer]:
    async with serving(PayPalServer()) as server:
        with configured(
            paypal_client_id=CLIENT_ID,
            paypal_secret=CLIENT_SECRET,
            paypal_webhook_id=WEBHOOK_ID,
            paypal_api_url=server.url,
            allow_private_addresses=True,
        ):
            yield server


async def test_paypal_takes_the_deposit(api: Api, paypal: PayPalServer, staff_token: str, drain: Drain) -> None:
    """By the real adapter: set aside when the buyer agrees, and taken at once."""
    path = await link(api, staff_token, deposit=drafts.usd("20"))
    shown = await api.http.get(path)
    given = {**form(shown, "PAYPAL"), "gateway": "paypal"}
    leaving = await api.http.post(path, data=given)
    ((paypal_id, order),) = paypal.orders.items()
    assert leaving.headers["Refresh"].endswith(f"token={paypal_id}")
    assert order["purchase_units"][0]["amount"] == {"currency_code": "USD", "value": "20.00"}
    paypal.approve(paypal_id)
    assert (await press(api, path, "PAYPAL")).status_code == 303
    await drain()
    assert [row["amount"]["value"] for row in paypal.captures.values()] == ["20.00"]
    row = await db.fetchrow("SELECT payment_status, holds FROM orders")
    assert row
    assert dict(row) == {"payment_status": "PARTIALLY_PAID", "holds": []}
    assert await invariants.check() == []


async def test_stripe_leads_to_paypal_and_shows_no_card_form(api: Api, staff_token: str, drain: Drain) -> None:
    """Cards are typed into Stripe's own form, with its script: that is a front end's to show."""
    async with serving(StripeServer()) as server:
        with configured(
            stripe_secret_key=SECRET,
            stripe_webhook_secrets=[SIGNING_SECRET],
            stripe_api_url=server.url,
            stripe_paypal=True,
            allow_private_addresses=True,
        ):
            path = await link(api, staff_token)
            shown = await api.http.get(path)
            assert 'value="CARD"' not in shown.text
            given = {**form(shown, "PAYPAL"), "gateway": "stripe"}
            assert (await api.http.post(path, data={**given, "method": "CARD"})).status_code == 422
            leaving = await api.http.post(path, data=given)
            ((intent_id, intent),) = server.intents.items()
            assert leaving.headers["Refresh"] == f"0; url=https://hooks.stripe.example/{intent_id}"
            assert (intent["amount"], intent["return_url"]) == (5000, f"http://testserver{path}")
            server.succeed(intent_id)
            assert (await press(api, path, "PAYPAL")).status_code == 303
            await drain()
            assert await db.fetchval("SELECT payment_status FROM orders") == "PAID"
            assert await invariants.check() == []
