"""What was sold stays what was sold, whatever the shop changes later: in the order, its mail, its invoice, its page.

Two orders with everything that can be in one: in a market of the Union with the tax inside, and in the United States
with the tax on top, by a company. Then the shop is turned upside down.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from app import db, invariants
from app.cart import entering
from app.cart.service import CartKey
from app.kit import ids
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, companies, discounts, gift_cards, markets, shipping, taxes
from tests.factories import cart as carts
from tests.factories.terms import ENGRAVING, WOOD, terms

Drain = Callable[[], Awaitable[None]]

MONEY = "{ amount currencyCode }"
ORDER = f"""query ($id: ID!, $token: String) {{ order(id: $id, token: $token) {{
    number email status paymentStatus fulfillmentStatus paymentMethod taxId reverseCharge note
    discounts {{ name code amount {MONEY} discountClass }} giftOptions {{ wrap message hidePrices }}
    shippingAddress {{ lastName address1 city countryCode }} shipping {{ carrier service price {MONEY} }}
    cost {{
        subtotal {MONEY} discount {MONEY} giftWrap {MONEY} shipping {MONEY} tax {MONEY} taxIncluded rounding {MONEY}
        total {MONEY} giftCards {MONEY} amountDue {MONEY} taxLines {{ name rate amount {MONEY} }}
        discountAllocations {{ name code target amount {MONEY} }}
    }}
    lines {{ nodes {{
        id productId productName variantName sku imageUrl quantity selectedOptions {{ name value }}
        customizations {{ key label value displayValue price {MONEY} }} giftOptions {{ wrap message }}
        cost {{ unitPrice {MONEY} subtotal {MONEY} discount {MONEY} tax {MONEY} total {MONEY} }}
    }} }}
    invoices {{ number kind total {MONEY} tax {MONEY} url }}
}} }}"""
TRACK = """query ($token: String!) { orderTracking(token: $token) {
    number status fulfillmentStatus estimatedDelivery { from to } shipments { carrier trackingNumber } } }"""
ADD = """mutation ($id: ID!, $lines: [CartLineInput!]!) {
    cartLinesAdd(cartId: $id, lines: $lines) { cart { id } userErrors { code field } } }"""
WRAPS = """mutation ($input: GiftSettingsInput!) { giftSettingsUpdate(input: $input) { userErrors { code } } }"""
WRAP = """mutation ($id: ID!, $wanted: GiftOptionsInput!) {
    cartGiftOptionsUpdate(cartId: $id, giftOptions: $wanted) { userErrors { code } } }"""
COMPANY = """mutation ($id: ID!, $company: ID) {
    cartCompanyUpdate(cartId: $id, companyId: $company) { userErrors { code } } }"""
CONFIRMATIONS = "SELECT id FROM messages WHERE template = 'order_confirmation' AND resend_of IS NULL ORDER BY id"
RESEND = "mutation ($id: ID!) { messageResend(id: $id) { message { id } userErrors { code } } }"
INBOX = "{ devInbox(first: 50) { to subject text html } }"
BERLIN = {"lastName": "Lovelace", "address1": "Unter den Linden 1", "city": "Berlin", "postalCode": "10115",
          "countryCode": "DE"}  # fmt: skip

# Each of these changes all there is of a thing. What was sold is frozen by triggers as well, so none touches it.
CHANGES = (
    "UPDATE products SET name = 'Another name', slug = slug || '-2', tax_class_id = NULL",
    "UPDATE product_variants SET name = 'Another variant', sku = sku || '-2'",
    "UPDATE product_terms SET customizations = '[]'",
    "UPDATE tax_rates SET name = 'Another tax', percentage = 1",
    "UPDATE tax_settings SET home_country_code = 'FR'",
    "UPDATE markets SET name = 'Another market', prices_include_tax = NOT prices_include_tax",
    "UPDATE price_lists SET exchange_rate = 2",
    "UPDATE discounts SET name = 'Another discount', percentage = 90, status = 'DISABLED'",
    "UPDATE discount_codes SET code = 'OTHER', disabled_at = business_now()",
    "UPDATE stored_values SET status = 'DISABLED'",
    "UPDATE gift_settings SET wrapping_label = 'Another wrap', wrapping_enabled = false",
    "UPDATE gift_wrap_prices SET order_minor = 9900, unit_minor = 9900",
    'UPDATE shipping_methods SET carrier = \'Another carrier\', rate = \'{"kind": "FLAT", "price_minor": 1}\'',
    "UPDATE shop SET legal_name = 'Another Inc.', postal_address = 'Elsewhere 9'",
    "UPDATE companies SET name = 'Another company', tax_id = NULL",
    "UPDATE customers SET first_name = 'Another', last_name = 'Person'",
)


async def the_shop(api: Api, token: str) -> Any:
    """Everything that orders are made of; the product that they buy."""
    await checkout.shop_that_ships()
    await shipping.zone("DE")
    await taxes.settings(home_country_code="US")
    await taxes.zone({"country": "US", "provinces": ["CA"]}, name="CA", standard=[("California sales tax", "7.25")])
    await taxes.zone("DE", name="DE", standard=[("VAT 19 %", "19")])
    await markets.market("eu", ("DE",), await markets.price_list("EUR", rate="0.9"), prices_include_tax=True)
    prices = [
        {"order": {"amount": amount, "currencyCode": currency}, "unit": {"amount": "1.50", "currencyCode": currency}}
        for amount, currency in (("5.00", "USD"), ("4.00", "EUR"))
    ]
    given = {"wrappingEnabled": True, "label": "Birthday wrap", "prices": prices}
    await api.ok(WRAPS, {"input": given}, token=token)
    await discounts.discount("TEN")
    product = await catalogue.product(name="Harbour chest", price_minor=100_00, stock=9)
    await terms(product.id, ENGRAVING, WOOD)
    return product


async def buy(api: Api, product: Any, place: dict[str, Any], card: Any, token: str | None = None) -> dict[str, Any]:
    """Two engraved chests of walnut, wrapped, with a code and a gift card."""
    cart = await carts.cart(country_code=place["countryCode"])
    if token is not None:
        company = ids.encode("comp", await db.fetchval("SELECT id FROM companies"))
        await api.ok(COMPANY, {"id": cart.gid, "company": company}, token=token)
    made = [{"key": "engraving", "value": "For Ada"}, {"key": "wood", "value": "walnut"}]
    line = {"variantId": product.variant_gid, "quantity": 2, "customizations": made}
    await api.ok(ADD, {"id": cart.gid, "lines": [line]}, token=token)
    await api.ok(WRAP, {"id": cart.gid, "wanted": {"wrap": True, "message": "Happy birthday"}}, token=token)
    key = CartKey(cart.id, cart.secret)
    await entering.change_codes(key, ["TEN"], "client")
    await entering.change_gift_cards(key, [card.code], "client")
    there = {name: place[name] for name in ("countryCode", "provinceCode", "postalCode", "city") if name in place}
    given = {
        "cartId": cart.gid, "idempotencyKey": checkout.new_key(), "email": checkout.EMAIL, "shippingAddress": place,
        "shippingQuoteId": await checkout.quote_for(api, cart.gid, there), "payment": checkout.CARD,
    }  # fmt: skip
    placed = await checkout.complete(api, given, token=token)
    assert placed["order"], placed["userErrors"]
    return placed


async def looks(api: Api, token: str, placed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each order: what staff see, what its buyer sees, its page, and its invoice to the byte."""
    found = []
    for one in placed:
        order = (await api.ok(ORDER, {"id": one["order"]["id"]}, token=token))["order"]
        (invoice,) = order["invoices"]
        found.append(
            {
                "staff": order,
                "buyer": (await api.ok(ORDER, {"id": one["order"]["id"], "token": one["orderToken"]}))["order"],
                "page": (await api.ok(TRACK, {"token": one["orderToken"]}))["orderTracking"],
                "pdf": (await api.http.get("/" + invoice["url"].split("/", 3)[3])).content,
            }
        )
    return found


