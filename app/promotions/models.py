"""Discounts, codes and redemptions."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class DiscountStatus(StrEnum):
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


class Discount(Model):
    """A percentage or an amount off the order; without any code it applies by itself."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=120)
    status = fields.CharEnumField(DiscountStatus, max_length=12, default=DiscountStatus.ACTIVE)
    automatic = fields.BooleanField(default=False)
    percentage = fields.DecimalField(max_digits=7, decimal_places=4, null=True)
    amount_minor = fields.BigIntField(null=True)
    currency_code = fields.CharField(max_length=3, null=True)
    minimum_subtotal_minor = fields.BigIntField(null=True)
    usage_limit = fields.IntField(null=True)
    usage_limit_per_customer = fields.IntField(null=True)
    used_count = fields.IntField(default=0)
    starts_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField(null=True)
    rule = fields.JSONField[dict[str, object]](null=True)
    """What it is beyond a percentage or an amount off the order (`app.promotions.definition`); then `percentage` is
    null and `amount_minor` zero."""
    reads_products = fields.BooleanField(default=False, db_default=False)
    """Whether the rule asks for collections or tags of products."""
    source_key = fields.CharField(max_length=200, null=True, unique=True)
    """What made it by itself, such as a flow's step: the same one is found again."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "discounts"


class DiscountCode(Model):
    """A code of a discount; a coupon is one that belongs to a single person and can be used once."""

    id = fields.UUIDField(primary_key=True)
    discount_id = fields.UUIDField()
    code = fields.CharField(max_length=64)
    """As it was given out; compared without regard to case."""
    profile_id = fields.UUIDField(null=True)
    """Only this person can use it."""
    usage_limit = fields.IntField(null=True)
    used_count = fields.IntField(default=0)
    issued_by = fields.CharField(max_length=200, null=True, unique=True)
    """`run:<run>:<step>` and the like: one coupon for each reason to issue one."""
    starts_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField(null=True)
    disabled_at = fields.DatetimeField(null=True)
    job_id = fields.UUIDField(null=True)
    """What drew it, with many others."""
    created_at = fields.DatetimeField()

    class Meta:
        table = "discount_codes"


class DiscountRedemption(Model):
    """One use by one order (or by an attempt that is still being paid)."""

    id = fields.UUIDField(primary_key=True)
    discount_id = fields.UUIDField()
    code_id = fields.UUIDField(null=True)
    attempt_id = fields.UUIDField()
    order_id = fields.UUIDField(null=True)
    profile_id = fields.UUIDField(null=True)
    contact_hash = fields.BinaryField(null=True)
    """Of the buyer's email, for limits for each customer."""
    amount_minor = fields.BigIntField()
    state = fields.CharField(max_length=12)
    """HELD while the attempt runs, then REDEEMED or RELEASED."""
    created_at = fields.DatetimeField()

    class Meta:
        table = "discount_redemptions"
