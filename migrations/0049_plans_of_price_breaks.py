"""One plan for what a variant costs by quantity, whichever price lists it is asked about."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# A plan made for the very lists looks cheaper than one for any, by their number; so PostgreSQL planned at every call,
# which took ten times as long as running it.
FORWARD = """
ALTER FUNCTION price_breaks(uuid, bigint, uuid[]) SET plan_cache_mode = force_generic_plan;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0048_invoice_restores")]
    operations = [ops.RunSQL(FORWARD)]
