"""What lifecycle figures are measured by, finding profiles by what staff type, and everything of one profile."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE UNIQUE INDEX product_reorders_once ON product_reorders (order_id, product_id);
CREATE INDEX product_reorders_recent ON product_reorders (product_id, ordered_at DESC);
ALTER TABLE product_reorders ADD CHECK (interval_seconds > 0);
CREATE UNIQUE INDEX figure_counts_once ON figure_counts (figure, bucket, shard);

-- Merging two profiles moves all that one of them has.
CREATE INDEX flow_dates_profile ON flow_dates (profile_id);
CREATE INDEX campaign_recipients_profile ON campaign_recipients (profile_id);
CREATE INDEX crm_contacts_profile ON crm_contacts (profile_id);
CREATE INDEX product_alerts_profile ON product_alerts (profile_id, created_at DESC);
CREATE INDEX survey_responses_profile ON survey_responses (profile_id);
CREATE INDEX referrals_friend ON referrals (friend_profile_id);
CREATE INDEX discount_redemptions_profile ON discount_redemptions (profile_id) WHERE profile_id IS NOT NULL;

-- What staff type.
CREATE INDEX profiles_email_prefix ON profiles (lower(email) text_pattern_ops) WHERE merged_into_id IS NULL;
CREATE INDEX profiles_phone_prefix ON profiles (phone text_pattern_ops) WHERE merged_into_id IS NULL;
CREATE INDEX profiles_last_name_prefix ON profiles (lower(last_name) text_pattern_ops) WHERE merged_into_id IS NULL;
CREATE INDEX profiles_full_name_prefix ON profiles ((lower(first_name) || ' ' || lower(last_name)) text_pattern_ops)
    WHERE merged_into_id IS NULL;
CREATE INDEX profiles_stage ON profiles (stage, created_at DESC, id DESC) WHERE merged_into_id IS NULL;

-- An event that a storefront sends again, under the key that it gave it.
CREATE INDEX profile_events_client_key ON profile_events ((data->>'visitorId'), (data->>'clientKey'))
    WHERE data ? 'clientKey';
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0013_inbound_texts")]
    operations = [
        ops.CreateModel(
            name="Reorder",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=True)),
                ("product_id", fields.UUIDField()),
                ("order_id", fields.UUIDField()),
                ("interval_seconds", fields.BigIntField()),
                ("ordered_at", fields.DatetimeField()),
            ],
            options={"table": "product_reorders", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FigureCount",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=True)),
                ("figure", fields.CharField(max_length=12)),
                ("bucket", fields.SmallIntField()),
                ("shard", fields.SmallIntField()),
                ("profiles", fields.BigIntField(default=0)),
            ],
            options={"table": "figure_counts", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.RunSQL(FORWARD),
    ]
