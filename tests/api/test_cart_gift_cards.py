"""Gift cards and store credit in carts: what they pay, and why not."""

from datetime import timedelta
from typing import Any

import pytest

from app import clock, db
from app.gift_cards.entering import WRONG_CODES
from app.kit import ids
from tests.client import Api
from tests.factories import accounts, catalogue, discounts, gift_cards, shop
from tests.factories import cart as carts
from tests.factories.cart import MadeCart

CART = """id giftCards { id lastCharacters balance { amount currencyCode } appliedAmount { amount } applicable reason }
    storeCredit { used appliedAmount { amount } } cost { total { amount } }"""
ENTER = f"""mutation ($cartId: ID!, $codes: [String!]!) {{
    cartGiftCardCodesUpdate(cartId: $cartId, codes: $codes) {{ cart {{ {CART} }} userErrors {{ code field }} }}
}}"""
CREDIT = f"""mutation ($cartId: ID!, $use: Boolean!) {{
    cartStoreCreditUpdate(cartId: $cartId, use: $use) {{ cart {{ {CART} }} userErrors {{ code field }} }}
}}"""
READ = f"query ($id: ID!) {{ cart(id: $id) {{ {CART} }} }}"
CREATE = """mutation ($input: CartInput) { cartCreate(input: $input) { cart { id } userErrors { code } } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop()


async def a_cart(price_minor: int = 1999, **of_product: Any) -> MadeCart:
    return await carts.cart(((await catalogue.product(price_minor=price_minor, **of_product)).variant_id, 1))


async def entered(api: Api, cart: MadeCart, *codes: str) -> dict[str, Any]:
    found = await api.ok(ENTER, {"cartId": cart.gid, "codes": list(codes)})
    shown: dict[str, Any] = found["cartGiftCardCodesUpdate"]["cart"]
    return shown


async def refused(api: Api, cart: MadeCart, *codes: str) -> list[tuple[str, list[str]]]:
    result = await api.query(ENTER, {"cartId": cart.gid, "codes": list(codes)})
    assert not result.errors, result.errors
    payload = (result.data or {})["cartGiftCardCodesUpdate"]
    assert payload["cart"] is None
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


async def test_cards_pay_in_the_order_in_which_they_were_entered(api: Api) -> None:
    first, second, third = [await gift_cards.gift_card(minor) for minor in (500, 5000, 700)]
    cart = await a_cart(1999)
    shown = await entered(api, cart, first.code.lower(), second.code.replace("-", ""), third.code, first.code)
    assert [(one["lastCharacters"], one["appliedAmount"]["amount"]) for one in shown["giftCards"]] == [
        (first.code[-4:], "5.00"),
        (second.code[-4:], "14.99"),
        (third.code[-4:], "0.00"),
    ]
    assert shown["giftCards"][0]["id"] == ids.encode("gc", first.id)
    assert shown["giftCards"][1]["balance"] == {"amount": "50.00", "currencyCode": "USD"}
    assert all(one["applicable"] and one["reason"] is None for one in shown["giftCards"])
    assert shown["cost"]["total"]["amount"] == "19.99"
    assert (await api.ok(READ, {"id": cart.gid}))["cart"] == shown
    assert (await entered(api, cart))["giftCards"] == []
    assert await gift_cards.balance(first.id) == 500


async def test_no_code_is_stored_as_it_was_typed(api: Api) -> None:
    card, cart = await gift_cards.gift_card(), await a_cart()
    await entered(api, cart, card.code)
    stored = str([dict(row) for row in await db.fetch("SELECT * FROM carts")])
    assert card.id.hex in stored.replace("-", "")
    assert card.code.replace("-", "") not in stored.replace("-", "")


async def test_codes_that_cannot_be_spent_are_refused_with_all_others(api: Api) -> None:
    good, empty, off = [await gift_cards.gift_card() for _ in range(3)]
    over = await gift_cards.gift_card(expires_at=await clock.now() + timedelta(days=1))
    foreign = await gift_cards.gift_card(currency="EUR")
    cart = await a_cart()
    await db.execute("UPDATE stored_values SET balance_minor = 0 WHERE id = $1", empty.id)
    await db.execute("UPDATE stored_values SET status = 'DISABLED' WHERE id = $1", off.id)
    await clock.move_to(await clock.now() + timedelta(days=1, seconds=1))
    codes = [good.code, "NO-SUCH-CARD", empty.code, off.code, over.code, " ", "x" * 65]
    assert await refused(api, cart, *codes[:5]) == [
        ("GIFT_CARD_NOT_FOUND", ["codes", "1"]),
        ("GIFT_CARD_EMPTY", ["codes", "2"]),
        ("GIFT_CARD_DISABLED", ["codes", "3"]),
        ("GIFT_CARD_EXPIRED", ["codes", "4"]),
    ]
    assert await refused(api, cart, good.code, foreign.code) == [("GIFT_CARD_OTHER_CURRENCY", ["codes", "1"])]
    assert await refused(api, cart, *codes[5:]) == [("REQUIRED", ["codes", "0"]), ("TOO_LONG", ["codes", "1"])]
    assert await refused(api, cart, *["A"] * 11) == [("TOO_MANY", ["codes"])]
    assert (await api.ok(READ, {"id": cart.gid}))["cart"]["giftCards"] == []


async def test_a_card_that_can_be_spent_no_more_stays_and_says_why(api: Api) -> None:
    cards = [await gift_cards.gift_card() for _ in range(3)]
    cart = await a_cart()
    await entered(api, cart, *(card.code for card in cards))
    await db.execute("UPDATE stored_values SET balance_minor = 0 WHERE id = $1", cards[0].id)
    await db.execute("UPDATE stored_values SET status = 'DISABLED' WHERE id = $1", cards[1].id)
    await db.execute("UPDATE stored_values SET expires_at = business_now() WHERE id = $1", cards[2].id)
    shown = (await api.ok(READ, {"id": cart.gid}))["cart"]["giftCards"]
    assert [(one["applicable"], one["reason"], one["appliedAmount"]["amount"]) for one in shown] == [
        (False, "EMPTY", "0.00"),
        (False, "DISABLED", "0.00"),
        (False, "EXPIRED", "0.00"),
    ]


async def test_guesses_are_limited_and_right_codes_are_none(api: Api) -> None:
    card, cart = await gift_cards.gift_card(), await a_cart()
    for _ in range(WRONG_CODES + 2):
        await entered(api, cart, card.code)
    for number in range(WRONG_CODES):
        assert (await refused(api, cart, f"WRONG{number}"))[0][0] == "GIFT_CARD_NOT_FOUND"
    assert [code for code, _ in await refused(api, cart, card.code)] == ["RATE_LIMITED"]
    assert len((await api.ok(READ, {"id": cart.gid}))["cart"]["giftCards"]) == 1


async def test_what_buys_a_gift_card_is_money_alone(api: Api) -> None:
    await discounts.discount()
    card = await gift_cards.gift_card()
    gift = await catalogue.product(price_minor=2500, kind="GIFT_CARD", requires_shipping=False, stock=None)
    goods = await catalogue.product(price_minor=1000)
    cart = await carts.cart((gift.variant_id, 2), (goods.variant_id, 1))
    shown = await entered(api, cart, card.code)
    assert [(one["reason"], one["appliedAmount"]["amount"]) for one in shown["giftCards"]] == [
        ("CART_HAS_GIFT_CARD", "0.00")
    ]
    assert shown["cost"]["total"]["amount"] == "59.00"  # ten percent off the goods, nothing off the cards


async def test_store_credit_pays_after_cards_on_carts_of_ones_own(api: Api) -> None:
    owner, other = await accounts.signed_in("ada@example.com"), await accounts.signed_in("eve@example.com")
    await gift_cards.store_credit(owner.id, 700)
    await gift_cards.store_credit(owner.id, 90000, "EUR")
    card, product = await gift_cards.gift_card(500), await catalogue.product(price_minor=1999)
    lines = [{"variantId": product.variant_gid}]
    made = await api.ok(CREATE, {"input": {"lines": lines}}, token=owner.token)
    gid = made["cartCreate"]["cart"]["id"]
    await api.ok(ENTER, {"cartId": gid, "codes": [card.code]})
    shown = (await api.ok(CREDIT, {"cartId": gid, "use": True}, token=owner.token))["cartStoreCreditUpdate"]["cart"]
    assert shown["giftCards"][0]["appliedAmount"]["amount"] == "5.00"
    assert shown["storeCredit"] == {"used": True, "appliedAmount": {"amount": "7.00"}}
    assert (await api.ok(READ, {"id": gid}))["cart"] == shown
    guests = await carts.cart((product.variant_id, 1))
    for cart, token in ((gid, other.token), (guests.gid, owner.token)):
        result = await api.query(CREDIT, {"cartId": cart, "use": True}, token=token)
        errors = (result.data or {})["cartStoreCreditUpdate"]["userErrors"]
        assert errors == [{"code": "STORE_CREDIT_NOT_YOURS", "field": ["cartId"]}]
    result = await api.query(CREDIT, {"cartId": gid, "use": False})
    assert [error["code"] for error in (result.data or {})["cartStoreCreditUpdate"]["userErrors"]] == [
        "UNAUTHENTICATED"
    ]
    off = (await api.ok(CREDIT, {"cartId": gid, "use": False}, token=owner.token))["cartStoreCreditUpdate"]["cart"]
    assert off["storeCredit"] == {"used": False, "appliedAmount": {"amount": "0.00"}}


async def test_a_merged_cart_has_the_cards_of_both(api: Api) -> None:
    mine, theirs = await gift_cards.gift_card(500), await gift_cards.gift_card(600)
    source, target = await a_cart(1000), await a_cart(2000)
    await entered(api, target, mine.code)
    await entered(api, source, theirs.code, mine.code)
    document = f"""mutation ($from: ID!, $into: ID!) {{
        cartMerge(cartId: $from, intoCartId: $into) {{ cart {{ {CART} }} userErrors {{ code }} }}
    }}"""
    merged = (await api.ok(document, {"from": source.gid, "into": target.gid}))["cartMerge"]["cart"]
    assert [one["appliedAmount"]["amount"] for one in merged["giftCards"]] == ["5.00", "6.00"]
    assert (await api.ok(READ, {"id": target.gid}))["cart"] == merged
