"""Accounts of shoppers, their addresses, and the one-time tokens of mailed links."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class Customer(Model):
    """An account. Until its address is verified, it is a stranger's claim and sees nothing that it did not do itself.

    Any number of unverified accounts may claim one address, and none of them keeps its owner out: whoever verifies it
    first has it, and the others are deleted.
    """

    id = fields.UUIDField(primary_key=True)
    email = fields.CharField(max_length=254)
    """Normalised; unique among verified accounts, ignoring case."""
    email_verified_at = fields.DatetimeField(null=True)
    password_hash = fields.CharField(max_length=255, null=True)
    """argon2id; None where somebody signs in by mailed link alone."""
    profile_id = fields.UUIDField(null=True)
    """The living profile of a verified address; an unverified account has none."""
    first_name = fields.CharField(max_length=255, null=True)
    last_name = fields.CharField(max_length=255, null=True)
    phone = fields.CharField(max_length=32, null=True)
    """E.164; never verified, so nothing is found by it."""
    language = fields.CharField(max_length=35, null=True)
    is_active = fields.BooleanField(default=True, db_default=True)
    """Staff may close an account; its sessions end at once."""
    default_shipping_address_id = fields.UUIDField(null=True)
    default_billing_address_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    last_login_at = fields.DatetimeField(null=True)

    class Meta:
        table = "customers"


class CustomerAddress(Model):
    id = fields.UUIDField(primary_key=True)
    customer: fields.ForeignKeyRelation[Customer] = fields.ForeignKeyField(
        "tradewind.Customer", related_name="addresses", on_delete=fields.CASCADE
    )
    address = fields.JSONField[dict[str, str]]()
    """As orders keep theirs: snake_case names of AddressInput, checked for its country."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "customer_addresses"


class AccountTokenKind(StrEnum):
    VERIFY_EMAIL = "VERIFY_EMAIL"
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - a kind
    SIGN_IN = "SIGN_IN"
    CHANGE_EMAIL = "CHANGE_EMAIL"


class AccountToken(Model):
    """What a mailed link is good for, once. The token is derived from the key ring, and only its hash is stored."""

    id = fields.UUIDField(primary_key=True)
    customer: fields.ForeignKeyRelation[Customer] = fields.ForeignKeyField(
        "tradewind.Customer", related_name="tokens", on_delete=fields.CASCADE
    )
    kind = fields.CharEnumField(AccountTokenKind, max_length=16)
    token_hash = fields.BinaryField()
    email = fields.CharField(max_length=254)
    """The address that the link was sent to; for CHANGE_EMAIL the new one."""
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    """Real time."""
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "account_tokens"
