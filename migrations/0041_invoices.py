"""Invoices and credit notes, and the series that number them without gaps."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from app.invoices.models import InvoiceKind, IssueInvoices

FORWARD = """
ALTER TABLE invoice_settings ADD CONSTRAINT invoice_settings_only_row CHECK (id = 1);
CREATE UNIQUE INDEX invoice_series_of_market ON invoice_series
    (coalesce(market_id, '00000000-0000-0000-0000-000000000000'), kind);
ALTER TABLE invoice_series ADD CONSTRAINT invoice_series_counts CHECK (next_number > 0);
CREATE UNIQUE INDEX invoices_sequence ON invoices (series_id, sequence);
CREATE INDEX invoices_order ON invoices (order_id, issued_at, id);
CREATE INDEX invoices_recent ON invoices (issued_at DESC, id DESC);
ALTER TABLE invoices
    ADD CONSTRAINT invoices_amounts CHECK (total_minor >= 0 AND tax_minor >= 0 AND sequence > 0),
    ADD CONSTRAINT invoices_correction CHECK ((kind = 'CREDIT_NOTE') = (corrects_id IS NOT NULL)),
    ADD CONSTRAINT invoices_of_order FOREIGN KEY (order_id) REFERENCES orders (id);

-- What was issued stays as it was issued. What is older than the shop has to keep it may lose who it was for.
CREATE FUNCTION invoices_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('tradewind.erasing', true) = 'on'
       AND to_jsonb(NEW) - 'document' = to_jsonb(OLD) - 'document' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'invoices are not changed: issue a credit note';
END $$;
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION invoices_are_kept();

SELECT audit_table('invoice_settings');
SELECT audit_table('invoice_series');
SELECT audit_table('invoices', person => audit_person('order'));
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0040_order_records")]
    operations = [
        ops.CreateModel(
            name="InvoiceSettings",
            fields=[
                ("id", fields.SmallIntField(primary_key=True)),
                ("issue", fields.CharEnumField(IssueInvoices, max_length=16, default=IssueInvoices.WHEN_PLACED)),
                ("attached", fields.BooleanField(default=True)),
                ("vat_number", fields.CharField(max_length=32, null=True)),
                ("registration", fields.CharField(max_length=200, null=True)),
                ("footer", fields.TextField(null=True)),
                ("updated_at", fields.DatetimeField()),
            ],
            options={"table": "invoice_settings", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InvoiceSeries",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("market_id", fields.UUIDField(null=True)),
                ("kind", fields.CharEnumField(InvoiceKind, max_length=12)),
                ("prefix", fields.CharField(max_length=40, unique=True)),
                ("next_number", fields.BigIntField(default=1)),
                ("created_at", fields.DatetimeField()),
            ],
            options={"table": "invoice_series", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Invoice",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                (
                    "series",
                    fields.ForeignKeyField(
                        "tradewind.InvoiceSeries",
                        source_field="series_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="invoices",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("sequence", fields.BigIntField()),
                ("number", fields.CharField(max_length=40, unique=True)),
                ("kind", fields.CharEnumField(InvoiceKind, max_length=12)),
                ("order_id", fields.UUIDField()),
                ("corrects_id", fields.UUIDField(null=True)),
                ("source_key", fields.CharField(max_length=80, unique=True)),
                ("currency_code", fields.CharField(max_length=3)),
                ("total_minor", fields.BigIntField()),
                ("tax_minor", fields.BigIntField()),
                ("document", fields.JSONField()),
                ("issued_at", fields.DatetimeField()),
            ],
            options={"table": "invoices", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.RunSQL(FORWARD),
    ]
