"""Gift cards, store credit, gift options."""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from app.gift_cards.models import EntryKind, ValueKind, ValueStatus

# contract: the new check of an order's total takes in all that the old one did, wraps and rounding being zero then.
FORWARD = """
ALTER TABLE orders DROP CONSTRAINT orders_total, ADD CONSTRAINT orders_total CHECK (
    total_minor = subtotal_minor - discount_minor + gift_wrap_minor + shipping_minor + rounding_minor
                  + CASE WHEN tax_included THEN 0 ELSE tax_minor END
);

ALTER TABLE stored_values
    ADD CONSTRAINT stored_values_not_overdrawn CHECK (balance_minor >= 0),
    ADD CONSTRAINT stored_values_of_somebody CHECK ((kind = 'STORE_CREDIT') = (customer_id IS NOT NULL));
CREATE UNIQUE INDEX stored_values_credit ON stored_values (customer_id, currency_code) WHERE customer_id IS NOT NULL;
CREATE INDEX stored_values_recent ON stored_values (kind, id DESC);

ALTER TABLE gift_cards
    ADD CONSTRAINT gift_cards_stored_value FOREIGN KEY (id) REFERENCES stored_values (id),
    ADD CONSTRAINT gift_cards_worth_something CHECK (initial_minor > 0),
    ADD CONSTRAINT gift_cards_sold CHECK (num_nonnulls(order_id, order_line_id, unit_number) IN (0, 3));
CREATE UNIQUE INDEX gift_cards_code ON gift_cards (code_hash);
CREATE UNIQUE INDEX gift_cards_sold_once ON gift_cards (order_line_id, unit_number) WHERE order_line_id IS NOT NULL;
CREATE INDEX gift_cards_order ON gift_cards (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX gift_cards_last_characters ON gift_cards (last_characters, id DESC);
CREATE INDEX gift_cards_recipient ON gift_cards (lower(recipient_email)) WHERE recipient_email IS NOT NULL;

ALTER TABLE stored_value_entries
    ADD CONSTRAINT stored_value_entries_value FOREIGN KEY (stored_value_id) REFERENCES stored_values (id),
    ADD CONSTRAINT stored_value_entries_sign CHECK (CASE kind
        WHEN 'HOLD' THEN amount_minor < 0 WHEN 'EXPIRE' THEN amount_minor < 0 WHEN 'REDEEM' THEN amount_minor = 0
        WHEN 'ADJUST' THEN amount_minor <> 0 ELSE amount_minor > 0 END),
    ADD CONSTRAINT stored_value_entries_of_attempts CHECK (
        kind NOT IN ('HOLD', 'REDEEM', 'RELEASE') OR attempt_id IS NOT NULL
    );
CREATE INDEX stored_value_entries_value ON stored_value_entries (stored_value_id, id);
CREATE UNIQUE INDEX stored_value_entries_held_once ON stored_value_entries (attempt_id, stored_value_id)
    WHERE kind = 'HOLD';
CREATE UNIQUE INDEX stored_value_entries_settled_once ON stored_value_entries (attempt_id, stored_value_id)
    WHERE kind IN ('REDEEM', 'RELEASE');
CREATE UNIQUE INDEX stored_value_entries_refunded_once ON stored_value_entries (refund_id, stored_value_id)
    WHERE refund_id IS NOT NULL;
CREATE INDEX stored_value_entries_order ON stored_value_entries (order_id) WHERE order_id IS NOT NULL;

CREATE FUNCTION stored_value_entries_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Erasing a person empties the words about them; the amounts stay.
    IF TG_OP = 'UPDATE' AND 'on' IN (
        current_setting('tradewind.erasing', true), current_setting('tradewind.forgetting', true)
    ) AND to_jsonb(OLD) - 'reason' = to_jsonb(NEW) - 'reason' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the ledger of gift cards and store credit is append-only';
END $$;
CREATE TRIGGER stored_value_entries_append_only BEFORE UPDATE OR DELETE ON stored_value_entries
    FOR EACH ROW EXECUTE FUNCTION stored_value_entries_are_kept();

ALTER TABLE gift_settings ADD CONSTRAINT gift_settings_only_row CHECK (id = 1);
ALTER TABLE gift_wrap_prices ADD CONSTRAINT gift_wrap_prices_not_negative CHECK (least(order_minor, unit_minor) >= 0);

SELECT versioned_table('gift_settings', 'gifting');
SELECT versioned_table('gift_wrap_prices', 'gifting');

SELECT audit_table(name) FROM unnest(ARRAY[
    'stored_values', 'stored_value_entries', 'gift_settings'
]::regclass[]) AS name;
SELECT audit_table('gift_wrap_prices', key => 'currency_code');
SELECT audit_table('gift_cards', hidden => 'recipient_email,recipient_name,message');
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0034_promotions")]
    operations = [
        ops.CreateModel(
            name="GiftCard",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("code_hash", fields.BinaryField()),
                ("last_characters", fields.CharField(max_length=4)),
                ("initial_minor", fields.BigIntField()),
                ("recipient_email", fields.CharField(null=True, max_length=320)),
                ("recipient_name", fields.CharField(null=True, max_length=120)),
                ("message", fields.TextField(null=True, unique=False)),
                ("note", fields.TextField(null=True, unique=False)),
                ("send_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("order_id", fields.UUIDField(null=True)),
                ("order_line_id", fields.UUIDField(null=True)),
                ("unit_number", fields.IntField(null=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "gift_cards",
                "app": "tradewind",
                "pk_attr": "id",
                "table_description": "What a gift card is beside its balance, which has the same id.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="GiftSettings",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("wrapping_enabled", fields.BooleanField(default=False, db_default=False)),
                ("wrapping_label", fields.CharField(max_length=80)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "gift_settings",
                "app": "tradewind",
                "pk_attr": "id",
                "table_description": "One row: whether the shop wraps gifts, and how that is called; the tax settings say how it is taxed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="GiftWrapPrice",
            fields=[
                ("currency_code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=3)),
                ("order_minor", fields.BigIntField()),
                ("unit_minor", fields.BigIntField()),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "gift_wrap_prices",
                "app": "tradewind",
                "pk_attr": "currency_code",
                "table_description": "The price of wrapping in one currency, in its minor units.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StoredValue",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="GIFT_CARD: GIFT_CARD\nSTORE_CREDIT: STORE_CREDIT",
                        enum_type=ValueKind,
                        max_length=16,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=ValueStatus.ACTIVE,
                        description="ACTIVE: ACTIVE\nDISABLED: DISABLED",
                        enum_type=ValueStatus,
                        max_length=12,
                    ),
                ),
                ("currency_code", fields.CharField(max_length=3)),
                ("balance_minor", fields.BigIntField()),
                ("customer_id", fields.UUIDField(null=True)),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "stored_values",
                "app": "tradewind",
                "pk_attr": "id",
                "table_description": "One balance: of a gift card, or of a customer's credit in one currency. The ledger's entries add up to it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StoredValueEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("stored_value_id", fields.UUIDField()),
                (
                    "kind",
                    fields.CharEnumField(
                        description="ISSUE: ISSUE\nHOLD: HOLD\nREDEEM: REDEEM\nRELEASE: RELEASE\nREFUND: REFUND\nEXPIRE: EXPIRE\nADJUST: ADJUST",
                        enum_type=EntryKind,
                        max_length=12,
                    ),
                ),
                ("amount_minor", fields.BigIntField()),
                ("attempt_id", fields.UUIDField(null=True)),
                ("order_id", fields.UUIDField(null=True)),
                ("refund_id", fields.UUIDField(null=True)),
                ("source_key", fields.CharField(null=True, unique=True, max_length=200)),
                ("reason", fields.CharField(null=True, max_length=500)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "stored_value_entries",
                "app": "tradewind",
                "pk_attr": "id",
                "table_description": "A line of the ledger; nothing is ever changed or taken out.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(FORWARD),
    ]
