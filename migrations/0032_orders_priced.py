"""What a cart and an order are made of beyond lines and shipping.

A server of the release before reads and writes beside these columns: it leaves every one of them to its default, and an
order without an amount due is one whose total is due.
"""

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops

# Not validated: rows from before fulfil the narrower constraint, and nobody waits while all of them are read.
FORWARD = """
ALTER TABLE orders DROP CONSTRAINT orders_total;
ALTER TABLE orders
    ADD CONSTRAINT orders_total CHECK (
        total_minor = subtotal_minor - discount_minor + gift_wrap_minor + shipping_minor + rounding_minor
                      + CASE WHEN tax_included THEN 0 ELSE tax_minor END
    ) NOT VALID,
    ADD CONSTRAINT orders_amount_due CHECK (
        amount_due_minor >= 0 AND amount_due_minor = total_minor - gift_card_minor - store_credit_minor
    ) NOT VALID,
    ADD CONSTRAINT orders_parts CHECK (least(gift_wrap_minor, gift_card_minor, store_credit_minor) >= 0) NOT VALID;
ALTER TABLE order_lines ADD CONSTRAINT order_lines_gift_wrap CHECK (gift_wrap_minor >= 0) NOT VALID;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0031_staff_lists")]
    operations = [
        ops.AddField(model_name="Cart", name="market_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="Cart", name="company_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="Cart", name="tax_id", field=fields.CharField(max_length=32, null=True)),
        ops.AddField(model_name="Cart", name="gift_options", field=fields.JSONField(null=True)),
        ops.AddField(model_name="Cart", name="gift_card_ids", field=fields.JSONField(default=list, db_default="[]")),
        ops.AddField(
            model_name="Cart", name="use_store_credit", field=fields.BooleanField(default=False, db_default=False)
        ),
        ops.AddField(
            model_name="CartLine", name="customizations", field=fields.JSONField(default=list, db_default="[]")
        ),
        ops.AddField(model_name="CartLine", name="gift_options", field=fields.JSONField(null=True)),
        ops.AddField(model_name="Order", name="market_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="Order", name="company_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="Order", name="gift_wrap_minor", field=fields.BigIntField(default=0, db_default=0)),
        ops.AddField(model_name="Order", name="rounding_minor", field=fields.BigIntField(default=0, db_default=0)),
        ops.AddField(model_name="Order", name="gift_card_minor", field=fields.BigIntField(default=0, db_default=0)),
        ops.AddField(model_name="Order", name="store_credit_minor", field=fields.BigIntField(default=0, db_default=0)),
        ops.AddField(model_name="Order", name="amount_due_minor", field=fields.BigIntField(null=True)),
        ops.AddField(model_name="Order", name="tax_lines", field=fields.JSONField(default=list, db_default="[]")),
        ops.AddField(
            model_name="Order", name="shipping_tax_lines", field=fields.JSONField(default=list, db_default="[]")
        ),
        ops.AddField(
            model_name="Order", name="gift_wrap_tax_lines", field=fields.JSONField(default=list, db_default="[]")
        ),
        ops.AddField(model_name="Order", name="stored_value", field=fields.JSONField(default=list, db_default="[]")),
        ops.AddField(model_name="Order", name="gift_options", field=fields.JSONField(null=True)),
        ops.AddField(model_name="Order", name="tax_id", field=fields.CharField(max_length=32, null=True)),
        ops.AddField(
            model_name="Order", name="reverse_charge", field=fields.BooleanField(default=False, db_default=False)
        ),
        ops.AddField(model_name="Order", name="language", field=fields.CharField(max_length=16, null=True)),
        ops.AddField(
            model_name="Order", name="purchase_order_number", field=fields.CharField(max_length=64, null=True)
        ),
        ops.AddField(model_name="Order", name="payment_due_at", field=fields.DatetimeField(null=True)),
        ops.AddField(
            model_name="Order", name="holds", field=ArrayField(element_type="text", default=list, db_default=[])
        ),
        ops.AddField(
            model_name="Order",
            name="source",
            field=fields.CharField(max_length=16, default="CHECKOUT", db_default="CHECKOUT"),
        ),
        ops.AddField(model_name="OrderLine", name="tax_lines", field=fields.JSONField(default=list, db_default="[]")),
        ops.AddField(model_name="OrderLine", name="discounts", field=fields.JSONField(default=list, db_default="[]")),
        ops.AddField(
            model_name="OrderLine", name="customizations", field=fields.JSONField(default=list, db_default="[]")
        ),
        ops.AddField(model_name="OrderLine", name="gift_options", field=fields.JSONField(null=True)),
        ops.AddField(model_name="OrderLine", name="gift_wrap_minor", field=fields.BigIntField(default=0, db_default=0)),
        ops.AddField(model_name="OrderLine", name="expected_at", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="OrderLine", name="product_kind", field=fields.CharField(max_length=16, null=True)),
        ops.AddField(model_name="OrderLine", name="tax_class_id", field=fields.UUIDField(null=True)),
        ops.RunSQL(FORWARD),
    ]
