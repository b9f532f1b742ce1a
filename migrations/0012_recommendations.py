"""Finds the latest orders of a product, for what is bought together with it, and the orders of the last weeks."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE INDEX order_lines_product ON order_lines (product_id, order_id DESC);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0011_flow_engine")]
    operations = [ops.RunSQL(FORWARD)]
