"""Profiles of people who were erased, and what an erasure under way still has to look for."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE UNIQUE INDEX privacy_requests_under_way ON privacy_requests (profile_id)
    WHERE kind = 'ERASURE' AND status IN ('PENDING', 'RUNNING') AND profile_id IS NOT NULL;
CREATE INDEX privacy_requests_documents ON privacy_requests (expires_at) WHERE expires_at IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0023_operations")]
    operations = [
        ops.AddField(model_name="Profile", name="erased_at", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="PrivacyRequest", name="addresses", field=fields.BinaryField(null=True)),
        ops.RunSQL(FORWARD),
    ]
