"""What discounts can be and ask for."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0033_markets")]
    operations = []
