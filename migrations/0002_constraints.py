"""What Tortoise does not carry into CREATE TABLE: checks, partial and foreign-key indexes, functions, the order number."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Business time: the database's clock, plus the offset that development moves.
CREATE FUNCTION business_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT statement_timestamp()
         + coalesce((SELECT skew_microseconds FROM business_clock), 0) * interval '1 microsecond'
$$;
ALTER TABLE business_clock ADD CHECK (id = 1), ADD CHECK (skew_microseconds >= 0);
ALTER TABLE shop ADD CHECK (id = 1);

-- The outbox.
ALTER TABLE events ALTER COLUMN created_at SET DEFAULT clock_timestamp();
CREATE INDEX events_unacknowledged ON events (visible_at) WHERE acknowledged_at IS NULL;
CREATE INDEX events_subject ON events (subject_id, type);
CREATE UNIQUE INDEX event_receipts_once ON event_receipts (event_id, handler);
ALTER TABLE event_receipts ALTER COLUMN handled_at SET DEFAULT clock_timestamp();
CREATE UNIQUE INDEX dead_letters_once ON dead_letters (event_id, handler) WHERE replayed_at IS NULL;
CREATE INDEX dead_letters_recent ON dead_letters (created_at DESC, id DESC);
CREATE UNIQUE INDEX timers_once ON timers (kind, subject_id);
CREATE INDEX timers_due ON timers (due_at);

-- Sessions and staff.
CREATE UNIQUE INDEX session_tokens_hash ON session_tokens (token_hash);
CREATE INDEX session_tokens_session ON session_tokens (session_id);
CREATE INDEX sessions_subject ON sessions (subject_kind, subject_id) WHERE revoked_at IS NULL;
ALTER TABLE session_tokens ADD CHECK (kind IN ('access', 'refresh'));
CREATE UNIQUE INDEX staff_users_email ON staff_users (lower(email));
CREATE INDEX staff_users_role ON staff_users (role_id);

-- Uploads and jobs.
CREATE UNIQUE INDEX upload_chunks_order ON upload_chunks (upload_id, position);
CREATE INDEX job_problems_job ON job_problems (job_id, id);
CREATE INDEX jobs_recent ON jobs (created_at DESC, id DESC);
ALTER TABLE jobs ADD CHECK (done >= 0), ADD CHECK (total IS NULL OR total >= 0), ADD CHECK (problem_count >= 0);

-- Catalogue.
CREATE INDEX products_listed ON products (created_at DESC, id DESC) WHERE status = 'ACTIVE';
CREATE INDEX products_by_name ON products (name, id) WHERE status = 'ACTIVE';
CREATE INDEX products_by_price ON products (min_price_minor, id) WHERE status = 'ACTIVE';
CREATE INDEX products_name_trigram ON products USING gin (name gin_trgm_ops);
CREATE INDEX products_updated ON products (updated_at DESC, id DESC);
ALTER TABLE products ADD CHECK (min_price_minor >= 0), ADD CHECK (max_price_minor >= min_price_minor);
CREATE UNIQUE INDEX product_options_position ON product_options (product_id, position);
CREATE INDEX product_images_product ON product_images (product_id, position, id);
CREATE INDEX product_variants_product ON product_variants (product_id, position, id);
CREATE UNIQUE INDEX product_variants_options ON product_variants (product_id, option_values);
CREATE INDEX product_variants_sku ON product_variants (sku) WHERE sku IS NOT NULL;
CREATE INDEX product_variants_image ON product_variants (image_id) WHERE image_id IS NOT NULL;
ALTER TABLE product_variants
    ADD CHECK (price_minor >= 0),
    ADD CHECK (compare_at_price_minor IS NULL OR compare_at_price_minor >= 0),
    ADD CHECK (weight_grams >= 0);
CREATE UNIQUE INDEX collection_products_once ON collection_products (collection_id, product_id);
CREATE INDEX collection_products_order ON collection_products (collection_id, position, product_id);
CREATE INDEX collection_products_product ON collection_products (product_id);

-- Stock: the last line of defence against selling a unit twice.
CREATE UNIQUE INDEX warehouses_default ON warehouses (is_default) WHERE is_default;
CREATE UNIQUE INDEX stock_levels_once ON stock_levels (variant_id, warehouse_id);
CREATE INDEX stock_levels_warehouse ON stock_levels (warehouse_id);
ALTER TABLE stock_levels
    ADD CONSTRAINT stock_available CHECK (available >= 0),
    ADD CONSTRAINT stock_reserved CHECK (reserved >= 0),
    ADD CONSTRAINT stock_backordered CHECK (backordered >= 0);
CREATE INDEX stock_movements_level ON stock_movements (stock_level_id, created_at);
CREATE INDEX stock_reservations_attempt ON stock_reservations (attempt_id);
CREATE INDEX stock_reservations_level ON stock_reservations (stock_level_id);
CREATE INDEX stock_reservations_held ON stock_reservations (expires_at) WHERE state = 'HELD';
ALTER TABLE stock_reservations
    ADD CHECK (quantity >= 0), ADD CHECK (backordered >= 0), ADD CHECK (quantity + backordered > 0),
    ADD CHECK (shipped_quantity BETWEEN 0 AND quantity + backordered);

-- Shipping.
CREATE INDEX shipping_methods_zone ON shipping_methods (zone_id, position);

-- Carts and checkouts.
CREATE UNIQUE INDEX cart_lines_once ON cart_lines (cart_id, variant_id, attributes_key);
CREATE INDEX cart_lines_variant ON cart_lines (variant_id);
ALTER TABLE cart_lines ADD CHECK (quantity > 0);
CREATE UNIQUE INDEX checkout_attempts_key ON checkout_attempts (cart_id, idempotency_key);
CREATE UNIQUE INDEX checkout_attempts_live ON checkout_attempts (cart_id)
    WHERE state IN ('PROCESSING', 'REQUIRES_ACTION');
CREATE INDEX checkout_attempts_unsettled ON checkout_attempts (leased_until)
    WHERE state IN ('PROCESSING', 'REQUIRES_ACTION');

-- Payments.
CREATE INDEX payments_order ON payments (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX payments_unsettled ON payments (updated_at) WHERE state IN ('PENDING', 'REQUIRES_ACTION', 'VOIDING');
CREATE UNIQUE INDEX payments_reference ON payments (gateway, reference) WHERE reference IS NOT NULL;
CREATE INDEX payment_transactions_payment ON payment_transactions (payment_id, created_at);
ALTER TABLE payments
    ADD CHECK (amount_minor >= 0),
    ADD CHECK (captured_minor BETWEEN 0 AND amount_minor),
    ADD CHECK (refunded_minor BETWEEN 0 AND captured_minor);

-- Orders.
CREATE SEQUENCE order_numbers START 1001;
CREATE INDEX orders_recent ON orders (placed_at DESC, id DESC);
CREATE INDEX orders_email ON orders (lower(email), placed_at DESC);
CREATE UNIQUE INDEX orders_token ON orders (token_hash);
CREATE INDEX order_lines_order ON order_lines (order_id, position);
CREATE INDEX order_lines_variant ON order_lines (variant_id);
ALTER TABLE orders ADD CONSTRAINT orders_total CHECK (
    total_minor = subtotal_minor - discount_minor + shipping_minor + CASE WHEN tax_included THEN 0 ELSE tax_minor END
), ADD CHECK (total_minor >= 0);
ALTER TABLE order_lines
    ADD CHECK (quantity > 0),
    ADD CHECK (fulfilled_quantity BETWEEN 0 AND quantity),
    ADD CONSTRAINT order_lines_subtotal CHECK (subtotal_minor = unit_price_minor * quantity);

-- Fulfilment.
CREATE INDEX fulfillments_order ON fulfillments (order_id, created_at);
CREATE UNIQUE INDEX fulfillment_lines_once ON fulfillment_lines (fulfillment_id, order_line_id);
CREATE INDEX fulfillment_lines_order_line ON fulfillment_lines (order_line_id);
ALTER TABLE fulfillment_lines ADD CHECK (quantity > 0);
CREATE INDEX shipments_fulfillment ON shipments (fulfillment_id, position);
CREATE INDEX shipments_tracking_number ON shipments (tracking_number) WHERE tracking_number IS NOT NULL;
CREATE UNIQUE INDEX tracking_events_once ON tracking_events (shipment_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX tracking_events_shipment ON tracking_events (shipment_id, occurred_at);

-- Messages.
CREATE INDEX messages_order ON messages (order_id, created_at) WHERE order_id IS NOT NULL;
CREATE INDEX messages_recent ON messages (created_at DESC, id DESC);
CREATE INDEX messages_unsettled ON messages (leased_until) WHERE state IN ('RESERVED', 'SENDING');
CREATE INDEX dev_messages_recent ON dev_messages (sent_at DESC, id DESC);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0001_initial")]
    operations = [ops.RunSQL(FORWARD)]
