"""Files that a client handed over for a job, or that a job made, in pieces, where every process can read them."""

from tortoise import fields
from tortoise.models import Model


class Upload(Model):
    id = fields.UUIDField(primary_key=True)
    filename = fields.CharField(max_length=255)
    content_type = fields.CharField(max_length=100, null=True)
    """Of files that are handed out again; null for those that came in."""
    size_bytes = fields.BigIntField(default=0)
    sha256 = fields.BinaryField(null=True)
    created_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    completed_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(null=True)
    """Real time; null: a week after it came in."""

    class Meta:
        table = "uploads"


class UploadChunk(Model):
    id = fields.UUIDField(primary_key=True)
    upload: fields.ForeignKeyRelation[Upload] = fields.ForeignKeyField(
        "tradewind.Upload", related_name="chunks", on_delete=fields.CASCADE
    )
    position = fields.IntField()
    content = fields.BinaryField()

    class Meta:
        table = "upload_chunks"


class DownloadLink(Model):
    """Leave to fetch one file once. The address that carries it is signed, so the row needs no secret."""

    id = fields.UUIDField(primary_key=True)
    upload: fields.ForeignKeyRelation[Upload] = fields.ForeignKeyField(
        "tradewind.Upload", related_name="links", on_delete=fields.CASCADE
    )
    actor_id = fields.UUIDField()
    """The member of staff, or the API key, that it was made for."""
    permission = fields.CharField(max_length=40)
    """What they still have to be allowed when they use it."""
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "download_links"
