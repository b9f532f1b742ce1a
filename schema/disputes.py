"""Disputes over payments, as staff see them."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import strawberry

from app.kit import ids
from app.kit.pagination import page_request
from app.payments import dispute_queries
from app.payments.models import DisputeState
from app.staff.permissions import Permission
from schema.access import STAFF, query
from schema.connections import Connection
from schema.context import Info
from schema.enums import describe_enum
from schema.money import Money
from schema.selection import Selection

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
    gateway: str = strawberry.field(description="Whose payment it is about.")
    order_id: strawberry.ID | None = strawberry.field(description="The order; null for a payment without one.")
    amount: Money = strawberry.field(description="What is disputed; of one that is lost, what the buyer got.")
    reference: str = strawberry.field(description="The provider's own id.")
    reason: str | None = strawberry.field(description="The provider's code for why, such as `fraudulent`.")
    respond_by: dt.datetime | None = strawberry.field(
        description="By when the shop has to answer at the provider's; null where it has nothing to answer."
    )
    opened_at: dt.datetime = strawberry.field(description="When it was opened, as the provider says.")
    closed_at: dt.datetime | None = strawberry.field(description="When the shop heard that it is over.")
    fee: Money | None = strawberry.field(
        description="What the provider has charged for it so far, less what it gave back, in the currency of its "
        "account; null where it does not say. It is no part of `amount`."
    )
    withheld_store_credit: Money = strawberry.field(
        description="Of store credit that gift cards of the order were turned into: what is taken while it is "
        "disputed, and for good once it is lost."
    )
    spent_store_credit: Money = strawberry.field(
        description="Of the same credit: what was spent before it could be taken. It stays spent."
    )

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "PaymentDispute":
        """Of a row, or of one that was read as JSON; with its order's id."""
        return cls(
            id=strawberry.ID(ids.encode(DISPUTE_PREFIX, _uuid(row["id"]))),
            state=DisputeState(row["state"]),
            gateway=row["gateway"],
            order_id=strawberry.ID(ids.encode("ord", _uuid(row["order_id"]))) if row["order_id"] else None,
            amount=Money.of(row["amount_minor"], row["currency_code"]),
            reference=row["reference"],
            reason=row["reason"],
            respond_by=row["respond_by"] and _moment(row["respond_by"]),
            opened_at=_moment(row["opened_at"]),
            closed_at=row["closed_at"] and _moment(row["closed_at"]),
            fee=None if row["fee_minor"] is None else Money.of(row["fee_minor"], row["fee_currency_code"]),
            withheld_store_credit=Money.of(row["withheld_minor"], row["currency_code"]),
            spent_store_credit=Money.of(row["spent_minor"], row["currency_code"]),
        )


def _uuid(given: uuid.UUID | str) -> uuid.UUID:
    return given if isinstance(given, uuid.UUID) else uuid.UUID(given)


def _moment(given: dt.datetime | str) -> dt.datetime:
    return dt.datetime.fromisoformat(given) if isinstance(given, str) else given


@strawberry.type
class DisputeQueries:
    @query(
        access=STAFF(Permission.REFUNDS_WRITE),
        description="What buyers dispute at the payment providers, the newest first. Answer them there.",
    )
    async def payment_disputes(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
        open: Annotated[
            bool | None, strawberry.argument(description="True: only those that are not decided yet.")
        ] = strawberry.UNSET,
    ) -> Connection[PaymentDispute]:
        request = page_request(
            None if first is strawberry.UNSET else first, after or None, order=dispute_queries.CURSOR_ORDER
        )
        counted = "totalCount" in Selection.of(info)
        page = await dispute_queries.listed(request, only_open=open is True, count=counted)
        return Connection[PaymentDispute].of(page, [PaymentDispute.of(row) for row in page.items])
