"""Companies and their members."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class CompanyRole(StrEnum):
    BUYER = "BUYER"
    APPROVER = "APPROVER"
    """Buys, and agrees to what others may not buy alone."""
    ADMIN = "ADMIN"
    """An approver who invites members and takes them out."""


APPROVING = frozenset({CompanyRole.APPROVER, CompanyRole.ADMIN})


class Company(Model):
    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=255)
    tax_id = fields.CharField(max_length=32, null=True)
    address = fields.JSONField[dict[str, str]](null=True)
    payment_terms_days = fields.IntField(null=True)
    """Days to pay an order on account; NULL where it does not buy on account."""
    credit_limit_minor = fields.BigIntField(null=True)
    """What may be owed at once, in the company's currency; NULL for no limit."""
    currency_code = fields.CharField(max_length=3)
    price_list_id = fields.UUIDField(null=True)
    approval_threshold_minor = fields.BigIntField(null=True)
    """Totals above it need an approver, whoever orders; NULL for none."""
    note = fields.TextField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "companies"


class CompanyMember(Model):
    """An account, or an address that was invited and has not joined yet."""

    id = fields.UUIDField(primary_key=True)
    company_id = fields.UUIDField()
    customer_id = fields.UUIDField(null=True)
    email = fields.CharField(max_length=254)
    role = fields.CharEnumField(CompanyRole, max_length=16)
    spending_limit_minor = fields.BigIntField(null=True)
    """What one order may come to without an approver, in the company's currency; NULL for no limit."""
    token_hash = fields.BinaryField(null=True)
    """SHA-256 of the invitation's token, which is derived from the key ring."""
    invited_until = fields.DatetimeField(null=True)
    """Real time."""
    joined_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "company_members"
