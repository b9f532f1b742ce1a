"""The rate at which an order in another currency than the shop's was sold, so that totals can be added up.

The release before writes orders without it: those in another currency are left out of sums, as they were until then.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

RATE = """
ALTER TABLE orders ADD CONSTRAINT orders_shop_rate CHECK (shop_rate > 0) NOT VALID;
CREATE TRIGGER frozen_rate BEFORE UPDATE OF shop_rate ON orders FOR EACH ROW
    WHEN (OLD.shop_rate IS DISTINCT FROM NEW.shop_rate) EXECUTE FUNCTION what_was_sold_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0042_order_edits")]
    operations = [
        ops.AddField(
            model_name="Order",
            name="shop_rate",
            field=fields.DecimalField(null=True, max_digits=44, decimal_places=22),
        ),
        ops.RunSQL(RATE),
    ]
