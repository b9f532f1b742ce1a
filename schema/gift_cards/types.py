"""Gift cards and store credit as clients see them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import Enum

import strawberry

from app import db
from app.gift_cards.models import EntryKind, ValueStatus
from app.kit import ids
from schema.enums import describe_enum
from schema.errors import UserError
from schema.money import Money
from schema.nodes import Node

GIFT_CARD_PREFIX, ACCOUNT_PREFIX = "gc", "scred"


class GiftCardStatus(Enum):
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    EXPIRED = "EXPIRED"


describe_enum(
    GiftCardStatus,
    "Whether a gift card can be spent.",
    ACTIVE="It can, as far as its balance goes.",
    DISABLED="Staff have switched it off, or its order was cancelled.",
    EXPIRED="Its time is over, and what was left with it.",
)
describe_enum(
    EntryKind,
    "What changed a balance.",
    ISSUE="What it began with, or credit that was granted.",
    HOLD="Taken for a checkout that is being paid; it becomes REDEEM, or a RELEASE follows.",
    REDEEM="Paid for an order.",
    RELEASE="Back from a checkout that came to nothing.",
    REFUND="Given back by an order.",
    EXPIRE="Its time was over.",
    ADJUST="Changed by staff, or turned into store credit.",
    WITHHOLD="Credit that a gift card was turned into, while what was paid for the card is disputed or given back. "
    "What is spent by then stays spent. It stays taken where the dispute is lost.",
    RESTORE="Withheld credit, back as the dispute was won, or the money stays with the shop.",
)


@strawberry.type(description="A line of the ledger of a gift card or of store credit.")
class StoredValueEntry:
    type: EntryKind = strawberry.field(description="What happened.")
    amount: Money = strawberry.field(description="By which the balance changed; what was taken is below zero.")
    order_id: strawberry.ID | None = strawberry.field(description="The order that it paid for, or that gave it back.")
    reason: str | None = strawberry.field(description="Why, such as staff's words for it.")
    expires_at: dt.datetime | None = strawberry.field(
        description="Of credit that a gift card with an end was turned into: when what is left of it ends. What ends "
        "first is spent first."
    )
    created_at: dt.datetime = strawberry.field(description="When.")

    @classmethod
    def all_of(cls, rows: Sequence[db.Record], currency: str) -> "list[StoredValueEntry]":
        return [
            cls(
                type=EntryKind(row["kind"]),
                amount=Money.of(row["amount_minor"], currency),
                order_id=strawberry.ID(ids.encode("ord", row["order_id"])) if row["order_id"] else None,
                reason=row["reason"],
                expires_at=row["expires_at"],
                created_at=row["created_at"],
            )
            for row in rows
        ]


def status_of(row: Mapping[str, object]) -> GiftCardStatus:
    if row["status"] == ValueStatus.DISABLED:
        return GiftCardStatus.DISABLED
    return GiftCardStatus.EXPIRED if row["expired"] else GiftCardStatus.ACTIVE


@strawberry.type(description="A gift card. Its code is told once, and mailed to its recipient.")
class GiftCard(Node):
    balance: Money = strawberry.field(description="What can be spent now; what checkouts hold is not in it.")
    initial_value: Money = strawberry.field(description="What it was issued with.")
    last_characters: str = strawberry.field(description="Of its code, four.")
    status: GiftCardStatus = strawberry.field(description="Whether it can be spent.")
    expires_at: dt.datetime | None = strawberry.field(description="When it ends; null for never.")
    recipient_email: str | None = strawberry.field(description="Whom it is mailed to.")
    recipient_name: str | None = strawberry.field(description="As the mail addresses them.")
    message: str | None = strawberry.field(description="The giver's words, in the mail.")
    send_at: dt.datetime | None = strawberry.field(description="When it is mailed; null for at once.")
    note: str | None = strawberry.field(description="Staff's own.")
    order_id: strawberry.ID | None = strawberry.field(description="The order that it was sold with.")
    entries: list[StoredValueEntry] = strawberry.field(description="Its ledger, the newest first, up to 100.")
    created_at: dt.datetime = strawberry.field(description="When it was issued.")

    @classmethod
    def of(cls, row: db.Record, entries: Sequence[db.Record]) -> "GiftCard":
        currency = row["currency_code"]
        return cls(
            id=strawberry.ID(ids.encode(GIFT_CARD_PREFIX, row["id"])),
            balance=Money.of(row["balance_minor"], currency),
            initial_value=Money.of(row["initial_minor"], currency),
            last_characters=row["last_characters"],
            status=status_of(row),
            expires_at=row["expires_at"],
            recipient_email=row["recipient_email"],
            recipient_name=row["recipient_name"],
            message=row["message"],
            send_at=row["send_at"],
            note=row["note"],
            order_id=strawberry.ID(ids.encode("ord", row["order_id"])) if row["order_id"] else None,
            entries=StoredValueEntry.all_of(entries, currency),
            created_at=row["created_at"],
        )


@strawberry.type(description="What the shop owes a customer, in one currency.")
class StoreCreditAccount(Node):
    balance: Money = strawberry.field(description="What can be spent now; what checkouts hold is not in it.")
    customer_id: strawberry.ID = strawberry.field(description="Whose it is.")
    entries: list[StoredValueEntry] = strawberry.field(description="Its ledger, the newest first, up to 100.")
    created_at: dt.datetime = strawberry.field(description="When the first credit in this currency was given.")

    @classmethod
    def of(cls, row: db.Record, entries: Sequence[db.Record]) -> "StoreCreditAccount":
        return cls(
            id=strawberry.ID(ids.encode(ACCOUNT_PREFIX, row["id"])),
            balance=Money.of(row["balance_minor"], row["currency_code"]),
            customer_id=strawberry.ID(ids.encode("cus", row["customer_id"])),
            entries=StoredValueEntry.all_of(entries, row["currency_code"]),
            created_at=row["created_at"],
        )


@strawberry.type(description="What whoever has a gift card's code may know of it.")
class GiftCardBalance:
    balance: Money = strawberry.field(description="What is left on it.")
    last_characters: str = strawberry.field(description="Of its code, four.")
    status: GiftCardStatus = strawberry.field(description="Whether it can be spent.")
    expires_at: dt.datetime | None = strawberry.field(description="When it ends; null for never.")

    @classmethod
    def of(cls, row: db.Record) -> "GiftCardBalance":
        return cls(
            balance=Money.of(row["balance_minor"], row["currency_code"]),
            last_characters=row["last_characters"],
            status=status_of(row),
            expires_at=row["expires_at"],
        )


@strawberry.type(description="Answer to `giftCardIssue`.")
class GiftCardIssuePayload:
    gift_card: GiftCard | None = strawberry.field(default=None, description="The new card.")
    code: str | None = strawberry.field(
        default=None, description="To spend it with. It is told here and in the recipient's mail, and never again."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to everything that changes a gift card.")
class GiftCardPayload:
    gift_card: GiftCard | None = strawberry.field(default=None, description="The card as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to everything that changes store credit.")
class StoreCreditPayload:
    account: StoreCreditAccount | None = strawberry.field(default=None, description="The balance as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")
