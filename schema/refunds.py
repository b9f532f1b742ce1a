"""Giving money back."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence
from typing import Annotated

import orjson
import strawberry

from app.checkout.requests import check_key
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.money import Money as KitMoney
from app.orders import queries as order_queries
from app.payments import refund_queries, refunding
from app.payments.models import RefundSource, RefundState, RefundTarget
from app.payments.refund_queries import RefundRow
from app.payments.refunding import RefundLine as LineToRefund
from app.payments.refunding import RefundRequested
from app.staff.permissions import Permission
from schema.access import STAFF, mutation
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.money import Money, MoneyInput
from schema.nodes import Node, node_loader
from schema.order_lines import LINE_PREFIX
from schema.selection import Selection

REFUND_PREFIX = "ref"
ORDER_PREFIX = "ord"
MAX_LINES = 500

describe_enum(
    RefundTarget,
    "Where the money of a refund goes.",
    ORIGINAL="Back the way it came: to the card, or to the gift card.",
    STORE_CREDIT="To the customer's account, as store credit.",
)
describe_enum(
    RefundState,
    "Where a refund is in its life.",
    PENDING="Decided; the gateway is asked until it confirms.",
    SUCCEEDED="The money is on its way to the buyer.",
    FAILED="The gateway refused it, in part at least; what was refused can be refunded again, another way.",
)
describe_enum(
    RefundSource,
    "Who decided on a refund.",
    STAFF="Staff, with `refundCreate`.",
    CANCELLATION="Whoever cancelled the order.",
    PROVIDER="Somebody at the gateway's own dashboard; it was found afterwards.",
    RECONCILIATION="The shop itself: it had money that nothing was sold for.",
    DISPUTE="The buyer's bank or the payment provider took it back, see `Payment.disputes`.",
    EDIT="Staff, with `orderEdit`: the order costs less than was taken.",
)


@strawberry.type(description="Units of an order's line that were refunded.")
class RefundLine:
    order_line_id: strawberry.ID = strawberry.field(description="Which line.")
    quantity: int = strawberry.field(description="How many of its units.")
    restock: bool = strawberry.field(description="Whether they were taken back to stock.")
    amount: Money = strawberry.field(description="What they were worth, discounts and taxes with it.")


@strawberry.type(description="Money that goes back to the buyer of an order.")
class Refund(Node):
    state: RefundState = strawberry.field(description="Where it is in its life.")
    amount: Money = strawberry.field(description="What is given back, in all.")
    refunded_amount: Money = strawberry.field(description="What of it has been confirmed.")
    shipping: Money = strawberry.field(description="The part of `amount` that is for shipping.")
    lines: list[RefundLine] = strawberry.field(description="What it is for; empty for an amount alone.")
    reason: str | None = strawberry.field(description="In the shop's words to the buyer.")
    to: RefundTarget = strawberry.field(description="Where the money goes.")
    source: RefundSource = strawberry.field(description="Who decided on it.")
    failure_code: str | None = strawberry.field(
        description="Why the gateway refused, in its own words; for staff, null for anybody else."
    )
    created_at: dt.datetime = strawberry.field(description="When it was decided.")
    updated_at: dt.datetime = strawberry.field(description="When anything about it last changed.")

    @classmethod
    def of(cls, row: RefundRow, *, for_staff: bool) -> "Refund":
        currency = row["currency_code"]
        return cls(
            id=strawberry.ID(ids.encode(REFUND_PREFIX, row["id"])),
            state=RefundState(row["state"]),
            amount=Money.of(row["amount_minor"], currency),
            refunded_amount=Money.of(row["refunded_minor"], currency),
            shipping=Money.of(row["shipping_minor"], currency),
            lines=[
                RefundLine(
                    order_line_id=strawberry.ID(ids.encode(LINE_PREFIX, uuid.UUID(line["order_line_id"]))),
                    quantity=line["quantity"],
                    restock=line["restock"],
                    amount=Money.of(line["amount_minor"], currency),
                )
                for line in row["lines"]
            ],
            reason=row["reason"],
            to=RefundTarget(row["target"]),
            source=RefundSource(row["source"]),
            failure_code=row["failure_code"] if for_staff else None,
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )


async def load_refunds(order_ids: Sequence[uuid.UUID], *, for_staff: bool) -> dict[uuid.UUID, list[Refund]]:
    """Of orders that the viewer may see."""
    found = await refund_queries.of_orders(order_ids)
    return {order_id: [Refund.of(row, for_staff=for_staff) for row in rows] for order_id, rows in found.items()}


@strawberry.input(description="Units of an order's line that are refunded.")
class RefundLineInput:
    order_line_id: strawberry.ID = strawberry.field(description="Which line.")
    quantity: int = strawberry.field(description="How many units, of those that are not refunded yet.")
    restock: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Take back to stock what had left; false unless given."
    )


@strawberry.input(
    description="What is given back. Without `amount`, what the lines and the shipping are worth, discounts and taxes "
    "with it. Never more than was taken."
)
class RefundCreateInput:
    order_id: strawberry.ID = strawberry.field(description="Of which order.")
    lines: list[RefundLineInput] | None = strawberry.field(
        default=strawberry.UNSET, description="What comes back, or was not worth its price."
    )
    shipping: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="The part of the amount that is for shipping, its tax with it."
    )
    amount: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="In all; less than the lines are worth, or more, or without lines."
    )
    reason: str | None = strawberry.field(
        default=strawberry.UNSET, description="Up to 500 characters for the customer, who reads it."
    )
    to: RefundTarget | None = strawberry.field(
        default=strawberry.UNSET, description="ORIGINAL unless given; STORE_CREDIT for orders of accounts."
    )
    notify_customer: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether the customer is written to once it has succeeded; true unless given.",
    )
    idempotency_key: str = strawberry.field(
        description="New for every refund, the same when asking again: up to 255 visible ASCII characters. The same "
        "key and input are the same refund; another input is refused."
    )

    def parsed(self, currency: str) -> RefundRequested:
        """Raises DomainError, DomainErrors."""
        check_key(self.idempotency_key)
        lines = self.lines or []
        if len(lines) > MAX_LINES:
            raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_LINES} lines.", ["input", "lines"])
        return RefundRequested(
            order_id=ids.decode(ORDER_PREFIX, self.order_id, ["input", "orderId"]),
            lines=[
                LineToRefund(
                    ids.decode(LINE_PREFIX, line.order_line_id, ["input", "lines", index, "orderLineId"]),
                    line.quantity,
                    bool(line.restock),
                )
                for index, line in enumerate(lines)
            ],
            shipping_minor=_minor(self.shipping, currency, "shipping") or 0,
            amount_minor=_minor(self.amount, currency, "amount"),
            target=self.to or RefundTarget.ORIGINAL,
            reason=self.reason or None,
            notify_customer=self.notify_customer is not False,
            key=self.idempotency_key,
            fingerprint=_fingerprint(self),
        )


def _minor(given: MoneyInput | None, currency: str, name: str) -> int | None:
    if not given:
        return None
    parsed: KitMoney = given.parsed(["input", name, "amount"])
    if parsed.currency != currency:
        message = f"The order is in {currency}."
        raise DomainError(CommonErrorCode.INVALID, message, ["input", name, "currencyCode"])
    return parsed.amount_minor


def _fingerprint(given: RefundCreateInput) -> bytes:
    """SHA-256 over what is asked for; what was left out and what was null are the same."""

    def money(value: MoneyInput | None) -> list[str] | None:
        return [str(value.amount.normalize()), value.currency_code] if value else None

    told = [
        [[line.order_line_id, line.quantity, bool(line.restock)] for line in given.lines or []],
        money(given.shipping),
        money(given.amount),
        given.reason or None,
        given.to.value if given.to else None,
        given.notify_customer is not False,
    ]
    return hashlib.sha256(orjson.dumps(told)).digest()


@strawberry.type(description="Answer to `refundCreate`.")
class RefundPayload:
    refund: Refund | None = strawberry.field(default=None, description="The refund as it is now.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="What was refused, and why; nothing was changed then."
    )


@strawberry.type
class RefundMutations:
    @mutation(
        access=STAFF(Permission.REFUNDS_WRITE),
        description="Give money of an order back. The gateway is asked for it afterwards, until it confirms.",
    )
    async def refund_create(
        self,
        info: Info,
        input: Annotated[RefundCreateInput, strawberry.argument(description="What is given back.")],
    ) -> RefundPayload:
        order_id = ids.decode(ORDER_PREFIX, input.order_id, ["input", "orderId"])
        order = (await order_queries.by_ids([order_id], lines=False)).get(order_id)
        refund_id = await refunding.request(input.parsed(order["currency_code"] if order else "XXX"))
        rows = await refund_queries.by_ids([refund_id]) if refund_id else {}
        return RefundPayload(refund=next((Refund.of(row, for_staff=True) for row in rows.values()), None))


@node_loader(REFUND_PREFIX)
async def _refund_nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    """For staff; a shopper finds them in their order."""
    wanted = [ids.decode(REFUND_PREFIX, text, ["id"]) for text in texts]
    staff = info.context.staff
    if staff is None or not staff.may(Permission.ORDERS_READ):
        return [None] * len(texts)
    rows = await refund_queries.by_ids(wanted)
    return [Refund.of(rows[one], for_staff=True) if one in rows else None for one in wanted]
