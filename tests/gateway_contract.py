"""What every payment gateway has to do, as tests that any gateway can be run against.

    class TestStripe(GatewayContract):
        @pytest.fixture
        async def provider(self, ...) -> Provider: ...

A `Provider` is the gateway with what only its own side can do: approve as the shopper would, refund at the dashboard.
What a provider says that it cannot do (no approval, no parts) it has to leave.
"""

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from app.kit.ids import new_id
from app.payments.gateway import (
    Authorisation,
    Capture,
    Gateway,
    GatewayPayment,
    GatewayRefundState,
    GatewayRefusedError,
    GatewayState,
    InvalidWebhookError,
    KnownPayment,
    Payer,
    RefundRequest,
)
from app.payments.known import begun_at
from app.payments.models import PaymentMethod


@dataclass(frozen=True)
class Webhook:
    headers: dict[str, str]
    body: bytes


class Provider(Protocol):
    gateway: Gateway
    good_token: str
    declined_token: str
    action_token: str | None
    """With which the shopper has to act; None where the provider has none."""

    async def approve(self, payment: GatewayPayment, *, agrees: bool) -> None:
        """The shopper acts, or refuses to."""
        ...

    async def refund_at_dashboard(self, payment: KnownPayment, amount_minor: int) -> None: ...

    async def webhook_about(self, payment: KnownPayment) -> Webhook:
        """As the provider would send it now."""
        ...


@dataclass(frozen=True)
class Asked:
    """A payment as the shop would have it after the first answer."""

    request: Authorisation
    answer: GatewayPayment

    @property
    def known(self) -> KnownPayment:
        return replace(unanswered(self.request), reference=self.answer.reference)


def unanswered(request: Authorisation) -> KnownPayment:
    return KnownPayment(
        id=request.payment_id,
        reference=None,
        amount_minor=request.amount_minor,
        currency=request.currency,
        method=request.method,
        begun_at=begun_at(request.payment_id),
    )


@dataclass
class Card:
    token: str
    amount_minor: int = 4597
    currency: str = "USD"
    payment_id: uuid.UUID = field(default_factory=new_id)

    def request(self, **more: object) -> Authorisation:
        given = Authorisation(
            payment_id=self.payment_id,
            amount_minor=self.amount_minor,
            currency=self.currency,
            method=PaymentMethod.CARD,
            token=self.token,
            return_url="https://shop.example/thanks",
        )
        return replace(given, **more)  # type: ignore[arg-type]


async def authorised(provider: Provider, amount_minor: int = 4597, currency: str = "USD", **more: object) -> Asked:
    request = Card(provider.good_token, amount_minor, currency).request(**more)
    return Asked(request, await provider.gateway.authorise(request))


async def captured(provider: Provider, amount_minor: int = 4597) -> Asked:
    asked = await authorised(provider, amount_minor)
    await provider.gateway.capture(Capture(id=new_id(), payment=asked.known, amount_minor=amount_minor))
    return asked


async def standing(provider: Provider, payment: KnownPayment) -> GatewayPayment:
    found = await provider.gateway.retrieve(payment)
    assert found is not None
    return found


