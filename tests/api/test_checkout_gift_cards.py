"""Paying with gift cards and store credit: taken with the claim, spent with the order, or given back."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from app import db, invariants
from app.accounts.identity import identity_of
from app.cart import entering as cart_entering
from app.cart.merging import keep_for_customer
from app.cart.service import CartKey
from app.checkout import completion, review
from app.gift_cards import managing
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, gift_cards
from tests.factories import cart as carts
from tests.factories.cart import MadeCart

Drain = Callable[[], Awaitable[None]]

COMPLETE = """mutation ($input: CheckoutCompleteInput!) {
    checkoutComplete(input: $input) {
        order {
            id status paymentStatus
            cost { total { amount } giftCards { amount } storeCredit { amount } amountDue { amount } }
        }
        paymentAction { type }
        userErrors { code field ... on AmountDueChangedError { amountDue { amount currencyCode } } }
    }
}"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def a_cart(*codes: str, price_minor: int = 1000) -> MadeCart:
    """Nothing ships, so that the total is the price."""
    product = await catalogue.product(price_minor=price_minor, kind="DIGITAL", requires_shipping=False, stock=None)
    cart = await carts.cart((product.variant_id, 1))
    if codes:
        await cart_entering.change_gift_cards(CartKey(cart.id, cart.secret), codes, "client")
    return cart


async def buy(api: Api, cart: MadeCart, *, token: str | None = None, **more: Any) -> dict[str, Any]:
    given = {"cartId": cart.gid, "idempotencyKey": checkout.new_key(), "email": checkout.EMAIL, **more}
    return await checkout.complete(api, given, COMPLETE, token=token)


