"""Companies and their members."""

from tortoise import fields
from tortoise.models import Model


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
    spending_limit_minor = fields.BigIntField(null=True)
    """What one order may come to, in the company's currency; NULL for no limit."""
    token_hash = fields.BinaryField(null=True)
    """SHA-256 of the invitation's token, which is derived from the key ring."""
    invited_until = fields.DatetimeField(null=True)
    """Real time."""
    joined_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "company_members"
