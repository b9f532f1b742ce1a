"""Gift options as lines are made and changed: they tell lines apart, and no change of a cart loses them."""

from typing import Any

import pytest

from app import db
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout
from tests.factories.catalogue import MadeProduct

CART = """id giftOptions { wrap message hidePrices } cost { giftWrap { amount } total { amount } }
    lines { nodes { id quantity attributes { key } giftOptions { wrap message hidePrices } } }"""
CREATE = (
    f"mutation ($input: CartInput) {{ cartCreate(input: $input) {{ cart {{ {CART} }} userErrors {{ code field }} }} }}"
)
ADD = f"""mutation ($id: ID!, $lines: [CartLineInput!]!) {{
    cartLinesAdd(cartId: $id, lines: $lines) {{ cart {{ {CART} }} userErrors {{ code field }} }} }}"""
UPDATE = f"""mutation ($id: ID!, $lines: [CartLineUpdateInput!]!) {{
    cartLinesUpdate(cartId: $id, lines: $lines) {{ cart {{ {CART} }} userErrors {{ code field }} }} }}"""
GIVE = f"""mutation ($id: ID!, $line: ID!, $options: GiftOptionsInput!) {{
    cartGiftOptionsUpdate(cartId: $id, lineId: $line, giftOptions: $options) {{
        cart {{ {CART} }} userErrors {{ code field }} }} }}"""
MERGE = f"""mutation ($id: ID!, $into: ID!) {{
    cartMerge(cartId: $id, intoCartId: $into) {{ cart {{ {CART} }} userErrors {{ code }} }} }}"""
WRAPPED = {"wrap": True, "message": None, "hidePrices": False}


@pytest.fixture
async def pen(api: Api) -> MadeProduct:
    await checkout.shop_that_ships()
    await db.execute("INSERT INTO gift_settings VALUES (1, true, 'Gift wrap', now())")
    await db.execute("INSERT INTO gift_wrap_prices VALUES ('USD', 500, 150, now())")
    return await catalogue.product(price_minor=1000, stock=50)


async def send(api: Api, document: str, **variables: Any) -> dict[str, Any]:
    (payload,) = (await api.query(document, variables)).data.values()  # type: ignore[union-attr]
    found: dict[str, Any] = payload
    return found


def lines_of(payload: dict[str, Any]) -> list[tuple[int, Any]]:
    assert payload["userErrors"] == []
    return [(line["quantity"], line["giftOptions"]) for line in payload["cart"]["lines"]["nodes"]]


async def test_lines_of_one_variant_with_other_gift_options_stay_apart(api: Api, pen: MadeProduct) -> None:
    line = {"variantId": pen.variant_gid}
    wrapped, card = {**line, "giftOptions": {"wrap": True}}, {**line, "giftOptions": {"message": "Dear Ada"}}
    made = await send(
        api, CREATE, input={"giftOptions": {"hidePrices": True}, "lines": [line, {**wrapped, "quantity": 2}]}
    )
    assert made["cart"]["giftOptions"] == {"wrap": False, "message": None, "hidePrices": True}
    # Two wraps of 1.50; 3 x 10.00
    assert made["cart"]["cost"] == {"giftWrap": {"amount": "3.00"}, "total": {"amount": "33.00"}}
    cart = made["cart"]["id"]

    added = await send(api, ADD, id=cart, lines=[line, {**line, "giftOptions": {"wrap": False}}, wrapped, card])
    greeted = {"wrap": False, "message": "Dear Ada", "hidePrices": False}
    assert lines_of(added) == [(3, None), (3, WRAPPED), (1, greeted)]
    assert added["cart"]["cost"]["giftWrap"]["amount"] == "4.50"

    plain, second, third = [one["id"] for one in added["cart"]["lines"]["nodes"]]
    changed = await send(
        api, UPDATE, id=cart, lines=[{"id": plain, "quantity": 1, "giftOptions": {"hidePrices": True}}]
    )
    assert lines_of(changed)[0] == (1, {"wrap": False, "message": None, "hidePrices": True})
    # What becomes alike turns into one, and is charged like it.
    alike = await send(api, GIVE, id=cart, line=third, options={"message": None, "wrap": True})
    assert lines_of(alike)[1:] == [(4, WRAPPED)]
    assert alike["cart"]["cost"]["giftWrap"]["amount"] == "6.00"
    away = await send(
        api, UPDATE, id=cart, lines=[{"id": second, "quantity": 4, "giftOptions": {"wrap": None, "hidePrices": True}}]
    )
    assert lines_of(away) == [(5, {"wrap": False, "message": None, "hidePrices": True})]
    kept = await send(api, UPDATE, id=cart, lines=[{"id": plain, "quantity": 2, "giftOptions": None}])
    assert lines_of(kept) == [(2, {"wrap": False, "message": None, "hidePrices": True})]


async def test_merged_carts_keep_the_gift_options_of_each_line(api: Api, pen: MadeProduct) -> None:
    line = {"variantId": pen.variant_gid}
    note = {**line, "giftOptions": {"message": "For you"}}
    one = (await send(api, CREATE, input={"lines": [line, note]}))["cart"]["id"]
    other = (await send(api, CREATE, input={"lines": [{**line, "giftOptions": {"wrap": True}}, note]}))["cart"]["id"]
    merged = await send(api, MERGE, id=other, into=one)
    assert lines_of(merged) == [
        (1, None),
        (2, {"wrap": False, "message": "For you", "hidePrices": False}),
        (1, WRAPPED),
    ]
    assert merged["cart"]["cost"]["giftWrap"]["amount"] == "1.50"


async def test_what_cannot_be_done_with_a_gift_refuses_the_whole(api: Api, pen: MadeProduct) -> None:
    digital = await catalogue.product(kind="DIGITAL", requires_shipping=False, stock=None)
    cart = await carts.cart((pen.variant_id, 1))
    wrong = [
        {"variantId": pen.variant_gid, "giftOptions": {"message": "x" * 501}},
        {"variantId": digital.variant_gid, "giftOptions": {"wrap": True}},
    ]
    expected = [
        ("TOO_LONG", ["lines", "0", "giftOptions", "message"]),
        ("GIFT_WRAP_UNAVAILABLE", ["lines", "1", "giftOptions", "wrap"]),
    ]
    refused = await send(api, ADD, id=cart.gid, lines=wrong)
    assert [(one["code"], one["field"]) for one in refused["userErrors"]] == expected
    created = await send(api, CREATE, input={"lines": wrong})
    assert [(one["code"], one["field"]) for one in created["userErrors"]] == [
        (code, ["input", *path]) for code, path in expected
    ]
    await db.execute("UPDATE gift_settings SET wrapping_enabled = false")
    wrap = {"id": cart.line_gids[0], "quantity": 3, "giftOptions": {"wrap": True}}
    updated = await send(api, UPDATE, id=cart.gid, lines=[wrap])
    assert updated["userErrors"] == [{"code": "GIFT_WRAP_UNAVAILABLE", "field": ["lines", "0", "giftOptions", "wrap"]}]
    whole = await send(api, CREATE, input={"lines": [{"variantId": pen.variant_gid}], "giftOptions": {"wrap": True}})
    assert whole["userErrors"] == [{"code": "GIFT_WRAP_UNAVAILABLE", "field": ["input", "giftOptions", "wrap"]}]
    rows = await db.fetch("SELECT quantity, gift_options FROM cart_lines")
    assert [tuple(row) for row in rows] == [(1, None)]
