"""How what is too old is found without reading whole tables: by ranges where rows lie in the order of their age."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Concurrently: these tables are large, and shoppers write to them. What a build that was broken off left is not valid.
INDEXES = {
    "profile_events_age": "profile_events USING brin (occurred_at)",
    "flow_run_steps_age": "flow_run_steps USING brin (at)",
    "message_links_age": "message_links USING brin (created_at)",
    "message_clicks_age": "message_clicks USING brin (clicked_at)",
    "carts_open": "carts (id) WHERE state = 'OPEN'",
    "profiles_nobody": "profiles (id) WHERE email IS NULL AND phone IS NULL AND merged_into_id IS NULL",
}


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0028_saved_payment_methods"), ("tradewind", "0029_account_reads")]
    atomic = False
    operations = [
        ops.RunSQL(statement)
        for name, rows in INDEXES.items()
        for statement in (
            f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
            f"CREATE INDEX CONCURRENTLY {name} ON {rows}",
        )
    ]
