"""Invoices, credit notes, and the series that number them."""

from enum import StrEnum

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class InvoiceKind(StrEnum):
    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"


class IssueInvoices(StrEnum):
    """When an order gets its invoice."""

    WHEN_PLACED = "WHEN_PLACED"
    WHEN_PAID = "WHEN_PAID"
    NEVER = "NEVER"


class InvoiceSettings(Model):
    id = fields.SmallIntField(primary_key=True)
    """Always 1."""
    issue = fields.CharEnumField(IssueInvoices, max_length=16, default=IssueInvoices.WHEN_PLACED)
    attached = fields.BooleanField(default=True)
    """Whether the confirmation mail carries the invoice; it links to it in any case."""
    vat_number = fields.CharField(max_length=32, null=True)
    """The shop's own VAT number, as it is printed."""
    registration = fields.CharField(max_length=200, null=True)
    """Such as the court and number of a commercial register."""
    footer = fields.TextField(null=True)
    restore_mark = fields.CharField(max_length=16, null=True)
    """What series that begin from now on have in their prefix, since the database was restored from a backup."""
    retired_prefixes = ArrayField(element_type="text", default=list, db_default=[])
    """Of series before a restore: numbers with them were given out that the database does not know of."""
    updated_at = fields.DatetimeField()

    class Meta:
        table = "invoice_settings"


class InvoiceSeries(Model):
    """One row per market and kind. Its number goes up in the transaction that issues, so there are no gaps."""

    id = fields.UUIDField(primary_key=True)
    market_id = fields.UUIDField(null=True)
    """None for orders of no market."""
    kind = fields.CharEnumField(InvoiceKind, max_length=12)
    prefix = fields.CharField(max_length=40, unique=True)
    next_number = fields.BigIntField(default=1)
    created_at = fields.DatetimeField()

    class Meta:
        table = "invoice_series"


class Invoice(Model):
    id = fields.UUIDField(primary_key=True)
    series: fields.ForeignKeyRelation[InvoiceSeries] = fields.ForeignKeyField(
        "tradewind.InvoiceSeries", related_name="invoices", on_delete=fields.RESTRICT
    )
    sequence = fields.BigIntField()
    """Within its series, from 1."""
    number = fields.CharField(max_length=40, unique=True)
    """As printed: the series' prefix and the sequence."""
    kind = fields.CharEnumField(InvoiceKind, max_length=12)
    order_id = fields.UUIDField()
    corrects_id = fields.UUIDField(null=True)
    """The invoice that a credit note takes back, in whole or in part."""
    source_key = fields.CharField(max_length=80, unique=True)
    """Why it was issued, such as `order:<id>` or `refund:<id>`: for one reason there is one."""
    currency_code = fields.CharField(max_length=3)
    total_minor = fields.BigIntField()
    """Not negative, of a credit note neither."""
    tax_minor = fields.BigIntField()
    document = fields.JSONField[dict[str, object]]()
    """All that is printed, see `document.py`."""
    issued_at = fields.DatetimeField()
    """Business time."""

    class Meta:
        table = "invoices"
