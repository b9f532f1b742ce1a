"""Gift cards, store credit, gift options."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0034_promotions")]
    operations = []
