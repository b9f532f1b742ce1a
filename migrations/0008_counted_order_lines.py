"""Order lines remember whether their units were taken from stock, so that it can be checked that they were."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0007_variant_options")]
    operations = [
        ops.AddField(
            model_name="OrderLine",
            name="track_inventory",
            field=fields.BooleanField(default=True, db_default=True),
        ),
    ]
