"""Files that jobs make are handed out by links that work once."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

FORWARD = """
CREATE INDEX download_links_upload ON download_links (upload_id);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0024_erasure")]
    operations = [
        ops.AddField(model_name="Upload", name="content_type", field=fields.CharField(null=True, max_length=100)),
        ops.AddField(model_name="Upload", name="expires_at", field=fields.DatetimeField(null=True)),
        ops.CreateModel(
            name="DownloadLink",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                (
                    "upload",
                    fields.ForeignKeyField(
                        "tradewind.Upload",
                        source_field="upload_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="links",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("actor_id", fields.UUIDField()),
                ("permission", fields.CharField(max_length=40)),
                ("created_at", fields.DatetimeField()),
                ("expires_at", fields.DatetimeField()),
                ("used_at", fields.DatetimeField(null=True)),
            ],
            options={"table": "download_links", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.RunSQL(FORWARD),
    ]
