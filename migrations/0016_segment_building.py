"""How far a segment's building is, and why its condition had no answer for somebody."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0015_discounts_and_webhooks")]
    operations = [
        ops.AddField(model_name="Segment", name="built_through", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="Segment", name="job_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="Segment", name="failure", field=fields.CharField(null=True, max_length=200)),
        ops.AddField(model_name="Segment", name="failed_at", field=fields.DatetimeField(null=True)),
    ]
