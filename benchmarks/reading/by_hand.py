"""Reading the catalogue: one statement builds the page as JSON; the server puts the public ids and amounts in."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.answers import answer, money, public_id

_FIRST_IMAGE = """(
    SELECT json_build_object('url', i.url, 'altText', i.alt_text) FROM product_images i
    WHERE i.product_id = p.id ORDER BY i.position, i.id LIMIT 1
)"""
_STOCK = "(SELECT coalesce(sum(s.available), 0) FROM stock_levels s WHERE s.variant_id = v.id)"

LIST_PAGE = f"""
    WITH page AS (
        SELECT * FROM products p WHERE p.status = 'ACTIVE' ORDER BY p.created_at, p.id LIMIT $1
    )
    SELECT json_agg(json_build_object(
        'id', p.id, 'slug', p.slug, 'name', p.name, 'min', p.min_price_minor, 'max', p.max_price_minor,
        'image', {_FIRST_IMAGE},
        'variants', (
            SELECT json_agg(json_build_object(
                'id', v.id, 'name', v.name, 'sku', v.sku, 'price', v.price_minor, 'stock', {_STOCK}
            ) ORDER BY v.position)
            FROM product_variants v WHERE v.product_id = p.id AND v.removed_at IS NULL
        )
    ) ORDER BY p.created_at, p.id) FROM page p
"""
PRODUCT = f"""
    SELECT json_build_object(
        'id', p.id, 'slug', p.slug, 'name', p.name, 'html', p.description_html, 'vendor', p.vendor, 'tags', p.tags,
        'min', p.min_price_minor, 'max', p.max_price_minor,
        'options', (
            SELECT json_agg(json_build_object('name', o.name, 'values', o.values) ORDER BY o.position)
            FROM product_options o WHERE o.product_id = p.id
        ),
        'images', (
            SELECT json_agg(json_build_object('url', i.url, 'altText', i.alt_text) ORDER BY i.position, i.id)
            FROM product_images i WHERE i.product_id = p.id
        ),
        'variants', (
            SELECT json_agg(json_build_object(
                'id', v.id, 'name', v.name, 'sku', v.sku, 'price', v.price_minor, 'stock', {_STOCK},
                'values', v.option_values
            ) ORDER BY v.position)
            FROM product_variants v WHERE v.product_id = p.id AND v.removed_at IS NULL
        )
    ) FROM products p WHERE p.slug = $1 AND p.status = 'ACTIVE'
"""
SEARCH = f"""
    SELECT coalesce(json_agg(json_build_object(
        'id', p.id, 'slug', p.slug, 'name', p.name, 'min', p.min_price_minor, 'max', p.max_price_minor,
        'image', {_FIRST_IMAGE},
        'forSale', EXISTS (
            SELECT FROM product_variants v JOIN stock_levels s ON s.variant_id = v.id
            WHERE v.product_id = p.id AND v.removed_at IS NULL AND s.available > 0
        )
    ) ORDER BY p.created_at, p.id), '[]')
    FROM (
        SELECT * FROM products WHERE status = 'ACTIVE' AND name ILIKE ALL ($1::text[])
        ORDER BY created_at, id LIMIT $2
    ) p
"""


def _range(row: dict[str, Any]) -> dict[str, Any]:
    return {"min": money(row["min"]), "max": money(row["max"])}


def _variant(variant: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": public_id("var", variant["id"]),
        "name": variant["name"],
        "sku": variant["sku"],
        "price": money(variant["price"]),
        "availableForSale": variant["stock"] > 0,
        "availableQuantity": variant["stock"] if variant["stock"] <= 20 else None,
    }


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": public_id("prod", row["id"]),
        "slug": row["slug"],
        "name": row["name"],
        "availableForSale": any(variant["stock"] > 0 for variant in row["variants"]),
        "featuredImage": row["image"],
        "priceRange": _range(row),
        "variants": {"nodes": [_variant(variant) for variant in row["variants"]]},
    }


async def _fetch(request: Request, sql: str, *arguments: object) -> Any:
    async with request.app.state.pool.acquire() as connection:
        return orjson.loads(await connection.fetchval(sql, *arguments))


async def products(request: Request) -> Response:
    rows = await _fetch(request, LIST_PAGE, orjson.loads(await request.body())["variables"]["first"])
    return answer("products", {"nodes": [_listed(row) for row in rows]})


async def product(request: Request) -> Response:
    row = await _fetch(request, PRODUCT, orjson.loads(await request.body())["variables"]["slug"])
    names = [option["name"] for option in row["options"]]
    variants = [
        {
            **_variant(variant),
            "selectedOptions": [
                {"name": name, "value": value} for name, value in zip(names, variant["values"], strict=True)
            ],
        }
        for variant in row["variants"]
    ]
    shown = {
        "id": public_id("prod", row["id"]),
        "slug": row["slug"],
        "name": row["name"],
        "descriptionHtml": row["html"],
        "vendor": row["vendor"],
        "tags": row["tags"],
        "availableForSale": any(variant["availableForSale"] for variant in variants),
        "options": row["options"],
        "images": row["images"],
        "priceRange": _range(row),
        "variants": {"nodes": variants},
    }
    return answer("product", shown)


async def search(request: Request) -> Response:
    variables = orjson.loads(await request.body())["variables"]
    words = [f"%{word}%" for word in variables["query"].split()]
    rows = await _fetch(request, SEARCH, words, variables["first"])
    nodes = [
        {
            "id": public_id("prod", row["id"]),
            "slug": row["slug"],
            "name": row["name"],
            "availableForSale": row["forSale"],
            "featuredImage": row["image"],
            "priceRange": _range(row),
        }
        for row in rows
    ]
    return answer("products", {"nodes": nodes})


async def live(request: Request) -> Response:
    return Response(b'{"status":"ok"}', media_type="application/json")


ROUTES = [
    Route("/graphql", products, methods=["POST"]),
    Route("/product", product, methods=["POST"]),
    Route("/search", search, methods=["POST"]),
    Route("/health/live", live),
]
