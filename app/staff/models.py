"""People who run the shop, and what they may do."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class StaffRole(Model):
    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=80, unique=True)
    permissions = ArrayField(element_type="text", default=list)

    class Meta:
        table = "staff_roles"


class StaffUser(Model):
    id = fields.UUIDField(primary_key=True)
    email = fields.CharField(max_length=254)
    """Lower case; unique."""
    name = fields.CharField(max_length=120)
    password_hash = fields.CharField(max_length=255)
    role: fields.ForeignKeyRelation[StaffRole] = fields.ForeignKeyField(
        "tradewind.StaffRole", related_name="users", on_delete=fields.RESTRICT
    )
    is_active = fields.BooleanField(default=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "staff_users"