async def confirmations(api: Api, token: str) -> list[str]:
    """Their texts, the oldest first: without links, which are made anew for each mail, and without the imprint of the
    shop as it is when it writes."""
    mails = [mail["text"] for mail in (await api.ok(INBOX, token=token))["devInbox"] if "confirmed" in mail["subject"]]
    return [re.sub(r"https?://\S+", "…", text).partition("\n--\n")[0] for text in mails[::-1]]


async def test_an_order_says_what_was_sold_for_ever(api: Api, staff_token: str, drain: Drain) -> None:
    product = await the_shop(api, staff_token)
    buyer = await accounts.signed_in("buyer@acme.example")
    await companies.member(await companies.company(), buyer.id)
    placed = [
        await buy(api, product, BERLIN, await gift_cards.gift_card(10_00, currency="EUR")),
        await buy(api, product, checkout.ADDRESS, await gift_cards.gift_card(10_00), token=buyer.token),
    ]
    await drain()
    before = await looks(api, staff_token, placed)
    union, states = (one["staff"] for one in before)
    # 2 x (90.00 + 9.00 x 0.9 + 25.00 x 0.9) = 241.20, less ten percent; the tax is inside of it, wrap and shipping.
    assert (union["cost"]["taxIncluded"], union["cost"]["subtotal"]["amount"]) == (True, "241.20")
    assert [line["name"] for line in union["cost"]["taxLines"]] == ["VAT 19 %"]
    # 2 x (100.00 + 9.00 + 25.00) = 268.00, and the tax on top.
    assert (states["cost"]["taxIncluded"], states["cost"]["subtotal"]["amount"]) == (False, "268.00")
    assert [line["name"] for line in states["cost"]["taxLines"]] == ["California sales tax"]
    for order in (union, states):
        assert order["cost"]["giftCards"]["amount"] == "10.00"
        assert [(one["code"], one["name"]) for one in order["discounts"]] == [("TEN", "TEN")]
    mails = await confirmations(api, staff_token)
    assert len(mails) == 2
    assert all("Harbour chest" in mail and "Walnut" in mail and "For Ada" in mail for mail in mails)

    for change in CHANGES:
        assert await db.execute(change), f"nothing to change: {change}"
    await catalogue.reprice(product, 700_00)

    assert await looks(api, staff_token, placed) == before
    for row in await db.fetch(CONFIRMATIONS):
        await api.ok(RESEND, {"id": ids.encode("msg", row["id"])}, token=staff_token)
    await drain()
    again = await confirmations(api, staff_token)
    assert again[2:] == mails, "written anew, it says the same"
    assert await invariants.check() == []
