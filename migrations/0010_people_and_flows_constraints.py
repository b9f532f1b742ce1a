"""Checks, indexes and append-only guards of the tables in 0009."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
-- Owners may do everything, also what is new.
UPDATE staff_roles SET permissions = permissions || ARRAY[
    'CUSTOMERS_READ', 'CUSTOMERS_WRITE', 'MARKETING_READ', 'MARKETING_WRITE', 'DISCOUNTS_WRITE', 'INTEGRATIONS_WRITE'
] WHERE name = 'Owner';

-- People. A merged profile keeps its row and gives up its addresses.
CREATE UNIQUE INDEX profiles_email ON profiles (lower(email)) WHERE email IS NOT NULL AND merged_into_id IS NULL;
CREATE UNIQUE INDEX profiles_phone_only ON profiles (phone)
    WHERE phone IS NOT NULL AND email IS NULL AND merged_into_id IS NULL;
CREATE INDEX profiles_phone ON profiles (phone) WHERE phone IS NOT NULL;
CREATE INDEX profiles_merged ON profiles (merged_into_id) WHERE merged_into_id IS NOT NULL;
CREATE INDEX profiles_recent ON profiles (created_at DESC, id DESC) WHERE merged_into_id IS NULL;
ALTER TABLE profiles
    ADD CHECK (order_count >= 0), ADD CHECK (total_spent_minor >= 0),
    ADD CHECK (recency_score BETWEEN 1 AND 5), ADD CHECK (frequency_score BETWEEN 1 AND 5),
    ADD CHECK (monetary_score BETWEEN 1 AND 5),
    ADD CONSTRAINT profiles_merged_has_no_address CHECK (merged_into_id IS NULL OR (email IS NULL AND phone IS NULL));
CREATE INDEX visitors_profile ON visitors (profile_id);
CREATE INDEX profile_events_profile ON profile_events (profile_id, type, occurred_at DESC);
CREATE INDEX profile_events_recent ON profile_events (profile_id, occurred_at DESC, id DESC);
CREATE INDEX profile_events_product ON profile_events (product_id, type, occurred_at DESC) WHERE product_id IS NOT NULL;
CREATE INDEX carts_profile ON carts (profile_id) WHERE profile_id IS NOT NULL;
CREATE INDEX orders_profile ON orders (profile_id, placed_at DESC) WHERE profile_id IS NOT NULL;

-- Consent.
CREATE UNIQUE INDEX consent_texts_version ON consent_texts (channel, language, version);
CREATE INDEX consents_address ON consents (channel, address_hash, id DESC);
CREATE INDEX consents_profile ON consents (profile_id, id DESC);
CREATE UNIQUE INDEX consents_confirmed_once ON consents (confirms_id) WHERE confirms_id IS NOT NULL;
ALTER TABLE consents ADD CONSTRAINT consents_wording CHECK (
    action = 'REVOKED' OR text_id IS NOT NULL OR source IN ('SMS_REPLY', 'STAFF')
);
CREATE FUNCTION consents_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Erasing a person empties what names them; nothing else may ever change.
    IF TG_OP = 'UPDATE' AND current_setting('tradewind.erasing', true) = 'on'
       AND (NEW.id, NEW.profile_id, NEW.channel, NEW.address_hash, NEW.action, NEW.recorded_at)
         IS NOT DISTINCT FROM (OLD.id, OLD.profile_id, OLD.channel, OLD.address_hash, OLD.action, OLD.recorded_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'consents are append-only';
END $$;
CREATE TRIGGER consents_append_only BEFORE UPDATE OR DELETE ON consents
    FOR EACH ROW EXECUTE FUNCTION consents_are_kept();
CREATE UNIQUE INDEX suppressions_once ON suppressions (channel, address_hash, reason) WHERE lifted_at IS NULL;
CREATE INDEX suppressions_recent ON suppressions (id DESC);

-- Segments.
CREATE UNIQUE INDEX segment_memberships_once ON segment_memberships (segment_id, profile_id);
CREATE INDEX segment_memberships_profile ON segment_memberships (profile_id) WHERE member;
CREATE INDEX segment_memberships_members ON segment_memberships (segment_id, profile_id) WHERE member;
CREATE UNIQUE INDEX segment_counts_once ON segment_counts (segment_id, shard);

-- Flows.
CREATE UNIQUE INDEX flow_versions_number ON flow_versions (flow_id, number);
CREATE UNIQUE INDEX flow_runs_living ON flow_runs (flow_id, profile_id, key) WHERE status IN ('PENDING', 'ACTIVE');
CREATE UNIQUE INDEX flow_runs_trigger ON flow_runs (flow_id, profile_id, trigger_event_id);
CREATE INDEX flow_runs_profile ON flow_runs (profile_id, flow_id, entered_at DESC);
CREATE INDEX flow_runs_waiting ON flow_runs (flow_id, step_key) WHERE status IN ('PENDING', 'ACTIVE');
CREATE INDEX flow_runs_recent ON flow_runs (flow_id, id DESC);
ALTER TABLE flow_runs ADD CONSTRAINT flow_runs_finished CHECK (
    (status IN ('PENDING', 'ACTIVE')) = (finished_at IS NULL)
);
CREATE INDEX flow_run_steps_run ON flow_run_steps (run_id, id);
CREATE INDEX flow_run_steps_flow ON flow_run_steps (flow_id, step_key, outcome);
CREATE UNIQUE INDEX flow_dates_once ON flow_dates (flow_id, profile_id, trigger_index);
CREATE INDEX flow_dates_due ON flow_dates (due_at);

-- Campaigns.
CREATE UNIQUE INDEX campaign_recipients_once ON campaign_recipients (campaign_id, profile_id);
CREATE INDEX campaign_recipients_due ON campaign_recipients (campaign_id, due_at) WHERE handled_at IS NULL;
CREATE INDEX campaigns_recent ON campaigns (id DESC);

-- Messages.
CREATE UNIQUE INDEX messages_step ON messages (run_id, step_key, channel) WHERE run_id IS NOT NULL AND resend_of IS NULL;
CREATE INDEX messages_flow ON messages (flow_id, step_key) WHERE flow_id IS NOT NULL;
CREATE INDEX messages_campaign ON messages (campaign_id) WHERE campaign_id IS NOT NULL;
CREATE INDEX messages_profile ON messages (profile_id, created_at DESC) WHERE profile_id IS NOT NULL;
CREATE INDEX messages_provider_reference ON messages (provider_reference) WHERE provider_reference IS NOT NULL;
CREATE UNIQUE INDEX message_template_versions_number ON message_template_versions (template_id, language, number);
CREATE UNIQUE INDEX message_links_position ON message_links (message_id, position);
CREATE INDEX message_clicks_message ON message_clicks (message_id);
CREATE INDEX attributions_flow ON attributions (flow_id, step_key) WHERE flow_id IS NOT NULL;
CREATE INDEX attributions_message ON attributions (message_id);
CREATE UNIQUE INDEX provider_notices_once ON provider_notices (provider, external_id, kind);
CREATE UNIQUE INDEX inbound_sms_once ON inbound_sms (provider, external_id);
ALTER TABLE marketing_settings ADD CHECK (id = 1);
INSERT INTO marketing_settings (id, email_cap_hours, sms_cap_hours, quiet_from, quiet_until, double_opt_in,
                                attribution_days, voice_enabled, utm_source, updated_at)
VALUES (1, 16, 24, '21:00', '08:00', '{"EMAIL": ["NEWSLETTER"], "SMS": ["NEWSLETTER"]}', 5, false, 'tradewind',
        clock_timestamp());

-- Promotions: the last line of defence against using a coupon twice.
CREATE UNIQUE INDEX discount_codes_code ON discount_codes (upper(code));
CREATE INDEX discount_codes_discount ON discount_codes (discount_id);
CREATE INDEX discount_codes_profile ON discount_codes (profile_id, created_at DESC) WHERE profile_id IS NOT NULL;
ALTER TABLE discounts
    ADD CHECK (used_count >= 0 AND (usage_limit IS NULL OR used_count <= usage_limit)),
    ADD CHECK ((percentage IS NULL) <> (amount_minor IS NULL)),
    ADD CHECK (percentage BETWEEN 0 AND 100), ADD CHECK (amount_minor >= 0);
ALTER TABLE discount_codes ADD CHECK (used_count >= 0 AND (usage_limit IS NULL OR used_count <= usage_limit));
CREATE UNIQUE INDEX discount_redemptions_once ON discount_redemptions (attempt_id, discount_id, code_id) NULLS NOT DISTINCT;
CREATE INDEX discount_redemptions_customer ON discount_redemptions (discount_id, contact_hash);
CREATE INDEX discount_redemptions_order ON discount_redemptions (order_id) WHERE order_id IS NOT NULL;
ALTER TABLE discount_redemptions ADD CHECK (state IN ('HELD', 'REDEEMED', 'RELEASED')), ADD CHECK (amount_minor >= 0);

-- Webhooks, CRM, surveys, referrals, alerts.
CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, id DESC);
CREATE UNIQUE INDEX crm_contacts_once ON crm_contacts (connection_id, profile_id);
CREATE INDEX crm_contacts_behind ON crm_contacts (connection_id) WHERE synced_revision < wanted_revision;
CREATE INDEX survey_responses_order ON survey_responses (order_id) WHERE order_id IS NOT NULL;
ALTER TABLE survey_responses ADD CHECK (score BETWEEN 0 AND 10);
ALTER TABLE referral_program ADD CHECK (id = 1);
CREATE INDEX referrals_code ON referrals (referral_code_id);
CREATE UNIQUE INDEX product_alerts_once ON product_alerts (kind, profile_id, variant_id)
    WHERE triggered_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX product_alerts_variant ON product_alerts (variant_id, kind) WHERE triggered_at IS NULL AND cancelled_at IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0009_people_and_flows")]
    operations = [ops.RunSQL(FORWARD)]
