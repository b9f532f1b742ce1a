"""Why a message did not go out, and which one staff asked to send again."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

FORWARD = """
ALTER TABLE messages
    ADD CONSTRAINT messages_sent CHECK ((state = 'SENT') = (sent_at IS NOT NULL)),
    ADD CONSTRAINT messages_reason CHECK (state NOT IN ('FAILED', 'SKIPPED', 'UNKNOWN') OR reason IS NOT NULL);
CREATE INDEX messages_resend_of ON messages (resend_of) WHERE resend_of IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0002_constraints")]
    operations = [
        ops.AddField("Message", "detail", fields.CharField(null=True, max_length=200)),
        ops.AddField("Message", "resend_of", fields.UUIDField(null=True)),
        ops.RunSQL(FORWARD),
    ]
