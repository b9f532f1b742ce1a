"""Where the shop sells, in which currency, at which prices."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0032_orders_priced")]
    operations = []
