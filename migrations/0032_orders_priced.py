"""What a cart and an order are made of beyond lines and shipping."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0031_staff_lists")]
    operations = []
