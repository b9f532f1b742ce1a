"""Finds a campaign's messages that wait, and its orders, without reading the rest of its messages."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE INDEX messages_campaign_waiting ON messages (campaign_id)
    WHERE campaign_id IS NOT NULL AND state IN ('RESERVED', 'SENDING');
CREATE INDEX attributions_campaign ON attributions (campaign_id) WHERE campaign_id IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0016_segment_building")]
    operations = [ops.RunSQL(FORWARD)]
