"""What is made to order in other markets than the shop's own: what is shown is what is charged."""

from typing import Any

from app import db
from tests.api.cart_operations import payload
from tests.client import Api
from tests.factories import catalogue, checkout, markets, shipping, shop, taxes
from tests.factories.terms import ENGRAVING, WOOD, terms

OPTIONS = """query ($id: ID!) {place} {{ product(id: $id) {{ customizations {{
    key price {{ amount currencyCode }} choices {{ price {{ amount }} }} }} }} }}"""
MADE = "customizations { key price { amount currencyCode } } cost { unitPrice { amount } }"
CREATE = f"""mutation ($input: CartInput) {{
    cartCreate(input: $input) {{ cart {{ id lines {{ nodes {{ {MADE} }} }} }} userErrors {{ code }} }} }}"""
BUYER = f"""mutation ($id: ID!, $country: CountryCode!) {{
    cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: {{ countryCode: $country }}) {{
        cart {{ lines {{ nodes {{ {MADE} }} }} }} userErrors {{ code }} }} }}"""
ORDER = f"query ($id: ID!, $token: String) {{ order(id: $id, token: $token) {{ lines {{ nodes {{ {MADE} }} }} }} }}"
CHOSEN = [{"key": "engraving", "value": "Ada"}, {"key": "wood", "value": "walnut"}]


def amounts(line: dict[str, Any]) -> tuple[list[str], str]:
    """Of each option, and of the unit with them."""
    return [one["price"]["amount"] for one in line["customizations"]], line["cost"]["unitPrice"]["amount"]


async def test_options_are_shown_and_charged_in_the_markets_currency(api: Api) -> None:
    await shop.shop()
    await shipping.zone("US", "DE")
    await markets.market("eu", ("DE",), await markets.price_list("EUR", rate="0.9"))
    chair = await catalogue.product(price_minor=100_00)
    await terms(chair.id, ENGRAVING, WOOD)

    shown = await api.ok(OPTIONS.format(place="@inContext(country: DE)"), {"id": chair.gid})
    engraving, wood = shown["product"]["customizations"]
    assert engraving["price"] == {"amount": "8.10", "currencyCode": "EUR"}
    assert [one["price"]["amount"] for one in wood["choices"]] == ["0.00", "22.50"]
    at_home = (await api.ok(OPTIONS.format(place=""), {"id": chair.gid}))["product"]["customizations"]
    assert at_home[0]["price"] == {"amount": "9.00", "currencyCode": "USD"}

    line = {"variantId": chair.variant_gid, "customizations": CHOSEN}
    given = {"lines": [line], "buyerIdentity": {"countryCode": "DE"}}
    cart = (await payload(api, CREATE, input=given))["cart"]
    (made,) = cart["lines"]["nodes"]
    # 90.00 + 8.10 + 22.50
    assert amounts(made) == (["8.10", "22.50"], "120.60")
    assert {one["price"]["currencyCode"] for one in made["customizations"]} == {"EUR"}

    berlin = {**checkout.ADDRESS, "city": "Berlin", "provinceCode": None, "postalCode": "10117", "countryCode": "DE"}
    place = {"countryCode": "DE", "postalCode": "10117", "city": "Berlin"}
    placed = await checkout.complete(
        api,
        {
            "cartId": cart["id"],
            "idempotencyKey": checkout.new_key(),
            "email": checkout.EMAIL,
            "shippingAddress": berlin,
            "shippingQuoteId": await checkout.quote_for(api, cart["id"], place),
            "payment": checkout.CARD,
        },
    )
    sold = await api.ok(ORDER, {"id": placed["order"]["id"], "token": placed["orderToken"]})
    assert sold["order"]["lines"]["nodes"] == [made]


async def test_options_bear_the_buyers_tax_and_add_up_to_the_unit(api: Api) -> None:
    """Prices of a German shop include 19 %, which who lives in Switzerland does not pay."""
    await shop.shop(currency="EUR", countries=("DE", "CH"))
    await db.execute("UPDATE markets SET prices_include_tax = true")
    await taxes.settings(home_country_code="DE", tax_id="DE136695976")
    await taxes.zone("DE", standard=[("VAT 19 %", "19")])
    chair = await catalogue.product(price_minor=100_00)
    await terms(chair.id, {**ENGRAVING, "price_minor": 810}, {**WOOD, "price_minor": 2250})
    line = {"variantId": chair.variant_gid, "customizations": [CHOSEN[0], {"key": "wood", "value": "oak"}]}
    cart = (await payload(api, CREATE, input={"lines": [line], "buyerIdentity": {"countryCode": "DE"}}))["cart"]
    assert amounts(cart["lines"]["nodes"][0]) == (["8.10", "22.50"], "130.60")
    (abroad,) = (await payload(api, BUYER, id=cart["id"], country="CH"))["cart"]["lines"]["nodes"]
    # 100.00 / 1.19 = 84.03, 8.10 / 1.19 = 6.81, 22.50 / 1.19 = 18.91; the options at once would be 25.71.
    assert amounts(abroad) == (["6.81", "18.91"], "109.75")
