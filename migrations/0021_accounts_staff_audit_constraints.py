"""Checks, indexes and append-only guards of the tables in 0020."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# contract: the indexes on carts and orders are partial ones over columns that are new and empty. Writes wait while the
# table is read once, which takes about a second for a million rows.
FORWARD = """
-- Owners may do everything, also what is new.
UPDATE staff_roles SET permissions = permissions || ARRAY['AUDIT_READ', 'API_KEYS_WRITE', 'PRIVACY_WRITE']
WHERE name = 'Owner';

-- Accounts. An address has one owner, and any number of strangers who claim it.
CREATE UNIQUE INDEX customers_email ON customers (lower(email)) WHERE email_verified_at IS NOT NULL;
CREATE INDEX customers_claims ON customers (lower(email), created_at DESC) WHERE email_verified_at IS NULL;
CREATE UNIQUE INDEX customers_profile ON customers (profile_id) WHERE profile_id IS NOT NULL;
CREATE INDEX customers_recent ON customers (id DESC);
ALTER TABLE customers ADD CONSTRAINT customers_profile_is_verified CHECK (
    profile_id IS NULL OR email_verified_at IS NOT NULL
);
CREATE INDEX customer_addresses_customer ON customer_addresses (customer_id, id);
ALTER TABLE customers
    ADD CONSTRAINT customers_default_shipping_address FOREIGN KEY (default_shipping_address_id)
        REFERENCES customer_addresses (id) ON DELETE SET NULL,
    ADD CONSTRAINT customers_default_billing_address FOREIGN KEY (default_billing_address_id)
        REFERENCES customer_addresses (id) ON DELETE SET NULL;
CREATE INDEX customers_shipping_default ON customers (default_shipping_address_id)
    WHERE default_shipping_address_id IS NOT NULL;
CREATE INDEX customers_billing_default ON customers (default_billing_address_id)
    WHERE default_billing_address_id IS NOT NULL;
CREATE UNIQUE INDEX account_tokens_hash ON account_tokens (token_hash);
CREATE INDEX account_tokens_customer ON account_tokens (customer_id, kind, created_at DESC);
CREATE INDEX account_tokens_expired ON account_tokens (expires_at);
CREATE INDEX carts_customer ON carts (customer_id, updated_at DESC) WHERE customer_id IS NOT NULL;
CREATE INDEX orders_customer ON orders (customer_id, placed_at DESC, id DESC) WHERE customer_id IS NOT NULL;
CREATE INDEX saved_payment_methods_customer ON saved_payment_methods (customer_id, id);
CREATE UNIQUE INDEX saved_payment_methods_once ON saved_payment_methods (customer_id, gateway, reference);

-- Staff.
CREATE INDEX staff_recovery_codes_user ON staff_recovery_codes (user_id);
CREATE UNIQUE INDEX staff_invitations_hash ON staff_invitations (token_hash);
CREATE UNIQUE INDEX staff_invitations_open ON staff_invitations (lower(email))
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX staff_invitations_role ON staff_invitations (role_id);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (key_hash);

-- The audit log.
CREATE INDEX audit_entries_recent ON audit_entries (occurred_at DESC, id DESC);
CREATE INDEX audit_entries_actor ON audit_entries (actor_id, occurred_at DESC, id DESC) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_changes_entry ON audit_changes (entry_id, id);
CREATE INDEX audit_changes_row ON audit_changes (table_name, row_id, id DESC);
CREATE INDEX audit_changes_profile ON audit_changes (profile_id) WHERE profile_id IS NOT NULL;
CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Erasing a person empties what names them, and what is older than the shop keeps it goes; nothing else changes.
    IF TG_OP = 'UPDATE' AND current_setting('tradewind.erasing', true) = 'on' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND current_setting('tradewind.forgetting', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION audit_is_kept();
CREATE TRIGGER audit_changes_append_only BEFORE UPDATE OR DELETE ON audit_changes
    FOR EACH ROW EXECUTE FUNCTION audit_is_kept();

-- Privacy.
CREATE INDEX privacy_requests_recent ON privacy_requests (id DESC);
CREATE INDEX privacy_requests_profile ON privacy_requests (profile_id) WHERE profile_id IS NOT NULL;
CREATE INDEX privacy_requests_customer ON privacy_requests (customer_id) WHERE customer_id IS NOT NULL;
ALTER TABLE retention_periods ADD CHECK (days > 0);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0020_accounts_staff_audit")]
    operations = [ops.RunSQL(FORWARD)]
