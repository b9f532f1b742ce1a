"""Staff list drafts and archived products too: in the orders that shoppers have indexes for."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# contract: staff alone write to products, and wait while some ten thousand rows are read.
FORWARD = """
CREATE INDEX products_all_listed ON products (created_at, id);
CREATE INDEX products_all_by_price ON products (min_price_minor, id);
CREATE INDEX products_all_by_name ON products (lower(name), id);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0030_retention")]
    operations = [ops.RunSQL(FORWARD)]
