"""Carts that become one with all that a cart can have: nothing of either is lost, by `cartMerge` and at sign-in."""

from typing import Any

import pytest

from app import db, invariants
from app.cart import merging
from app.gift_cards.entering import MAX_CODES
from schema.cart.inputs import cart_key
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, discounts, gift_cards
from tests.factories.catalogue import MadeProduct
from tests.factories.terms import ENGRAVING, terms

CART = """id totalQuantity note giftOptions { wrap message hidePrices } discountCodes { code applicable }
    giftCards { lastCharacters } buyerIdentity { email }
    cost { subtotal { amount } discount { amount } giftWrap { amount } total { amount } }
    lines { nodes { quantity customizations { value } giftOptions { wrap message } attributes { value }
            cost { subtotal { amount } discount { amount } total { amount } } } }"""
CREATE = f"mutation ($input: CartInput) {{ cartCreate(input: $input) {{ cart {{ {CART} }} userErrors {{ code }} }} }}"
CARDS = """mutation ($id: ID!, $codes: [String!]!) {
    cartGiftCardCodesUpdate(cartId: $id, codes: $codes) { userErrors { code } } }"""
MERGE = f"""mutation ($id: ID!, $into: ID!) {{
    cartMerge(cartId: $id, intoCartId: $into) {{ cart {{ {CART} }} warnings {{ code }} userErrors {{ code }} }} }}"""
READ = f"query ($id: ID!) {{ cart(id: $id) {{ {CART} }} }}"
BEGIN = """mutation ($input: CheckoutCreateInput!) {
    checkoutCreate(input: $input) { checkout { id } userErrors { code } } }"""


@pytest.fixture
async def ring(api: Api) -> MadeProduct:
    await checkout.shop_that_ships()
    await db.execute("INSERT INTO gift_settings VALUES (1, true, 'Gift wrap', now())")
    await db.execute("INSERT INTO gift_wrap_prices VALUES ('USD', 500, 150, now())")
    product = await catalogue.product(price_minor=100_00, stock=20)
    await terms(product.id, ENGRAVING)
    await discounts.discount("SUMMER")
    await discounts.discount("FRIENDS", amount="5")
    return product


async def create(api: Api, **given: Any) -> dict[str, Any]:
    cart: dict[str, Any] = (await api.ok(CREATE, {"input": given}))["cartCreate"]["cart"]
    return cart


def engraved(ring: MadeProduct, text: str, **more: Any) -> dict[str, Any]:
    return {"variantId": ring.variant_gid, "customizations": [{"key": "engraving", "value": text}], **more}


@pytest.mark.parametrize("way", ["cartMerge", "sign-in"])
async def test_nothing_of_two_carts_is_lost(api: Api, ring: MadeProduct, way: str) -> None:
    first, second = await gift_cards.gift_card(1000), await gift_cards.gift_card(2000)
    source = await create(
        api,
        lines=[
            engraved(ring, "Ada", quantity=2),
            engraved(ring, "Bob", giftOptions={"wrap": True, "message": "Dear Bob"}),
            {"variantId": ring.variant_gid, "attributes": [{"key": "size", "value": "52"}]},
        ],
        discountCodes=["FRIENDS"],
        giftOptions={"message": "For you both"},
        note="Ring twice",
        buyerIdentity={"email": "ada@example.com"},
    )
    target = await create(
        api,
        lines=[engraved(ring, "Ada"), engraved(ring, "Bob"), {"variantId": ring.variant_gid}],
        discountCodes=["SUMMER"],
        giftOptions={"hidePrices": True},
    )
    await api.ok(CARDS, {"id": source["id"], "codes": [first.code]})
    await api.ok(CARDS, {"id": target["id"], "codes": [second.code, first.code]})
    begun = {"cartId": source["id"], "email": "ada@example.com", "shippingAddress": checkout.ADDRESS}
    await api.ok(BEGIN, {"input": begun})
    ada = await accounts.signed_in("ada@example.com")
    if way == "cartMerge":
        await api.ok(MERGE, {"id": source["id"], "into": target["id"]})
    else:
        await merging.keep_for_customer(cart_key(target["id"]), ada.id)
        kept = await merging.keep_for_customer(cart_key(source["id"]), ada.id)
        assert kept.key == cart_key(target["id"])

    cart = (await api.ok(READ, {"id": target["id"]}))["cart"]
    lines = [
        (
            line["quantity"],
            *(one["value"] for one in (*line["customizations"], *line["attributes"])),
            *filter(None, [line["giftOptions"] and line["giftOptions"]["message"]]),
        )
        for line in cart["lines"]["nodes"]
    ]
    assert lines == [(3, "Ada"), (1, "Bob"), (1,), (1, "Bob", "Dear Bob"), (1, "52")]
    assert [code["code"] for code in cart["discountCodes"]] == ["SUMMER", "FRIENDS"]
    assert {card["lastCharacters"] for card in cart["giftCards"]} == {first.code[-4:], second.code[-4:]}
    assert cart["giftOptions"] == {"wrap": False, "message": "For you both", "hidePrices": True}
    assert (cart["note"], cart["buyerIdentity"]["email"]) == ("Ring twice", "ada@example.com")
    # 5 x 109.00 + 2 x 100.00, ten percent off that, and one wrap
    assert {name: amount["amount"] for name, amount in cart["cost"].items()} == {
        "subtotal": "745.00",
        "discount": "74.50",
        "giftWrap": "1.50",
        "total": "672.00",
    }
    # The checkout went with the lines, and keeps all of them now.
    kept_units = await db.fetchval(
        """
        SELECT sum(r.quantity) FROM stock_reservations r JOIN checkouts k ON k.id = r.checkout_id
        WHERE k.cart_id = $1 AND r.state = 'HELD' AND k.shipping_address IS NOT NULL
        """,
        cart_key(target["id"]).id,
    )
    assert kept_units == 7
    assert (await api.ok(READ, {"id": source["id"]}))["cart"]["totalQuantity"] == 0
    assert await invariants.check() == []


async def test_more_gift_cards_than_one_cart_holds_lose_none(api: Api, ring: MadeProduct) -> None:
    source, target = [await create(api, lines=[{"variantId": ring.variant_gid}]) for _ in range(2)]
    for cart, count in ((source, 1), (target, MAX_CODES)):
        codes = [(await gift_cards.gift_card(100)).code for _ in range(count)]
        await api.ok(CARDS, {"id": cart["id"], "codes": codes})
    refused = await api.query(MERGE, {"id": source["id"], "into": target["id"]})
    assert [error["code"] for error in (refused.data or {})["cartMerge"]["userErrors"]] == ["TOO_MANY"]
    shown = [(await api.ok(READ, {"id": cart["id"]}))["cart"] for cart in (source, target)]
    assert [(cart["totalQuantity"], len(cart["giftCards"])) for cart in shown] == [(1, 1), (1, MAX_CODES)]
