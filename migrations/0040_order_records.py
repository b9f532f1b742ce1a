"""The timeline of every order, and the moves that its states may make."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

INDEXES = """
CREATE SEQUENCE order_event_positions OWNED BY order_events.position;
ALTER TABLE order_events ALTER COLUMN position SET DEFAULT nextval('order_event_positions'),
    ALTER COLUMN id SET DEFAULT gen_random_uuid();
CREATE INDEX order_events_order ON order_events (order_id, position);
SELECT audit_table('order_events', person => audit_person('order'));
"""

# Whoever changes an order, in whichever way: the change and its event are there together or not at all. Who it was is
# what the open transaction's entry of the audit log says; without one nobody of the shop did it.
EVENTS = """
CREATE FUNCTION note_order_event(order_id uuid, type text, kind text, reason text, data jsonb)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO order_events (order_id, type, occurred_at, actor_kind, actor_id, reason, data)
    SELECT $1, $2, business_now(), coalesce(e.actor_kind, $3), e.actor_id, $4, $5
    FROM (SELECT nullif(current_setting('tradewind.audit', true), '')::uuid AS id) acting
    LEFT JOIN audit_entries e ON e.id = acting.id
$$;

CREATE FUNCTION order_was_placed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        NEW.id, 'PLACED', CASE WHEN NEW.customer_id IS NULL THEN 'GUEST' ELSE 'CUSTOMER' END, NULL,
        jsonb_build_object('paymentStatus', NEW.payment_status, 'totalMinor', NEW.total_minor)
    );
    RETURN NULL;
END $$;
CREATE TRIGGER noted_placed AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION order_was_placed();

CREATE FUNCTION order_was_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status THEN
        PERFORM note_order_event(
            NEW.id, 'STATUS_CHANGED', 'SYSTEM', CASE WHEN NEW.status = 'CANCELLED' THEN NEW.cancel_reason END,
            jsonb_build_object('before', OLD.status, 'after', NEW.status)
        );
    END IF;
    IF NEW.payment_status <> OLD.payment_status THEN
        PERFORM note_order_event(
            NEW.id, 'PAYMENT_STATUS_CHANGED', 'SYSTEM', NULL,
            jsonb_build_object('before', OLD.payment_status, 'after', NEW.payment_status)
        );
    END IF;
    IF NEW.fulfillment_status <> OLD.fulfillment_status THEN
        PERFORM note_order_event(
            NEW.id, 'FULFILLMENT_STATUS_CHANGED', 'SYSTEM', NULL,
            jsonb_build_object('before', OLD.fulfillment_status, 'after', NEW.fulfillment_status)
        );
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER noted_moved AFTER UPDATE OF status, payment_status, fulfillment_status ON orders FOR EACH ROW
    WHEN (OLD.status <> NEW.status OR OLD.payment_status <> NEW.payment_status
          OR OLD.fulfillment_status <> NEW.fulfillment_status)
    EXECUTE FUNCTION order_was_moved();

CREATE FUNCTION fulfillment_was_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        NEW.order_id, 'FULFILLMENT_CREATED', 'SYSTEM', NULL, jsonb_build_object('fulfillmentId', NEW.id)
    );
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER INSERT ON fulfillments FOR EACH ROW EXECUTE FUNCTION fulfillment_was_made();

CREATE FUNCTION shipment_was_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        f.order_id, 'SHIPMENT_STATUS_CHANGED', 'SYSTEM', NULL,
        jsonb_build_object('shipmentId', NEW.id, 'before', OLD.status, 'after', NEW.status)
    ) FROM fulfillments f WHERE f.id = NEW.fulfillment_id;
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER UPDATE OF status ON shipments FOR EACH ROW
    WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION shipment_was_moved();

CREATE FUNCTION message_was_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_order_event(
        NEW.order_id, 'MESSAGE_SENT', 'SYSTEM', NULL,
        jsonb_build_object('channel', NEW.channel, 'template', NEW.template)
    ) FROM orders o WHERE o.id = NEW.order_id;
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER UPDATE OF state ON messages FOR EACH ROW
    WHEN (NEW.state = 'SENT' AND OLD.state <> 'SENT' AND NEW.order_id IS NOT NULL AND NEW.purpose = 'TRANSACTIONAL')
    EXECUTE FUNCTION message_was_sent();

-- What happened stays as it happened. Erasing a person empties the words about them, and an order takes its own along.
CREATE FUNCTION order_events_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('tradewind.erasing', true) = 'on' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM orders WHERE id = OLD.order_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the timeline of an order is append-only';
END $$;
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON order_events FOR EACH ROW EXECUTE FUNCTION order_events_are_kept();
"""

# The last line of defence behind the services, which refuse such a move in their own words. The moves are those of the
# machines beside the models' states; a test holds the two against each other.
MOVES = """
CREATE FUNCTION check_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was text := to_jsonb(OLD) ->> TG_ARGV[1];
    becomes text := to_jsonb(NEW) ->> TG_ARGV[1];
BEGIN
    IF NOT was || ' > ' || becomes = ANY(string_to_array(TG_ARGV[2], ', ')) THEN
        RAISE EXCEPTION '%: % cannot become %', TG_ARGV[0], was, becomes USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- For this and later migrations; called again, it takes the place of what was there.
CREATE FUNCTION keep_to_moves(moved regclass, state text, machine text, moves text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER %I BEFORE UPDATE OF %I ON %s FOR EACH ROW WHEN (OLD.%I <> NEW.%I) '
        'EXECUTE FUNCTION check_move(%L, %L, %L)',
        'legal_' || state, state, moved, state, state, machine, state, moves
    );
END $$;

SELECT keep_to_moves('orders', 'status', 'an order', 'OPEN > CANCELLED, OPEN > COMPLETED');
SELECT keep_to_moves(
    'orders', 'fulfillment_status', 'a fulfilment status',
    'NOT_REQUIRED > UNFULFILLED, PARTIALLY_FULFILLED > FULFILLED, UNFULFILLED > FULFILLED, '
    'UNFULFILLED > NOT_REQUIRED, UNFULFILLED > PARTIALLY_FULFILLED'
);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0039_assisted_sales")]
    operations = [
        ops.CreateModel(
            name="OrderEvent",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("position", fields.BigIntField()),
                (
                    "order",
                    fields.ForeignKeyField(
                        "tradewind.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="events",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("type", fields.CharField(max_length=40)),
                ("occurred_at", fields.DatetimeField()),
                ("actor_kind", fields.CharField(max_length=16)),
                ("actor_id", fields.UUIDField(null=True)),
                ("reason", fields.TextField(null=True)),
                ("data", fields.JSONField(default=dict)),
            ],
            options={"table": "order_events", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.RunSQL(INDEXES),
        ops.RunSQL(EVENTS),
        ops.RunSQL(MOVES),
    ]
