"""What products with own prices in a list begin at, so that lists by price go by the prices that are shown."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Most products of a list cost what it makes of the shop's price: their order is the shop's, which an index has.
# Only those with own prices stand elsewhere. `shop_minor` is the lowest price in the shop's own prices, which decides
# between equal ones.
TABLE = """
CREATE TABLE price_list_products (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    price_list_id uuid NOT NULL,
    product_id uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    lowest_minor bigint NOT NULL,
    shop_minor bigint NOT NULL,
    CONSTRAINT price_list_products_once UNIQUE (price_list_id, product_id)
);
CREATE INDEX price_list_products_by_price
    ON price_list_products (price_list_id, lowest_minor, shop_minor, product_id);
CREATE INDEX price_list_products_product ON price_list_products (product_id);
"""

# No foreign key to the list: it would be checked under the lock of a list that is being changed, whose writer waits for
# the product. Rows leave with the list's prices.
KEEPING = """
CREATE FUNCTION refresh_price_list_products(lists uuid[], changed uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- Whoever changes prices of the same product waits here, and each statement after it sees what the other one did.
    PERFORM FROM products p WHERE p.id = ANY (changed) ORDER BY p.id FOR NO KEY UPDATE;
    WITH pairs AS (
        SELECT DISTINCT pair.list_id, pair.product_id FROM unnest(lists, changed) AS pair (list_id, product_id)
    ), found AS (
        SELECT pair.list_id, pair.product_id, min(v.price_minor) AS shop_minor, min(coalesce(
                   own.price_minor, list_price(v.price_minor, l.factor, l.round_to_minor, l.ending_minor)
               )) AS lowest_minor
        FROM pairs pair JOIN price_lists l ON l.id = pair.list_id
        JOIN products p ON p.id = pair.product_id
        JOIN product_variants v ON v.product_id = pair.product_id AND v.removed_at IS NULL
        LEFT JOIN price_list_prices own
            ON own.price_list_id = pair.list_id AND own.variant_id = v.id AND own.min_quantity = 1
        GROUP BY pair.list_id, pair.product_id HAVING count(own.id) > 0
    ), gone AS (
        DELETE FROM price_list_products known USING pairs pair
        WHERE known.price_list_id = pair.list_id AND known.product_id = pair.product_id AND NOT EXISTS (
            SELECT FROM found f WHERE f.list_id = pair.list_id AND f.product_id = pair.product_id
        )
    )
    INSERT INTO price_list_products (price_list_id, product_id, lowest_minor, shop_minor)
    SELECT f.list_id, f.product_id, f.lowest_minor, f.shop_minor FROM found f ORDER BY f.list_id, f.product_id
    ON CONFLICT ON CONSTRAINT price_list_products_once DO UPDATE
    SET lowest_minor = EXCLUDED.lowest_minor, shop_minor = EXCLUDED.shop_minor
    WHERE (price_list_products.lowest_minor, price_list_products.shop_minor)
        IS DISTINCT FROM (EXCLUDED.lowest_minor, EXCLUDED.shop_minor);
END $$;

CREATE FUNCTION follow_own_prices() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lists uuid[];
    changed uuid[];
BEGIN
    SELECT array_agg(r.price_list_id), array_agg(v.product_id) INTO lists, changed
    FROM changed_rows r JOIN product_variants v ON v.id = r.variant_id;
    IF lists IS NOT NULL THEN
        PERFORM refresh_price_list_products(lists, changed);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER own_prices_insert AFTER INSERT ON price_list_prices REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION follow_own_prices();
CREATE TRIGGER own_prices_update AFTER UPDATE ON price_list_prices REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION follow_own_prices();
CREATE TRIGGER own_prices_delete AFTER DELETE ON price_list_prices REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION follow_own_prices();

CREATE FUNCTION follow_variants() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lists uuid[];
    changed uuid[];
BEGIN
    IF NOT EXISTS (SELECT FROM price_list_prices) AND NOT EXISTS (SELECT FROM price_list_products) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(DISTINCT n.product_id) INTO changed
        FROM changed_rows n JOIN former_rows o ON o.id = n.id
        WHERE (n.price_minor, n.removed_at) IS DISTINCT FROM (o.price_minor, o.removed_at);
    ELSE
        SELECT array_agg(DISTINCT r.product_id) INTO changed FROM changed_rows r;
    END IF;
    SELECT array_agg(pair.price_list_id), array_agg(pair.product_id) INTO lists, changed
    FROM (
        SELECT own.price_list_id, v.product_id
        FROM product_variants v JOIN price_list_prices own ON own.variant_id = v.id
        WHERE v.product_id = ANY (changed)
        UNION
        SELECT known.price_list_id, known.product_id FROM price_list_products known
        WHERE known.product_id = ANY (changed)
    ) pair;
    IF lists IS NOT NULL THEN
        PERFORM refresh_price_list_products(lists, changed);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER shown_prices_insert AFTER INSERT ON product_variants REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION follow_variants();
CREATE TRIGGER shown_prices_update AFTER UPDATE ON product_variants
    REFERENCING OLD TABLE AS former_rows NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION follow_variants();
CREATE TRIGGER shown_prices_delete AFTER DELETE ON product_variants REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION follow_variants();

CREATE FUNCTION follow_price_list() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lists uuid[];
    changed uuid[];
BEGIN
    SELECT array_agg(known.price_list_id), array_agg(known.product_id) INTO lists, changed
    FROM price_list_products known WHERE known.price_list_id = NEW.id;
    IF lists IS NOT NULL THEN
        PERFORM refresh_price_list_products(lists, changed);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER shown_prices AFTER UPDATE ON price_lists FOR EACH ROW
    WHEN ((OLD.factor, OLD.round_to_minor, OLD.ending_minor)
        IS DISTINCT FROM (NEW.factor, NEW.round_to_minor, NEW.ending_minor))
    EXECUTE FUNCTION follow_price_list();

SELECT refresh_price_list_products(array_agg(own.price_list_id), array_agg(v.product_id))
FROM price_list_prices own JOIN product_variants v ON v.id = own.variant_id HAVING count(*) > 0;
"""

# Where a cursor stands among the products without own prices. What a list makes of a price never falls when that rises,
# so that all of them behind (price, base, id) begin at one place of the shop's order: its shop price and id.
PLACE = """
CREATE FUNCTION first_base(price bigint, lists uuid[]) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    low bigint := 0;
    high bigint := 1000000000000001;
    middle bigint;
BEGIN
    WHILE low < high LOOP
        middle := (low + high) / 2;
        IF (
            SELECT min(CASE WHEN l.id IS NULL THEN middle
                            ELSE list_price(middle, l.factor, l.round_to_minor, l.ending_minor) END)
            FROM unnest(lists) AS applied (id) LEFT JOIN price_lists l ON l.id = applied.id
        ) >= price THEN
            high := middle;
        ELSE
            low := middle + 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;
ALTER FUNCTION first_base(bigint, uuid[]) SET plan_cache_mode = force_generic_plan;

CREATE FUNCTION place_by_price(price bigint, base bigint, row_id uuid, lists uuid[], OUT at_base bigint, OUT at_id uuid)
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    at_id := '00000000-0000-0000-0000-000000000000';
    at_base := first_base(price, lists);
    IF base >= at_base THEN
        at_base := first_base(price + 1, lists);
        IF base < at_base THEN
            at_base := base;
            at_id := row_id;
        END IF;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0053_credit_of_gift_cards")]
    operations = [ops.RunSQL(TABLE), ops.RunSQL(PLACE), ops.RunSQL(KEEPING)]
