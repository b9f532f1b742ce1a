"""Where the shop and a payment gateway did not agree, for staff."""

import datetime as dt
from typing import Annotated

import strawberry

from app.kit import ids
from app.kit.pagination import page_request
from app.payments import discrepancies
from app.payments.discrepancies import Discrepancy
from app.payments.models import DiscrepancyKind
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.connections import Connection
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.money import Money
from schema.selection import Selection

PREFIX = "pdis"

describe_enum(
    DiscrepancyKind,
    "What a payment gateway and the shop do not agree about.",
    MONEY_WITHOUT_ORDER="The gateway has money that nothing was sold for.",
    ORDER_WITHOUT_MONEY="An order counts on money that the gateway has not, or not any more.",
    AMOUNT_DIFFERS="More or less was captured or refunded than the shop asked for.",
    UNANSWERED="The gateway has not confirmed for over an hour what it was asked for; it is asked again.",
    LAPSING="What is set aside for an order lapses within a day, and has not been captured.",
)


@strawberry.type(description="Something about a payment that the shop and a gateway did not agree about.")
class PaymentDiscrepancy:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    kind: DiscrepancyKind = strawberry.field(description="What it is about.")
    gateway: str = strawberry.field(description="Which gateway.")
    payment_id: strawberry.ID = strawberry.field(description="The payment; the shop may not have a record of it.")
    order_id: strawberry.ID | None = strawberry.field(description="Its order, where it has one.")
    reference: str | None = strawberry.field(description="The gateway's own id of the payment.")
    amount: Money = strawberry.field(description="How much it is about.")
    detail: str = strawberry.field(description="In words.")
    found_at: dt.datetime = strawberry.field(description="When it was found.")
    settled_at: dt.datetime | None = strawberry.field(description="When it was settled; null while it is open.")
    settlement: str | None = strawberry.field(
        description="How: PLACED (the order), VOIDED, REFUNDED, RECORDED (the books follow the gateway), CONFIRMED, "
        "CANCELLED, PAID, CAPTURED or BY_STAFF."
    )

    @classmethod
    def of(cls, found: Discrepancy) -> "PaymentDiscrepancy":
        return cls(
            id=strawberry.ID(ids.encode(PREFIX, found.id)),
            kind=found.kind,
            gateway=found.gateway,
            payment_id=strawberry.ID(ids.encode("pay", found.payment_id)),
            order_id=strawberry.ID(ids.encode("ord", found.order_id)) if found.order_id else None,
            reference=found.reference,
            amount=Money.of(found.amount.amount_minor, found.amount.currency),
            detail=found.detail,
            found_at=found.found_at,
            settled_at=found.settled_at,
            settlement=found.settlement,
        )


@strawberry.type(description="Answer to `paymentDiscrepancyClose`.")
class PaymentDiscrepancyPayload:
    payment_discrepancy: PaymentDiscrepancy | None = strawberry.field(default=None, description="As it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class DiscrepancyQueries:
    @query(
        access=STAFF(Permission.REFUNDS_WRITE),
        description="Where the shop and a payment gateway did not agree, the newest first.",
    )
    async def payment_discrepancies(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
        open: Annotated[
            bool | None, strawberry.argument(description="True: only those that nothing has settled yet.")
        ] = strawberry.UNSET,
    ) -> Connection[PaymentDiscrepancy]:
        request = page_request(
            None if first is strawberry.UNSET else first, after or None, order=discrepancies.CURSOR_ORDER
        )
        counted = "totalCount" in Selection.of(info)
        page = await discrepancies.listed(request, only_open=open is True, count=counted)
        return Connection[PaymentDiscrepancy].of(page, [PaymentDiscrepancy.of(found) for found in page.items])


@strawberry.type
class DiscrepancyMutations:
    @mutation(
        access=STAFF(Permission.REFUNDS_WRITE),
        description="Note that staff have settled a discrepancy in a way that the shop does not see. Moves no money.",
    )
    async def payment_discrepancy_close(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The discrepancy's id.")]
    ) -> PaymentDiscrepancyPayload:
        closed = await discrepancies.close(ids.decode(PREFIX, id, ["id"]))
        return PaymentDiscrepancyPayload(payment_discrepancy=PaymentDiscrepancy.of(closed))
