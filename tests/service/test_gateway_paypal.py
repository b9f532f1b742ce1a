"""PayPal's adapter does what every gateway has to do, against a server that behaves like PayPal."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.kit.ids import new_id
from app.payments.adapters import paypal_client
from app.payments.adapters.paypal import PayPalGateway
from app.payments.gateway import (
    Authorisation,
    Capture,
    GatewayPayment,
    GatewayRefusedError,
    GatewayState,
    GatewayUnavailableError,
    InvalidWebhookError,
    KnownPayment,
    PaymentActionType,
    RefundRequest,
)
from app.payments.models import PaymentMethod
from app.settings import Settings
from tests.environment import make_settings
from tests.gateway_contract import (
    Card,
    GatewayContract,
    Provider,
    Webhook,
    authorised,
    captured,
    standing,
    unanswered,
)
from tests.providers.paypal_server import CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, PayPalServer
from tests.providers.serving import Fault, serving


def paypal_settings(server: PayPalServer, **more: object) -> Settings:
    values: dict[str, object] = {
        "paypal_client_id": CLIENT_ID,
        "paypal_secret": CLIENT_SECRET,
        "paypal_webhook_id": WEBHOOK_ID,
        "paypal_api_url": server.url,
        "allow_private_addresses": True,
        **more,
    }
    return make_settings("postgres://x@localhost/x", "redis://localhost", **values)


class WithAPayer(PayPalGateway):
    """The adapter, with a payer who agrees at once: the contract's tests begin with what is set aside."""

    server: PayPalServer

    async def authorise(self, request: Authorisation) -> GatewayPayment:
        token, request = request.token, replace(request, method=PaymentMethod.PAYPAL, token=None)
        answer = await super().authorise(request)
        if answer.state is GatewayState.REQUIRES_ACTION:
            self.server.approve(answer.reference)
        if token == "declined":
            self.server.declining.add(answer.reference)
        if answer.state is GatewayState.DECLINED:
            return answer
        payment = replace(unanswered(request), reference=answer.reference)
        return await super().proceed(payment, capture_now=request.capture_now)


@dataclass
class PayPalProvider:
    server: PayPalServer
    gateway: Any
    good_token: str = "good"
    declined_token: str = "declined"
    action_token: str | None = None
    """Whoever does not agree just never comes back, so there is no end that the contract could ask for."""

    async def approve(self, payment: GatewayPayment, *, agrees: bool) -> None:
        if agrees:
            self.server.approve(payment.reference)

    async def refund_at_dashboard(self, payment: KnownPayment, amount_minor: int) -> None:
        self.server.refund_at_dashboard(str(payment.reference), amount_minor)

    async def webhook_about(self, payment: KnownPayment) -> Webhook:
        return Webhook(*self.server.signed(self.server.events[-1]))


@pytest.fixture
async def server() -> AsyncIterator[PayPalServer]:
    async with serving(PayPalServer()) as running:
        yield running


@pytest.fixture
async def provider(server: PayPalServer) -> PayPalProvider:
    gateway = WithAPayer(paypal_settings(server))
    gateway.server = server
    return PayPalProvider(server, gateway)


@pytest.fixture
async def gateway(server: PayPalServer) -> PayPalGateway:
    return PayPalGateway(paypal_settings(server))


class TestPayPal(GatewayContract):
    @pytest.mark.parametrize(("amount", "currency"), [(1, "USD"), (5_000, "JPY"), (123_00, "HUF"), (99_999_999, "EUR")])
    async def test_amounts_are_minor_units_of_every_currency(
        self, provider: Provider, amount: int, currency: str
    ) -> None:
        await super().test_amounts_are_minor_units_of_every_currency(provider, amount, currency)


def by_paypal(**more: Any) -> Authorisation:
    return Card("").request(token=None, method=PaymentMethod.PAYPAL, **more)


# --- the payer agrees, then the shop sets aside -----------------------------------------------------------------------


async def test_the_payer_is_led_to_paypal_and_back(server: PayPalServer, gateway: PayPalGateway) -> None:
    request = by_paypal()
    answer = await gateway.authorise(request)
    assert answer.action is not None
    assert (answer.state, answer.action.type) == (GatewayState.REQUIRES_ACTION, PaymentActionType.REDIRECT)
    assert server.orders[answer.reference]["context"]["return_url"] == "https://shop.example/thanks"
    payment = replace(unanswered(request), reference=answer.reference)
    assert (await gateway.proceed(payment, capture_now=False)).state is GatewayState.REQUIRES_ACTION
    server.approve(answer.reference)
    found = await gateway.retrieve(payment)
    assert found is not None
    assert found.state is GatewayState.APPROVED
    assert server.authorisations == {}
    for _ in range(2):
        assert (await gateway.proceed(payment, capture_now=True)).state is GatewayState.AUTHORIZED
    assert len(server.authorisations) == 1


