"""Adding to a cart, and a guest's purchase in three requests."""

import itertools
from typing import Any

from benchmarks.subjects import Client, Subject

CART_LINES = 5
_CART = """
    cart {
      id totalQuantity cost { total { amount currencyCode } }
      lines(first: 10) {
        nodes {
          id quantity
          variant { id name price { amount currencyCode } }
          cost { total { amount currencyCode } }
        }
      }
    }
    userErrors { code message }
"""
CART_CREATE = f"""
mutation Cart($lines: [CartLineInput!]!) {{
  cartCreate(input: {{ lines: $lines }}) {{ {_CART} }}
}}
"""
LINES_ADD = f"""
mutation Add($cartId: ID!, $lines: [CartLineInput!]!) {{
  cartLinesAdd(cartId: $cartId, lines: $lines) {{ {_CART} }}
}}
"""
QUOTES = """
query Quotes($input: ShippingQuotesInput!) {
  shippingQuotes(input: $input) {
    quotes { id carrier service price { amount currencyCode } }
    userErrors { code message }
  }
}
"""
COMPLETE = """
mutation Complete($input: CheckoutCompleteInput!) {
  checkoutComplete(input: $input) {
    order { id number status paymentStatus cost { total { amount currencyCode } } }
    orderToken
    userErrors { code message }
  }
}
"""
ADDRESS = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "address1": "1 Market Street",
    "city": "San Francisco",
    "provinceCode": "CA",
    "postalCode": "94103",
    "countryCode": "US",
}
DESTINATION = {name: ADDRESS[name] for name in ("countryCode", "provinceCode", "postalCode", "city")}
CARD = {"method": "CARD", "gateway": "test", "token": "tok_success"}

_keys = itertools.count(1)


async def cart_create(client: Client) -> Any:
    lines = [{"variantId": variant, "quantity": 2} for variant in client.chance.sample(client.shop.variants, 3)]
    return await client.graphql(CART_CREATE, {"lines": lines}, "/cartCreate")


async def cart_with_one_line(client: Client) -> str:
    line = {"variantId": client.chance.choice(client.shop.variants), "quantity": 1}
    made = await client.graphql(CART_CREATE, {"lines": [line]}, "/cartCreate")
    cart_id: str = made["cart"]["id"]
    return cart_id


async def prepare_cart(client: Client) -> None:
    client.cart_id = await cart_with_one_line(client)


async def lines_add(client: Client) -> Any:
    """One more of what may be in the cart already: of five variants, so that its size is the same before long."""
    line = {"variantId": client.chance.choice(client.shop.variants[:CART_LINES]), "quantity": 1}
    return await client.graphql(LINES_ADD, {"cartId": client.cart_id, "lines": [line]}, "/cartLinesAdd")


async def checkout(client: Client) -> Any:
    cart_id = await cart_with_one_line(client)
    asked = {"cartId": cart_id, "address": DESTINATION}
    quoted = await client.graphql(QUOTES, {"input": asked}, "/shippingQuotes")
    given = {
        "cartId": cart_id,
        "idempotencyKey": f"key-{next(_keys)}",
        "email": "ada@example.com",
        "shippingAddress": ADDRESS,
        "shippingQuoteId": quoted["quotes"][0]["id"],
        "payment": CARD,
    }
    placed = await client.graphql(COMPLETE, {"input": given}, "/checkoutComplete")
    if not placed["order"]:
        raise RuntimeError("no order")
    return placed


SUBJECTS = (
    Subject("checkout: cartCreate", cart_create, 1000, compare=False),
    Subject("checkout: cartLinesAdd", lines_add, 1000, compare=False, prepare=prepare_cart),
    Subject("checkout: three requests", checkout, 300, compare=False),
)
