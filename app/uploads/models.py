"""Files that a client handed over for a job, in pieces, where every worker can read them."""

from tortoise import fields
from tortoise.models import Model


class Upload(Model):
    id = fields.UUIDField(primary_key=True)
    filename = fields.CharField(max_length=255)
    size_bytes = fields.BigIntField(default=0)
    sha256 = fields.BinaryField(null=True)
    created_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    completed_at = fields.DatetimeField(null=True)

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
