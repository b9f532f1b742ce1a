"""The amounts that a shopper saw are the order's, itemised to the last cent; and what older orders say of theirs."""

import uuid
from decimal import Decimal
from typing import Any

import pytest

from app import db, invariants
from app.orders.draft import OrderDraft
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, discounts, gift_cards, orders, taxes
from tests.factories.cart import MadeCart

COST = """cost {
    subtotal { amount } discount { amount } giftWrap { amount } shipping { amount } tax { amount } taxIncluded
    rounding { amount } total { amount } giftCards { amount } storeCredit { amount } amountDue { amount currencyCode }
    taxLines { name rate amount { amount } taxableAmount { amount } code compound reverseCharge }
    discountAllocations { name code target amount { amount } }
}"""
LINES = """lines { nodes { quantity cost {
    unitPrice { amount } subtotal { amount } discount { amount } giftWrap { amount } tax { amount } total { amount }
    taxLines { name rate amount { amount } } discountAllocations { name code target amount { amount } }
} } }"""
CREATE = "mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) { checkout { id } } }"
UPDATE = f"""mutation ($id: ID!, $input: CheckoutUpdateInput!) {{ checkoutUpdate(checkoutId: $id, input: $input) {{
    checkout {{ id {COST} cart {{ {LINES} }} }} userErrors {{ code message field }}
}} }}"""
COMPLETE = f"""mutation ($input: CheckoutCompleteInput!) {{ checkoutComplete(input: $input) {{
    order {{ id {COST} {LINES} discounts {{ name code amount {{ amount }} }} }} orderToken
    userErrors {{ code message field }}
}} }}"""
ORDER = f"query ($id: ID!, $token: String) {{ order(id: $id, token: $token) {{ id {COST} {LINES} }} }}"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def three_lines(api: Api) -> MadeCart:
    """With two discounts."""
    await discounts.discount(name="Season", percentage=Decimal("7.5"))
    await discounts.discount("TEN", amount="10.00")
    products = [await catalogue.product(price_minor=price, stock=10) for price in (333, 1999, 45)]
    cart = await carts.cart(
        *((product.variant_id, quantity) for product, quantity in zip(products, (3, 1, 7), strict=True))
    )
    codes = 'mutation ($id: ID!) { cartDiscountCodesUpdate(cartId: $id, codes: ["TEN"]) { userErrors { code } } }'
    await api.ok(codes, {"id": cart.gid})
    return cart


async def bought(api: Api, cart: MadeCart) -> tuple[dict[str, Any], dict[str, Any]]:
    """The checkout as it was shown last, and its order."""
    quote_id = await checkout.quote_for(api, cart.gid)
    given = {"cartId": cart.gid, "email": checkout.EMAIL, "shippingAddress": checkout.ADDRESS}
    made = (await api.ok(CREATE, {"input": given}))["checkoutCreate"]["checkout"]
    updated = await api.ok(UPDATE, {"id": made["id"], "input": {"shippingQuoteId": quote_id}})
    shown: dict[str, Any] = updated["checkoutUpdate"]["checkout"]
    paid = {"idempotencyKey": checkout.new_key(), "payment": checkout.CARD}
    answer = (await api.ok(COMPLETE, {"input": {"checkoutId": shown["id"], **paid}}))["checkoutComplete"]
    return shown, {**answer["order"], "token": answer["orderToken"]}


async def test_the_order_costs_what_the_checkout_showed_line_by_line(api: Api) -> None:
    shown, placed = await bought(api, await three_lines(api))
    assert placed["cost"] == shown["cost"]
    assert placed["lines"] == shown["cart"]["lines"]
    read = (await api.ok(ORDER, {"id": placed["id"], "token": placed["token"]}))["order"]
    assert (read["cost"], read["lines"]) == (placed["cost"], placed["lines"])

    # 3 x 3.33 + 19.99 + 7 x 0.45 = 33.13; 7.5 % of it are 2.48475; 5.99 to ship.
    cost = placed["cost"]
    off = [(part["name"], part["target"], part["amount"]["amount"]) for part in cost["discountAllocations"]]
    assert off == [("Season", "MERCHANDISE", "2.48"), ("TEN", "MERCHANDISE", "10.00")]
    assert cost["total"]["amount"] == cost["amountDue"]["amount"] == "26.64"
    for part in cost["discountAllocations"]:
        of_lines = [one for line in placed["lines"]["nodes"] for one in line["cost"]["discountAllocations"]]
        allocated = sum(Decimal(one["amount"]["amount"]) for one in of_lines if one["name"] == part["name"])
        assert allocated == Decimal(part["amount"]["amount"])
    assert await db.fetchval("SELECT sum(amount_minor) FROM test_gateway_payments") == 2664
    assert await invariants.check() == []


