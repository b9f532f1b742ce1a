"""Disputes over payments, gift cards that cannot be spent while their price is on its way back, and discounts for a
first order, of which each buyer has one.

The release before goes on beside it: it writes neither, and switches off the cards of refunds as it did.
"""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

# contract: a shop has a few hundred discounts, so that this is done in the moment that nobody changes one.
FIRST_ORDERS = """
CREATE INDEX discounts_for_first_orders ON discounts (id) WHERE rule @> '{"requires": {"first_order": true}}';
"""
DISPUTES = """
ALTER TABLE payment_disputes
    ADD CONSTRAINT payment_disputes_amount CHECK (amount_minor >= 0),
    ADD CONSTRAINT payment_disputes_state
        CHECK (state IN ('INQUIRY', 'NEEDS_RESPONSE', 'UNDER_REVIEW', 'WON', 'LOST'));
CREATE UNIQUE INDEX payment_disputes_once ON payment_disputes (gateway, reference);
CREATE INDEX payment_disputes_payment ON payment_disputes (payment_id);
CREATE INDEX payment_disputes_open ON payment_disputes (id DESC) WHERE state NOT IN ('WON', 'LOST');

SELECT keep_to_moves(
    'payment_disputes', 'state', 'a dispute',
    'INQUIRY > LOST, INQUIRY > NEEDS_RESPONSE, INQUIRY > UNDER_REVIEW, INQUIRY > WON, LOST > NEEDS_RESPONSE, '
    'LOST > UNDER_REVIEW, LOST > WON, NEEDS_RESPONSE > INQUIRY, NEEDS_RESPONSE > LOST, '
    'NEEDS_RESPONSE > UNDER_REVIEW, NEEDS_RESPONSE > WON, UNDER_REVIEW > INQUIRY, UNDER_REVIEW > LOST, '
    'UNDER_REVIEW > NEEDS_RESPONSE, UNDER_REVIEW > WON, WON > LOST, WON > NEEDS_RESPONSE, WON > UNDER_REVIEW'
);

CREATE FUNCTION dispute_was_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        p.order_id, 'DISPUTE_CHANGED', 'SYSTEM', NULL,
        jsonb_build_object('paymentId', p.id, 'disputeId', NEW.id, 'amountMinor', NEW.amount_minor,
                           'before', CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, 'after', NEW.state)
    ) FROM payments p WHERE p.id = NEW.payment_id AND p.order_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER noted_made AFTER INSERT ON payment_disputes FOR EACH ROW EXECUTE FUNCTION dispute_was_moved();
CREATE TRIGGER noted_moved AFTER UPDATE OF state ON payment_disputes FOR EACH ROW
    WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION dispute_was_moved();
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0044_order_approvals")]

    operations = [
        ops.AddField(model_name="GiftCard", name="frozen_by", field=fields.UUIDField(null=True)),
        ops.CreateModel(
            name="PaymentDispute",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                (
                    "payment",
                    fields.ForeignKeyField(
                        "tradewind.Payment",
                        source_field="payment_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="disputes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("gateway", fields.CharField(max_length=40)),
                ("reference", fields.CharField(max_length=255)),
                ("state", fields.CharField(max_length=16)),
                ("amount_minor", fields.BigIntField()),
                ("currency_code", fields.CharField(max_length=3)),
                ("reason", fields.CharField(max_length=80, null=True)),
                ("respond_by", fields.DatetimeField(null=True)),
                ("refund_id", fields.UUIDField(null=True)),
                ("opened_at", fields.DatetimeField()),
                ("closed_at", fields.DatetimeField(null=True)),
                ("created_at", fields.DatetimeField()),
                ("updated_at", fields.DatetimeField()),
            ],
            options={"table": "payment_disputes", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.RunSQL(DISPUTES),
        ops.RunSQL(FIRST_ORDERS),
    ]
