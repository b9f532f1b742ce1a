"""What tells the invoice numbers after a restore from those before it, see docs/decisions/invoices.md.

The release before knows of neither, and is not what a restored database is started with.
"""

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0047_deposits")]
    operations = [
        ops.AddField(
            model_name="InvoiceSettings", name="restore_mark", field=fields.CharField(max_length=16, null=True)
        ),
        ops.AddField(
            model_name="InvoiceSettings",
            name="retired_prefixes",
            field=ArrayField(element_type="text", default=list, db_default=[]),
        ),
    ]
