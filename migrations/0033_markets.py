"""Where the shop sells, in which currency, at which prices; and numbers for what processes keep in memory."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Every statement that changes a part of the configuration gives it a number that was never used and never will be:
# sequences do not roll back. See app/configuration.py.
VERSIONS = """
CREATE TABLE configuration_versions (name varchar(32) PRIMARY KEY, version bigint NOT NULL);
CREATE SEQUENCE configuration_version_numbers;

CREATE FUNCTION bump_configuration() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'TRUNCATE' THEN
        IF NOT EXISTS (SELECT FROM changed_rows) THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO configuration_versions (name, version)
    VALUES (TG_ARGV[0], nextval('configuration_version_numbers'))
    ON CONFLICT (name) DO UPDATE SET version = nextval('configuration_version_numbers');
    RETURN NULL;
END $$;

-- For this and later migrations: `SELECT versioned_table('tax_zones', 'taxes')`.
CREATE FUNCTION versioned_table(changed regclass, VARIADIC parts text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part text;
    happening record;
BEGIN
    FOREACH part IN ARRAY parts LOOP
        FOR happening IN VALUES
            ('INSERT', 'REFERENCING NEW TABLE AS changed_rows'), ('UPDATE', 'REFERENCING NEW TABLE AS changed_rows'),
            ('DELETE', 'REFERENCING OLD TABLE AS changed_rows'), ('TRUNCATE', '')
        LOOP
            EXECUTE format(
                'CREATE TRIGGER %I AFTER %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION bump_configuration(%L)',
                format('versioned_%s_%s', part, lower(happening.column1)), happening.column1, changed,
                happening.column2, part
            );
        END LOOP;
    END LOOP;
END $$;
SELECT versioned_table('shop', 'shop');
"""

MARKETS = """
-- A list's price of a variant is its own one, or the shop's times `factor`, rounded: see app/markets/prices.py.
CREATE TABLE price_lists (
    id uuid PRIMARY KEY,
    name varchar(120) NOT NULL,
    currency_code varchar(3) NOT NULL,
    adjustment_percentage numeric(9, 4) NOT NULL DEFAULT 0
        CHECK (adjustment_percentage > -100 AND adjustment_percentage <= 1000),
    exchange_rate numeric(24, 12) NOT NULL DEFAULT 1 CHECK (exchange_rate > 0 AND exchange_rate <= 1000000),
    round_to_minor bigint NOT NULL DEFAULT 1 CHECK (round_to_minor BETWEEN 1 AND 1000000000000),
    ending_minor bigint NOT NULL DEFAULT 0,
    factor numeric(44, 22) NOT NULL CHECK (factor > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (ending_minor >= 0 AND ending_minor < round_to_minor)
);
CREATE TABLE price_list_prices (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    price_list_id uuid NOT NULL REFERENCES price_lists (id) ON DELETE CASCADE,
    variant_id uuid NOT NULL REFERENCES product_variants (id) ON DELETE CASCADE,
    min_quantity int NOT NULL DEFAULT 1 CHECK (min_quantity >= 1),
    price_minor bigint NOT NULL CHECK (price_minor BETWEEN 0 AND 1000000000000000),
    compare_at_price_minor bigint CHECK (compare_at_price_minor BETWEEN 0 AND 1000000000000000),
    updated_at timestamptz NOT NULL,
    CONSTRAINT price_list_prices_once UNIQUE (price_list_id, variant_id, min_quantity)
);
CREATE INDEX price_list_prices_variant ON price_list_prices (variant_id);

-- Without a price list, a market sells at the shop's prices; with one, its currency is the list's. The default market
-- has every country that no other one has.
CREATE TABLE markets (
    id uuid PRIMARY KEY,
    code varchar(32) NOT NULL CONSTRAINT markets_code UNIQUE,
    name varchar(120) NOT NULL,
    is_default boolean NOT NULL DEFAULT false,
    price_list_id uuid REFERENCES price_lists (id),
    languages text[] NOT NULL DEFAULT '{}',
    prices_include_tax boolean NOT NULL DEFAULT false,
    minimum_order_minor bigint CHECK (minimum_order_minor BETWEEN 0 AND 1000000000000000),
    rounding_minor bigint NOT NULL DEFAULT 1 CHECK (rounding_minor BETWEEN 1 AND 1000000000),
    position int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX markets_default ON markets (is_default) WHERE is_default;
CREATE INDEX markets_price_list ON markets (price_list_id);
CREATE TABLE market_countries (
    country_code varchar(2) PRIMARY KEY,
    market_id uuid NOT NULL REFERENCES markets (id) ON DELETE CASCADE
);
CREATE INDEX market_countries_market ON market_countries (market_id);
CREATE TABLE market_hidden_products (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    market_id uuid NOT NULL REFERENCES markets (id) ON DELETE CASCADE,
    product_id uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    CONSTRAINT market_hidden_products_once UNIQUE (market_id, product_id)
);
CREATE INDEX market_hidden_products_product ON market_hidden_products (product_id);

CREATE TABLE customer_groups (
    id uuid PRIMARY KEY,
    name varchar(120) NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX customer_groups_name ON customer_groups (lower(name));
CREATE TABLE customer_group_price_lists (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    group_id uuid NOT NULL REFERENCES customer_groups (id) ON DELETE CASCADE,
    price_list_id uuid NOT NULL REFERENCES price_lists (id),
    CONSTRAINT customer_group_price_lists_once UNIQUE (group_id, price_list_id)
);
CREATE INDEX customer_group_price_lists_list ON customer_group_price_lists (price_list_id);
CREATE TABLE customer_group_members (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    group_id uuid NOT NULL REFERENCES customer_groups (id) ON DELETE CASCADE,
    customer_id uuid NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    added_at timestamptz NOT NULL,
    CONSTRAINT customer_group_members_once UNIQUE (group_id, customer_id)
);
CREATE INDEX customer_group_members_customer ON customer_group_members (customer_id);

-- The shop has a default market for as long as it is there itself.
CREATE FUNCTION make_default_market() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO markets (id, code, name, is_default, created_at, updated_at)
    VALUES ('00000000-0000-7000-8000-000000000001', 'home', 'Home market', true, business_now(), business_now())
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER default_market AFTER INSERT ON shop FOR EACH STATEMENT EXECUTE FUNCTION make_default_market();
CREATE FUNCTION keep_default_market() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the default market stays' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER default_market_stays BEFORE DELETE ON markets FOR EACH ROW WHEN (OLD.is_default)
    EXECUTE FUNCTION keep_default_market();
CREATE TRIGGER default_market_stays_default BEFORE UPDATE ON markets FOR EACH ROW
    WHEN (OLD.is_default <> NEW.is_default) EXECUTE FUNCTION keep_default_market();

SELECT audit_table(name) FROM unnest(ARRAY[
    'price_lists', 'price_list_prices', 'markets', 'market_hidden_products', 'customer_groups',
    'customer_group_price_lists'
]::regclass[]) AS name;
SELECT audit_table('market_countries', key => 'country_code');
SELECT audit_table('customer_group_members', person => audit_person('customer'));
SELECT versioned_table(name, 'markets') FROM unnest(ARRAY[
    'shop', 'price_lists', 'markets', 'market_countries', 'market_hidden_products', 'customer_group_price_lists'
]::regclass[]) AS name;
INSERT INTO markets (id, code, name, is_default, created_at, updated_at)
SELECT '00000000-0000-7000-8000-000000000001', 'home', 'Home market', true, business_now(), business_now() FROM shop
ON CONFLICT DO NOTHING;
"""

PRICES = """
-- What a price of the shop is in a list: times `factor`, to the nearest amount that is a multiple and an ending, half
-- up; never nothing, as nothing is something else than cheap; never more than the API knows.
CREATE FUNCTION list_price(base_minor bigint, factor numeric, round_to_minor bigint, ending_minor bigint)
RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN base_minor IS NULL THEN NULL
        WHEN base_minor = 0 THEN 0
        ELSE least(greatest(
            div(2 * (base_minor * factor - ending_minor) + round_to_minor, 2 * round_to_minor::numeric)
                * round_to_minor + ending_minor,
            CASE WHEN ending_minor > 0 THEN ending_minor ELSE round_to_minor END
        ), 1000000000000000)::bigint
    END
$$;

-- The lists that apply to a buyer, of which the lowest price wins: first the market's, null for the shop's own prices,
-- then those of the customer's groups in the market's currency. An unknown market is the default one.
CREATE FUNCTION price_lists_for(market uuid, customer uuid, company uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    own uuid;
    currency text;
BEGIN
    SELECT m.price_list_id, coalesce(l.currency_code, s.currency_code) INTO own, currency
    FROM markets m CROSS JOIN shop s LEFT JOIN price_lists l ON l.id = m.price_list_id
    WHERE m.id = market OR m.is_default ORDER BY m.id = market DESC NULLS LAST LIMIT 1;
    IF customer IS NULL THEN
        RETURN ARRAY[own];
    END IF;
    RETURN own || ARRAY(
        SELECT DISTINCT l.id
        FROM customer_group_members g
        JOIN customer_group_price_lists gl ON gl.group_id = g.group_id
        JOIN price_lists l ON l.id = gl.price_list_id
        WHERE g.customer_id = customer AND l.currency_code = currency AND l.id IS DISTINCT FROM own
    );
END $$;

-- `[{"min_quantity": 1, "unit_price_minor": 1990}, …]`, ascending, from 1 on.
CREATE FUNCTION price_breaks(variant uuid, base_minor bigint, lists uuid[]) RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (
        SELECT json_agg(
            json_build_object('min_quantity', tier.min_quantity, 'unit_price_minor', tier.price)
            ORDER BY tier.min_quantity
        )
        FROM (
            SELECT known.min_quantity, min(coalesce(
                own.price_minor,
                CASE WHEN l.id IS NULL THEN base_minor
                     ELSE list_price(base_minor, l.factor, l.round_to_minor, l.ending_minor) END
            )) AS price
            FROM (
                SELECT 1 AS min_quantity
                UNION SELECT p.min_quantity FROM price_list_prices p
                WHERE p.variant_id = variant AND p.price_list_id = ANY (lists)
            ) known
            CROSS JOIN unnest(lists) AS applied (id)
            LEFT JOIN price_lists l ON l.id = applied.id
            LEFT JOIN LATERAL (
                SELECT p.price_minor FROM price_list_prices p
                WHERE p.price_list_id = applied.id AND p.variant_id = variant AND p.min_quantity <= known.min_quantity
                ORDER BY p.min_quantity DESC LIMIT 1
            ) own ON true
            GROUP BY known.min_quantity
        ) tier
    );
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0032_orders_priced")]
    operations = [ops.RunSQL(VERSIONS), ops.RunSQL(MARKETS), ops.RunSQL(PRICES)]
