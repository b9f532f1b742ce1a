"""People who run the shop, and what they may do."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class StaffRole(Model):
    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=80, unique=True)
    permissions = ArrayField(element_type="text", default=list)
    """Nothing where it is empty; of no meaning for owners."""
    is_owner = fields.BooleanField(default=False, db_default=False)
    """At most one role: it has every permission, also those that a later release adds."""

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
    totp_secret = fields.BinaryField(null=True)
    """Encrypted; set while a second factor is being set up or is in use."""
    totp_confirmed_at = fields.DatetimeField(null=True)
    """From when on signing in asks for it."""
    totp_last_step = fields.BigIntField(null=True)
    """Of the last code that was taken: none is good twice."""
    last_login_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "staff_users"


class StaffRecoveryCode(Model):
    """Stands in for the second factor, once."""

    id = fields.UUIDField(primary_key=True)
    user: fields.ForeignKeyRelation[StaffUser] = fields.ForeignKeyField(
        "tradewind.StaffUser", related_name="recovery_codes", on_delete=fields.CASCADE
    )
    code_hash = fields.BinaryField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "staff_recovery_codes"


class StaffInvitation(Model):
    id = fields.UUIDField(primary_key=True)
    email = fields.CharField(max_length=254)
    """Lower case."""
    name = fields.CharField(max_length=120)
    role: fields.ForeignKeyRelation[StaffRole] = fields.ForeignKeyField(
        "tradewind.StaffRole", related_name="invitations", on_delete=fields.CASCADE
    )
    token_hash = fields.BinaryField()
    invited_by_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    """Real time."""
    accepted_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "staff_invitations"


class ApiKey(Model):
    """A machine's way in: as much as its permissions, as long as it lasts."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=120)
    key_hash = fields.BinaryField()
    last_characters = fields.CharField(max_length=4)
    permissions = ArrayField(element_type="text", default=list)
    created_by_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    """Real time; None for never."""
    revoked_at = fields.DatetimeField(null=True)
    last_used_at = fields.DatetimeField(null=True)
    """To the hour."""

    class Meta:
        table = "api_keys"
