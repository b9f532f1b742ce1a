"""How what is too old is found without reading whole tables: by ranges where rows lie in the order of their age."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE INDEX profile_events_age ON profile_events USING brin (occurred_at);
CREATE INDEX flow_run_steps_age ON flow_run_steps USING brin (at);
CREATE INDEX message_links_age ON message_links USING brin (created_at);
CREATE INDEX message_clicks_age ON message_clicks USING brin (clicked_at);
CREATE INDEX carts_open ON carts (id) WHERE state = 'OPEN';
CREATE INDEX profiles_nobody ON profiles (id) WHERE email IS NULL AND phone IS NULL AND merged_into_id IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0028_saved_payment_methods"), ("tradewind", "0029_account_reads")]
    operations = [ops.RunSQL(FORWARD)]
