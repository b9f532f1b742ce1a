"""Companies, their members, and the approvals that members ask each other for."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model

from app.kit.state_machine import StateMachine


class MemberRole(StrEnum):
    BUYER = "BUYER"
    APPROVER = "APPROVER"
    """Buys, too, and decides on what others ask for."""


class ApprovalState(StrEnum):
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    """The cart can be ordered as it was, once."""
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    """Taken back, or asked for anew."""
    EXPIRED = "EXPIRED"
    USED = "USED"
    """It is an order."""


APPROVAL = StateMachine(
    "an approval",
    initial=[ApprovalState.PENDING],
    moves={
        ApprovalState.PENDING: [
            ApprovalState.APPROVED, ApprovalState.REJECTED, ApprovalState.CANCELLED, ApprovalState.EXPIRED,
        ],
        ApprovalState.APPROVED: [ApprovalState.USED, ApprovalState.CANCELLED, ApprovalState.EXPIRED],
        # Whoever confirms a payment at that moment may finish.
        ApprovalState.EXPIRED: [ApprovalState.USED],
        ApprovalState.REJECTED: [],
        ApprovalState.CANCELLED: [],
        ApprovalState.USED: [],
    },
)  # fmt: skip


class Company(Model):
    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=255)
    tax_id = fields.CharField(max_length=32, null=True)
    address = fields.JSONField[dict[str, str]](null=True)
    payment_terms_days = fields.IntField(null=True)
    """Days to pay an order on account; NULL where it does not buy on account."""
    credit_limit_minor = fields.BigIntField(null=True)
    """What may be owed at once, in the company's currency; NULL for no limit."""
    approval_threshold_minor = fields.BigIntField(null=True)
    """What an order may come to before somebody else has to approve it, in the company's currency; NULL for any."""
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
    role = fields.CharEnumField(MemberRole, max_length=16, db_default=MemberRole.BUYER.value)
    token_hash = fields.BinaryField(null=True)
    """SHA-256 of the invitation's token, which is derived from the key ring."""
    invited_until = fields.DatetimeField(null=True)
    """Real time."""
    joined_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "company_members"


class OrderApproval(Model):
    """What somebody asked to be allowed to order. Amounts are minor units of `currency_code`."""

    id = fields.UUIDField(primary_key=True)
    company_id = fields.UUIDField()
    cart_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    """Who asks."""
    state = fields.CharEnumField(ApprovalState, max_length=16)
    content_key = fields.BinaryField()
    """Digest of the lines, see `app.companies.ordering.content_key`: what is approved is nothing else."""
    lines = fields.JSONField[list[dict[str, object]]]()
    """`[{"name", "sku", "quantity", "total_minor"}, …]`, for whoever decides."""
    delivery = fields.JSONField[dict[str, object]](null=True)
    """Where it goes, of `app.companies.delivery`; NULL where that was not known, so that any place is approved of."""
    total_minor = fields.BigIntField()
    """What the cart came to."""
    maximum_minor = fields.BigIntField()
    """What the order may come to, with shipping and taxes."""
    currency_code = fields.CharField(max_length=3)
    message = fields.TextField(null=True)
    comment = fields.TextField(null=True)
    """In the words of whoever decided."""
    approver_id = fields.UUIDField(null=True)
    """The account that decided."""
    staff_id = fields.UUIDField(null=True)
    """The member of staff or the API key that decided."""
    staff_kind = fields.CharField(max_length=16, null=True)
    """STAFF or API_KEY, where it was one."""
    decided_at = fields.DatetimeField(null=True)
    attempt_id = fields.UUIDField(null=True)
    """The latest attempt to check out that relied on it."""
    order_id = fields.UUIDField(null=True)
    expires_at = fields.DatetimeField()
    """Business time."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "order_approvals"
