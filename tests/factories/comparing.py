"""What is in the catalogue, to be compared: with itself before, or with another shop's."""

from typing import Any

import orjson

from app import db

TABLES = (
    *("products", "product_options", "product_images", "product_variants", "collections", "collection_products"),
    *("stock_levels", "stock_movements", "events"),
)
_SHOP_S_OWN = {"id", "product_id", "variant_id", "image_id", "collection_id", "created_at", "updated_at"}
_CONTENT = {
    "products": "SELECT * FROM products ORDER BY id",
    "options": """
        SELECT p.slug, o.* FROM product_options o JOIN products p ON p.id = o.product_id ORDER BY p.slug, o.position
    """,
    "images": """
        SELECT p.slug, i.* FROM product_images i JOIN products p ON p.id = i.product_id ORDER BY p.slug, i.position
    """,
    "variants": """
        SELECT p.slug, v.*, i.url AS image, s.available FROM product_variants v
        JOIN products p ON p.id = v.product_id LEFT JOIN product_images i ON i.id = v.image_id
        LEFT JOIN stock_levels s ON s.variant_id = v.id
            AND s.warehouse_id = (SELECT id FROM warehouses WHERE is_default)
        WHERE v.removed_at IS NULL ORDER BY p.slug, v.position
    """,
    "collections": """
        SELECT c.slug, c.name, array_agg(p.slug ORDER BY e.position, e.product_id) AS products FROM collections c
        JOIN collection_products e ON e.collection_id = c.id JOIN products p ON p.id = e.product_id
        GROUP BY c.slug, c.name ORDER BY c.slug
    """,
}


async def everything() -> dict[str, str]:
    """A digest of each table that an import may write, times included: equal when no row was touched."""
    return {
        table: await db.fetchval(
            f"SELECT md5(coalesce(string_agg(md5(row::text), '' ORDER BY row.id), '')) FROM {table} row"
        )
        for table in TABLES
    }


async def content() -> dict[str, list[dict[str, Any]]]:
    """The catalogue without what one shop has for itself, ids and times: products in the order of their making."""
    found = {}
    for name, sql in _CONTENT.items():
        rows = [dict(row) for row in await db.fetch(sql)]
        found[name] = [{key: value for key, value in row.items() if key not in _SHOP_S_OWN} for row in rows]
    for row in found["products"]:
        row["metadata"] = orjson.loads(row["metadata"])
    return found


LISTED = """
    query($after: String) {
        products(first: 10, after: $after) {
            pageInfo { hasNextPage endCursor }
            nodes {
                slug name status kind description descriptionHtml vendor productType tags availableForSale metadata
                seo { title description }
                images(first: 20) { url altText width height }
                options { name values }
                collections(first: 5) { nodes { slug name } }
                variants(first: 30) {
                    nodes {
                        name sku barcode price { amount currencyCode } compareAtPrice { amount } cost { amount }
                        weightGrams requiresShipping taxable trackInventory inventoryPolicy availableForSale
                        availableQuantity selectedOptions { name value } image { url }
                    }
                }
            }
        }
    }
"""
