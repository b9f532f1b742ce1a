"""Payments by saved methods, and saved methods that the gateway still has to forget."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# A method that is being forgotten may be saved anew meanwhile.
FORWARD = """
DROP INDEX saved_payment_methods_once;
CREATE UNIQUE INDEX saved_payment_methods_once ON saved_payment_methods (customer_id, gateway, reference)
    WHERE deleted_at IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0025_downloads"), ("tradewind", "0027_audit_changes")]
    operations = [
        ops.AddField(model_name="Payment", name="saved_method_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="Payment", name="saves", field=fields.BooleanField(default=False, db_default=False)),
        ops.AddField(model_name="SavedPaymentMethod", name="deleted_at", field=fields.DatetimeField(null=True)),
        ops.AddField(
            model_name="TestGatewayPayment", name="saves", field=fields.BooleanField(default=False, db_default=False)
        ),
        ops.AddField(model_name="TestGatewayPayment", name="forgotten_at", field=fields.DatetimeField(null=True)),
        ops.RunSQL(FORWARD),
    ]
