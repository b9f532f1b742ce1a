"""Edits of orders, what of an order never changes otherwise, and the moves and the timeline of money.

The release before goes on beside it: it makes no move that is not here, and changes nothing that was sold.
"""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

INDEXES = """
CREATE INDEX order_edits_order ON order_edits (order_id, id);
SELECT audit_table('order_edits', person => audit_person('order'));
"""

# What was sold is changed by an edit, which says so with its id, and emptied by erasing a person or by age. WHEN is
# asked only of statements that name one of the columns, so nothing else that happens to an order pays for it.
_ORDER = (
    "number", "attempt_id", "cart_id", "payment_method", "currency_code", "subtotal_minor", "discount_minor",
    "shipping_minor", "tax_minor", "tax_included", "tax_estimated", "total_minor", "shipping_address",
    "billing_address", "shipping_quote", "note", "attributes", "discounts", "gift_wrap_minor", "rounding_minor",
    "tax_lines", "shipping_tax_lines", "gift_wrap_tax_lines", "gift_card_minor", "store_credit_minor", "stored_value",
    "amount_due_minor", "market_id", "company_id", "tax_id", "reverse_charge", "gift_options", "language",
    "purchase_order_number", "source",
)  # fmt: skip
_LINE = (
    "order_id", "position", "product_id", "variant_id", "product_name", "variant_name", "sku", "image_url",
    "selected_options", "attributes", "quantity", "unit_price_minor", "subtotal_minor", "discount_minor", "tax_minor",
    "total_minor", "weight_grams", "requires_shipping", "track_inventory", "tax_lines", "discounts", "customizations",
    "gift_options", "gift_wrap_minor", "product_kind", "tax_class_id",
)  # fmt: skip


def _frozen(table: str, names: tuple[str, ...]) -> str:
    old, new = (", ".join(f"{row}.{name}" for name in names) for row in ("OLD", "NEW"))
    return f"""
CREATE TRIGGER frozen BEFORE UPDATE OF {", ".join(names)} ON {table} FOR EACH ROW
    WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION what_was_sold_is_kept();
"""


FROZEN = f"""
CREATE FUNCTION what_was_sold_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF 'on' IN (current_setting('tradewind.erasing', true), current_setting('tradewind.forgetting', true))
       OR nullif(current_setting('tradewind.editing', true), '') IS NOT NULL THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION 'what was sold is frozen: edit the order' USING ERRCODE = 'check_violation';
END $$;
{_frozen("orders", _ORDER)}
{_frozen("order_lines", _LINE)}
CREATE TRIGGER frozen_there BEFORE DELETE ON order_lines FOR EACH ROW EXECUTE FUNCTION what_was_sold_is_kept();
"""

