"""What is measured: the same requests to the server written by hand and to the API."""

import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks.serving import Connection, get, post
from benchmarks.shop import Shop

PAGE = 24
CART_LINES = 5
LIST = """
query Page($first: Int) {
  products(first: $first) {
    nodes {
      id slug name availableForSale
      featuredImage { url altText }
      priceRange { min { amount currencyCode } max { amount currencyCode } }
      variants(first: 10) {
        nodes { id name sku price { amount currencyCode } availableForSale availableQuantity }
      }
    }
  }
}
"""
DETAIL = """
query Product($slug: String!) {
  product(slug: $slug) {
    id slug name descriptionHtml vendor tags availableForSale
    options { name values }
    images(first: 20) { url altText }
    priceRange { min { amount currencyCode } max { amount currencyCode } }
    variants(first: 100) {
      nodes {
        id name sku price { amount currencyCode } availableForSale availableQuantity
        selectedOptions { name value }
      }
    }
  }
}
"""
SEARCH = """
query Search($query: String!, $first: Int) {
  products(query: $query, first: $first) {
    nodes {
      id slug name availableForSale
      featuredImage { url altText }
      priceRange { min { amount currencyCode } max { amount currencyCode } }
    }
  }
}
"""
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


class Client:
    """One shopper after the other on one connection, at either server.

    Args:
        by_hand: the server that has a path for each request, where the API has `/graphql` for all.
    """

    def __init__(self, connection: Connection, shop: Shop, chance: random.Random, *, by_hand: bool) -> None:
        self.shop = shop
        self.chance = chance
        self.cart_id: str | None = None
        """Of a cart that was made for this shopper, to add to."""
        self._connection = connection
        self._by_hand = by_hand

    async def get(self, path: str) -> bytes:
        return await self._connection.ask(get(path))

    async def graphql(self, document: str, variables: dict[str, Any], by_hand: str) -> Any:
        """The answer's only field. Raises RuntimeError when anything was refused."""
        body = orjson.dumps({"query": document, "variables": variables})
        text = await self._connection.ask(post(by_hand if self._by_hand else "/graphql", body))
        if b'"errors":[{' in text:
            raise RuntimeError(text.decode())
        # What comes next is made from an answer about a cart; pages are left unread, or the client would be measured.
        if b'"userErrors"' not in text:
            return text
        (answer,) = orjson.loads(text)["data"].values()
        if answer["userErrors"]:
            raise RuntimeError(text.decode())
        return answer


async def list_page(client: Client) -> Any:
    return await client.graphql(LIST, {"first": PAGE}, "/graphql")


async def detail(client: Client) -> Any:
    return await client.graphql(DETAIL, {"slug": client.chance.choice(client.shop.slugs)}, "/product")


async def search(client: Client) -> Any:
    words = {"query": client.chance.choice(client.shop.searches), "first": PAGE}
    return await client.graphql(SEARCH, words, "/search")


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


async def static(client: Client) -> Any:
    return await client.get("/health/live")


@dataclass(frozen=True, slots=True)
class Subject:
    """`units` are what one round asks for; `compare` says whether both answers have to be the same, byte for field;
    `prepare` is done once by each client, before it asks."""

    name: str
    run: Callable[[Client], Awaitable[Any]]
    units: int
    compare: bool = True
    prepare: Callable[[Client], Awaitable[None]] | None = None


SUBJECTS = (
    Subject("list page (24 products)", list_page, 600),
    Subject("product detail", detail, 2000),
    Subject("search", search, 1200),
    Subject("checkout: cartCreate", cart_create, 1000, compare=False),
    Subject("checkout: cartLinesAdd", lines_add, 1000, compare=False, prepare=prepare_cart),
    Subject("checkout: three requests", checkout, 300, compare=False),
    Subject("static answer", static, 5000),
)
