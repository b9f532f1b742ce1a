"""What the scheduler remembers of its own work, what the last check of the books found, and the trace of an event."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0022_owner_role")]
    operations = [
        ops.AddField(model_name="Event", name="traceparent", field=fields.CharField(null=True, max_length=55)),
        ops.CreateModel(
            name="Upkeep",
            fields=[
                ("name", fields.CharField(primary_key=True, max_length=80, unique=True, db_index=True)),
                ("claimed_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("done_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={"table": "upkeep", "app": "tradewind", "pk_attr": "name"},
        ),
        ops.CreateModel(
            name="InvariantResult",
            fields=[
                ("name", fields.CharField(primary_key=True, max_length=80, unique=True, db_index=True)),
                ("violations", fields.IntField()),
                ("checked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "invariant_results", "app": "tradewind", "pk_attr": "name"},
        ),
    ]
