"""Pages of a catalogue, as a storefront asks for them."""

from typing import Any

from benchmarks.subjects import Client, Subject

PAGE = 24
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


async def list_page(client: Client) -> Any:
    return await client.graphql(LIST, {"first": PAGE}, "/graphql")


async def detail(client: Client) -> Any:
    return await client.graphql(DETAIL, {"slug": client.chance.choice(client.shop.slugs)}, "/product")


async def search(client: Client) -> Any:
    words = {"query": client.chance.choice(client.shop.searches), "first": PAGE}
    return await client.graphql(SEARCH, words, "/search")


async def static(client: Client) -> Any:
    return await client.get("/health/live")


SUBJECTS = (
    Subject("list page (24 products)", list_page, 600),
    Subject("product detail", detail, 2000),
    Subject("search", search, 1200),
    Subject("static answer", static, 5000),
)
