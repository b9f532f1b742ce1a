"""What an audited action did to rows: one trigger on every table that people of the shop change."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FUNCTIONS = r"""
-- A value as the log keeps it. `names` says whether what may name a shopper is kept.
CREATE FUNCTION audit_shown(key text, value jsonb, hidden text, names boolean) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN value IS NULL OR value = 'null' THEN 'null'
        WHEN key ~ '(password|secret|token|hash|credential|fingerprint|sha256)'
            OR key = ANY(string_to_array(hidden, ',')) THEN '"[redacted]"'
        WHEN NOT names AND jsonb_typeof(value) IN ('string', 'object', 'array')
            AND key !~ '(^id|_id|_at|^kind|^state|^status|^channel|_code)$' THEN '"[personal]"'
        WHEN length(value::text) > 20000 THEN to_jsonb(format('[%s characters]', length(value::text)))
        ELSE value
    END
$$;

-- Arguments: the key column; a query that finds whose data it is from the row ($1), or nothing for rows that are
-- about no shopper; more columns that are never kept.
CREATE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
    became jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
    present jsonb := CASE WHEN TG_OP = 'DELETE' THEN was ELSE became END;
    person uuid;
    names boolean := true;
    old_values jsonb;
    new_values jsonb;
BEGIN
    IF TG_ARGV[1] <> '' THEN
        EXECUTE TG_ARGV[1] INTO person USING present;
        -- What belongs to nobody could never be exported or erased; and what is being erased must not come back here.
        names := person IS NOT NULL AND coalesce(current_setting('tradewind.erasing', true), '') <> 'on';
    END IF;
    SELECT jsonb_object_agg(key, audit_shown(key, was -> key, TG_ARGV[2], names)),
           jsonb_object_agg(key, audit_shown(key, became -> key, TG_ARGV[2], names))
    INTO old_values, new_values
    FROM jsonb_object_keys(was || became) AS key
    WHERE coalesce(was -> key, 'null') IS DISTINCT FROM coalesce(became -> key, 'null');
    IF old_values IS NOT NULL THEN
        INSERT INTO audit_changes (entry_id, table_name, row_id, operation, before, after, profile_id)
        VALUES (
            current_setting('tradewind.audit')::uuid, TG_TABLE_NAME, present ->> TG_ARGV[0], TG_OP,
            CASE WHEN TG_OP <> 'INSERT' THEN old_values END, CASE WHEN TG_OP <> 'DELETE' THEN new_values END, person
        );
    END IF;
    RETURN NULL;
END $$;

-- For this and later migrations: `SELECT audit_table('gift_cards', person => audit_person('profile'))`.
CREATE FUNCTION audit_table(audited regclass, person text DEFAULT '', hidden text DEFAULT '', key text DEFAULT 'id')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW '
        'WHEN (current_setting(''tradewind.audit'', true) <> '''') EXECUTE FUNCTION audit_change(%L, %L, %L)',
        audited, key, person, hidden
    );
END $$;

-- How a row's person is found.
CREATE FUNCTION audit_person(path text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE path
        WHEN 'self' THEN $q$SELECT ($1 ->> 'id')::uuid$q$
        WHEN 'profile' THEN $q$SELECT ($1 ->> 'profile_id')::uuid$q$
        WHEN 'order' THEN $q$SELECT profile_id FROM orders WHERE id = ($1 ->> 'order_id')::uuid$q$
        WHEN 'cart' THEN $q$SELECT profile_id FROM carts WHERE id = ($1 ->> 'cart_id')::uuid$q$
        WHEN 'customer' THEN $q$SELECT profile_id FROM customers WHERE id = ($1 ->> 'customer_id')::uuid$q$
        WHEN 'fulfillment' THEN $q$SELECT o.profile_id FROM fulfillments f JOIN orders o ON o.id = f.order_id
                                   WHERE f.id = ($1 ->> 'fulfillment_id')::uuid$q$
        WHEN 'address' THEN $q$SELECT id FROM profiles WHERE merged_into_id IS NULL
                               AND (email = $1 ->> 'address' OR phone = $1 ->> 'address') LIMIT 1$q$
    END
$$;
"""
TABLES = """
SELECT audit_table(name) FROM unnest(ARRAY[
    'business_clock', 'shop', 'shop_policies', 'staff_roles', 'staff_users', 'staff_recovery_codes',
    'staff_invitations', 'api_keys', 'uploads', 'jobs', 'dead_letters',
    'products', 'product_options', 'product_images', 'product_variants', 'collections', 'collection_products',
    'warehouses', 'stock_levels', 'stock_movements', 'stock_reservations', 'shipping_zones', 'shipping_methods',
    'message_templates', 'message_template_versions', 'marketing_settings', 'consent_texts', 'segments',
    'flows', 'flow_versions', 'campaigns', 'discounts', 'webhook_endpoints', 'crm_connections', 'referral_program'
]::regclass[]) AS name;
SELECT audit_table('sessions', hidden => 'user_agent');
SELECT audit_table('retention_periods', key => 'kind');
SELECT audit_table('webhook_deliveries', hidden => 'body');
SELECT audit_table('profiles', person => audit_person('self'));
SELECT audit_table(name, person => audit_person('profile')) FROM unnest(ARRAY[
    'carts', 'orders', 'messages', 'consents', 'flow_runs', 'survey_responses', 'referral_codes', 'product_alerts',
    'customers', 'discount_codes', 'discount_redemptions'
]::regclass[]) AS name;
SELECT audit_table('privacy_requests', person => audit_person('profile'), hidden => 'result,addresses');
SELECT audit_table(name, person => audit_person('order')) FROM unnest(ARRAY[
    'order_lines', 'fulfillments'
]::regclass[]) AS name;
SELECT audit_table('payments', person => audit_person('order'), hidden => 'action,return_url');
SELECT audit_table('payment_transactions');
SELECT audit_table('cart_lines', person => audit_person('cart'));
SELECT audit_table('checkouts', person => audit_person('cart'));
SELECT audit_table('customer_addresses', person => audit_person('customer'));
SELECT audit_table('saved_payment_methods', person => audit_person('customer'), hidden => 'reference');
SELECT audit_table('fulfillment_lines');
SELECT audit_table('shipments', person => audit_person('fulfillment'));
SELECT audit_table('tracking_events');
SELECT audit_table('suppressions', person => audit_person('address'));
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0025_downloads")]
    operations = [ops.RunSQL(FUNCTIONS), ops.RunSQL(TABLES)]
