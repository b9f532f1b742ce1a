"""Credit that was made of gift cards keeps their end and is withheld with them; what providers charge for disputes."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# Not valid yet, so that no row is read under the lock; every row there is meets the old constraint, which is stricter.
FORWARD = """
ALTER TABLE stored_value_entries
    DROP CONSTRAINT stored_value_entries_sign,
    ADD CONSTRAINT stored_value_entries_sign CHECK (CASE kind
        WHEN 'HOLD' THEN amount_minor < 0 WHEN 'EXPIRE' THEN amount_minor < 0 WHEN 'REDEEM' THEN amount_minor = 0
        WHEN 'ADJUST' THEN amount_minor <> 0 WHEN 'WITHHOLD' THEN amount_minor < 0 ELSE amount_minor > 0 END) NOT VALID,
    ADD CONSTRAINT stored_value_entries_of_parts CHECK (
        CASE WHEN kind IN ('WITHHOLD', 'RESTORE') THEN part_id IS NOT NULL ELSE part_id IS NULL OR kind = 'EXPIRE' END
    ) NOT VALID;
ALTER TABLE payment_disputes
    ADD CONSTRAINT payment_disputes_fee CHECK (num_nonnulls(fee_minor, fee_currency_code) IN (0, 2)) NOT VALID;

-- As before, and with the fee where there is one; also when a fee is booked while the dispute stays where it is.
CREATE OR REPLACE FUNCTION dispute_was_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        p.order_id, 'DISPUTE_CHANGED', 'SYSTEM', NULL,
        jsonb_build_object('paymentId', p.id, 'disputeId', NEW.id, 'amountMinor', NEW.amount_minor,
                           'before', CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, 'after', NEW.state)
        || CASE WHEN NEW.fee_minor IS NULL THEN '{}'::jsonb ELSE
            jsonb_build_object('feeMinor', NEW.fee_minor, 'feeCurrencyCode', NEW.fee_currency_code) END
    ) FROM payments p WHERE p.id = NEW.payment_id AND p.order_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER noted_fee AFTER UPDATE OF fee_minor ON payment_disputes FOR EACH ROW
    WHEN (OLD.state = NEW.state AND OLD.fee_minor IS DISTINCT FROM NEW.fee_minor)
    EXECUTE FUNCTION dispute_was_moved();
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0052_shown_prices")]
    operations = [
        ops.AddField(model_name="StoredValueEntry", name="expires_at", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="StoredValueEntry", name="part_id", field=fields.BigIntField(null=True)),
        ops.AddField(model_name="PaymentDispute", name="fee_minor", field=fields.BigIntField(null=True)),
        ops.AddField(
            model_name="PaymentDispute", name="fee_currency_code", field=fields.CharField(max_length=3, null=True)
        ),
        ops.RunSQL(FORWARD),
    ]