def codes_of(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


async def test_a_card_that_covers_everything_needs_no_other_payment(api: Api, drain: Drain) -> None:
    card = await gift_cards.gift_card(5000)
    placed = await buy(api, await a_cart(card.code))
    assert (placed["order"]["status"], placed["order"]["paymentStatus"]) == ("COMPLETED", "PAID")
    cost = placed["order"]["cost"]
    assert (cost["total"]["amount"], cost["giftCards"]["amount"], cost["amountDue"]["amount"]) == (
        "10.00", "10.00", "0.00"
    )  # fmt: skip
    assert await gift_cards.ledger(card.id) == [("ISSUE", 5000), ("HOLD", -1000), ("REDEEM", 0)]
    assert await db.fetchval("SELECT count(*) FROM payments") == 0
    await drain()
    assert await invariants.check() == []


async def test_what_a_card_leaves_is_asked_of_the_gateway(api: Api, drain: Drain) -> None:
    card = await gift_cards.gift_card(600)
    cart = await a_cart(card.code)
    assert codes_of(await buy(api, cart)) == ["REQUIRED"]
    assert await gift_cards.balance(card.id) == 600
    placed = await buy(api, cart, payment=checkout.CARD)
    assert placed["order"]["cost"]["amountDue"]["amount"] == "4.00"
    assert await db.fetchval("SELECT amount_minor FROM payments") == 400
    assert await db.fetchval("SELECT amount_minor FROM test_gateway_payments") == 400
    assert await gift_cards.balance(card.id) == 0
    await drain()
    assert await invariants.check() == []


async def test_a_declined_payment_gives_the_card_back(api: Api, drain: Drain) -> None:
    card = await gift_cards.gift_card(600)
    cart = await a_cart(card.code)
    declined = await buy(api, cart, payment={**checkout.CARD, "token": "tok_declined"})
    assert codes_of(declined) == ["PAYMENT_DECLINED"]
    assert await gift_cards.ledger(card.id) == [("ISSUE", 600), ("HOLD", -600), ("RELEASE", 600)]
    assert (await buy(api, cart, payment=checkout.CARD))["order"]
    await drain()
    assert await invariants.check() == []


async def test_a_card_is_held_while_the_shopper_confirms_and_back_when_they_do_not(
    api: Api, drain: Drain, advance: Callable[[str], Awaitable[None]]
) -> None:
    card = await gift_cards.gift_card(600)
    payment = {**checkout.CARD, "token": "tok_requires_action", "returnUrl": "https://shop.example/return"}
    waiting = await buy(api, await a_cart(card.code), payment=payment)
    assert waiting["paymentAction"]
    assert await gift_cards.balance(card.id) == 0
    assert codes_of(await buy(api, await a_cart())) == ["REQUIRED"]
    await advance("PT20M")
    assert await gift_cards.balance(card.id) == 600
    assert await invariants.check() == []


async def test_a_process_that_dies_after_the_claim_loses_nothing(
    api: Api, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = await gift_cards.gift_card(600)

    async def dies(*_: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("app.checkout.settlement.authorise", dies)
        cart = await a_cart(card.code)
        given = {"cartId": cart.gid, "idempotencyKey": "one", "email": checkout.EMAIL, "payment": checkout.CARD}
        assert (await api.query(COMPLETE, {"input": given})).errors
    assert await gift_cards.balance(card.id) == 0
    await checkout.expire_lease()
    await drain()
    assert await gift_cards.balance(card.id) == 600
    assert await db.fetchval("SELECT state FROM checkout_attempts") == "REFUSED"
    assert await invariants.check() == []


async def test_a_card_that_was_spent_elsewhere_refuses_the_order(api: Api) -> None:
    card = await gift_cards.gift_card(1000)
    first, second = await a_cart(card.code), await a_cart(card.code)
    assert (await buy(api, first))["order"]
    refused = await buy(api, second, payment=checkout.CARD)
    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [
        ("GIFT_CARD_EMPTY", ["cart", "giftCards", "0"])
    ]
    assert await db.fetchval("SELECT count(*) FROM payments") == 0


async def test_nobody_pays_more_than_the_cards_were_shown_to_leave(api: Api) -> None:
    card = await gift_cards.gift_card(1500)
    first, second = await a_cart(card.code), await a_cart(card.code)
    assert (await buy(api, first))["order"]
    shown = {"amount": "0", "currencyCode": "USD"}
    refused = await buy(api, second, payment=checkout.CARD, expectedAmountDue=shown)
    (error,) = refused["userErrors"]
    assert error["code"] == "AMOUNT_DUE_CHANGED"
    assert error["amountDue"] == {"amount": "5.00", "currencyCode": "USD"}
    assert await gift_cards.balance(card.id) == 500
    due = {"amount": "5", "currencyCode": "USD"}
    assert (await buy(api, second, payment=checkout.CARD, expectedAmountDue=due))["order"]


async def test_what_is_spent_between_reading_and_taking_is_not_made_up_by_the_payment(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = await gift_cards.gift_card(1000)
    cart = await a_cart(card.code)
    original = review.review

    async def then_spent(*args: Any, **kwargs: Any) -> Any:
        seen = await original(*args, **kwargs)
        monkeypatch.setattr(completion, "review", original)
        await managing.adjust_card(card.id, Decimal(-4), "Spent elsewhere")
        return seen

    monkeypatch.setattr(completion, "review", then_spent)
    refused = await buy(api, cart, payment=checkout.CARD)
    (error,) = refused["userErrors"]
    assert (error["code"], error["amountDue"]["amount"]) == ("AMOUNT_DUE_CHANGED", "4.00")
    assert await gift_cards.balance(card.id) == 600
    assert await db.fetchval("SELECT count(*) FROM payments") == 0


async def test_store_credit_is_spent_by_whom_it_is_owed_to_alone(api: Api, drain: Drain) -> None:
    owner = await accounts.signed_in("ada@example.com")
    account = await gift_cards.store_credit(owner.id, 5000)
    cart = await a_cart()
    key = CartKey(cart.id, cart.secret)
    await keep_for_customer(key, owner.id)
    identity = await identity_of(owner.token)
    assert identity
    await cart_entering.change_store_credit(key, identity, use=True)
    assert codes_of(await buy(api, cart)) == ["STORE_CREDIT_NOT_YOURS"]
    other = await accounts.signed_in("eve@example.com")
    assert codes_of(await buy(api, cart, token=other.token)) == ["STORE_CREDIT_NOT_YOURS"]
    placed = await buy(api, cart, token=owner.token)
    assert placed["order"]["cost"]["storeCredit"]["amount"] == "10.00"
    assert placed["order"]["paymentStatus"] == "PAID"
    assert await gift_cards.balance(account) == 4000
    mine = "{ me { storeCredit { entries { type orderId amount { amount } } } } }"
    (seen,) = (await api.ok(mine, token=owner.token))["me"]["storeCredit"]
    assert seen["entries"][0] == {"type": "REDEEM", "orderId": placed["order"]["id"], "amount": {"amount": "-10.00"}}
    await drain()
    assert await invariants.check() == []
