"""What a storefront sends about carts, and what the tests ask of the answers."""

from typing import Any

from app import db
from tests.client import Api

FIELDS = """
    id state totalQuantity note createdAt updatedAt
    attributes { key value }
    buyerIdentity { email phone countryCode }
    cost { subtotal { amount currencyCode } discount { amount } shipping { amount } tax { amount } taxIncluded
           total { amount } }
    lines { totalCount nodes {
        id quantity attributes { key value } warnings { code message availableQuantity }
        variant { id name price { amount } selectedOptions { name value } product { name } }
        cost { unitPrice { amount currencyCode } subtotal { amount } discount { amount } total { amount } }
    } }
"""
ANSWER = f"""{{
    cart {{ {FIELDS} }} warnings {{ code message field availableQuantity }}
    userErrors {{ __typename code message field ... on InsufficientStockError {{ availableQuantity }} }}
}}"""
CREATE = f"mutation ($input: CartInput) {{ cartCreate(input: $input) {ANSWER} }}"
ADD = f"mutation ($id: ID!, $lines: [CartLineInput!]!) {{ cartLinesAdd(cartId: $id, lines: $lines) {ANSWER} }}"
UPDATE = (
    f"mutation ($id: ID!, $lines: [CartLineUpdateInput!]!) {{ cartLinesUpdate(cartId: $id, lines: $lines) {ANSWER} }}"
)
REMOVE = f"mutation ($id: ID!, $lines: [ID!]!) {{ cartLinesRemove(cartId: $id, lineIds: $lines) {ANSWER} }}"
CLEAR = f"mutation ($id: ID!) {{ cartClear(cartId: $id) {ANSWER} }}"
DETAILS = f"mutation ($id: ID!, $input: CartUpdateInput!) {{ cartUpdate(cartId: $id, input: $input) {ANSWER} }}"
BUYER = f"""mutation ($id: ID!, $buyer: BuyerIdentityInput!) {{
    cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: $buyer) {ANSWER}
}}"""
CART = f"query ($id: ID!) {{ cart(id: $id) {{ {FIELDS} }} }}"
NODE = f"query ($id: ID!) {{ node(id: $id) {{ id ... on Cart {{ {FIELDS} }} ... on CartLine {{ quantity }} }} }}"

ENGRAVED = [{"key": "engraving", "value": "Ada"}, {"key": "font", "value": "serif"}]


async def payload(api: Api, document: str, **variables: Any) -> dict[str, Any]:
    (answer,) = (await api.ok(document, variables)).values()
    return answer  # type: ignore[no-any-return]


async def read(api: Api, cart_id: str) -> dict[str, Any]:
    return (await api.ok(CART, {"id": cart_id}))["cart"]  # type: ignore[no-any-return]


def quantities(cart: dict[str, Any]) -> list[int]:
    return [line["quantity"] for line in cart["lines"]["nodes"]]


async def everything() -> Any:
    """All that a cart mutation could change."""
    return (
        await db.fetch("SELECT * FROM carts ORDER BY id"),
        await db.fetch("SELECT * FROM cart_lines ORDER BY id"),
        await db.fetchval("SELECT count(*) FROM events"),
    )


async def refused(api: Api, document: str, **variables: Any) -> list[dict[str, Any]]:
    """The errors of a mutation that has to be refused whole."""
    before = await everything()
    errors = await api.refused(document, variables)
    assert await everything() == before
    return errors


def codes(errors: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in errors]
