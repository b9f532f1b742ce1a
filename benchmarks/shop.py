"""A shop to measure: believable names, so that searches find some products and not others, and stock that lasts."""

from dataclasses import dataclass

from app import db
from app.settings import Settings

ADJECTIVES = ["Copper", "Oak", "Linen", "Storm", "Harbour", "Quiet", "Amber", "Field"]
NOUNS = ["Kettle", "Lantern", "Blanket", "Chair", "Satchel", "Mug", "Book", "Jacket", "Lamp", "Bowl", "Knife", "Tray"]

# Only what gets many rows here is analysed, as PostgreSQL would by itself. Of a table that was analysed while it was
# empty, it plans to read all rows, and each connection keeps that plan while the benchmark fills the table.
_FILL = """
    INSERT INTO products (id, slug, name, status, kind, description, description_html, vendor, tags, metadata,
                          min_price_minor, max_price_minor, created_at, updated_at)
    SELECT gen_random_uuid(), 'product-' || n,
           ($2::text[])[1 + n % 8] || ' ' || ($3::text[])[1 + n / 8 % 12] || ' ' || n, 'ACTIVE', 'PHYSICAL',
           repeat('A plain word. ', 60), '<p>' || repeat('A plain word. ', 60) || '</p>', 'Tradewind', '{new,home}',
           '{}', 1999, 2199, now() + n * interval '1 second', now()
    FROM generate_series(1, $1::int) n;
    INSERT INTO product_options (id, product_id, position, name, values)
    SELECT gen_random_uuid(), id, 1, 'Size', '{S,M,L}' FROM products;
    INSERT INTO product_images (id, product_id, position, url, alt_text)
    SELECT gen_random_uuid(), id, n, 'https://cdn.example/' || slug || '-' || n || '.webp', name
    FROM products, generate_series(1, 4) n;
    INSERT INTO product_variants (id, product_id, position, name, option_values, sku, price_minor, weight_grams,
                                  requires_shipping, taxable, track_inventory, inventory_policy, metadata, created_at,
                                  updated_at)
    SELECT gen_random_uuid(), p.id, s.n, s.size, ARRAY[s.size], p.slug || '-' || s.n, 1899 + 100 * s.n, 400, true,
           true, true, 'DENY', '{}', now(), now()
    FROM products p, unnest(ARRAY['S', 'M', 'L']) WITH ORDINALITY AS s (size, n);
    INSERT INTO stock_levels (id, variant_id, warehouse_id, available, reserved, backordered, updated_at)
    SELECT gen_random_uuid(), v.id, w.id, 1000000, 0, 0, now() FROM product_variants v, warehouses w;
    INSERT INTO stock_movements (id, stock_level_id, available_delta, reason, created_at)
    SELECT gen_random_uuid(), id, available, 'made for a benchmark', now() FROM stock_levels;
    UPDATE shop SET currency_code = 'USD', countries = '{US}';
    INSERT INTO shipping_zones (id, name, locations, position, created_at, updated_at)
    VALUES (gen_random_uuid(), 'United States', '[{"country": "US"}]', 0, now(), now());
    INSERT INTO shipping_methods (id, zone_id, carrier, service, rate, delivery, is_active, position)
    SELECT gen_random_uuid(), z.id, 'UPS', m.service, m.rate, '{"transit_days_min": 2, "transit_days_max": 4}', true,
           m.n
    FROM shipping_zones z, (VALUES
        (0, 'Ground', '{"kind": "FLAT", "price_minor": 599}'::jsonb),
        (1, 'Air', '{"kind": "FLAT", "price_minor": 1499}'::jsonb)
    ) AS m (n, service, rate);
    INSERT INTO profiles (id, email, properties, stage, order_count, total_spent_minor, created_at, updated_at)
    VALUES (gen_random_uuid(), 'ada@example.com', '{}', 'LEAD', 0, 0, now(), now());
    ANALYZE products, product_options, product_images, product_variants, stock_levels, stock_movements
"""


@dataclass(frozen=True, slots=True)
class Shop:
    """What clients ask for: slugs, the variants' public ids, and words to search."""

    slugs: list[str]
    variants: list[str]
    searches: list[str]


async def fill(settings: Settings, products: int) -> Shop:
    """Migrate the empty database and fill it. Three variants and four images a product."""
    await db.migrate(settings)
    await db.open_pool(settings)
    for statement in _FILL.split(";\n"):
        arguments = (products, ADJECTIVES, NOUNS) if "$1" in statement else ()
        await db.execute(statement, *arguments)
    rows = await db.fetch("SELECT slug FROM products ORDER BY id")
    variants = await db.fetch("SELECT id FROM product_variants ORDER BY id")
    await db.close_pool()
    return Shop(
        [row["slug"] for row in rows],
        [f"var_{row['id'].hex}" for row in variants],
        [f"{adjective.lower()} {noun.lower()}" for adjective in ADJECTIVES for noun in NOUNS],
    )
