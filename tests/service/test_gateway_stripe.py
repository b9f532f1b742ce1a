"""Stripe's adapter does what every gateway has to do, against a server that behaves like Stripe."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_plus

import pytest

from app.addresses.postal import PostalAddress
from app.kit.ids import new_id
from app.payments.adapters import stripe as adapter
from app.payments.adapters import stripe_client
from app.payments.adapters.stripe import StripeGateway
from app.payments.gateway import (
    Capture,
    Gateway,
    GatewayPayment,
    GatewayRefundState,
    GatewayState,
    GatewayUnavailableError,
    InvalidWebhookError,
    KnownPayment,
    Payer,
    PaymentActionType,
    RefundRequest,
)
from app.payments.models import PaymentMethod
from app.settings import Settings
from tests.environment import make_settings
from tests.gateway_contract import Asked, Card, GatewayContract, Webhook, authorised, captured, standing, unanswered
from tests.providers.serving import Fault, serving
from tests.providers.stripe_server import SECRET, SIGNING_SECRET, StripeServer, signed


def stripe_settings(server: StripeServer, **more: object) -> Settings:
    values: dict[str, object] = {
        "stripe_secret_key": SECRET,
        "stripe_publishable_key": "pk_test_51TradewindStandIn",
        "stripe_webhook_secrets": f"whsec_newer,{SIGNING_SECRET}",
        "stripe_paypal": True,
        "stripe_api_url": server.url,
        "allow_private_addresses": True,
        **more,
    }
    return make_settings("postgres://x@localhost/x", "redis://localhost", **values)


@dataclass
class StripeProvider:
    server: StripeServer
    gateway: Gateway
    good_token: str = "pm_card_visa"
    declined_token: str = "pm_card_chargeDeclined"
    action_token: str | None = "pm_card_threeDSecureRequired"

    async def approve(self, payment: GatewayPayment, *, agrees: bool) -> None:
        if agrees:
            self.server.succeed(payment.reference)
        else:
            self.server.decline(payment.reference, "payment_intent_authentication_failure")

    async def refund_at_dashboard(self, payment: KnownPayment, amount_minor: int) -> None:
        self.server.refund_at_dashboard(str(payment.reference), amount_minor)

    async def webhook_about(self, payment: KnownPayment) -> Webhook:
        return Webhook(*signed(self.server.events[-1]))


@pytest.fixture
async def server() -> AsyncIterator[StripeServer]:
    async with serving(StripeServer()) as running:
        yield running


@pytest.fixture
async def provider(server: StripeServer) -> StripeProvider:
    return StripeProvider(server, StripeGateway(stripe_settings(server)))


class TestStripe(GatewayContract):
    @pytest.fixture
    async def provider(self, server: StripeServer) -> StripeProvider:
        return StripeProvider(server, StripeGateway(stripe_settings(server)))


# --- the network, and Stripe itself, fail -----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.ERROR_AFTER])
async def test_money_that_was_taken_before_the_answer_was_lost_is_found(provider: StripeProvider, fault: Fault) -> None:
    provider.server.fail("POST /v1/payment_intents", fault)
    request = Card("pm_card_visa").request()
    with pytest.raises(GatewayUnavailableError):
        await provider.gateway.authorise(request)
    found = await standing(provider, unanswered(request))
    assert (found.state, found.amount_minor) == (GatewayState.AUTHORIZED, 4597)
    assert len(provider.server.intents) == 1


async def test_a_request_that_arrives_twice_takes_the_money_once(provider: StripeProvider) -> None:
    provider.server.fail("POST /v1/payment_intents", Fault.TWICE)
    answer = (await authorised(provider)).answer
    assert answer.state is GatewayState.AUTHORIZED
    assert len(provider.server.intents) == 1


async def test_a_server_that_says_nothing_is_asked_again(
    provider: StripeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_client, "TIMEOUT_SECONDS", 0.05)
    provider.server.fail("POST /v1/payment_intents", Fault.SILENCE)
    request = Card("pm_card_visa").request()
    with pytest.raises(GatewayUnavailableError):
        await provider.gateway.authorise(request)
    monkeypatch.setattr(stripe_client, "TIMEOUT_SECONDS", 15)
    assert await provider.gateway.retrieve(unanswered(request)) is None
    assert (await provider.gateway.authorise(request)).state is GatewayState.AUTHORIZED


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.ERROR_AFTER])
async def test_a_capture_whose_answer_was_lost_is_not_taken_again(provider: StripeProvider, fault: Fault) -> None:
    asked = await authorised(provider)
    request = Capture(id=new_id(), payment=asked.known, amount_minor=4597)
    provider.server.fail("/capture", fault)
    if fault is Fault.CUT:
        with pytest.raises(GatewayUnavailableError):
            await provider.gateway.capture(request)
    provider.server.forget_keys()
    assert (await provider.gateway.capture(request)).captured_minor == 4597


async def test_a_day_later_the_shops_own_ids_still_hold(
    provider: StripeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await authorised(provider)
    await provider.gateway.capture(Capture(id=new_id(), payment=asked.known, amount_minor=4597))
    refund = RefundRequest(id=new_id(), payment=asked.known, amount_minor=1000)
    made = await provider.gateway.refund(refund)
    provider.server.forget_keys()
    monkeypatch.setattr(adapter, "KEYS_ARE_KEPT", timedelta())
    assert (await provider.gateway.authorise(asked.request)).reference == asked.answer.reference
    assert (await provider.gateway.refund(refund)).reference == made.reference
    assert (len(provider.server.intents), len(provider.server.refunds)) == (1, 1)


async def test_what_is_older_than_the_lists_is_searched_for(provider: StripeProvider) -> None:
    asked = await authorised(provider)
    provider.server.intents[asked.answer.reference]["created"] -= 3 * 3600
    provider.server.searchable = False
    lost = replace(unanswered(asked.request), begun_at=datetime.now(UTC) - timedelta(hours=3))
    assert await provider.gateway.retrieve(lost) is None
    provider.server.searchable = True
    assert (await standing(provider, lost)).reference == asked.answer.reference
    provider.server.has_search = False
    assert (await standing(provider, lost)).reference == asked.answer.reference


async def test_lists_are_read_to_their_end(provider: StripeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.payments.adapters.stripe_finding.PAGE", 1)
    first = await authorised(provider)
    for _ in range(2):
        await authorised(provider)
    assert (await standing(provider, unanswered(first.request))).reference == first.answer.reference
    since = datetime.now(UTC) - timedelta(minutes=1)
    assert len({said.reference async for said in provider.gateway.payments_since(since)}) == 3


async def test_a_request_that_comes_after_it_was_called_off_takes_nothing(provider: StripeProvider) -> None:
    request = Card("pm_card_visa").request()
    await provider.gateway.void(unanswered(request))
    assert (await provider.gateway.authorise(request)).state is GatewayState.VOIDED
    (intent,) = provider.server.intents.values()
    assert (intent["status"], intent["amount_received"]) == ("canceled", 0)


async def test_a_wrong_key_says_nothing_of_payments_and_nothing_of_itself(server: StripeServer) -> None:
    gateway = StripeGateway(stripe_settings(server, stripe_secret_key="sk_test_wrong_hush"))
    with pytest.raises(GatewayUnavailableError) as failure:
        await gateway.authorise(Card("pm_card_visa").request())
    assert "hush" not in str(failure.value)
    (check, *_) = await gateway.examine()
    assert not check.is_well
    assert "hush" not in check.text + check.advice


async def test_nobodys_name_gets_into_logs_and_errors(
    provider: StripeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    address = PostalAddress(first_name="Ada", last_name="Lovelace", address1="1 St", city="Hull", country_code="GB")
    request = Card("pm_card_visa").request(payer=Payer(email="ada@example.com", shipping_address=address))
    await provider.gateway.authorise(request)
    provider.server.fail("POST /v1/payment_intents", Fault.ERROR)
    with pytest.raises(GatewayUnavailableError) as failure:
        await provider.gateway.authorise(replace(request, payment_id=new_id()))
    assert "Lovelace" in unquote_plus(provider.server.received[0].body.decode())
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__
    for secret in ("Lovelace", SECRET, "ada@"):
        assert secret not in caplog.text
        assert secret not in repr(failure.value)


# --- ways to pay ------------------------------------------------------------------------------------------------------


async def test_the_bank_asks_by_redirect_or_on_the_shops_page(provider: StripeProvider) -> None:
    request = Card("ctoken_card_threeDSecureRequired").request()
    by_redirect = (await provider.gateway.authorise(request)).action
    assert by_redirect is not None
    assert by_redirect.type is PaymentActionType.REDIRECT
    assert by_redirect.url
    on_page = (await provider.gateway.authorise(replace(request, payment_id=new_id(), return_url=None))).action
    assert on_page is not None
    assert (on_page.type, on_page.url) == (PaymentActionType.CLIENT_SECRET, None)
    assert on_page.client_secret


@pytest.mark.parametrize("method", [PaymentMethod.CARD, PaymentMethod.WALLET])
async def test_without_a_token_stripes_form_confirms_as_often_as_it_takes(
    provider: StripeProvider, method: PaymentMethod
) -> None:
    request = Card("").request(token=None, method=method)
    answer = await provider.gateway.authorise(request)
    assert answer.action is not None
    assert answer.action.type is PaymentActionType.CLIENT_SECRET
    provider.server.decline(answer.reference)
    known = Asked(request, answer).known
    assert (await standing(provider, known)).state is GatewayState.REQUIRES_ACTION
    provider.server.succeed(answer.reference)
    assert (await standing(provider, known)).state is GatewayState.AUTHORIZED


async def test_paypal_through_stripe_redirects(provider: StripeProvider) -> None:
    answer = await provider.gateway.authorise(Card("").request(token=None, method=PaymentMethod.PAYPAL))
    assert answer.action is not None
    assert answer.action.type is PaymentActionType.REDIRECT


async def test_what_is_no_token_is_declined_and_nothing_is_asked(provider: StripeProvider) -> None:
    answer = await provider.gateway.authorise(Card("tok_success").request())
    assert (answer.state, answer.failure_code) == (GatewayState.DECLINED, "invalid_token")
    answer = await provider.gateway.authorise(Card("pm_card_visa", 1_234, "KWD").request())
    assert answer.state is GatewayState.DECLINED
    assert provider.server.intents == {}


async def test_an_account_has_one_customer_at_stripe(provider: StripeProvider) -> None:
    payer = Payer(customer_id=new_id(), email="ada@example.com")
    for searchable in (False, True):
        provider.server.searchable = searchable
        answer = await provider.gateway.authorise(Card("pm_card_visa").request(save=True, payer=payer))
        assert answer.saved is not None
        assert answer.saved.last_characters == "4242"
    assert len(provider.server.customers) == 1
    assert "ada%40" not in "".join(request.body.decode() for request in provider.server.received)


async def test_a_refund_that_the_bank_sends_back_has_failed(provider: StripeProvider) -> None:
    asked = await captured(provider)
    await provider.gateway.refund(RefundRequest(id=new_id(), payment=asked.known, amount_minor=700))
    (refund,) = provider.server.refunds.values()
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    (told,) = await provider.gateway.refunds_of(asked.known)
    assert (told.state, told.failure_code) == (GatewayRefundState.FAILED, "expired_or_canceled_card")


async def test_what_happened_to_earlier_payments_is_listed(provider: StripeProvider) -> None:
    asked = await captured(provider)
    provider.server.intents[asked.answer.reference]["created"] -= 20 * 86_400
    await provider.refund_at_dashboard(asked.known, 500)
    since = datetime.now(UTC) - timedelta(minutes=1)
    assert [said.refunded_minor async for said in provider.gateway.payments_since(since)] == [500]


# --- webhooks ---------------------------------------------------------------------------------------------------------


async def test_webhooks_are_believed_by_any_of_the_secrets_and_for_five_minutes(provider: StripeProvider) -> None:
    asked = await authorised(provider)
    event, now = provider.server.events[-1], datetime.now(UTC)
    for secret in ("whsec_newer", SIGNING_SECRET):
        notice = await provider.gateway.notified(*signed(event, secret), now)
        assert notice.payment_ids == {asked.request.payment_id}
        assert notice.references == {asked.answer.reference}
    for headers, body in (
        signed(event, "whsec_somebody"),
        signed(event, at=now.timestamp() - 400),
        signed(event, at=now.timestamp() + 400),
        ({"stripe-signature": "t=x,v1=y"}, b"{}"),
        ({"stripe-signature": signed(event)[0]["stripe-signature"]}, b"\xff"),
    ):
        with pytest.raises(InvalidWebhookError):
            await provider.gateway.notified(headers, body, now)


async def test_without_a_secret_no_webhook_is_believed(server: StripeServer) -> None:
    gateway = StripeGateway(stripe_settings(server, stripe_webhook_secrets=""))
    with pytest.raises(InvalidWebhookError):
        await gateway.notified(*signed({"id": "evt"}, ""), datetime.now(UTC))
    assert [check.is_well for check in await gateway.examine()] == [True, False]


async def test_an_examination_looks_for_the_webhook(provider: StripeProvider) -> None:
    assert [check.is_well for check in await provider.gateway.examine()] == [True, False]
    endpoint = {"id": "we_1", "url": "http://testserver/webhooks/payments/stripe", "status": "enabled"}
    provider.server.endpoints = [{**endpoint, "enabled_events": ["payment_intent.succeeded"]}]
    (_, check) = await provider.gateway.examine()
    assert "refund.failed" in check.text
    provider.server.endpoints = [{**endpoint, "enabled_events": ["*"]}]
    assert [check.is_well for check in await provider.gateway.examine()] == [True, True]
