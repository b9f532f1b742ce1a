"""Zones, classes and rates of tax, exemptions."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# contract: the index on products is a partial one over a column that is new and empty.
TABLES = """
CREATE TABLE tax_classes (
    id uuid PRIMARY KEY,
    name varchar(120) NOT NULL,
    code varchar(64) NOT NULL UNIQUE CHECK (code ~ '^[a-z0-9][a-z0-9_-]*$'),
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX tax_classes_default ON tax_classes (is_default) WHERE is_default;

CREATE TABLE tax_zones (
    id uuid PRIMARY KEY,
    name varchar(120) NOT NULL,
    locations jsonb NOT NULL,
    shipping varchar(16) CHECK (shipping IN ('AS_GOODS', 'SHIPPING_CLASS', 'NOT_TAXED')),
    position int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE tax_rates (
    id uuid PRIMARY KEY,
    zone_id uuid NOT NULL REFERENCES tax_zones (id) ON DELETE CASCADE,
    tax_class_id uuid NOT NULL REFERENCES tax_classes (id) ON DELETE RESTRICT,
    name varchar(120) NOT NULL,
    percentage numeric(9, 6) NOT NULL CHECK (percentage >= 0 AND percentage <= 100),
    compound boolean NOT NULL DEFAULT false,
    code varchar(64),
    position int NOT NULL DEFAULT 0
);
CREATE INDEX tax_rates_zone ON tax_rates (zone_id, tax_class_id, position);
CREATE INDEX tax_rates_class ON tax_rates (tax_class_id);

CREATE TABLE tax_settings (
    id smallint PRIMARY KEY CHECK (id = 1),
    home_country_code varchar(2),
    tax_id varchar(32),
    gross_price_stays boolean NOT NULL DEFAULT true,
    untaxed_price_stays boolean NOT NULL DEFAULT false,
    shipping varchar(16) NOT NULL DEFAULT 'AS_GOODS' CHECK (shipping IN ('AS_GOODS', 'SHIPPING_CLASS', 'NOT_TAXED')),
    shipping_class_id uuid REFERENCES tax_classes (id) ON DELETE RESTRICT,
    gift_wrap_class_id uuid REFERENCES tax_classes (id) ON DELETE RESTRICT,
    tax_id_check varchar(8) NOT NULL DEFAULT 'FORMAT' CHECK (tax_id_check IN ('FORMAT', 'ONLINE')),
    tax_id_fallback varchar(16) NOT NULL DEFAULT 'CHARGE_TAX' CHECK (tax_id_fallback IN ('ACCEPT', 'CHARGE_TAX')),
    engine varchar(64),
    engine_configuration jsonb NOT NULL DEFAULT '{}',
    engine_credentials bytea,
    engine_timeout_ms int NOT NULL DEFAULT 2000 CHECK (engine_timeout_ms BETWEEN 100 AND 10000),
    engine_fallback varchar(16) NOT NULL DEFAULT 'OWN_RATES' CHECK (engine_fallback IN ('OWN_RATES', 'REFUSE')),
    updated_at timestamptz NOT NULL,
    CHECK (shipping <> 'SHIPPING_CLASS' OR shipping_class_id IS NOT NULL)
);

CREATE TABLE tax_exemptions (
    id uuid PRIMARY KEY,
    customer_id uuid,
    company_id uuid,
    country_code varchar(2),
    province_code varchar(64),
    certificate_number varchar(64) NOT NULL,
    valid_until date,
    created_by uuid,
    created_at timestamptz NOT NULL,
    CHECK (num_nonnulls(customer_id, company_id) = 1),
    CHECK (country_code IS NOT NULL OR province_code IS NULL)
);
CREATE INDEX tax_exemptions_customer ON tax_exemptions (customer_id, id) WHERE customer_id IS NOT NULL;
CREATE INDEX tax_exemptions_company ON tax_exemptions (company_id, id) WHERE company_id IS NOT NULL;

CREATE TABLE tax_id_checks (
    id uuid PRIMARY KEY,
    tax_id varchar(32) NOT NULL,
    state varchar(16) NOT NULL CHECK (state IN ('PENDING', 'VALID', 'INVALID', 'UNAVAILABLE')),
    requested_at timestamptz NOT NULL,
    checked_at timestamptz,
    consultation_number varchar(64),
    requester varchar(32)
);
CREATE INDEX tax_id_checks_latest ON tax_id_checks (tax_id, requested_at DESC);
-- One question at a time, however many carts name the number.
CREATE UNIQUE INDEX tax_id_checks_pending ON tax_id_checks (tax_id) WHERE state = 'PENDING';

INSERT INTO tax_classes (id, name, code, is_default, created_at, updated_at)
VALUES ('018bcfe5-6800-7000-8000-000000000001', 'Standard', 'standard', true, now(), now());
"""

FORWARD = """
ALTER TABLE products ADD CONSTRAINT products_tax_class FOREIGN KEY (tax_class_id)
    REFERENCES tax_classes (id) ON DELETE RESTRICT;
CREATE INDEX products_tax_class ON products (tax_class_id) WHERE tax_class_id IS NOT NULL;
SELECT versioned_table('tax_classes', 'taxes');
SELECT versioned_table('tax_zones', 'taxes');
SELECT versioned_table('tax_rates', 'taxes');
SELECT versioned_table('tax_settings', 'taxes');
SELECT audit_table(name) FROM unnest(ARRAY['tax_classes', 'tax_zones', 'tax_rates']::regclass[]) AS name;
SELECT audit_table('tax_settings', hidden => 'engine_credentials');
SELECT audit_table('tax_exemptions', person => audit_person('customer'));
UPDATE staff_roles SET permissions = permissions || ARRAY['TAXES_WRITE'] WHERE name = 'Owner';
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0035_stored_value")]
    operations = [
        ops.RunSQL(TABLES),
        ops.AddField(model_name="Product", name="tax_class_id", field=fields.UUIDField(null=True)),
        ops.AddField(
            model_name="Order", name="tax_estimated", field=fields.BooleanField(default=False, db_default=False)
        ),
        ops.RunSQL(FORWARD),
    ]
