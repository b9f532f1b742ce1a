"""How often the decision on a campaign's receiver has failed, and why it was given up."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0018_recommendation_reads")]
    operations = [
        ops.AddField(model_name="CampaignRecipient", name="tries", field=fields.SmallIntField(default=0, db_default=0)),
        ops.AddField(model_name="CampaignRecipient", name="failure", field=fields.CharField(null=True, max_length=80)),
    ]
