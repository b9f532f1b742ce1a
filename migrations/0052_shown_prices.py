"""The lowest prices of products with own prices in a list; and for which company an alert compares."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0051_approved_delivery")]
    operations = [
        ops.AddField(model_name="ProductAlert", name="company_id", field=fields.UUIDField(null=True)),
    ]
