"""Counting what is unfinished without reading what is done, at every scrape of the metrics; vacuuming events in time.

Each event is updated some three times in its first second, and a fifth of a table of thirty days, which autovacuum
would wait for, is days of them. See docs/decisions/growth.md.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0025_downloads")]
    atomic = False
    operations = [
        ops.RunSQL("ALTER TABLE events SET (autovacuum_vacuum_scale_factor = 0.02)"),
        ops.RunSQL("ALTER TABLE event_receipts SET (autovacuum_vacuum_scale_factor = 0.05)"),
        # What a build that was broken off left behind is not valid, and would stay so.
        ops.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS messages_unknown"),
        ops.RunSQL("CREATE INDEX CONCURRENTLY messages_unknown ON messages (created_at) WHERE state = 'UNKNOWN'"),
        ops.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_waiting"),
        ops.RunSQL(
            "CREATE INDEX CONCURRENTLY webhook_deliveries_waiting ON webhook_deliveries (created_at) "
            "WHERE state = 'PENDING'"
        ),
    ]
