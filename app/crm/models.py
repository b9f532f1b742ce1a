"""Connections to other systems, and what each of them has of each profile."""

from tortoise import fields
from tortoise.models import Model


class CrmConnection(Model):
    id = fields.UUIDField(primary_key=True)
    adapter = fields.CharField(max_length=40)
    """Name of the entry point in the group `tradewind.crm`."""
    name = fields.CharField(max_length=120)
    enabled = fields.BooleanField(default=True)
    configuration = fields.JSONField[dict[str, object]](default=dict)
    """Without secrets."""
    credentials = fields.BinaryField()
    """Encrypted under the key ring."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "crm_connections"


class CrmContact(Model):
    id = fields.BigIntField(primary_key=True)
    connection_id = fields.UUIDField()
    profile_id = fields.UUIDField()
    remote_id = fields.CharField(max_length=200, null=True)
    wanted_revision = fields.BigIntField(default=1)
    """Counts changes of the profile; what is sent is the profile as it is then."""
    synced_revision = fields.BigIntField(default=0)
    synced_at = fields.DatetimeField(null=True)
    failure = fields.CharField(max_length=200, null=True)

    class Meta:
        table = "crm_contacts"
