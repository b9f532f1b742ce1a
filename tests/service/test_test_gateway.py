"""The gateway `test` does what every gateway has to do."""

import uuid
from dataclasses import replace

import orjson
import pytest

from app.kit.ids import new_id
from app.payments import test_gateway
from app.payments.gateway import Authorisation, GatewayPayment, GatewayState, KnownPayment, PaymentActionType
from app.payments.models import PaymentMethod
from app.payments.test_gateway import TestGateway
from tests.client import Api
from tests.gateway_contract import GatewayContract, Webhook, unanswered


class TestProvider:
    __test__ = False
    gateway = TestGateway()
    good_token, declined_token = "tok_success", "tok_declined"
    action_token: str | None = "tok_requires_action"

    async def approve(self, payment: GatewayPayment, *, agrees: bool) -> None:
        await test_gateway.decide(uuid.UUID(hex=payment.reference.removeprefix("test_")), approve=agrees)

    async def refund_at_dashboard(self, payment: KnownPayment, amount_minor: int) -> None:
        assert await test_gateway.refund_at_dashboard(payment.id, amount_minor)

    async def webhook_about(self, payment: KnownPayment) -> Webhook:
        body = orjson.dumps({"type": "payment.changed", "payment": str(payment.id)})
        return Webhook(test_gateway.signed_headers(body), body)


class TestTestGateway(GatewayContract):
    @pytest.fixture
    async def provider(self, api: Api) -> TestProvider:
        return TestProvider()

    async def test_paypal_sets_nothing_aside_before_the_shop_proceeds(self, provider: TestProvider) -> None:
        request = Authorisation(payment_id=new_id(), amount_minor=900, currency="USD", method=PaymentMethod.PAYPAL)
        answer = await provider.gateway.authorise(request)
        assert answer.action is not None
        assert answer.action.type is PaymentActionType.REDIRECT
        payment = replace(unanswered(request), reference=answer.reference)
        assert (await provider.gateway.proceed(payment, capture_now=True)).state is GatewayState.REQUIRES_ACTION
        await provider.approve(answer, agrees=True)
        found = await provider.gateway.retrieve(payment)
        assert found is not None
        assert found.state is GatewayState.APPROVED
        for _ in range(2):
            found = await provider.gateway.proceed(payment, capture_now=True)
            assert (found.state, found.captured_minor) == (GatewayState.CAPTURED, 900)

    async def test_a_wallet_is_confirmed_with_a_client_secret(self, provider: TestProvider) -> None:
        request = Authorisation(payment_id=new_id(), amount_minor=900, currency="USD", method=PaymentMethod.WALLET)
        answer = await provider.gateway.authorise(request)
        assert answer.action is not None
        assert answer.action.type is PaymentActionType.CLIENT_SECRET
        assert answer.action.client_secret
        await provider.approve(answer, agrees=True)
        found = await provider.gateway.retrieve(unanswered(request))
        assert found is not None
        assert found.state is GatewayState.AUTHORIZED
