"""Timelines, edits, invoices."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0039_assisted_sales")]
    operations = []
