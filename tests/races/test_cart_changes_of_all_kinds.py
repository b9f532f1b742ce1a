"""Every way to change a cart at once: each takes effect whole, and what the cart costs is what is in it."""

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from app import db, invariants
from schema.cart.inputs import cart_key
from tests.client import Api
from tests.factories import catalogue, discounts, gift_cards, markets, shipping, shop
from tests.factories.catalogue import MadeProduct
from tests.factories.terms import ENGRAVING, terms

CART = """id totalQuantity note giftOptions { wrap message } discountCodes { code } giftCards { lastCharacters }
    buyerIdentity { email countryCode }
    cost { subtotal { amount } discount { amount } giftWrap { amount } total { amount currencyCode }
           giftCards { amount } amountDue { amount } }
    lines { nodes { id quantity customizations { value } giftOptions { wrap } variant { id }
            cost { unitPrice { amount } subtotal { amount } discount { amount } giftWrap { amount } } } }"""
ANSWER = f"{{ cart {{ {CART} }} userErrors {{ code field }} }}"
CREATE = f"mutation ($input: CartInput) {{ cartCreate(input: $input) {ANSWER} }}"
ADD = f"mutation ($id: ID!, $lines: [CartLineInput!]!) {{ cartLinesAdd(cartId: $id, lines: $lines) {ANSWER} }}"
UPDATE = (
    f"mutation ($id: ID!, $lines: [CartLineUpdateInput!]!) {{ cartLinesUpdate(cartId: $id, lines: $lines) {ANSWER} }}"
)
REMOVE = f"mutation ($id: ID!, $lines: [ID!]!) {{ cartLinesRemove(cartId: $id, lineIds: $lines) {ANSWER} }}"
CODES = f"mutation ($id: ID!, $codes: [String!]!) {{ cartDiscountCodesUpdate(cartId: $id, codes: $codes) {ANSWER} }}"
CARDS = f"mutation ($id: ID!, $codes: [String!]!) {{ cartGiftCardCodesUpdate(cartId: $id, codes: $codes) {ANSWER} }}"
GIFT = f"""mutation ($id: ID!, $line: ID, $options: GiftOptionsInput!) {{
    cartGiftOptionsUpdate(cartId: $id, lineId: $line, giftOptions: $options) {ANSWER} }}"""
BUYER = f"""mutation ($id: ID!, $buyer: BuyerIdentityInput!) {{
    cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: $buyer) {ANSWER} }}"""
NOTE = f"mutation ($id: ID!, $note: String) {{ cartUpdate(cartId: $id, input: {{note: $note}}) {ANSWER} }}"
MERGE = f"mutation ($id: ID!, $into: ID!) {{ cartMerge(cartId: $id, intoCartId: $into) {ANSWER} }}"
READ = f"query ($id: ID!) {{ cart(id: $id) {{ {CART} }} }}"
BEGIN = """mutation ($id: ID!) {
    checkoutCreate(input: { cartId: $id, email: "ada@example.com" }) { userErrors { code } } }"""
ROUNDS = 4


@pytest.fixture
async def pens(api: Api) -> list[MadeProduct]:
    await shop.shop()
    await shipping.zone("US", "DE")
    await markets.market("eu", ("DE",), await markets.price_list("EUR", rate="0.9"))
    await db.execute("INSERT INTO gift_settings VALUES (1, true, 'Gift wrap', now())")
    await db.execute("INSERT INTO gift_wrap_prices VALUES ('USD', 500, 150, now())")
    await discounts.discount("SUMMER")
    made = [await catalogue.product(price_minor=10_00, stock=1000) for _ in range(4)]
    await terms(made[0].id, ENGRAVING)
    return made


async def send(api: Api, document: str, **variables: Any) -> dict[str, Any]:
    result = await api.query(document, variables)
    assert not result.errors, result.errors
    (answer,) = (result.data or {}).values()
    return answer  # type: ignore[no-any-return]


def money(shown: dict[str, Any], *names: str) -> Decimal:
    return sum((Decimal(shown["cost"][name]["amount"]) for name in names), Decimal(0))


def check(cart: dict[str, Any], quantities: Counter[str]) -> None:
    """Whole, and at what its parts come to."""
    lines = cart["lines"]["nodes"]
    found: Counter[str] = Counter()
    for line in lines:
        found[line["variant"]["id"]] += line["quantity"]
        assert money(line, "subtotal") == line["quantity"] * money(line, "unitPrice")
    assert found == quantities
    assert money(cart, "subtotal") == sum(money(line, "subtotal") for line in lines)
    assert money(cart, "discount") == sum(money(line, "discount") for line in lines)
    wrap = Decimal("4.50") if cart["giftOptions"] and cart["giftOptions"]["wrap"] else Decimal(0)
    assert money(cart, "giftWrap") == wrap + sum(money(line, "giftWrap") for line in lines)
    assert money(cart, "total") == money(cart, "subtotal", "giftWrap") - money(cart, "discount")
    assert money(cart, "amountDue") == money(cart, "total") - money(cart, "giftCards")


