"""Gift cards made into store credit: by whoever has the code and an account, and once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import clock, db, invariants
from app.cart import entering as cart_entering
from app.cart.service import CartKey
from app.gift_cards import entering, managing
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, gift_cards, refunds
from tests.factories import cart as carts

Advance = Callable[[str], Awaitable[None]]

REDEEM = """mutation ($code: String!) { giftCardRedeem(code: $code) {
    account { balance { amount currencyCode } entries { type reason amount { amount } expiresAt } }
    userErrors { code field }
} }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def redeem(api: Api, code: str, token: str) -> dict[str, Any]:
    result = await api.query(REDEEM, {"code": code}, token=token)
    assert not result.errors, result.errors
    payload: dict[str, Any] = (result.data or {})["giftCardRedeem"]
    return payload


async def test_a_card_becomes_credit_of_the_account_that_has_the_code(api: Api) -> None:
    ada, card = await accounts.signed_in(), await gift_cards.gift_card(5000)
    await gift_cards.store_credit(ada.id, 700)
    typed = f" {card.code.lower()} "
    made = (await redeem(api, typed, ada.token))["account"]
    assert made["balance"] == {"amount": "57.00", "currencyCode": "USD"}
    last = card.code.replace("-", "")[-4:]
    assert made["entries"][0] == {
        "type": "ISSUE",
        "reason": f"Gift card {last}",
        "amount": {"amount": "50.00"},
        "expiresAt": None,
    }
    assert await gift_cards.ledger(card.id) == [("ISSUE", 5000), ("ADJUST", -5000)]

    again = await redeem(api, card.code, ada.token)
    assert again["userErrors"] == [{"code": "GIFT_CARD_EMPTY", "field": ["code"]}]
    euros = await gift_cards.gift_card(100, currency="EUR")
    assert (await redeem(api, euros.code, ada.token))["account"]["balance"]["amount"] == "1.00"
    shown = "{ me { storeCredit { balance { amount currencyCode } } } }"
    assert (await api.ok(shown, token=ada.token))["me"]["storeCredit"] == [
        {"balance": {"amount": "1.00", "currencyCode": "EUR"}},
        {"balance": {"amount": "57.00", "currencyCode": "USD"}},
    ]
    assert await invariants.check() == []


async def test_credit_of_a_card_that_ends_is_spent_first_and_ends_with_it(api: Api, advance: Advance) -> None:
    ada, now = await accounts.signed_in(), await clock.now()
    await gift_cards.store_credit(ada.id, 700)
    late, soon = [await gift_cards.gift_card(1000, expires_at=now + timedelta(days=days)) for days in (60, 30)]
    for card in (late, soon):
        made = (await redeem(api, card.code, ada.token))["account"]
    assert made["balance"]["amount"] == "27.00"
    assert [entry["expiresAt"][:10] for entry in made["entries"][:2]] == [
        (now + timedelta(days=days)).date().isoformat() for days in (30, 60)
    ]
    product = await catalogue.product(price_minor=400, kind="DIGITAL", requires_shipping=False, stock=None)
    assert (await gift_cards.bought_with_credit(api, ada, product))["order"]
    await advance("P31D")
    assert await credit_of(ada) == 1700, "4 of what ended were spent, and 6 are over"
    await advance("P31D")
    assert await credit_of(ada) == 700
    kinds = [kind for kind, _ in await gift_cards.ledger(await credit_id(ada))]
    assert kinds == ["ISSUE", "ISSUE", "ISSUE", "HOLD", "REDEEM", "EXPIRE", "EXPIRE"]
    assert await invariants.check() == []


