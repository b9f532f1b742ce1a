"""What products begin at, worked out under locks that nobody slips by, and as fast before tables are analysed."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# One product of one list after the other, by indexes, however few rows PostgreSQL takes the tables for: right after a
# shop was filled it joined all products with all prices of the list, for which no statement has the time.
REFRESHING = """
CREATE OR REPLACE FUNCTION refresh_price_list_products(lists uuid[], changed uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- Whoever changes prices of the same product waits here, and each statement after it sees what the other one did.
    PERFORM FROM products p WHERE p.id = ANY (changed) ORDER BY p.id FOR NO KEY UPDATE;
    WITH found AS MATERIALIZED (
        SELECT pair.list_id, pair.product_id, begins.lowest_minor, begins.shop_minor
        FROM (SELECT DISTINCT list_id, product_id FROM unnest(lists, changed) AS one (list_id, product_id)) pair
        CROSS JOIN LATERAL (
            SELECT min(v.price_minor) AS shop_minor, CASE WHEN count(own.price_minor) > 0 THEN min(coalesce(
                       own.price_minor, list_price(v.price_minor, l.factor, l.round_to_minor, l.ending_minor)
                   )) END AS lowest_minor
            FROM price_lists l
            JOIN product_variants v ON v.product_id = pair.product_id AND v.removed_at IS NULL
            CROSS JOIN LATERAL (
                SELECT (
                    SELECT p.price_minor FROM price_list_prices p
                    WHERE p.price_list_id = pair.list_id AND p.variant_id = v.id AND p.min_quantity = 1
                ) AS price_minor OFFSET 0
            ) own
            WHERE l.id = pair.list_id
        ) begins
    ), gone AS (
        DELETE FROM price_list_products WHERE id = ANY (ARRAY(
            SELECT (
                SELECT known.id FROM price_list_products known
                WHERE known.price_list_id = f.list_id AND known.product_id = f.product_id
            ) FROM found f WHERE f.lowest_minor IS NULL
        ))
    )
    INSERT INTO price_list_products (price_list_id, product_id, lowest_minor, shop_minor)
    SELECT f.list_id, f.product_id, f.lowest_minor, f.shop_minor FROM found f
    WHERE f.lowest_minor IS NOT NULL ORDER BY f.list_id, f.product_id
    ON CONFLICT ON CONSTRAINT price_list_products_once DO UPDATE
    SET lowest_minor = EXCLUDED.lowest_minor, shop_minor = EXCLUDED.shop_minor
    WHERE (price_list_products.lowest_minor, price_list_products.shop_minor)
        IS DISTINCT FROM (EXCLUDED.lowest_minor, EXCLUDED.shop_minor);
END $$;
"""

# Every product with an own price, not only those that are known to begin at one: a variant that comes back to its
# product at this moment has an own price already, and makes its product known by the list's terms as they were.
FOLLOWING = """
CREATE OR REPLACE FUNCTION follow_price_list() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lists uuid[];
    changed uuid[];
BEGIN
    SELECT array_agg(own.price_list_id), array_agg(own.product_id) INTO lists, changed
    FROM (
        SELECT DISTINCT p.price_list_id, v.product_id
        FROM price_list_prices p JOIN product_variants v ON v.id = p.variant_id
        WHERE p.price_list_id = NEW.id AND p.min_quantity = 1
    ) own;
    IF lists IS NOT NULL THEN
        PERFORM refresh_price_list_products(lists, changed);
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0054_lists_by_shown_price")]
    operations = [ops.RunSQL(REFRESHING), ops.RunSQL(FOLLOWING)]
