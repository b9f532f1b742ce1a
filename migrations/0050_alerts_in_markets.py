"""Alerts of prices are about what somebody saw: of which market, and in which currency."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0049_plans_of_price_breaks")]
    operations = [
        ops.AddField(model_name="ProductAlert", name="market_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="ProductAlert", name="currency_code", field=fields.CharField(max_length=3, null=True)),
    ]