async def test_taxes_wraps_coins_and_gift_cards_add_up_to_the_last_unit(api: Api) -> None:
    """Everything at once: two taxes on top, another rate for books, 10 % off, two sorts of wraps, a total in steps of
    0.05, and a gift card that pays a part."""
    await db.execute("UPDATE markets SET rounding_minor = 5")
    await taxes.zone("US", standard=[("State", "6.25"), ("City", "2.25")], reduced=[("State", "1.00")])
    books = await taxes.tax_class("reduced")
    await db.execute(
        "INSERT INTO gift_settings (id, wrapping_enabled, wrapping_label, updated_at) VALUES (1, true, 'Wrap', now())"
    )
    await db.execute("INSERT INTO gift_wrap_prices VALUES ('USD', 502, 150, now())")
    await discounts.discount(name="Season", percentage=Decimal(10))
    shirt, book = (
        await catalogue.product(price_minor=1999, stock=10),
        await catalogue.product(price_minor=333, stock=10),
    )
    await db.execute("UPDATE products SET tax_class_id = $2 WHERE id = $1", book.id, books)
    cart = await carts.cart((shirt.variant_id, 2), (book.variant_id, 7))
    await db.execute("""UPDATE carts SET gift_options = '{"wrap": true}'""")
    await db.execute(
        """UPDATE cart_lines SET gift_options = '{"wrap": true}' WHERE variant_id = $1""", shirt.variant_id
    )
    card = await gift_cards.gift_card(1000)
    await db.execute("UPDATE carts SET gift_card_ids = jsonb_build_array($1::text)", str(card.id))
    shown, placed = await bought(api, cart)
    assert placed["cost"] == shown["cost"]
    assert placed["lines"] == shown["cart"]["lines"]
    cost = {name: part["amount"] for name, part in placed["cost"].items() if isinstance(part, dict)}

    # 2 x 19.99 + 7 x 3.33 = 63.29, less 10 %: 6.33, of which 4.00 off the shirts. Wraps: 2 x 1.50 and 5.02.
    # That wrap and the shipping are taxed as the goods, 35.98 to 20.98: 3.17 + 1.85 and 3.78 + 2.21.
    # Shirts 35.98 + 3.00 + 3.17 + 3.78 = 45.93 at 6.25 % and 2.25 %; books 20.98 + 1.85 + 2.21 = 25.04 at 1 %.
    assert [
        (tax["name"], tax["taxableAmount"]["amount"], tax["amount"]["amount"]) for tax in placed["cost"]["taxLines"]
    ] == [("State", "45.93", "2.87"), ("City", "45.93", "1.03"), ("State", "25.04", "0.25")]
    assert cost == {
        "subtotal": "63.29",
        "discount": "6.33",
        "giftWrap": "8.02",
        "shipping": "5.99",
        "tax": "4.15",
        "rounding": "-0.02",
        "total": "75.10",
        "giftCards": "10.00",
        "storeCredit": "0.00",
        "amountDue": "65.10",
    }
    charged = await db.fetchval("SELECT sum(amount_minor) FROM test_gateway_payments")
    assert charged == 6510
    assert await invariants.check() == []


async def test_an_order_of_the_release_before_is_due_in_full(api: Api) -> None:
    """It left the columns that it did not know to their defaults."""
    product = await catalogue.product(price_minor=2500, stock=5)
    given = await checkout.ready_input(api, (product, 1))
    answer = (await api.ok(COMPLETE, {"input": given}))["checkoutComplete"]
    await orders.rewrite("UPDATE orders SET amount_due_minor = DEFAULT, tax_lines = DEFAULT, stored_value = DEFAULT")
    read = (await api.ok(ORDER, {"id": answer["order"]["id"], "token": answer["orderToken"]}))["order"]
    assert read["cost"] == answer["order"]["cost"]
    assert read["cost"]["amountDue"]["amount"] == "30.99"
    assert await invariants.check() == []


def test_a_draft_that_the_release_before_kept_is_still_placed_as_it_was() -> None:
    kept = f"""{{
        "id": "{uuid.uuid4()}", "cart_id": "{uuid.uuid4()}", "email": "ada@example.com", "phone": null,
        "payment_method": "CARD", "currency_code": "USD", "subtotal_minor": 100,
        "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0, "tax_included": false, "total_minor": 100,
        "shipping_address": null, "billing_address": null, "shipping_quote": null, "note": null, "attributes": [],
        "lines": [{{
            "id": "{uuid.uuid4()}", "position": 0, "product_id": "{uuid.uuid4()}", "variant_id": "{uuid.uuid4()}",
            "product_name": "Mug", "variant_name": "", "sku": null, "image_url": null, "selected_options": [],
            "attributes": [], "quantity": 1, "unit_price_minor": 100, "subtotal_minor": 100, "discount_minor": 0,
            "tax_minor": 0, "total_minor": 100, "weight_grams": 0, "requires_shipping": true
        }}],
        "discounts": [{{"id": "{uuid.uuid4()}", "code_id": null, "name": "Sale", "code": null, "amount_minor": 5}}]
    }}"""
    draft = OrderDraft.from_json(kept)
    assert draft.due_minor == 100
    assert draft.discounts[0].target == "MERCHANDISE"
    assert draft.lines[0].tax_lines == ()
