"""The limit to compare with: the same pages written by hand, on nothing but Starlette, asyncpg and orjson.

One statement builds the page as JSON; the server reads it, puts the public ids and amounts in, and writes it.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

LIST_PAGE = """
    WITH page AS (
        SELECT * FROM products p WHERE p.status = 'ACTIVE' ORDER BY p.created_at, p.id LIMIT $1
    )
    SELECT json_agg(json_build_object(
        'id', p.id, 'slug', p.slug, 'name', p.name, 'min', p.min_price_minor, 'max', p.max_price_minor,
        'image', (
            SELECT json_build_object('url', i.url, 'altText', i.alt_text) FROM product_images i
            WHERE i.product_id = p.id ORDER BY i.position, i.id LIMIT 1
        ),
        'variants', (
            SELECT json_agg(json_build_object(
                'id', v.id, 'name', v.name, 'sku', v.sku, 'price', v.price_minor,
                'stock', (SELECT coalesce(sum(s.available), 0) FROM stock_levels s WHERE s.variant_id = v.id)
            ) ORDER BY v.position)
            FROM product_variants v WHERE v.product_id = p.id AND v.removed_at IS NULL
        )
    ) ORDER BY p.created_at, p.id) FROM page p
"""


def _money(amount_minor: int) -> dict[str, str]:
    return {"amount": f"{amount_minor // 100}.{amount_minor % 100:02}", "currencyCode": "USD"}


def _product(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"prod_{row['id'].replace('-', '')}",
        "slug": row["slug"],
        "name": row["name"],
        "availableForSale": any(variant["stock"] > 0 for variant in row["variants"]),
        "featuredImage": row["image"],
        "priceRange": {"min": _money(row["min"]), "max": _money(row["max"])},
        "variants": {
            "nodes": [
                {
                    "id": f"var_{variant['id'].replace('-', '')}",
                    "name": variant["name"],
                    "sku": variant["sku"],
                    "price": _money(variant["price"]),
                    "availableForSale": variant["stock"] > 0,
                    "availableQuantity": variant["stock"] if variant["stock"] <= 20 else None,
                }
                for variant in row["variants"]
            ]
        },
    }


async def products(request: Request) -> Response:
    wanted = orjson.loads(await request.body())["variables"]["first"]
    async with request.app.state.pool.acquire() as connection:
        rows = orjson.loads(await connection.fetchval(LIST_PAGE, wanted))
    body = {"data": {"products": {"nodes": [_product(row) for row in rows]}}}
    return Response(orjson.dumps(body), media_type="application/json")


class _Connection(asyncpg.Connection):
    def get_reset_query(self) -> str:
        return ""


def create_app() -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        url = os.environ["DATABASE_URL"]
        async with asyncpg.create_pool(url, min_size=1, max_size=10, connection_class=_Connection) as pool:
            app.state.pool = pool
            yield

    return Starlette(routes=[Route("/graphql", products, methods=["POST"])], lifespan=lifespan)