async def test_what_is_given_back_for_ended_credit_is_good_again(api: Api, staff_token: str, advance: Advance) -> None:
    ada, now = await accounts.signed_in(), await clock.now()
    card = await gift_cards.gift_card(1000, expires_at=now + timedelta(days=30))
    await redeem(api, card.code, ada.token)
    product = await catalogue.product(price_minor=400, kind="DIGITAL", requires_shipping=False, stock=None)
    order = (await gift_cards.bought_with_credit(api, ada, product))["order"]["id"]
    await advance("P31D")
    assert await credit_of(ada) == 0
    assert (await refunds.create(api, staff_token, order, amount=refunds.usd("4.00")))["userErrors"] == []
    await advance("P31D")
    assert await credit_of(ada) == 400, "the shop does not keep what it owes back"
    assert await invariants.check() == []


async def credit_id(ada: accounts.Account) -> Any:
    return await db.fetchval("SELECT id FROM stored_values WHERE customer_id = $1", ada.id)


async def credit_of(ada: accounts.Account) -> int:
    return await gift_cards.balance(await credit_id(ada))


async def test_what_cannot_become_credit_stays_as_it_is(api: Api, advance: Advance) -> None:
    ada = await accounts.signed_in()
    over = await gift_cards.gift_card(1000, expires_at=await clock.now() + timedelta(seconds=1))
    await advance("PT10M")
    off = await gift_cards.gift_card(1000)
    await managing.switch_card(off.id, on=False)
    for code, error in (
        (over.code, "GIFT_CARD_EXPIRED"),
        (off.code, "GIFT_CARD_DISABLED"),
        ("ABCD-EFGH-JKLM-NPQR", "GIFT_CARD_NOT_FOUND"),
        (" ", "REQUIRED"),
        ("x" * 500, "TOO_LONG"),
    ):
        refused = await redeem(api, code, ada.token)
        assert refused == {"account": None, "userErrors": [{"code": error, "field": ["code"]}]}
    guest = await api.query(REDEEM, {"code": off.code})
    assert [error["code"] for error in (guest.data or {})["giftCardRedeem"]["userErrors"]] == ["UNAUTHENTICATED"]
    assert [await gift_cards.balance(card.id) for card in (over, off)] == [0, 1000]
    assert await db.fetchval("SELECT count(*) FROM stored_values WHERE kind = 'STORE_CREDIT'") == 0


async def test_codes_are_not_to_be_guessed(api: Api) -> None:
    ada, card = await accounts.signed_in(), await gift_cards.gift_card(1000)
    for number in range(entering.WRONG_CODES):
        await redeem(api, f"ABCD-EFGH-JKLM-{number:04}", ada.token)
    refused = await redeem(api, card.code, ada.token)
    assert [error["code"] for error in refused["userErrors"]] == ["RATE_LIMITED"]
    assert await gift_cards.balance(card.id) == 1000


async def test_ten_who_redeem_one_card_while_others_spend_it(api: Api) -> None:
    card = await gift_cards.gift_card(5000)
    people = [await accounts.signed_in() for _ in range(5)]
    for one in people:
        await gift_cards.store_credit(one.id, 100)
    product = await catalogue.product(price_minor=1000, kind="DIGITAL", requires_shipping=False, stock=None)
    orders = []
    for number in range(3):
        cart = await carts.cart((product.variant_id, 1))
        await cart_entering.change_gift_cards(CartKey(cart.id, cart.secret), [card.code], f"client-{number}")
        key = checkout.new_key()
        orders.append({"cartId": cart.gid, "idempotencyKey": key, "email": f"guest{number}@example.com"})

    redeemed, placed = await asyncio.gather(
        asyncio.gather(*(redeem(api, card.code, one.token) for one in people * 2)),
        asyncio.gather(*(checkout.complete(api, given) for given in orders)),
    )
    outcomes = Counter(error["code"] for one in redeemed for error in one["userErrors"])
    assert outcomes == {"GIFT_CARD_EMPTY": 9}
    spent = sum(1000 for one in placed if one["order"])
    credit = await db.fetchval("SELECT sum(balance_minor)::bigint FROM stored_values WHERE kind = 'STORE_CREDIT'")
    assert (credit, await gift_cards.balance(card.id)) == (5 * 100 + 5000 - spent, 0)
    assert await invariants.check() == []
