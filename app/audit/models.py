"""The audit log: append-only, but for what an erasure empties."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class ActorKind(StrEnum):
    STAFF = "STAFF"
    API_KEY = "API_KEY"
    OPERATOR = "OPERATOR"
    """Somebody at the command line."""


class AuditOutcome(StrEnum):
    DONE = "DONE"
    REFUSED = "REFUSED"


class AuditEntry(Model):
    """One action of a member of staff, of an API key or of an operator."""

    id = fields.UUIDField(primary_key=True)
    occurred_at = fields.DatetimeField()
    """Real time."""
    actor_kind = fields.CharEnumField(ActorKind, max_length=12)
    actor_id = fields.UUIDField(null=True)
    actor_name = fields.CharField(max_length=120)
    action = fields.CharField(max_length=80)
    """The mutation's name, such as `productUpdate`; or of a command, such as `staff create`."""
    outcome = fields.CharEnumField(AuditOutcome, max_length=8)
    error_codes = fields.JSONField[list[str]](default=list, db_default="[]")
    ip = fields.CharField(max_length=45, null=True)
    user_agent = fields.CharField(max_length=300, null=True)
    request_id = fields.CharField(max_length=64, null=True)

    class Meta:
        table = "audit_entries"


class AuditOperation(StrEnum):
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class AuditChange(Model):
    """One row that an action changed: what of it was how before, and how it was after."""

    id = fields.BigIntField(primary_key=True)
    entry_id = fields.UUIDField()
    table_name = fields.CharField(max_length=63)
    row_id = fields.CharField(max_length=64)
    operation = fields.CharField(max_length=6)
    """An AuditOperation."""
    before = fields.JSONField[dict[str, object]](null=True)
    after = fields.JSONField[dict[str, object]](null=True)
    """Columns that changed (all for INSERT and DELETE), without secrets."""
    profile_id = fields.UUIDField(null=True)
    """Whose data is in it, for export and erasure."""

    class Meta:
        table = "audit_changes"
