"""What the engine of the flows looks up: runs by person and by cart, and whether its memory is old."""

from tortoise import fields, migrations
from tortoise.fields.db_defaults import SqlDefault
from tortoise.migrations import operations as ops

FORWARD = """
ALTER TABLE flow_catalogue ADD CHECK (id = 1);
INSERT INTO flow_catalogue (id, stamp) VALUES (1, gen_random_uuid());

-- Each event of somebody asks for their living runs, and what happens to a cart for those that are about it.
CREATE INDEX flow_runs_profile_living ON flow_runs (profile_id) WHERE status IN ('PENDING', 'ACTIVE');
CREATE INDEX flow_runs_cart_living ON flow_runs ((trigger->>'cartId'))
    WHERE status IN ('PENDING', 'ACTIVE') AND trigger ? 'cartId';
CREATE INDEX profile_events_cart ON profile_events (cart_id, occurred_at DESC) WHERE cart_id IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0010_people_and_flows_constraints")]
    operations = [
        ops.CreateModel(
            name="FlowCatalogue",
            fields=[
                ("id", fields.SmallIntField(primary_key=True)),
                ("stamp", fields.UUIDField()),
            ],
            options={"table": "flow_catalogue", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.AddField(
            model_name="FlowRun",
            name="triggered_at",
            field=fields.DatetimeField(db_default=SqlDefault("business_now()")),
        ),
        ops.RunSQL(FORWARD),
    ]
