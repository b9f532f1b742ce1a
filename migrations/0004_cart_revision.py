"""Carts count their changes; the rule of one line per variant and attributes is checked when a statement ends."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# One statement may remove a line and give another its place; a unique index would look at the rows in between.
FORWARD = """
DROP INDEX cart_lines_once;
ALTER TABLE cart_lines
    ADD CONSTRAINT cart_lines_once UNIQUE (cart_id, variant_id, attributes_key) DEFERRABLE INITIALLY IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0003_message_details")]
    operations = [
        ops.AddField(model_name="Cart", name="revision", field=fields.IntField(default=0, db_default=0)),
        ops.RunSQL(FORWARD),
    ]
