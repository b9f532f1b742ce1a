"""Options are unique among the variants that a product has; those that left it may have had the same."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
DROP INDEX product_variants_options;
CREATE UNIQUE INDEX product_variants_options ON product_variants (product_id, option_values) WHERE removed_at IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0006_orders_and_payments")]
    operations = [ops.RunSQL(FORWARD)]
