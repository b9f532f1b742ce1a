"""Draft orders: what staff write for somebody, until it is an order. Quotations are drafts, too."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model

from app.kit.state_machine import StateMachine


class DraftKind(StrEnum):
    DRAFT = "DRAFT"
    """Written by staff."""
    QUOTATION = "QUOTATION"
    """Asked for by a buyer, priced by staff."""


class DraftState(StrEnum):
    REQUESTED = "REQUESTED"
    """A buyer waits for staff's prices."""
    OPEN = "OPEN"
    SENT = "SENT"
    """Whoever has the link can place it, until it expires."""
    COMPLETED = "COMPLETED"
    """It is an order."""
    DECLINED = "DECLINED"
    EXPIRED = "EXPIRED"


DRAFT = StateMachine(
    "a draft order",
    initial=[DraftState.REQUESTED, DraftState.OPEN],
    moves={
        DraftState.REQUESTED: [DraftState.OPEN, DraftState.SENT, DraftState.COMPLETED, DraftState.DECLINED],
        DraftState.OPEN: [DraftState.SENT, DraftState.COMPLETED],
        # Changed by staff, it is sent again before anybody can place it.
        DraftState.SENT: [DraftState.OPEN, DraftState.COMPLETED, DraftState.DECLINED, DraftState.EXPIRED],
        # Whoever confirms a payment at the moment it expires may finish.
        DraftState.EXPIRED: [DraftState.OPEN, DraftState.SENT, DraftState.COMPLETED],
        DraftState.DECLINED: [DraftState.OPEN],
        DraftState.COMPLETED: [],
    },
)


class DraftOrder(Model):
    """Its cart has the same id, so that it is paid for, once, in the way of every cart."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharEnumField(DraftKind, max_length=16)
    state = fields.CharEnumField(DraftState, max_length=16)
    content = fields.JSONField[dict[str, object]](null=True)
    """What was written: `app.assisted.content.DraftContent`."""
    offer = fields.JSONField[dict[str, object]](null=True)
    """The order as it will be placed, priced when the content was written: an `OrderDraft`."""
    currency_code = fields.CharField(max_length=3)
    total_minor = fields.BigIntField()
    email = fields.CharField(max_length=254, null=True)
    customer_id = fields.UUIDField(null=True)
    company_id = fields.UUIDField(null=True)
    message = fields.TextField(null=True)
    """The buyer's words, of a quotation that was asked for."""
    reply = fields.TextField(null=True)
    """The shop's words with what is sent: terms, greetings."""
    token_hash = fields.BinaryField()
    """SHA-256 of the link's token, which is derived from the key ring."""
    days_good = fields.IntField(null=True)
    sent_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(null=True)
    order_id = fields.UUIDField(null=True, unique=True)
    created_by = fields.UUIDField(null=True)
    """The member of staff or the API key."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "draft_orders"


class OrderCondition(Model):
    """What has to be met before an order's goods leave; those that are not are its holds."""

    id = fields.UUIDField(primary_key=True)
    order_id = fields.UUIDField()
    kind = fields.CharField(max_length=16)
    """DEPOSIT or GUARANTEE."""
    amount_minor = fields.BigIntField(null=True)
    met_at = fields.DatetimeField(null=True)

    class Meta:
        table = "order_conditions"
