"""Find discounts that apply by themselves; when a webhook's secret was rotated, and whose bodies are still kept."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE INDEX discounts_automatic ON discounts (id) WHERE automatic AND status = 'ACTIVE';
CREATE INDEX webhook_deliveries_body ON webhook_deliveries (id) WHERE body <> '';
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0014_lifecycle")]
    operations = [
        ops.AddField(
            model_name="WebhookEndpoint",
            name="secret_rotated_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.RunSQL(FORWARD),
    ]
