"""What approvers see of where an order goes, which is part of what they approve."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# An address is nothing for the audit log, as messages are not.
AUDIT = """
DROP TRIGGER audited ON order_approvals;
SELECT audit_table(
    'order_approvals', person => audit_person('customer'), hidden => 'message,comment,content_key,delivery'
);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0050_alerts_in_markets")]
    operations = [
        ops.AddField(model_name="OrderApproval", name="delivery", field=fields.JSONField(null=True)),
        ops.RunSQL(AUDIT),
    ]