async def test_paypals_buttons_take_the_orders_id(server: PayPalServer, gateway: PayPalGateway) -> None:
    answer = await gateway.authorise(by_paypal(return_url=None))
    assert answer.action is not None
    assert (answer.action.type, answer.action.client_secret) == (PaymentActionType.CLIENT_SECRET, answer.reference)


@pytest.mark.parametrize(("minor", "currency"), [(1_230, "KWD"), (1_550, "HUF")])
async def test_what_paypal_does_not_take_is_declined_and_never_asked_for(
    server: PayPalServer, gateway: PayPalGateway, minor: int, currency: str
) -> None:
    answer = await gateway.authorise(by_paypal(amount_minor=minor, currency=currency))
    assert answer.state is GatewayState.DECLINED
    assert server.received == []


async def test_half_an_answer_is_asked_for_again(server: PayPalServer, gateway: PayPalGateway) -> None:
    """The order is made, and the connection breaks before PayPal is told where the payer comes back to."""
    server.fail("/confirm-payment-source", Fault.ERROR)
    request = by_paypal()
    with pytest.raises(GatewayUnavailableError):
        await gateway.authorise(request)
    assert await gateway.retrieve(unanswered(request)) is None
    again = await gateway.authorise(request)
    assert again.state is GatewayState.REQUIRES_ACTION
    assert len(server.orders) == 1


# --- the network, and PayPal itself, fail -----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.ERROR_AFTER])
@pytest.mark.parametrize("on", ["POST /v2/checkout/orders", "/authorize"])
async def test_an_answer_that_was_lost_is_found(provider: PayPalProvider, fault: Fault, on: str) -> None:
    provider.server.fail(on, fault)
    request = Card("good").request()
    with pytest.raises(GatewayUnavailableError):
        await provider.gateway.authorise(request)
    assert (await provider.gateway.authorise(request)).state is GatewayState.AUTHORIZED
    assert (len(provider.server.orders), len(provider.server.authorisations)) == (1, 1)


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.ERROR_AFTER, Fault.TWICE])
async def test_captures_and_refunds_whose_answers_were_lost_happen_once(provider: PayPalProvider, fault: Fault) -> None:
    asked = await authorised(provider)
    capture = Capture(id=new_id(), payment=asked.known, amount_minor=4597)
    refund = RefundRequest(id=new_id(), payment=asked.known, amount_minor=700)
    for on, ask in (("/capture", lambda: provider.gateway.capture(capture)), ("/refund", refund_of(provider, refund))):
        provider.server.fail(on, fault)
        if fault is not Fault.TWICE:
            with pytest.raises(GatewayUnavailableError):
                await ask()
        provider.server.keys.clear()  # even when PayPal has forgotten the key
        await ask()
    found = await standing(provider, asked.known)
    assert (found.captured_minor, found.refunded_minor) == (4597, 700)
    assert (len(provider.server.captures), len(provider.server.refunds)) == (1, 1)


def refund_of(provider: PayPalProvider, request: RefundRequest) -> Any:
    return lambda: provider.gateway.refund(request)


async def test_a_server_that_says_nothing_is_asked_again(
    server: PayPalServer, gateway: PayPalGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paypal_client, "TIMEOUT_SECONDS", 0.05)
    server.fail("POST /v2/checkout/orders", Fault.SILENCE)
    with pytest.raises(GatewayUnavailableError):
        await gateway.authorise(by_paypal())


async def test_a_token_is_used_again_and_exchanged_when_it_is_revoked(
    server: PayPalServer, gateway: PayPalGateway
) -> None:
    await gateway.authorise(by_paypal())
    await gateway.authorise(by_paypal())
    assert len(server.asked("/oauth2/token")) == 1
    server.tokens.clear()
    assert (await gateway.authorise(by_paypal())).state is GatewayState.REQUIRES_ACTION
    assert len(server.asked("/oauth2/token")) == 2


async def test_wrong_credentials_are_told_without_them(server: PayPalServer) -> None:
    gateway = PayPalGateway(paypal_settings(server, paypal_secret="hush-hush"))
    with pytest.raises(GatewayUnavailableError) as failure:
        await gateway.authorise(by_paypal())
    checks = await gateway.examine()
    assert not any(check.is_well for check in checks)
    assert "hush" not in f"{failure.value} {checks}"


async def test_half_a_configuration_is_refused(server: PayPalServer) -> None:
    with pytest.raises(ValueError, match="go together"):
        PayPalGateway(paypal_settings(server, paypal_secret=None))


# --- captures, refunds, history ---------------------------------------------------------------------------------------


