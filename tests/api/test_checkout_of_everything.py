"""All that a checkout of an account can have, in one request; and all of it given back when nobody finishes it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from tests.api.test_address_book import create
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, discounts, gift_cards, inventory
from tests.factories.accounts import Account
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

CART = "mutation ($input: CartInput) { cartCreate(input: $input) { cart { id } userErrors { code } } }"
CARDS = """mutation ($id: ID!, $codes: [String!]!) {
    cartGiftCardCodesUpdate(cartId: $id, codes: $codes) { userErrors { code } } }"""
CREDIT = "mutation ($id: ID!) { cartStoreCreditUpdate(cartId: $id, use: true) { userErrors { code } } }"
CODES = """mutation ($id: ID!) { cartDiscountCodesUpdate(cartId: $id, codes: ["ONCE"]) {
    cart { discountCodes { applicable reason } } userErrors { code } } }"""
SAVED = "{ me { paymentMethods { id } storeCredit { balance { amount } } } }"
BEGIN = """mutation ($input: CheckoutCreateInput!) {
    checkoutCreate(input: $input) { checkout { id } userErrors { code } } }"""
ADD = """mutation ($id: ID!, $lines: [CartLineInput!]!) {
    cartLinesAdd(cartId: $id, lines: $lines) { cart { totalQuantity } userErrors { code } } }"""
COMPLETE = """mutation ($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) {
    order {
        paymentStatus email shippingAddress { address1 } giftOptions { wrap message hidePrices }
        cost { subtotal { amount } discount { amount } giftWrap { amount } shipping { amount } total { amount }
               giftCards { amount } storeCredit { amount } amountDue { amount } }
        lines { nodes { quantity giftOptions { wrap message } } }
    }
    paymentAction { url } userErrors { code field }
} }"""


@pytest.fixture
async def clock(api: Api) -> MadeProduct:
    """The last three of them, and a code that one order may use."""
    await checkout.shop_that_ships()
    await db.execute("INSERT INTO gift_settings VALUES (1, true, 'Gift wrap', now())")
    await db.execute("INSERT INTO gift_wrap_prices VALUES ('USD', 500, 150, now())")
    await discounts.discount("ONCE", usage_limit=1)
    return await catalogue.product(price_minor=40_00, stock=3)


async def ready(api: Api, ada: Account, clock: MadeProduct, card: str) -> str:
    """A cart of three clocks, one of them wrapped; 100.00 of stored value pays for a part."""
    lines = [
        {"variantId": clock.variant_gid, "quantity": 2},
        {"variantId": clock.variant_gid, "giftOptions": {"wrap": True, "message": "Dear Bob"}},
    ]
    given = {"lines": lines, "discountCodes": ["ONCE"], "giftOptions": {"hidePrices": True}}
    cart: str = (await api.ok(CART, {"input": given}, token=ada.token))["cartCreate"]["cart"]["id"]
    await api.ok(CARDS, {"id": cart, "codes": [card]}, token=ada.token)
    await api.ok(CREDIT, {"id": cart}, token=ada.token)
    return cart


async def saved_card(api: Api, ada: Account) -> str:
    other = await catalogue.product()
    payment = {**checkout.CARD, "save": True}
    assert (await checkout.placed(api, (other, 1), token=ada.token, payment=payment))["order"]
    methods = (await api.ok(SAVED, token=ada.token))["me"]["paymentMethods"]
    return str(methods[0]["id"])


async def test_an_account_buys_with_all_that_it_has_in_one_request(api: Api, clock: MadeProduct, drain: Drain) -> None:
    ada = await accounts.signed_in("ada@example.com")
    home, saved = await create(api, ada), await saved_card(api, ada)
    card = await gift_cards.gift_card(60_00)
    await gift_cards.store_credit(ada.id, 40_00)
    cart = await ready(api, ada, clock, card.code)
    given = {
        "cartId": cart,
        "idempotencyKey": checkout.new_key(),
        "shippingAddressId": home["id"],
        "shippingQuoteId": await checkout.quote_for(api, cart),
        "payment": {"method": "CARD", "savedPaymentMethodId": saved},
        "expectedAmountDue": {"amount": "15.49", "currencyCode": "USD"},
    }
    placed = await checkout.complete(api, given, COMPLETE, token=ada.token)
    assert placed["userErrors"] == []
    order = placed["order"]
    assert {name: amount["amount"] for name, amount in order.pop("cost").items()} == {
        "subtotal": "120.00",
        "discount": "12.00",
        "giftWrap": "1.50",
        "shipping": "5.99",
        "total": "115.49",
        "giftCards": "60.00",
        "storeCredit": "40.00",
        "amountDue": "15.49",
    }
    assert order == {
        "paymentStatus": "AUTHORIZED",
        "email": "ada@example.com",
        "shippingAddress": {"address1": checkout.ADDRESS["address1"]},
        "giftOptions": {"wrap": False, "message": None, "hidePrices": True},
        "lines": {
            "nodes": [
                {"quantity": 2, "giftOptions": None},
                {"quantity": 1, "giftOptions": {"wrap": True, "message": "Dear Bob"}},
            ]
        },
    }
    assert await db.fetchval("SELECT amount_minor FROM payments ORDER BY created_at DESC LIMIT 1") == 15_49
    assert await gift_cards.balance(card.id) == 0
    await drain()
    assert await invariants.check() == []


async def test_what_nobody_finishes_to_pay_for_is_given_back_and_can_be_bought(
    api: Api, clock: MadeProduct, drain: Drain, advance: Advance
) -> None:
    """The shopper is sent to approve the payment and never comes back."""
    ada = await accounts.signed_in("ada@example.com")
    card, credit = await gift_cards.gift_card(60_00), await gift_cards.store_credit(ada.id, 40_00)
    cart = await ready(api, ada, clock, card.code)
    begun = {"cartId": cart, "shippingAddress": checkout.ADDRESS}
    begun_id = (await api.ok(BEGIN, {"input": begun}, token=ada.token))["checkoutCreate"]["checkout"]["id"]
    given = {
        "checkoutId": begun_id,
        "idempotencyKey": checkout.new_key(),
        "shippingQuoteId": await checkout.quote_for(api, cart),
        "payment": {**checkout.CARD, "token": "tok_requires_action"},
    }
    waiting = await checkout.complete(api, given, COMPLETE, token=ada.token)
    assert (waiting["order"], waiting["userErrors"]) == (None, [])
    assert waiting["paymentAction"]
    pen = await catalogue.product(stock=None)
    other = (await api.ok(CART, {"input": {"lines": [{"variantId": pen.variant_gid}]}}))["cartCreate"]["cart"]["id"]

    async def standing() -> dict[str, Any]:
        line = {"variantId": clock.variant_gid, "quantity": 1}
        added = (await api.query(ADD, {"id": cart, "lines": [line]})).data or {}
        shown = (await api.ok(CODES, {"id": other}))["cartDiscountCodesUpdate"]["cart"]["discountCodes"]
        return {
            "card": await gift_cards.balance(card.id),
            "credit": await gift_cards.balance(credit),
            "stock": await inventory.available(clock.variant_id),
            "holds": await db.fetchval("SELECT count(*) FROM stock_reservations WHERE state = 'HELD'"),
            "attempts": await db.fetchval(
                "SELECT count(*) FROM checkout_attempts WHERE state IN ('PROCESSING', 'REQUIRES_ACTION')"
            ),
            "cart": [one["code"] for one in added["cartLinesAdd"]["userErrors"]],
            "code": [one["reason"] for one in shown],
        }

    await drain()
    assert await standing() == {
        "card": 0, "credit": 0, "stock": 0, "holds": 1, "attempts": 1, "cart": ["CHECKOUT_IN_PROGRESS"],
        "code": ["USED_UP"],
    }  # fmt: skip
    await advance("PT40M")
    # The cart has all three clocks already, so that another one does not fit; but it can be changed again.
    assert await standing() == {
        "card": 60_00, "credit": 40_00, "stock": 3, "holds": 0, "attempts": 0, "cart": ["INSUFFICIENT_STOCK"],
        "code": [None],
    }  # fmt: skip
    ended = await checkout.complete(api, given, COMPLETE, token=ada.token)
    assert [error["code"] for error in ended["userErrors"]] == ["PAYMENT_EXPIRED"]
    again = {**given, "idempotencyKey": checkout.new_key(), "payment": checkout.CARD}
    again["shippingQuoteId"] = await checkout.quote_for(api, cart)
    placed = await checkout.complete(api, again, COMPLETE, token=ada.token)
    assert placed["userErrors"] == []
    assert placed["order"]["cost"]["amountDue"]["amount"] == "15.49"
    await drain()
    assert await invariants.check() == []