EVENTS = """
CREATE FUNCTION order_was_edited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        NEW.order_id, 'ORDER_EDITED', NEW.actor_kind, NEW.reason,
        jsonb_build_object('editId', NEW.id, 'totalBeforeMinor', NEW.total_before_minor,
                           'totalAfterMinor', NEW.total_after_minor)
    );
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER INSERT ON order_edits FOR EACH ROW EXECUTE FUNCTION order_was_edited();

-- What a checkout does with its payment comes before its order, whose PLACED says where its money is.
CREATE FUNCTION payment_was_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        NEW.order_id, 'PAYMENT_CHANGED', 'SYSTEM', NEW.failure_code,
        jsonb_build_object('paymentId', NEW.id, 'before', CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END,
                           'after', NEW.state, 'amountMinor', NEW.amount_minor)
    );
    RETURN NULL;
END $$;
CREATE TRIGGER noted_made AFTER INSERT ON payments FOR EACH ROW
    WHEN (NEW.order_id IS NOT NULL) EXECUTE FUNCTION payment_was_moved();
CREATE TRIGGER noted_moved AFTER UPDATE OF state ON payments FOR EACH ROW
    WHEN (OLD.order_id IS NOT NULL AND OLD.state <> NEW.state) EXECUTE FUNCTION payment_was_moved();

CREATE FUNCTION capture_has_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        p.order_id, 'CAPTURE_ENDED', 'SYSTEM', NEW.failure_code,
        jsonb_build_object('paymentId', p.id, 'captureId', NEW.id, 'state', NEW.state, 'amountMinor', NEW.amount_minor)
    ) FROM payments p WHERE p.id = NEW.payment_id AND p.order_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER UPDATE OF state ON payment_captures FOR EACH ROW
    WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION capture_has_ended();

CREATE FUNCTION refund_was_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        NEW.order_id, CASE WHEN TG_OP = 'INSERT' THEN 'REFUND_CREATED' ELSE 'REFUND_CHANGED' END, 'SYSTEM',
        CASE WHEN TG_OP = 'INSERT' THEN NEW.reason END,
        jsonb_build_object('refundId', NEW.id, 'state', NEW.state, 'amountMinor', NEW.amount_minor,
                           'source', NEW.source, 'to', NEW.target)
    );
    RETURN NULL;
END $$;
CREATE TRIGGER noted_made AFTER INSERT ON refunds FOR EACH ROW
    WHEN (NEW.order_id IS NOT NULL) EXECUTE FUNCTION refund_was_moved();
CREATE TRIGGER noted_moved AFTER UPDATE OF state ON refunds FOR EACH ROW
    WHEN (NEW.order_id IS NOT NULL AND OLD.state <> NEW.state) EXECUTE FUNCTION refund_was_moved();

CREATE FUNCTION payment_was_asked_for() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        NEW.order_id, 'PAYMENT_REQUESTED', 'SYSTEM', NULL,
        jsonb_build_object('requestId', NEW.id, 'purpose', NEW.purpose, 'state', NEW.state,
                           'amountMinor', NEW.amount_minor)
    );
    RETURN NULL;
END $$;
CREATE TRIGGER noted_made AFTER INSERT ON payment_requests FOR EACH ROW EXECUTE FUNCTION payment_was_asked_for();
CREATE TRIGGER noted_moved AFTER UPDATE OF state, amount_minor ON payment_requests FOR EACH ROW
    WHEN ((OLD.state, OLD.amount_minor) <> (NEW.state, NEW.amount_minor)) EXECUTE FUNCTION payment_was_asked_for();

CREATE FUNCTION invoice_was_issued() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        NEW.order_id, 'INVOICE_ISSUED', 'SYSTEM', NULL,
        jsonb_build_object('invoiceId', NEW.id, 'number', NEW.number, 'kind', NEW.kind, 'totalMinor', NEW.total_minor)
    );
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION invoice_was_issued();

CREATE FUNCTION order_holds_were_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        NEW.id, 'HOLDS_CHANGED', 'SYSTEM', NULL,
        jsonb_build_object('before', to_jsonb(OLD.holds), 'after', to_jsonb(NEW.holds))
    );
    RETURN NULL;
END $$;
CREATE TRIGGER noted_holds AFTER UPDATE OF holds ON orders FOR EACH ROW
    WHEN (OLD.holds <> NEW.holds) EXECUTE FUNCTION order_holds_were_changed();
"""

