"""Disputes over payments, as staff see them."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import strawberry

from app.kit import ids
from app.payments.models import DisputeState
from schema.enums import describe_enum
from schema.money import Money

DISPUTE_PREFIX = "dsp"

describe_enum(
    DisputeState,
    "Where a dispute over a payment stands at the payment provider.",
    INQUIRY="The buyer or the bank asks; no money has been taken back yet. A refund may settle it.",
    NEEDS_RESPONSE="The money is withheld, and the shop has to answer at the provider's by `respondBy`.",
    UNDER_REVIEW="The money is withheld, and others decide.",
    WON="The shop keeps the money: decided so, withdrawn, or an inquiry that led to nothing.",
    LOST="The buyer has the money; it is among the order's refunds.",
)


@strawberry.type(description="A chargeback, a claim or an inquiry: the buyer disputes a payment at the provider's.")
class PaymentDispute:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    state: DisputeState = strawberry.field(description="Where it stands.")
    amount: Money = strawberry.field(description="What is disputed; of one that is lost, what the buyer got.")
    reference: str = strawberry.field(description="The provider's own id.")
    reason: str | None = strawberry.field(description="The provider's code for why, such as `fraudulent`.")
    respond_by: dt.datetime | None = strawberry.field(
        description="By when the shop has to answer at the provider's; null where it has nothing to answer."
    )
    opened_at: dt.datetime = strawberry.field(description="When it was opened, as the provider says.")
    closed_at: dt.datetime | None = strawberry.field(description="When the shop heard that it is over.")

    @classmethod
    def of(cls, row: Mapping[str, Any], currency: str) -> "PaymentDispute":
        due, closed = row["respond_by"], row["closed_at"]
        return cls(
            id=strawberry.ID(ids.encode(DISPUTE_PREFIX, uuid.UUID(row["id"]))),
            state=DisputeState(row["state"]),
            amount=Money.of(row["amount_minor"], currency),
            reference=row["reference"],
            reason=row["reason"],
            respond_by=dt.datetime.fromisoformat(due) if due else None,
            opened_at=dt.datetime.fromisoformat(row["opened_at"]),
            closed_at=dt.datetime.fromisoformat(closed) if closed else None,
        )
