"""Keeps what suggestions are counted from in indexes: the products of an order, those of a type, those with a tag."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
DROP INDEX order_lines_order;
CREATE INDEX order_lines_order ON order_lines (order_id, position) INCLUDE (product_id);
CREATE INDEX products_of_type ON products (product_type, id DESC) WHERE status = 'ACTIVE';
CREATE INDEX products_tagged ON products USING gin (tags);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0017_campaigns")]
    operations = [ops.RunSQL(FORWARD)]
