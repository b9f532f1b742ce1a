"""Signed-in sessions and their opaque tokens, for staff and for customers."""

from tortoise import fields
from tortoise.models import Model


class Session(Model):
    """A family of tokens that began with one sign-in."""

    id = fields.UUIDField(primary_key=True)
    subject_kind = fields.CharField(max_length=16)
    subject_id = fields.UUIDField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    """Real time at which it ends, however often it is refreshed."""
    client_hash = fields.BinaryField(null=True)
    """Keyed hash of the client's network at sign-in: whoever signed in from there before is no stranger."""
    user_agent = fields.CharField(max_length=300, null=True)
    revoked_at = fields.DatetimeField(null=True)
    revoked_reason = fields.CharField(max_length=40, null=True)

    class Meta:
        table = "sessions"


class SessionToken(Model):
    id = fields.UUIDField(primary_key=True)
    session: fields.ForeignKeyRelation[Session] = fields.ForeignKeyField(
        "tradewind.Session", related_name="tokens", on_delete=fields.CASCADE
    )
    kind = fields.CharField(max_length=8)
    """`access` or `refresh`."""
    token_hash = fields.BinaryField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)
    """When a refresh token was exchanged; a second exchange means theft."""

    class Meta:
        table = "session_tokens"
