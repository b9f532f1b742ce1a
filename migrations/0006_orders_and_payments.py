"""Where a shopper returns to after paying, captures that are under way, and finding orders by what staff type."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from app.payments.models import PaymentState

FORWARD = """
CREATE INDEX orders_number_prefix ON orders ((number::text) text_pattern_ops);
CREATE INDEX orders_email_prefix ON orders (lower(email) text_pattern_ops);
CREATE INDEX orders_last_name_prefix ON orders
    (lower(coalesce(shipping_address, billing_address) ->> 'last_name') text_pattern_ops);
CREATE INDEX orders_full_name_prefix ON orders
    (lower((coalesce(shipping_address, billing_address) ->> 'first_name')
           || ' ' || (coalesce(shipping_address, billing_address) ->> 'last_name')) text_pattern_ops);
CREATE INDEX orders_status ON orders (status, placed_at DESC, id DESC);
DROP INDEX payments_unsettled;
CREATE INDEX payments_unsettled ON payments (updated_at)
    WHERE state IN ('PENDING', 'REQUIRES_ACTION', 'CAPTURING', 'VOIDING');
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0005_catalogue")]
    operations = [
        ops.AddField(model_name="Payment", name="return_url", field=fields.TextField(null=True, unique=False)),
        ops.AddField(model_name="TestGatewayPayment", name="return_url", field=fields.TextField(null=True, unique=False)),
        ops.RemoveField(model_name="TestGatewayPayment", name="settles_at"),
        ops.AlterField(
            model_name="Payment",
            name="state",
            field=fields.CharEnumField(
                default=PaymentState.PENDING,
                description="\n".join(f"{state.name}: {state.value}" for state in PaymentState),
                enum_type=PaymentState,
                max_length=16,
            ),
        ),
        ops.RunSQL(FORWARD),
    ]