class GatewayContract:
    """Subclass it, and give it the fixture `provider`."""

    # --- authorising --------------------------------------------------------------------------------------------------

    async def test_what_is_authorised_is_set_aside_and_not_taken(self, provider: Provider) -> None:
        asked = await authorised(provider)
        found = await standing(provider, asked.known)
        for said in (asked.answer, found):
            assert (said.state, said.captured_minor, said.refunded_minor) == (GatewayState.AUTHORIZED, 0, 0)
            assert (said.amount_minor, said.currency) == (4597, "USD")
            assert said.payment_id == asked.request.payment_id
            assert said.reference == asked.answer.reference

    @pytest.mark.parametrize(("amount", "currency"), [(1, "USD"), (5_000, "JPY"), (1_230, "KWD"), (99_999_999, "EUR")])
    async def test_amounts_are_minor_units_of_every_currency(
        self, provider: Provider, amount: int, currency: str
    ) -> None:
        asked = await authorised(provider, amount, currency)
        found = await standing(provider, asked.known)
        assert (found.amount_minor, found.currency) == (amount, currency)

    async def test_asking_again_with_the_same_id_takes_nothing_twice(self, provider: Provider) -> None:
        asked = await authorised(provider)
        again = await provider.gateway.authorise(asked.request)
        assert (again.reference, again.state) == (asked.answer.reference, asked.answer.state)

    async def test_a_payment_is_found_although_its_answer_was_lost(self, provider: Provider) -> None:
        asked = await authorised(provider)
        found = await standing(provider, unanswered(asked.request))
        assert found.reference == asked.answer.reference

    async def test_a_payment_that_was_never_asked_for_is_unknown(self, provider: Provider) -> None:
        never = unanswered(Card(provider.good_token).request())
        assert await provider.gateway.retrieve(never) is None
        assert list(await provider.gateway.refunds_of(never)) == []

    async def test_a_declined_card(self, provider: Provider) -> None:
        request = Card(provider.declined_token).request()
        answer = await provider.gateway.authorise(request)
        assert answer.state is GatewayState.DECLINED
        assert answer.failure_code
        again = await provider.gateway.authorise(request)
        assert again.state is GatewayState.DECLINED

    async def test_what_is_to_be_captured_at_once_is_captured_or_authorised(self, provider: Provider) -> None:
        asked = await authorised(provider, capture_now=True)
        found = await standing(provider, asked.known)
        if found.state is GatewayState.CAPTURED:
            assert found.captured_minor == 4597
        else:
            assert (found.state, found.captured_minor) == (GatewayState.AUTHORIZED, 0)

    @pytest.mark.parametrize("agrees", [True, False])
    async def test_the_shopper_acts(self, provider: Provider, agrees: bool) -> None:
        if provider.action_token is None:
            return  # nothing to do at this provider's
        request = Card(provider.action_token).request()
        answer = await provider.gateway.authorise(request)
        assert answer.state is GatewayState.REQUIRES_ACTION
        assert answer.action is not None
        assert answer.action.url or answer.action.client_secret
        asked = Asked(request, answer)
        assert (await standing(provider, asked.known)).state is GatewayState.REQUIRES_ACTION
        await provider.approve(answer, agrees=agrees)
        found = await standing(provider, asked.known)
        if found.state is GatewayState.APPROVED:
            found = await provider.gateway.proceed(asked.known, capture_now=False)
        assert found.state is (GatewayState.AUTHORIZED if agrees else GatewayState.DECLINED)

    # --- capturing ----------------------------------------------------------------------------------------------------

    async def test_capturing_takes_the_money_once(self, provider: Provider) -> None:
        asked = await authorised(provider)
        request = Capture(id=new_id(), payment=asked.known, amount_minor=4597)
        for _ in range(2):
            answer = await provider.gateway.capture(request)
            assert (answer.state, answer.captured_minor) == (GatewayState.CAPTURED, 4597)
        assert (await standing(provider, asked.known)).captured_minor == 4597

    async def test_capturing_less_lets_go_of_the_rest(self, provider: Provider) -> None:
        asked = await authorised(provider)
        answer = await provider.gateway.capture(Capture(id=new_id(), payment=asked.known, amount_minor=1000))
        assert (answer.state, answer.captured_minor) == (GatewayState.CAPTURED, 1000)
        with pytest.raises(GatewayRefusedError):
            await provider.gateway.capture(Capture(id=new_id(), payment=asked.known, amount_minor=1))

    async def test_capturing_in_parts(self, provider: Provider) -> None:
        asked = await authorised(provider)
        first = Capture(id=new_id(), payment=asked.known, amount_minor=1000, is_final=False)
        if not provider.gateway.captures_in_parts:
            with pytest.raises(GatewayRefusedError):
                await provider.gateway.capture(first)
            assert (await standing(provider, asked.known)).captured_minor == 0
            return
        for _ in range(2):
            answer = await provider.gateway.capture(first)
            assert (answer.state, answer.captured_minor) == (GatewayState.AUTHORIZED, 1000)
        answer = await provider.gateway.capture(Capture(id=new_id(), payment=asked.known, amount_minor=3597))
        assert (answer.state, answer.captured_minor) == (GatewayState.CAPTURED, 4597)

    async def test_no_more_is_captured_than_was_set_aside(self, provider: Provider) -> None:
        asked = await authorised(provider)
        with pytest.raises(GatewayRefusedError):
            await provider.gateway.capture(Capture(id=new_id(), payment=asked.known, amount_minor=4598))
        assert (await standing(provider, asked.known)).captured_minor == 0

    # --- calling off --------------------------------------------------------------------------------------------------

    async def test_what_is_called_off_cannot_be_taken(self, provider: Provider) -> None:
        asked = await authorised(provider)
        for _ in range(2):
            await provider.gateway.void(asked.known)
        assert (await standing(provider, asked.known)).state is GatewayState.VOIDED
        with pytest.raises(GatewayRefusedError):
            await provider.gateway.capture(Capture(id=new_id(), payment=asked.known, amount_minor=4597))

    async def test_what_is_captured_is_not_called_off(self, provider: Provider) -> None:
        asked = await captured(provider)
        with pytest.raises(GatewayRefusedError):
            await provider.gateway.void(asked.known)
        assert (await standing(provider, asked.known)).captured_minor == 4597

    async def test_calling_off_what_was_never_asked_for_is_no_error(self, provider: Provider) -> None:
        await provider.gateway.void(unanswered(Card(provider.good_token).request()))

    # --- refunding ----------------------------------------------------------------------------------------------------

    async def test_refunds_in_parts_each_once(self, provider: Provider) -> None:
        asked = await captured(provider)
        first = RefundRequest(id=new_id(), payment=asked.known, amount_minor=1000)
        for _ in range(2):
            made = await provider.gateway.refund(first)
            assert (made.refund_id, made.amount_minor, made.currency) == (first.id, 1000, "USD")
            assert made.state is not GatewayRefundState.FAILED
        second = RefundRequest(id=new_id(), payment=asked.known, amount_minor=3597)
        await provider.gateway.refund(second)
        found = await standing(provider, asked.known)
        assert (found.state, found.captured_minor, found.refunded_minor) == (GatewayState.CAPTURED, 4597, 4597)
        refunds = await provider.gateway.refunds_of(asked.known)
        assert {refund.refund_id: refund.amount_minor for refund in refunds} == {first.id: 1000, second.id: 3597}

    async def test_no_more_is_refunded_than_was_captured(self, provider: Provider) -> None:
        asked = await captured(provider)
        await provider.gateway.refund(RefundRequest(id=new_id(), payment=asked.known, amount_minor=4000))
        with pytest.raises(GatewayRefusedError):
            await provider.gateway.refund(RefundRequest(id=new_id(), payment=asked.known, amount_minor=598))
        assert (await standing(provider, asked.known)).refunded_minor == 4000

    async def test_a_refund_at_the_dashboard_is_told_as_nobodys(self, provider: Provider) -> None:
        asked = await captured(provider)
        await provider.refund_at_dashboard(asked.known, 700)
        (refund,) = await provider.gateway.refunds_of(asked.known)
        assert (refund.refund_id, refund.amount_minor, refund.currency) == (None, 700, "USD")
        assert (await standing(provider, asked.known)).refunded_minor == 700

    # --- being told, and comparing ------------------------------------------------------------------------------------

    async def test_a_webhook_names_its_payment(self, provider: Provider) -> None:
        asked = await authorised(provider)
        sent = await provider.webhook_about(asked.known)
        notice = await provider.gateway.notified(sent.headers, sent.body, datetime.now(UTC))
        assert notice.event_id
        assert asked.request.payment_id in notice.payment_ids or asked.answer.reference in notice.references

    async def test_a_forged_or_old_webhook_is_not_believed(self, provider: Provider) -> None:
        asked = await authorised(provider)
        sent = await provider.webhook_about(asked.known)
        now = datetime.now(UTC)
        for headers, body, moment in (
            ({}, sent.body, now),
            (sent.headers, sent.body + b" ", now),
            (sent.headers, sent.body, now + timedelta(days=5)),
        ):
            with pytest.raises(InvalidWebhookError):
                await provider.gateway.notified(headers, body, moment)

    async def test_recent_payments_are_listed(self, provider: Provider) -> None:
        before = datetime.now(UTC) - timedelta(seconds=5)
        first, second = await authorised(provider), await captured(provider, 300)
        listed = {said.payment_id: said async for said in provider.gateway.payments_since(before)}
        assert listed[first.request.payment_id].state is GatewayState.AUTHORIZED
        assert listed[second.request.payment_id].captured_minor == 300
        later = datetime.now(UTC) + timedelta(hours=1)
        assert [said async for said in provider.gateway.payments_since(later)] == []

    # --- saving -------------------------------------------------------------------------------------------------------

    async def test_a_saved_card_pays_again_until_it_is_forgotten(self, provider: Provider) -> None:
        asked = await authorised(provider, save=True, payer=Payer(customer_id=new_id()))
        saved = asked.answer.saved
        if PaymentMethod.CARD not in provider.gateway.saves:
            assert saved is None, "what it says that it cannot do, it does not do"
            return
        assert saved is not None
        request = Card("").request(token=None, saved_reference=saved.reference)
        assert (await provider.gateway.authorise(request)).state is GatewayState.AUTHORIZED
        for _ in range(2):
            await provider.gateway.forget(saved.reference)
        request = Card("").request(token=None, saved_reference=saved.reference)
        assert (await provider.gateway.authorise(request)).state is GatewayState.DECLINED

    async def test_an_examination_names_no_secret(self, provider: Provider) -> None:
        checks = await provider.gateway.examine()
        assert checks
        assert all(check.text for check in checks)
