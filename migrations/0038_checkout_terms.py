"""Timed reservations, made-to-order options, dates, restrictions, pick-up."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# contract: the indexes are partial ones over columns that are new and empty, so writes wait only while the table is
# read once; and a server of the release before, which knows of no checkout that holds units, goes on to write an
# attempt with each of its rows.
FORWARD = """
CREATE TABLE product_terms (
    product_id uuid PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
    customizations jsonb NOT NULL DEFAULT '[]',
    minimum_quantity int,
    maximum_quantity int,
    quantity_step int,
    minimum_age int,
    allowed_regions text[] NOT NULL DEFAULT '{}',
    forbidden_regions text[] NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL,
    CONSTRAINT product_terms_quantities CHECK (
        minimum_quantity >= 1 AND maximum_quantity >= 1 AND quantity_step >= 1
        AND maximum_quantity >= coalesce(minimum_quantity, 1)
    ),
    CONSTRAINT product_terms_age CHECK (minimum_age BETWEEN 1 AND 120)
);
SELECT audit_table('product_terms', key => 'product_id');

ALTER TABLE shop ADD CONSTRAINT shop_reservations CHECK (
    reservation_minutes BETWEEN 0 AND 1440 AND reservation_max_minutes BETWEEN reservation_minutes AND 1440
    AND reservation_unit_limit >= 1 AND minimum_order_minor >= 0
);
ALTER TABLE warehouses ADD CONSTRAINT warehouses_pickup CHECK (
    pickup_ready_hours BETWEEN 0 AND 720 AND (address IS NOT NULL OR NOT pickup_enabled)
);

-- Units are held for a checkout first, and for the attempt to complete it then.
ALTER TABLE stock_reservations ALTER COLUMN attempt_id DROP NOT NULL;
ALTER TABLE stock_reservations ADD CONSTRAINT stock_reservations_of_one CHECK (num_nonnulls(attempt_id, checkout_id) = 1);
CREATE INDEX stock_reservations_checkout ON stock_reservations (checkout_id) WHERE checkout_id IS NOT NULL;
CREATE INDEX orders_pickup ON orders (pickup_location_id, id) WHERE pickup_location_id IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0037_payments")]
    operations = [
        ops.AddField(model_name="Shop", name="reservation_minutes", field=fields.IntField(default=10, db_default=10)),
        ops.AddField(
            model_name="Shop", name="reservation_max_minutes", field=fields.IntField(default=60, db_default=60)
        ),
        ops.AddField(
            model_name="Shop", name="reservation_unit_limit", field=fields.IntField(default=20, db_default=20)
        ),
        ops.AddField(model_name="Shop", name="minimum_order_minor", field=fields.BigIntField(null=True)),
        ops.AddField(
            model_name="Shop",
            name="age_check",
            field=fields.CharField(max_length=16, default="DECLARATION", db_default="DECLARATION"),
        ),
        ops.AddField(model_name="ProductVariant", name="available_from", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="ProductVariant", name="restock_expected_at", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="StockReservation", name="checkout_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="Checkout", name="reserved_since", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="Checkout", name="reserved_until", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="Checkout", name="confirmed_age", field=fields.IntField(null=True)),
        ops.AddField(model_name="Order", name="confirmed_age", field=fields.IntField(null=True)),
        ops.AddField(model_name="Order", name="pickup_location_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="Order", name="pickup_ready_at", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="Order", name="picked_up_at", field=fields.DatetimeField(null=True)),
        ops.AddField(
            model_name="Warehouse", name="pickup_enabled", field=fields.BooleanField(default=False, db_default=False)
        ),
        ops.AddField(model_name="Warehouse", name="address", field=fields.JSONField(null=True)),
        ops.AddField(
            model_name="Warehouse", name="opening_hours", field=fields.JSONField(default=list, db_default="[]")
        ),
        ops.AddField(
            model_name="Warehouse", name="pickup_instructions", field=fields.TextField(default="", db_default="")
        ),
        ops.AddField(
            model_name="Warehouse", name="pickup_ready_hours", field=fields.IntField(default=24, db_default=24)
        ),
        ops.RunSQL(FORWARD),
    ]
