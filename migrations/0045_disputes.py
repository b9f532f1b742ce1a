"""Disputes over payments, and gift cards whose refund is on its way."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0044_order_approvals")]

    initial = False

    operations = []
