"""Companies, quotations, draft orders."""

from tortoise import migrations


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0038_checkout_terms")]
    operations = []
