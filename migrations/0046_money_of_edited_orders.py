"""An order that owes anew after its money went back says so, and an edit says what it gave back.

The release before goes on beside it: it makes no move that is not here.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# Of the machine beside the states; a test holds the two against each other.
MOVES = """
SELECT keep_to_moves(
    'orders', 'payment_status', 'a payment status',
    'AUTHORIZED > PAID, AUTHORIZED > PARTIALLY_PAID, AUTHORIZED > PARTIALLY_REFUNDED, AUTHORIZED > PENDING, '
    'AUTHORIZED > REFUNDED, AUTHORIZED > VOIDED, PAID > AUTHORIZED, PAID > PARTIALLY_PAID, '
    'PAID > PARTIALLY_REFUNDED, PAID > PENDING, PAID > REFUNDED, PARTIALLY_PAID > PAID, '
    'PARTIALLY_PAID > PARTIALLY_REFUNDED, PARTIALLY_PAID > REFUNDED, PARTIALLY_REFUNDED > AUTHORIZED, '
    'PARTIALLY_REFUNDED > PAID, PARTIALLY_REFUNDED > PARTIALLY_PAID, PARTIALLY_REFUNDED > PENDING, '
    'PARTIALLY_REFUNDED > REFUNDED, PENDING > AUTHORIZED, PENDING > PAID, PENDING > PARTIALLY_PAID, '
    'PENDING > PARTIALLY_REFUNDED, PENDING > REFUNDED, PENDING > VOIDED, REFUNDED > AUTHORIZED, REFUNDED > PAID, '
    'REFUNDED > PARTIALLY_PAID, REFUNDED > PARTIALLY_REFUNDED, REFUNDED > PENDING, VOIDED > PAID, '
    'VOIDED > PARTIALLY_PAID, VOIDED > PARTIALLY_REFUNDED, VOIDED > PENDING, VOIDED > REFUNDED'
);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0045_disputes")]
    operations = [
        ops.RunSQL(MOVES),
        ops.AddField("OrderEdit", "refund_minor", fields.BigIntField(default=0, db_default=0)),
    ]
