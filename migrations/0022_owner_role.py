"""The role of owners: everything, also what a later release adds. And what staff accounts are looked up by."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# contract: staff_roles and api_keys have a handful of rows; building their indexes takes no time.
FORWARD = """
UPDATE staff_roles SET is_owner = true WHERE name = 'Owner';
CREATE UNIQUE INDEX staff_roles_owner ON staff_roles (is_owner) WHERE is_owner;
CREATE UNIQUE INDEX staff_roles_name ON staff_roles (lower(name));
CREATE INDEX api_keys_maker ON api_keys (created_by_id);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0021_accounts_staff_audit_constraints")]
    operations = [
        ops.AddField(
            model_name="StaffRole", name="is_owner", field=fields.BooleanField(default=False, db_default=False)
        ),
        ops.RunSQL(FORWARD),
    ]
