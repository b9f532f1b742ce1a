"""Options made to order in a cart: checked, charged, kept apart, and told about when the offer changes."""

from typing import Any

from app import db
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, shop
from tests.factories.terms import ENGRAVING, WOOD, terms

CART = """
    id cost { subtotal { amount } total { amount } }
    lines { nodes {
        id quantity cost { total { amount } } warnings { code }
        customizations { key label value displayValue price { amount } }
    } }
"""
ADD = f"""mutation ($id: ID!, $lines: [CartLineInput!]!) {{
    cartLinesAdd(cartId: $id, lines: $lines) {{ cart {{ {CART} }} userErrors {{ code field
        ... on QuantityNotAllowedError {{ minimum maximum multipleOf }} }} }}
}}"""
UPDATE = f"""mutation ($id: ID!, $lines: [CartLineUpdateInput!]!) {{
    cartLinesUpdate(cartId: $id, lines: $lines) {{ cart {{ {CART} }} userErrors {{ code field }} }}
}}"""


def given(**values: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


async def run(api: Api, document: str, cart: str, *lines: dict[str, Any]) -> dict[str, Any]:
    data = (await api.query(document, {"id": cart, "lines": list(lines)})).data
    assert data is not None
    (payload,) = data.values()
    found: dict[str, Any] = payload
    return found


async def seen(api: Api, cart: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ok(f"query ($id: ID!) {{ cart(id: $id) {{ {CART} }} }}", {"id": cart}))["cart"]
    return found


async def test_options_are_charged_for_each_unit_and_tell_lines_apart(api: Api) -> None:
    await shop.shop()
    product = await catalogue.product(price_minor=10_00)
    await terms(product.id, ENGRAVING, {**WOOD, "required": True, "price_minor": 100})
    cart = (await carts.cart()).gid
    variant = {"variantId": product.variant_gid}
    walnut = given(wood="walnut", engraving=" Ada ")

    await run(api, ADD, cart, {**variant, "quantity": 2, "customizations": walnut})
    await run(api, ADD, cart, {**variant, "quantity": 1, "customizations": walnut[::-1]})
    payload = await run(api, ADD, cart, {**variant, "quantity": 1, "customizations": given(wood="oak")})
    assert payload["userErrors"] == []
    one, other = payload["cart"]["lines"]["nodes"]
    # (10.00 + 9.00 engraving + 1.00 wood + 25.00 walnut) x 3
    assert (one["quantity"], one["cost"]["total"]["amount"]) == (3, "135.00")
    assert one["customizations"] == [
        {"key": "engraving", "label": "Engraving", "value": "Ada", "displayValue": "Ada", "price": {"amount": "9.00"}},
        {"key": "wood", "label": "Wood", "value": "walnut", "displayValue": "Walnut", "price": {"amount": "26.00"}},
    ]
    assert (other["quantity"], other["cost"]["total"]["amount"]) == (1, "11.00")
    assert payload["cart"]["cost"]["subtotal"]["amount"] == "146.00"

    joined = await run(api, UPDATE, cart, {"id": other["id"], "quantity": 1, "customizations": walnut})
    (line,) = joined["cart"]["lines"]["nodes"]
    assert (line["quantity"], line["cost"]["total"]["amount"]) == (4, "180.00")


async def test_wrong_options_change_nothing(api: Api) -> None:
    await shop.shop()
    product = await catalogue.product()
    await terms(product.id, {**ENGRAVING, "max_length": 3}, {**WOOD, "required": True})
    cart = (await carts.cart()).gid
    lines = [
        {"variantId": product.variant_gid, "customizations": given(wood="pine")},
        {"variantId": product.variant_gid, "customizations": given(wood="oak", engraving="Ada L")},
        {"variantId": product.variant_gid},
        {"variantId": product.variant_gid, "customizations": given(wood="oak", colour="red")},
    ]
    payload = await run(api, ADD, cart, *lines)
    assert payload["cart"] is None
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [
        ("CUSTOMIZATION_UNKNOWN", ["lines", "0", "customizations", "0", "value"]),
        ("CUSTOMIZATION_INVALID", ["lines", "1", "customizations", "1", "value"]),
        ("CUSTOMIZATION_REQUIRED", ["lines", "2", "customizations"]),
        ("CUSTOMIZATION_UNKNOWN", ["lines", "3", "customizations", "1", "key"]),
    ]
    assert (await seen(api, cart))["lines"]["nodes"] == []
    assert await db.fetchval("SELECT revision FROM carts") == 0


async def test_a_changed_offer_warns_and_is_charged_as_it_is_now(api: Api) -> None:
    await shop.shop()
    product = await catalogue.product(price_minor=10_00)
    await terms(product.id, ENGRAVING)
    cart = (await carts.cart()).gid
    await run(api, ADD, cart, {"variantId": product.variant_gid, "customizations": given(engraving="Ada")})

    await terms(product.id, {**ENGRAVING, "price_minor": 1200})
    (line,) = (await seen(api, cart))["lines"]["nodes"]
    assert ([one["code"] for one in line["warnings"]], line["cost"]["total"]["amount"]) == (
        ["CUSTOMIZATION_REPRICED"],
        "22.00",
    )
    again = {"id": line["id"], "quantity": 1, "customizations": given(engraving="Ada")}
    (line,) = (await run(api, UPDATE, cart, again))["cart"]["lines"]["nodes"]
    assert line["warnings"] == []

    await terms(product.id, WOOD)
    (line,) = (await seen(api, cart))["lines"]["nodes"]
    assert ([one["code"] for one in line["warnings"]], line["cost"]["total"]["amount"]) == (
        ["CUSTOMIZATION_UNAVAILABLE"],
        "10.00",
    )


async def test_more_than_one_order_may_have_is_refused_and_less_is_warned_of(api: Api) -> None:
    await shop.shop()
    product = await catalogue.product(stock=100)
    await terms(product.id, minimum=4, maximum=8, step=2)
    cart = (await carts.cart()).gid
    variant = {"variantId": product.variant_gid}
    payload = await run(api, ADD, cart, {**variant, "quantity": 3})
    (line,) = payload["cart"]["lines"]["nodes"]
    assert [one["code"] for one in line["warnings"]] == ["QUANTITY_NOT_ALLOWED"]
    other = {**variant, "quantity": 6, "attributes": [{"key": "gift", "value": "yes"}]}
    refused = await run(api, ADD, cart, other)
    assert refused["userErrors"] == [
        {"code": "QUANTITY_NOT_ALLOWED", "field": ["lines"], "minimum": 4, "maximum": 8, "multipleOf": 2}
    ]
    assert [one["quantity"] for one in (await seen(api, cart))["lines"]["nodes"]] == [3]
    payload = await run(api, ADD, cart, {**other, "quantity": 3})
    assert [one["warnings"] for one in payload["cart"]["lines"]["nodes"]] == [[], []]
