"""A gift card whose payment is disputed after it became store credit: what is left is withheld, no other money."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import db, invariants
from app.gift_cards import codes, credit_parts, stored_value
from app.kit import ids
from app.kit.ids import new_id
from app.orders import status
from app.payments import disputes, standing
from app.payments.gateway import GatewayDispute
from app.payments.models import DisputeState
from app.payments.settling_refunds import take_back_part
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, gift_cards, refunds
from tests.factories.accounts import Account

Drain = Callable[[], Awaitable[None]]

REDEEM = "mutation ($code: String!) { giftCardRedeem(code: $code) { userErrors { code } } }"
PAID = "mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }"
CANCEL = """mutation ($id: ID!, $refund: Boolean) {
    orderCancel(orderId: $id, refund: $refund) { userErrors { code } } }"""
MINE = "{ me { storeCredit { balance { amount } entries { type amount { amount } } } } }"
DISPUTES = """{ paymentDisputes { nodes {
    state fee { amount } withheldStoreCredit { amount currencyCode } spentStoreCredit { amount } } } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def sold_and_redeemed(api: Api, drain: Drain, *, units: int = 1) -> tuple[Account, Any]:
    """Ada has $7.00 of her own, and credit of cards of $25.00 that somebody bought; and the payment of those."""
    card = await catalogue.product(price_minor=2500, kind="GIFT_CARD", requires_shipping=False, stock=None)
    await checkout.placed(api, (card, units), shippingQuoteId=None, shippingAddress=None)
    await drain()
    return await redeemed(api), await db.fetchval("SELECT id FROM payments")


async def redeemed(api: Api) -> Account:
    """Who has $7.00 of her own, and all cards."""
    ada = await accounts.signed_in()
    await gift_cards.store_credit(ada.id, 700)
    for row in await db.fetch("SELECT id, code_hash FROM gift_cards ORDER BY id"):
        answer = await api.ok(REDEEM, {"code": codes.code_of(row["id"], row["code_hash"])}, token=ada.token)
        assert answer["giftCardRedeem"]["userErrors"] == []
    return ada


async def dispute(payment_id: Any, state: DisputeState, drain: Drain, reference: str = "du_1") -> None:
    said = GatewayDispute(
        reference=reference, state=state, amount_minor=2500, currency="USD", opened_at=datetime.now(UTC),
        payment_id=payment_id,
    )  # fmt: skip
    gateway = await db.fetchval("SELECT gateway FROM payments WHERE id = $1", payment_id)
    now: datetime = await db.fetchval("SELECT clock_timestamp()")
    assert await disputes.record(gateway, said, now + timedelta(milliseconds=1))
    await drain()


async def credit_of(api: Api, ada: Account) -> tuple[str, list[tuple[str, str]]]:
    """The balance, and what has happened to it since the cards were redeemed, the oldest first."""
    (found,) = (await api.ok(MINE, token=ada.token))["me"]["storeCredit"]
    entries = [(entry["type"], entry["amount"]["amount"]) for entry in reversed(found["entries"])]
    return found["balance"]["amount"], [entry for entry in entries if entry[0] != "ISSUE"]


async def shown(api: Api, token: str) -> tuple[str, str]:
    """Withheld and spent, as staff see it."""
    (found,) = (await api.ok(DISPUTES, token=token))["paymentDisputes"]["nodes"]
    assert found["withheldStoreCredit"]["currencyCode"] == "USD"
    return found["withheldStoreCredit"]["amount"], found["spentStoreCredit"]["amount"]


async def test_what_is_not_spent_is_withheld_and_given_back_when_the_dispute_is_won(
    api: Api, staff_token: str, drain: Drain
) -> None:
    ada, payment = await sold_and_redeemed(api, drain)
    book = await catalogue.product(price_minor=1700, kind="DIGITAL", requires_shipping=False, stock=None)
    # Her own 7 came first and go first; 10 are of the card.
    assert (await gift_cards.bought_with_credit(api, ada, book))["order"]
    await dispute(payment, DisputeState.NEEDS_RESPONSE, drain)
    taken = [("REDEEM", "-17.00"), ("WITHHOLD", "-15.00")]
    assert await credit_of(api, ada) == ("0.00", taken)
    assert await shown(api, staff_token) == ("15.00", "10.00")
    await dispute(payment, DisputeState.UNDER_REVIEW, drain)
    assert await credit_of(api, ada) == ("0.00", taken), "withheld once"
    await dispute(payment, DisputeState.WON, drain)
    assert await credit_of(api, ada) == ("15.00", [*taken, ("RESTORE", "15.00")])
    assert await shown(api, staff_token) == ("0.00", "0.00")
    assert await invariants.check() == []


async def test_other_money_stays_and_a_lost_dispute_keeps_what_it_took(
    api: Api, staff_token: str, drain: Drain
) -> None:
    ada, payment = await sold_and_redeemed(api, drain, units=2)
    await dispute(payment, DisputeState.NEEDS_RESPONSE, drain)
    assert (await credit_of(api, ada))[0] == "7.00"
    await dispute(payment, DisputeState.LOST, drain)
    taken = [("WITHHOLD", "-25.00"), ("WITHHOLD", "-25.00")]
    assert await credit_of(api, ada) == ("7.00", taken)
    assert await shown(api, staff_token) == ("50.00", "0.00")
    await dispute(payment, DisputeState.WON, drain)
    assert (await credit_of(api, ada))[0] == "57.00", "the bank thought again"
    await dispute(payment, DisputeState.LOST, drain)
    assert (await credit_of(api, ada))[0] == "7.00"
    # The test gateway knows of no disputes, and has the money still.
    assert {violation.name for violation in await invariants.check()} == {"gateway_agrees"}


async def test_of_two_disputes_both_have_to_be_won(api: Api, drain: Drain) -> None:
    ada, payment = await sold_and_redeemed(api, drain)
    await dispute(payment, DisputeState.NEEDS_RESPONSE, drain)
    await dispute(payment, DisputeState.NEEDS_RESPONSE, drain, "du_2")
    cards = "SELECT status FROM stored_values WHERE kind = 'GIFT_CARD'"
    for reference, balance, left in (("du_1", "7.00", "DISABLED"), ("du_2", "32.00", "ACTIVE")):
        await dispute(payment, DisputeState.WON, drain, reference)
        assert (await credit_of(api, ada))[0] == balance
        assert await db.fetchval(cards) == left
    assert await invariants.check() == []


@pytest.mark.parametrize("back", ["RELEASE", "REFUND"])
async def test_what_comes_back_from_a_checkout_or_an_order_meanwhile_is_withheld_too(
    api: Api, staff_token: str, drain: Drain, back: str
) -> None:
    ada, payment = await sold_and_redeemed(api, drain)
    book = await catalogue.product(price_minor=2000, kind="DIGITAL", requires_shipping=False, stock=None)
    if back == "REFUND":
        order = ids.decode("ord", (await gift_cards.bought_with_credit(api, ada, book))["order"]["id"])
    else:
        attempt, credit = new_id(), await db.fetchval("SELECT id FROM stored_values WHERE kind = 'STORE_CREDIT'")
        async with db.unit_of_work():
            await stored_value.hold(attempt, [_Spending(credit, 2000)])
    await dispute(payment, DisputeState.NEEDS_RESPONSE, drain)
    assert (await credit_of(api, ada))[0] == "0.00"
    async with db.unit_of_work():
        if back == "REFUND":
            await stored_value.refund(order, new_id(), 2000)
        else:
            await stored_value.release(attempt)
    # The 7 that were hers are back, the 13 of the card are not.
    assert (await credit_of(api, ada))[0] == "7.00"
    assert await shown(api, staff_token) == ("25.00", "0.00")


async def test_what_was_given_back_to_settle_an_inquiry_stays_withheld_when_it_is_closed(
    api: Api, staff_token: str, drain: Drain
) -> None:
    ada, payment = await sold_and_redeemed(api, drain)
    order = ids.encode("ord", await db.fetchval("SELECT order_id FROM gift_cards"))
    await dispute(payment, DisputeState.INQUIRY, drain)
    assert (await refunds.create(api, staff_token, order, amount=refunds.usd("25.00")))["userErrors"] == []
    await drain()
    await dispute(payment, DisputeState.WON, drain)
    assert await credit_of(api, ada) == ("7.00", [("WITHHOLD", "-25.00")]), "the buyer has the money"
    assert await invariants.check() == []


@pytest.mark.parametrize("refund", [True, False])
async def test_an_order_that_is_cancelled_takes_what_is_left_of_its_cards(
    api: Api, staff_token: str, drain: Drain, refund: bool
) -> None:
    card = await catalogue.product(price_minor=2500, kind="GIFT_CARD", requires_shipping=False, stock=None)
    stove = await catalogue.product(price_minor=1000)
    order = (await checkout.placed(api, (card, 1), (stove, 1), payment=checkout.CASH))["order"]["id"]
    await api.ok(PAID, {"id": order}, token=staff_token)
    await drain()
    ada = await redeemed(api)
    assert (await api.ok(CANCEL, {"id": order, "refund": refund}, token=staff_token))["orderCancel"]["userErrors"] == []
    await drain()
    assert await credit_of(api, ada) == ("7.00", [("WITHHOLD", "-25.00")])


async def test_a_refund_that_comes_to_nothing_after_all_gives_the_credit_back(
    api: Api, staff_token: str, drain: Drain
) -> None:
    ada, _ = await sold_and_redeemed(api, drain)
    order = ids.encode("ord", await db.fetchval("SELECT order_id FROM gift_cards"))
    await refunds.create(api, staff_token, order, amount=refunds.usd("25.00"))
    await drain()
    assert (await credit_of(api, ada))[0] == "7.00"
    async with db.unit_of_work():
        await status.lock_order(ids.decode("ord", order))
        assert await take_back_part(await db.fetchval("SELECT id FROM refund_parts"), "expired_or_canceled_card")
        await standing.refresh(ids.decode("ord", order))
    await drain()
    assert await credit_of(api, ada) == ("32.00", [("WITHHOLD", "-25.00"), ("RESTORE", "25.00")])


async def test_withholding_many_times_at_once_while_it_is_spent(api: Api, staff_token: str, drain: Drain) -> None:
    ada, payment = await sold_and_redeemed(api, drain)
    book = await catalogue.product(price_minor=1000, kind="DIGITAL", requires_shipping=False, stock=None)
    await dispute(payment, DisputeState.NEEDS_RESPONSE, drain)
    await dispute(payment, DisputeState.WON, drain)
    await db.execute("UPDATE payment_disputes SET state = 'LOST'")

    async def settle() -> None:
        async with db.unit_of_work():
            await credit_parts.settle_order(await db.fetchval("SELECT order_id FROM gift_cards"))

    credit = await db.fetchval("SELECT id FROM stored_values WHERE kind = 'STORE_CREDIT'")

    async def hold_and_release() -> None:
        attempt = new_id()
        try:
            async with db.unit_of_work():
                await stored_value.hold(attempt, [_Spending(credit, 900)])
        except stored_value.TakenMeanwhile:
            return
        async with db.unit_of_work():
            await stored_value.release(attempt)

    buying = gift_cards.bought_with_credit(api, ada, book)
    await asyncio.gather(buying, *(turn() for turn in (settle, hold_and_release) * 5))
    await settle()
    spent = await db.fetchval("SELECT coalesce(sum(store_credit_minor), 0)::int FROM orders")
    left = await gift_cards.balance(credit)
    withheld, spent_of_card = [int(amount.replace(".", "")) for amount in await shown(api, staff_token)]
    assert withheld + spent_of_card == 2500
    assert left + withheld + spent == 3200
    assert "store_credit_parts" not in {violation.name for violation in await invariants.check()}


class _Spending:
    def __init__(self, id: Any, amount_minor: int) -> None:
        self.id, self.amount_minor = id, amount_minor
