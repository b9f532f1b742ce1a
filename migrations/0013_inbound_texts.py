"""Whose a text message was, and the texts from and to a number."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE INDEX inbound_sms_sender ON inbound_sms (sender, received_at DESC);
CREATE INDEX inbound_sms_recent ON inbound_sms (id DESC);
-- The first marketing text to a number, and the last one, which a STOP answers.
CREATE INDEX messages_texts ON messages (recipient, created_at DESC) WHERE channel = 'SMS' AND purpose = 'MARKETING';
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0012_recommendations")]
    operations = [
        ops.AddField(model_name="InboundSms", name="profile_id", field=fields.UUIDField(null=True)),
        ops.RunSQL(FORWARD),
    ]
