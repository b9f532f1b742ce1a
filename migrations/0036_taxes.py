"""Zones, classes and rates of tax, exemptions."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0035_stored_value")]
    operations = []