@pytest.mark.parametrize("under_way", [False, True], ids=["bare", "with a checkout"])
async def test_ten_changes_of_all_kinds_at_once(api: Api, pens: list[MadeProduct], *, under_way: bool) -> None:
    kept, changed, removed, added = pens
    card = await gift_cards.gift_card(500, currency="EUR")
    other = await gift_cards.gift_card(500)

    async def one_round() -> None:
        first = [{"variantId": pen.variant_gid, "quantity": 2} for pen in (kept, changed, removed)]
        cart = (await send(api, CREATE, input={"lines": first}))["cart"]
        gid, line_ids = cart["id"], [line["id"] for line in cart["lines"]["nodes"]]
        if under_way:
            assert (await send(api, BEGIN, id=gid))["userErrors"] == []
        engraved = {"variantId": kept.variant_gid, "customizations": [{"key": "engraving", "value": "Ada"}]}
        wrapped = {"variantId": added.variant_gid, "giftOptions": {"wrap": True}}
        answers = await asyncio.gather(
            send(api, ADD, id=gid, lines=[engraved, wrapped]),
            send(api, ADD, id=gid, lines=[{"variantId": kept.variant_gid}, engraved, {**wrapped, "quantity": 2}]),
            send(api, UPDATE, id=gid, lines=[{"id": line_ids[1], "quantity": 7}]),
            send(api, REMOVE, id=gid, lines=[line_ids[2]]),
            send(api, CODES, id=gid, codes=["SUMMER"]),
            send(api, GIFT, id=gid, options={"wrap": True, "message": "For you"}),
            send(api, GIFT, id=gid, line=line_ids[1], options={"wrap": True}),
            send(api, BUYER, id=gid, buyer={"email": "ada@example.com", "countryCode": "DE"}),
            send(api, NOTE, id=gid, note="Ring twice"),
            send(api, CARDS, id=gid, codes=[other.code]),
        )
        # The card is in dollars: it comes before the country that makes the cart one in euros, or not at all.
        assert [one["userErrors"] for one in answers[:-1]] == [[]] * 9
        assert {error["code"] for error in answers[-1]["userErrors"]} <= {"GIFT_CARD_OTHER_CURRENCY"}
        assert (await send(api, CARDS, id=gid, codes=[card.code]))["userErrors"] == []

        cart = await send(api, READ, id=gid)
        check(cart, Counter({kept.variant_gid: 5, changed.variant_gid: 7, added.variant_gid: 3}))
        assert (cart["note"], cart["giftOptions"]) == ("Ring twice", {"wrap": True, "message": "For you"})
        assert (cart["buyerIdentity"], cart["discountCodes"]) == (
            {"email": "ada@example.com", "countryCode": "DE"},
            [{"code": "SUMMER"}],
        )
        # (3 x 9.00 + 2 x 17.10 + 7 x 9.00 + 3 x 9.00) less ten percent, one wrap of 4.50 and ten of 1.35, and the card
        assert (cart["cost"]["total"], cart["cost"]["amountDue"]["amount"]) == (
            {"amount": "154.08", "currencyCode": "EUR"},
            "149.08",
        )

    await asyncio.gather(*(one_round() for _ in range(ROUNDS)))
    assert await invariants.check() == []


async def test_merges_while_gifts_and_engravings_come_in(api: Api, pens: list[MadeProduct]) -> None:
    """Two carts, each merged into the other while both get lines: every unit stays what it was asked to be."""
    pen = pens[0].variant_gid
    kinds: list[dict[str, Any]] = [
        {"variantId": pen},
        {"variantId": pen, "giftOptions": {"wrap": True}},
        {"variantId": pen, "giftOptions": {"message": "Dear Ada"}},
        {"variantId": pen, "customizations": [{"key": "engraving", "value": "Ada"}]},
        {"variantId": pen, "customizations": [{"key": "engraving", "value": "Ada"}], "giftOptions": {"wrap": True}},
    ]
    one, two = [(await send(api, CREATE, input={"lines": kinds}))["cart"]["id"] for _ in range(2)]
    assert (await send(api, BEGIN, id=one))["userErrors"] == []
    adds = [send(api, ADD, id=gid, lines=[kind]) for kind in kinds for gid in (one, two)]
    merges = [send(api, MERGE, id=source, into=target) for source, target in ((one, two), (two, one)) * 5]
    answers = await asyncio.gather(*(step for pair in zip(adds, merges, strict=True) for step in pair))
    assert [answer["userErrors"] for answer in answers] == [[]] * 20
    cart = (await send(api, MERGE, id=one, into=two))["cart"]
    check(cart, Counter({pen: 20}))
    rows = await db.fetch("SELECT cart_id, quantity, gift_options, customizations FROM cart_lines")
    assert [row["quantity"] for row in rows] == [4] * 5
    assert len({(row["gift_options"], row["customizations"]) for row in rows}) == 5
    assert {row["cart_id"] for row in rows} == {cart_key(two).id}
    assert await invariants.check() == []
