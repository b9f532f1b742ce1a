"""What a draft order can hold: options made to order, wraps and greetings, and the price of a real shipping quote."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, drafts, taxes
from tests.factories.catalogue import MadeProduct
from tests.factories.terms import ENGRAVING, WOOD, terms

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]
SHOWN = """query ($id: ID!) { draftOrder(id: $id) {
    giftOptions { wrap message hidePrices } shipping { title price { amount } }
    lines { customizations { key displayValue price { amount } } giftOptions { wrap }
            cost { unitPrice { amount } total { amount } } }
    cost { subtotal { amount } giftWrap { amount } shipping { amount } tax { amount } total { amount } }
} }"""
MADE = [{"key": "engraving", "value": "Ada"}, {"key": "wood", "value": "walnut"}]
VAN = {"title": "Van", "price": drafts.usd("0")}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def lamp(api: Api) -> MadeProduct:
    """10.00, with an engraving for 9.00 and a wood, of which walnut costs 25.00."""
    product = await catalogue.product(price_minor=1000, stock=9)
    await terms(product.id, ENGRAVING, {**WOOD, "required": True})
    return product


async def shown(api: Api, token: str, draft_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ok(SHOWN, {"id": draft_id}, token=token))["draftOrder"]
    return found


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


async def test_options_cost_what_they_do_or_lie_in_what_was_negotiated(
    api: Api, staff_token: str, lamp: MadeProduct
) -> None:
    line = {"variantId": lamp.variant_gid, "quantity": 2, "customizations": MADE}
    draft = await drafts.created(
        api, staff_token, lines=[line, {**line, "quantity": 1, "unitPrice": drafts.usd("40")}], shipping=VAN
    )
    seen = await shown(api, staff_token, draft["id"])
    # 2 x (10.00 + 9.00 + 25.00) and 40.00 for one with the same options in it.
    assert [one["cost"]["total"]["amount"] for one in seen["lines"]] == ["88.00", "40.00"]
    assert [[made["price"]["amount"] for made in one["customizations"]] for one in seen["lines"]] == [
        ["9.00", "25.00"],
        ["0.00", "0.00"],
    ]
    assert seen["lines"][0]["customizations"][1]["displayValue"] == "Walnut"
    link = await drafts.sent(api, staff_token, draft["id"])
    await terms(lamp.id, {**ENGRAVING, "price_minor": 9900})
    placed = await drafts.complete(api, link, payment=checkout.CARD)
    assert placed["order"]["cost"]["total"]["amount"] == "128.00"
    kept = await db.fetch("SELECT customizations -> 0 ->> 'shown' AS engraved FROM order_lines ORDER BY position")
    assert [row["engraved"] for row in kept] == ["Ada", "Ada"]
    assert await invariants.check() == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([], "CUSTOMIZATION_REQUIRED"),
        ([*MADE, {"key": "gilding", "value": "true"}], "CUSTOMIZATION_UNKNOWN"),
        ([{"key": "wood", "value": "plastic"}], "CUSTOMIZATION_UNKNOWN"),
    ],
)
async def test_what_cannot_be_made_is_not_written(
    api: Api, staff_token: str, lamp: MadeProduct, given: list[dict[str, str]], code: str
) -> None:
    line = {"variantId": lamp.variant_gid, "quantity": 1, "customizations": given}
    refused = await drafts.create(api, staff_token, lines=[line])
    assert codes(refused) == [code]
    assert refused["userErrors"][0]["field"][:3] == ["input", "lines", "0"]
    assert await db.fetchval("SELECT count(*) FROM draft_orders") == 0


async def test_a_cart_is_quoted_with_its_options_and_its_wraps(api: Api, staff_token: str, lamp: MadeProduct) -> None:
    await _wraps(api, staff_token)
    cart = await carts.cart()
    add = """mutation ($id: ID!, $lines: [CartLineInput!]!, $gift: GiftOptionsInput!) {
        cartLinesAdd(cartId: $id, lines: $lines) { userErrors { code } }
        cartGiftOptionsUpdate(cartId: $id, giftOptions: $gift) { userErrors { code } }
    }"""
    line = {"variantId": lamp.variant_gid, "quantity": 1, "customizations": MADE, "giftOptions": {"wrap": True}}
    gift = {"wrap": True, "message": "For Ada"}
    await api.ok(add, {"id": cart.gid, "lines": [line], "gift": gift})
    ask = """mutation ($input: QuotationRequestInput!) {
        quotationRequest(input: $input) { quotationId userErrors { code } }
    }"""
    asked = (await api.ok(ask, {"input": {"cartId": cart.gid, "email": checkout.EMAIL}}))["quotationRequest"]
    seen = await shown(api, staff_token, asked["quotationId"])
    # 44.00, wrapped at 1.50 for the unit and 5.00 for all of it.
    assert (seen["cost"]["subtotal"]["amount"], seen["cost"]["giftWrap"]["amount"]) == ("44.00", "6.50")
    assert (seen["giftOptions"]["message"], seen["lines"][0]["giftOptions"]) == ("For Ada", {"wrap": True})
    await terms(lamp.id, ENGRAVING)
    again = (await drafts.ok(api, ask, {"input": {"cartId": cart.gid, "email": checkout.EMAIL}}))["quotationRequest"]
    assert codes(again) == ["CUSTOMIZATION_UNKNOWN"]


async def test_a_wrap_that_the_shop_does_not_offer(api: Api, staff_token: str) -> None:
    refused = await drafts.create(api, staff_token, giftOptions={"wrap": True})
    assert codes(refused) == ["GIFT_WRAP_UNAVAILABLE"]
    assert codes(await drafts.create(api, staff_token, giftOptions={"message": "x" * 501})) == ["TOO_LONG"]
    assert await db.fetchval("SELECT count(*) FROM draft_orders") == 0


async def test_a_quote_keeps_its_price_as_long_as_the_draft(
    api: Api, staff_token: str, advance: Advance, drain: Drain
) -> None:
    await taxes.zone("US", standard="10", shipping="AS_GOODS")
    sweater = await catalogue.product(price_minor=1000, stock=5)
    quote = await _quote(api, sweater, 2)
    line = {"variantId": sweater.variant_gid, "quantity": 2}
    draft = await drafts.created(api, staff_token, lines=[line], shippingQuoteId=quote)
    seen = await shown(api, staff_token, draft["id"])
    # 20.00 and 5.99 shipping, taxed as the goods: 2.00 + 0.60.
    assert seen["shipping"]["price"]["amount"] == "5.99"
    assert [seen["cost"][part]["amount"] for part in ("shipping", "tax", "total")] == ["5.99", "2.60", "28.59"]
    link = await drafts.sent(api, staff_token, draft["id"])
    await advance("P3D")  # the quote itself was good for half an hour
    placed = await drafts.complete(api, link, payment=checkout.CARD, expectedTotal=drafts.usd("28.59"))
    assert placed["userErrors"] == []
    row = await db.fetchrow(
        "SELECT shipping_quote ? 'zoneId' AS zone, shipping_quote ->> 'estimatedDelivery' AS days FROM orders"
    )
    assert row
    assert dict(row) == {"zone": True, "days": None}
    await drain()
    assert await invariants.check() == []


async def test_a_quote_for_something_else(api: Api, staff_token: str) -> None:
    sweater = await catalogue.product(price_minor=1000, stock=5)
    quote = await _quote(api, sweater, 2)
    for changed, code in (
        ({"lines": [{"variantId": sweater.variant_gid, "quantity": 3}]}, "QUOTE_NOT_APPLICABLE"),
        ({"shippingAddress": {**checkout.ADDRESS, "postalCode": "94110"}}, "QUOTE_NOT_APPLICABLE"),
        ({"shippingAddress": None}, "REQUIRED"),
        ({"shipping": VAN}, "INVALID"),
        ({"shippingQuoteId": "quote_x"}, "QUOTE_INVALID"),
    ):
        given = {"lines": [{"variantId": sweater.variant_gid, "quantity": 2}], "shippingQuoteId": quote, **changed}
        assert codes(await drafts.create(api, staff_token, **given)) == [code], changed
    assert await db.fetchval("SELECT count(*) FROM draft_orders") == 0


async def _quote(api: Api, product: MadeProduct, quantity: int) -> str:
    lines = [{"variantId": product.variant_gid, "quantity": quantity}]
    found = await api.ok(checkout.QUOTES, {"input": {"lines": lines, "address": checkout.DESTINATION}})
    assert found["shippingQuotes"]["userErrors"] == []
    return str(found["shippingQuotes"]["quotes"][0]["id"])


async def _wraps(api: Api, token: str) -> None:
    change = "mutation ($input: GiftSettingsInput!) { giftSettingsUpdate(input: $input) { userErrors { code } } }"
    prices = [{"order": drafts.usd("5"), "unit": drafts.usd("1.50")}]
    await api.ok(change, {"input": {"wrappingEnabled": True, "label": "Gift wrap", "prices": prices}}, token=token)