# Of the machines beside the states; a test holds the two against each other.
MOVES = """
SELECT keep_to_moves(
    'orders', 'payment_status', 'a payment status',
    'AUTHORIZED > PAID, AUTHORIZED > PARTIALLY_PAID, AUTHORIZED > PARTIALLY_REFUNDED, AUTHORIZED > PENDING, '
    'AUTHORIZED > REFUNDED, AUTHORIZED > VOIDED, PAID > AUTHORIZED, PAID > PARTIALLY_PAID, '
    'PAID > PARTIALLY_REFUNDED, PAID > PENDING, PAID > REFUNDED, PARTIALLY_PAID > PAID, '
    'PARTIALLY_PAID > PARTIALLY_REFUNDED, PARTIALLY_PAID > REFUNDED, PARTIALLY_REFUNDED > PAID, '
    'PARTIALLY_REFUNDED > PARTIALLY_PAID, PARTIALLY_REFUNDED > REFUNDED, PENDING > AUTHORIZED, '
    'PENDING > PAID, PENDING > PARTIALLY_PAID, PENDING > PARTIALLY_REFUNDED, PENDING > REFUNDED, '
    'PENDING > VOIDED, REFUNDED > PAID, REFUNDED > PARTIALLY_PAID, REFUNDED > PARTIALLY_REFUNDED, '
    'VOIDED > PAID, VOIDED > PARTIALLY_PAID, VOIDED > PARTIALLY_REFUNDED, VOIDED > PENDING, '
    'VOIDED > REFUNDED'
);
SELECT keep_to_moves(
    'payments', 'state', 'a payment',
    'AUTHORIZED > CAPTURED, AUTHORIZED > CAPTURING, AUTHORIZED > PARTIALLY_CAPTURED, AUTHORIZED > VOIDED, '
    'AUTHORIZED > VOIDING, CAPTURING > AUTHORIZED, CAPTURING > CAPTURED, CAPTURING > PARTIALLY_CAPTURED, '
    'CAPTURING > VOIDED, FAILED > VOIDING, PARTIALLY_CAPTURED > CAPTURED, PARTIALLY_CAPTURED > CAPTURING, '
    'PARTIALLY_CAPTURED > VOIDING, PENDING > AUTHORIZED, PENDING > CAPTURED, PENDING > CAPTURING, '
    'PENDING > FAILED, PENDING > REQUIRES_ACTION, PENDING > VOIDED, PENDING > VOIDING, '
    'REQUIRES_ACTION > AUTHORIZED, REQUIRES_ACTION > CAPTURED, REQUIRES_ACTION > CAPTURING, '
    'REQUIRES_ACTION > FAILED, REQUIRES_ACTION > PENDING, REQUIRES_ACTION > VOIDED, '
    'REQUIRES_ACTION > VOIDING, VOIDED > VOIDING, VOIDING > CAPTURED, VOIDING > VOIDED'
);
SELECT keep_to_moves('payment_captures', 'state', 'a capture', 'PENDING > FAILED, PENDING > SUCCEEDED');
SELECT keep_to_moves(
    'refunds', 'state', 'a refund', 'PENDING > FAILED, PENDING > SUCCEEDED, SUCCEEDED > FAILED'
);
SELECT keep_to_moves(
    'refund_parts', 'state', 'a refund', 'PENDING > FAILED, PENDING > SUCCEEDED, SUCCEEDED > FAILED'
);
SELECT keep_to_moves(
    'checkout_attempts', 'state', 'an attempt to check out',
    'PROCESSING > REFUSED, PROCESSING > REQUIRES_ACTION, PROCESSING > SUCCEEDED, '
    'REQUIRES_ACTION > PROCESSING, REQUIRES_ACTION > REFUSED, REQUIRES_ACTION > SUCCEEDED'
);
SELECT keep_to_moves(
    'stock_reservations', 'state', 'a reservation',
    'COMMITTED > RELEASED, COMMITTED > SHIPPED, HELD > COMMITTED, HELD > RELEASED'
);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0041_invoices")]
    operations = [
        ops.CreateModel(
            name="OrderEdit",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "tradewind.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="edits",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("changes", fields.JSONField()),
                ("reason", fields.TextField(null=True, unique=False)),
                ("actor_kind", fields.CharField(max_length=16)),
                ("notify_customer", fields.BooleanField()),
                ("total_before_minor", fields.BigIntField()),
                ("total_after_minor", fields.BigIntField()),
                ("due_before_minor", fields.BigIntField()),
                ("due_after_minor", fields.BigIntField()),
                ("created_at", fields.DatetimeField()),
            ],
            options={"table": "order_edits", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.RunSQL(INDEXES),
        ops.RunSQL(FROZEN),
        ops.RunSQL(EVENTS),
        ops.RunSQL(MOVES),
    ]
