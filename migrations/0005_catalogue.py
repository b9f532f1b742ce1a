"""A shop that is there from the first start, variants that leave without taking carts along, names in reading order."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

FORWARD = """
-- Neutral, until the merchant says otherwise: nothing that a storefront asks for is null.
INSERT INTO shop (id, name, currency_code, countries, legal_name, postal_address, contact_email, contact_phone,
                  time_zone, locale, available_quantity_limit, updated_at)
VALUES (1, 'My shop', 'USD', '{US}', '', '', '', '', 'UTC', 'en-US', 20, clock_timestamp())
ON CONFLICT (id) DO NOTHING;
INSERT INTO warehouses (id, code, name, is_default, priority, time_zone, created_at)
SELECT gen_random_uuid(), 'MAIN', 'Main warehouse', true, 0, 'UTC', clock_timestamp()
WHERE NOT EXISTS (SELECT FROM warehouses);

-- "apple" stands before "Zebra", whatever the database's collation.
DROP INDEX products_by_name;
CREATE INDEX products_by_name ON products (lower(name), id) WHERE status = 'ACTIVE';
CREATE INDEX collections_listed ON collections (position, id);
CREATE INDEX collection_products_of ON collection_products (product_id, collection_id);
DROP INDEX collection_products_product;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0004_cart_revision")]
    operations = [
        ops.AddField(model_name="ProductVariant", name="removed_at", field=fields.DatetimeField(null=True)),
        ops.RunSQL(FORWARD),
    ]
