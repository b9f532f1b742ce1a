"""What discounts can be beyond a percentage or an amount off the order; codes by the thousand, each to be switched off.

The release before this one reads a discount with a document as an amount of zero, and takes nothing off.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

FORWARD = """
ALTER TABLE discounts
    ADD CONSTRAINT discounts_rule CHECK (
        rule IS NULL OR jsonb_typeof(rule) = 'object' AND percentage IS NULL AND amount_minor = 0
    ),
    ADD CONSTRAINT discounts_reads_products CHECK (rule IS NOT NULL OR NOT reads_products);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0033_markets")]
    operations = [
        ops.AddField(model_name="Discount", name="rule", field=fields.JSONField(null=True)),
        ops.AddField(
            model_name="Discount", name="reads_products", field=fields.BooleanField(default=False, db_default=False)
        ),
        ops.AddField(
            model_name="DiscountCode",
            name="disabled_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(model_name="DiscountCode", name="job_id", field=fields.UUIDField(null=True)),
        ops.RunSQL(FORWARD),
    ]