async def test_a_refund_goes_over_several_captures(provider: PayPalProvider) -> None:
    asked = await authorised(provider)
    for minor, last in ((1000, False), (3597, True)):
        await provider.gateway.capture(Capture(id=new_id(), payment=asked.known, amount_minor=minor, is_final=last))
    request = RefundRequest(id=new_id(), payment=asked.known, amount_minor=2000)
    for _ in range(2):
        made = await provider.gateway.refund(request)
        assert (made.refund_id, made.amount_minor) == (request.id, 2000)
    assert len(provider.server.refunds) == 2
    assert len(await provider.gateway.refunds_of(asked.known)) == 1


async def test_what_is_left_after_a_part_is_let_go_of(provider: PayPalProvider) -> None:
    asked = await authorised(provider)
    await provider.gateway.capture(Capture(id=new_id(), payment=asked.known, amount_minor=1000, is_final=False))
    await provider.gateway.void(asked.known)
    found = await standing(provider, asked.known)
    assert (found.state, found.captured_minor) == (GatewayState.CAPTURED, 1000)


async def test_a_capture_that_paypal_reviews_is_not_money_yet(provider: PayPalProvider) -> None:
    asked = await captured(provider)
    (capture,) = provider.server.captures.values()
    capture["status"] = "PENDING"
    assert (await standing(provider, asked.known)).captured_minor == 0
    capture["status"] = "DECLINED"
    request = Capture(id=uuid.UUID(capture["invoice_id"]), payment=asked.known, amount_minor=4597)
    with pytest.raises(GatewayRefusedError, match="declined"):
        await provider.gateway.capture(request)


async def test_a_payment_is_found_when_its_key_is_long_forgotten(provider: PayPalProvider) -> None:
    asked = await authorised(provider)
    lost = replace(unanswered(asked.request), begun_at=datetime.now(UTC) - timedelta(hours=7))
    provider.server.keys.clear()
    assert (await standing(provider, lost)).reference == asked.answer.reference
    assert len(provider.server.orders) == 1


async def test_without_permission_to_search_nothing_is_concluded(provider: PayPalProvider) -> None:
    provider.server.may_search = False
    with pytest.raises(GatewayUnavailableError):
        _ = [said async for said in provider.gateway.payments_since(datetime.now(UTC) - timedelta(days=1))]


# --- webhooks ---------------------------------------------------------------------------------------------------------


async def test_each_kind_of_webhook_names_its_payment(provider: PayPalProvider) -> None:
    asked = await captured(provider)
    await provider.gateway.refund(RefundRequest(id=new_id(), payment=asked.known, amount_minor=100))
    kinds = set()
    for event in provider.server.events:
        notice = await provider.gateway.notified(*provider.server.signed(event), datetime.now(UTC))
        assert notice.references == {asked.answer.reference}
        kinds.add(event["resource_type"])
    assert kinds == {"checkout-order", "authorization", "capture", "refund"}
    assert len(provider.server.asked("/certs/")) == 1


@pytest.mark.parametrize(
    "certificate",
    [
        "https://evil.example/v1/notifications/certs/CERT-1",
        "https://paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://x@api.paypal.com/v1/notifications/certs/CERT-1",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://www.paypal.com/somebody/CERT-1",
        "https://[",
    ],
)
async def test_certificates_are_paypals_alone(server: PayPalServer, gateway: PayPalGateway, certificate: str) -> None:
    event = {"id": "WH-1", "resource": {}}
    with pytest.raises(InvalidWebhookError, match="certificate"):
        await gateway.notified(*server.signed(event, certificate=certificate), datetime.now(UTC))
    assert server.received == []


async def test_without_its_certificate_a_webhook_is_sent_again(server: PayPalServer, gateway: PayPalGateway) -> None:
    server.fail("/certs/", Fault.ERROR)
    for _ in range(2):
        with pytest.raises(GatewayUnavailableError):
            await gateway.notified(*server.signed({"id": "WH-1", "resource": {}}), datetime.now(UTC))
    assert len(server.asked("/certs/")) == 1


async def test_an_examination_looks_for_the_webhook_the_search_and_disputes(
    server: PayPalServer, gateway: PayPalGateway
) -> None:
    assert [check.is_well for check in await gateway.examine()] == [False, True, True]
    server.webhook = {"url": "http://testserver/webhooks/payments/paypal", "event_types": [{"name": "*"}]}
    assert [check.is_well for check in await gateway.examine()] == [True, True, True]
    server.may_search = False
    assert [check.is_well for check in await gateway.examine()] == [True, False, True]
    server.may_search, server.may_see_disputes = True, False
    assert [check.is_well for check in await gateway.examine()] == [True, True, False]
