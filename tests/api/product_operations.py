"""The operations on products, as staff send them."""

from typing import Any

from tests.client import Api

FIELDS = """
    id slug name status kind description descriptionHtml vendor productType tags metadata updatedAt
    seo { title description }
    options { id name values }
    images { url altText width height }
    priceRange { min { amount } max { amount } }
    variants(first: 100) {
      nodes {
        id sku barcode name price { amount } compareAtPrice { amount } cost { amount } weightGrams requiresShipping
        taxable trackInventory inventoryPolicy availableQuantity selectedOptions { name value } image { url }
      }
    }
    collections { nodes { name } }
"""
CREATE = f"""
    mutation ($input: ProductInput!) {{
      productCreate(input: $input) {{ product {{ {FIELDS} }} userErrors {{ code field message }} }}
    }}
"""
UPDATE = f"""
    mutation ($id: ID!, $input: ProductInput!) {{
      productUpdate(id: $id, input: $input) {{ product {{ {FIELDS} }} userErrors {{ code field message }} }}
    }}
"""
READ = f"query ($id: ID!) {{ product(id: $id) {{ {FIELDS} }} }}"


def chosen(**options: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in options.items()]


SHIRT = {
    "name": "Oxford shirt",
    "status": "ACTIVE",
    "options": [{"name": "Size", "values": ["S", "M"]}, {"name": "Color", "values": ["Navy", "White"]}],
    "variants": [
        {"price": "49.90", "sku": "OX-S-N", "stock": 3, "selectedOptions": chosen(Size="S", Color="Navy")},
        {"price": "49.90", "sku": "OX-M-N", "stock": 4, "selectedOptions": chosen(Size="M", Color="Navy")},
        {"price": "45", "sku": "OX-M-W", "stock": 0, "selectedOptions": chosen(Color="White", Size="M")},
    ],
}


async def create(api: Api, token: str, **given: Any) -> dict[str, Any]:
    product: dict[str, Any] = (await api.ok(CREATE, {"input": given}, token=token))["productCreate"]["product"]
    return product


async def update(api: Api, token: str, product: dict[str, Any], **given: Any) -> dict[str, Any]:
    sent = {"id": product["id"], "input": given}
    changed: dict[str, Any] = (await api.ok(UPDATE, sent, token=token))["productUpdate"]["product"]
    return changed


def variants(product: dict[str, Any], *names: str) -> list[Any]:
    nodes = product["variants"]["nodes"]
    return [node[names[0]] if len(names) == 1 else tuple(node[name] for name in names) for node in nodes]
