"""Value that the shop owes: gift cards and store credit, and the one ledger of both."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class ValueKind(StrEnum):
    GIFT_CARD = "GIFT_CARD"
    STORE_CREDIT = "STORE_CREDIT"


class ValueStatus(StrEnum):
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


class EntryKind(StrEnum):
    ISSUE = "ISSUE"
    """What a card or an account begins with."""
    HOLD = "HOLD"
    """Taken for a checkout that is being paid."""
    REDEEM = "REDEEM"
    """The checkout's order is placed: its hold is spent. Moves nothing, since the hold has."""
    RELEASE = "RELEASE"
    """The checkout came to nothing: its hold is back."""
    REFUND = "REFUND"
    """An order gave it back."""
    EXPIRE = "EXPIRE"
    ADJUST = "ADJUST"
    """By staff, for a reason."""
    WITHHOLD = "WITHHOLD"
    """Credit that a gift card became whose payment is disputed, or gone; lost with it."""
    RESTORE = "RESTORE"
    """What was withheld is the customer's again."""


class StoredValue(Model):
    """One balance: of a gift card, or of a customer's credit in one currency. The ledger's entries add up to it."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharEnumField(ValueKind, max_length=16)
    status = fields.CharEnumField(ValueStatus, max_length=12, default=ValueStatus.ACTIVE)
    currency_code = fields.CharField(max_length=3)
    balance_minor = fields.BigIntField()
    customer_id = fields.UUIDField(null=True)
    """Whose credit it is; None for gift cards, which are whose who has the code."""
    expires_at = fields.DatetimeField(null=True)
    """Business time."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "stored_values"


class GiftCard(Model):
    """What a gift card is beside its balance, which has the same id."""

    id = fields.UUIDField(primary_key=True)
    code_hash = fields.BinaryField()
    last_characters = fields.CharField(max_length=4)
    initial_minor = fields.BigIntField()
    recipient_email = fields.CharField(max_length=320, null=True)
    recipient_name = fields.CharField(max_length=120, null=True)
    message = fields.TextField(null=True)
    """The giver's words, for the mail."""
    note = fields.TextField(null=True)
    """Of staff, for staff."""
    send_at = fields.DatetimeField(null=True)
    """Business time at which the code is mailed; None for at once."""
    order_id = fields.UUIDField(null=True)
    """That it was sold with."""
    order_line_id = fields.UUIDField(null=True)
    unit_number = fields.IntField(null=True)
    """Which of the line's units it is, from 1."""
    frozen_by = fields.UUIDField(null=True)
    """The refund or the dispute over its order that it is switched off for."""
    created_at = fields.DatetimeField()

    class Meta:
        table = "gift_cards"


class StoredValueEntry(Model):
    """A line of the ledger; nothing is ever changed or taken out."""

    id = fields.BigIntField(primary_key=True)
    stored_value_id = fields.UUIDField()
    kind = fields.CharEnumField(EntryKind, max_length=12)
    amount_minor = fields.BigIntField()
    """By which the balance changed: what is taken is negative."""
    attempt_id = fields.UUIDField(null=True)
    order_id = fields.UUIDField(null=True)
    refund_id = fields.UUIDField(null=True)
    """What gave it back, such as a refund; given back once for each."""
    source_key = fields.CharField(max_length=200, null=True, unique=True)
    """The one reason for it, where it could be asked for twice."""
    reason = fields.CharField(max_length=500, null=True)
    expires_at = fields.DatetimeField(null=True)
    """Business time at which what is left of what it gave ends (`credit_parts`); None for never."""
    part_id = fields.BigIntField(null=True)
    """Of a line that is about what another one gave: that one's id."""
    created_at = fields.DatetimeField()

    class Meta:
        table = "stored_value_entries"
