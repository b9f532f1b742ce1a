"""More ways to pay, refunds, what providers report."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0036_taxes")]
    operations = []
