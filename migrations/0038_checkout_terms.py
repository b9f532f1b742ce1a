"""Timed reservations, made-to-order options, dates, restrictions, pick-up."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0037_payments")]
    operations = []
