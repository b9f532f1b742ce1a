"""Referral codes and what came of them."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class ReferralState(StrEnum):
    PENDING = "PENDING"
    """The friend has ordered and not yet paid."""
    REWARDED = "REWARDED"
    REFUSED = "REFUSED"


class ReferralProgram(Model):
    """At most one row."""

    id = fields.SmallIntField(primary_key=True)
    enabled = fields.BooleanField(default=False)
    friend_percentage = fields.DecimalField(max_digits=7, decimal_places=4, null=True)
    friend_amount_minor = fields.BigIntField(null=True)
    reward_percentage = fields.DecimalField(max_digits=7, decimal_places=4, null=True)
    reward_amount_minor = fields.BigIntField(null=True)
    reward_valid_days = fields.IntField(default=90)
    updated_at = fields.DatetimeField()

    class Meta:
        table = "referral_program"


class ReferralCode(Model):
    """A person's own code: their friends' discount, and the way to know whose friends they are."""

    id = fields.UUIDField(primary_key=True)
    profile_id = fields.UUIDField(unique=True)
    discount_code_id = fields.UUIDField(unique=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "referral_codes"


class Referral(Model):
    id = fields.UUIDField(primary_key=True)
    referral_code_id = fields.UUIDField()
    friend_profile_id = fields.UUIDField()
    order_id = fields.UUIDField(unique=True)
    state = fields.CharEnumField(ReferralState, max_length=12)
    reason = fields.CharField(max_length=40, null=True)
    reward_code_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    settled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "referrals"
