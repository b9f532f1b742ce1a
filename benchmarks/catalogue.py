"""A list page of 24 products (variants, prices, stock, image): the API beside the same page written by hand.

    python -m benchmarks.catalogue [--products 2000] [--seconds 4]

Prints requests a second, the server's own processor time for one request, and the ratio of the two servers.
"""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

import orjson

from app import db
from app.dev.servers import embedded_postgres, embedded_valkey
from app.settings import Settings, get_settings
from benchmarks.serving import Measured, measure, post, served

QUERY = """
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
PAGE = 24

_FILL = """
    INSERT INTO products (id, slug, name, status, kind, description, description_html, tags, metadata,
                          min_price_minor, max_price_minor, created_at, updated_at)
    SELECT gen_random_uuid(), 'product-' || n, 'Product ' || n, 'ACTIVE', 'PHYSICAL', repeat('Text ', 100),
           repeat('Text ', 100), '{a,b}', '{}', 1999, 2199, now() + n * interval '1 second', now()
    FROM generate_series(1, $1::int) n;
    INSERT INTO product_options (id, product_id, position, name, values)
    SELECT gen_random_uuid(), id, 1, 'Size', '{S,M,L}' FROM products;
    INSERT INTO product_images (id, product_id, position, url, alt_text)
    SELECT gen_random_uuid(), id, n, 'https://cdn.example/' || slug || n, name FROM products, generate_series(1, 2) n;
    INSERT INTO product_variants (id, product_id, position, name, option_values, sku, price_minor, weight_grams,
                                  requires_shipping, taxable, track_inventory, inventory_policy, metadata, created_at,
                                  updated_at)
    SELECT gen_random_uuid(), p.id, n, v.size, ARRAY[v.size], p.slug || v.size, 1899 + 100 * n, 100, true, true, true,
           'DENY', '{}', now(), now()
    FROM products p, unnest(ARRAY['S', 'M', 'L']) WITH ORDINALITY AS v (size, n);
    INSERT INTO stock_levels (id, variant_id, warehouse_id, available, reserved, backordered, updated_at)
    SELECT gen_random_uuid(), v.id, w.id, (v.position * 7)::int, 0, 0, now() FROM product_variants v, warehouses w;
    ANALYZE;
"""


async def fill(settings: Settings, products: int) -> None:
    await db.migrate(settings)
    await db.open_pool(settings)
    for statement in _FILL.split(";\n"):
        if statement.strip():
            await db.execute(statement, *([products] if "$1" in statement else []))
    await db.close_pool()


def compare(environment: dict[str, str], seconds: float) -> None:
    request = post("/graphql", orjson.dumps({"query": QUERY, "variables": {"first": PAGE}}))
    answers: list[Measured] = []
    for name, factory in (("by hand", "benchmarks.baseline:create_app"), ("Tradewind", "app.serve:application")):
        with served(factory, environment) as server:
            answers.append(asyncio.run(measure(server, request, seconds=seconds)))
        latest = answers[-1]
        print(f"{name:10} {latest.requests_per_second:7.0f} pages/s {latest.cpu_ms_per_request:7.2f} ms CPU a page")
    limit, ours = answers
    same = orjson.loads(limit.body)["data"] == orjson.loads(ours.body)["data"]
    print(f"ratio      {ours.requests_per_second / limit.requests_per_second:7.2f}         same answer: {same}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=4.0)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_postgres(Path(folder) / "postgres", durable=False) as database_url,
        embedded_valkey(Path(folder) / "valkey", durable=False) as redis_url,
    ):
        environment = {
            "TRADEWIND_ENV": "development",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEYS": "for-a-benchmark-that-nobody-else-can-reach-0123456789",
            "LOG_LEVEL": "WARNING",
        }
        os.environ.update(environment)
        asyncio.run(fill(get_settings(), arguments.products))
        compare(environment, arguments.seconds)


if __name__ == "__main__":
    main()
