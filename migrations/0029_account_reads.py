"""What sign-ins are judged by, and how many links an address was mailed: both are asked for at every attempt."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# contract: sessions has a row for each sign-in; sign-ins wait while its index is built, a second for a million of them.
# Whoever signed in from a network before is no stranger there, also after signing out.
FORWARD = """
CREATE INDEX sessions_of_subject ON sessions (subject_kind, subject_id, created_at DESC);
CREATE INDEX account_tokens_email ON account_tokens (lower(email), kind, created_at DESC);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0021_accounts_staff_audit_constraints")]
    operations = [ops.RunSQL(FORWARD)]
