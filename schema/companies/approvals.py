"""Approvals of a company's orders, as clients see them."""

import datetime as dt
import uuid
from typing import Any

import orjson
import strawberry

from app import db
from app.addresses.postal import PostalAddress
from app.companies.approval_links import PREFIX as APPROVAL_PREFIX
from app.companies.delivery import NONE, PICKUP
from app.companies.errors import ApprovalRequired
from app.companies.models import ApprovalState
from app.kit import ids
from schema.addresses import Address
from schema.companies.types import COMPANY_PREFIX
from schema.enums import describe_enum
from schema.errors import UserError, error_type
from schema.money import Money
from schema.nodes import Node

__all__ = ["APPROVAL_PREFIX", "OrderApproval", "OrderApprovalPayload"]

describe_enum(
    ApprovalState,
    "Where an approval stands.",
    PENDING="It waits for an approver.",
    APPROVED="The cart can be ordered as it was, once, until it expires.",
    REJECTED="Somebody said no.",
    CANCELLED="Whoever asked took it back, or asked anew.",
    EXPIRED="Its time is over.",
    USED="It is an order.",
)


@error_type(
    ApprovalRequired, lambda error: {"threshold": Money.of(error.threshold.amount_minor, error.threshold.currency)}
)
@strawberry.type(description="The company wants an approver to look at the order first. Nothing was ordered.")
class ApprovalRequiredError(UserError):
    threshold: Money = strawberry.field(description="What its orders come to without an approval at most.")


@strawberry.type(description="Some units of something, as they were in the cart.")
class OrderApprovalLine:
    name: str = strawberry.field(description="Of product and variant.")
    sku: str | None = strawberry.field(description="The variant's own number.")
    quantity: int = strawberry.field(description="Units.")
    total: Money = strawberry.field(description="What they came to after discounts.")

    @classmethod
    def of(cls, line: dict[str, Any], currency: str) -> "OrderApprovalLine":
        return cls(
            name=line["name"],
            sku=line["sku"],
            quantity=line["quantity"],
            total=Money.of(line["total_minor"], currency),
        )


@strawberry.type(description="Where an order goes that somebody asks for: what is approved goes nowhere else.")
class OrderApprovalDelivery:
    address: Address = strawberry.field(description="Of whom it is shipped to, or of the store.")
    pickup_location_name: str | None = strawberry.field(
        description="The store that it is fetched from; null where it is shipped."
    )

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> "OrderApprovalDelivery | None":
        if stored is None or stored["kind"] == NONE:
            return None
        address = Address.of(PostalAddress.from_json(stored["address"]))
        return cls(address=address, pickup_location_name=stored["name"] if stored["kind"] == PICKUP else None)


@strawberry.type(
    description="That a cart may be ordered for a company, by whoever asked for it: just what was in it then, once, "
    "and for no more than the maximum. For whoever asked, the company's approvers, and staff."
)
class OrderApproval(Node):
    company_id: strawberry.ID = strawberry.field(description="For which company.")
    company_name: str = strawberry.field(description="The company's name.")
    state: ApprovalState = strawberry.field(description="Where it stands.")
    requested_by: str | None = strawberry.field(
        description="Email address of the member who asks; null once they have left the company."
    )
    lines: list[OrderApprovalLine] = strawberry.field(description="What was in the cart.")
    total: Money = strawberry.field(description="What the cart came to, as far as shipping and taxes were known.")
    maximum_total: Money = strawberry.field(description="What the order may come to.")
    delivery: OrderApprovalDelivery | None = strawberry.field(
        description="Where it goes; null where nothing is delivered, and where that was not known yet."
    )
    is_delivery_open: bool = strawberry.field(
        description="Whether it was not known where it goes, so that any place is approved of."
    )
    message: str | None = strawberry.field(description="From whoever asks.")
    comment: str | None = strawberry.field(description="From whoever decided.")
    decided_by: str | None = strawberry.field(
        description="Email address of the approver; null until somebody decided, and where the shop's staff did."
    )
    decided_by_staff: bool = strawberry.field(description="Whether it was the shop that decided.")
    decided_at: dt.datetime | None = strawberry.field(description="When it was approved or rejected.")
    expires_at: dt.datetime = strawberry.field(
        description="Until when somebody can decide; once approved, until when it can be ordered."
    )
    order_id: strawberry.ID | None = strawberry.field(description="The order that it became.")
    created_at: dt.datetime = strawberry.field(description="When it was asked for.")

    @classmethod
    def of(cls, row: db.Record) -> "OrderApproval":
        currency, order_id = row["currency_code"], row["order_id"]
        goes = orjson.loads(row["delivery"]) if row["delivery"] else None
        return cls(
            id=_gid(APPROVAL_PREFIX, row["id"]),
            company_id=_gid(COMPANY_PREFIX, row["company_id"]),
            company_name=row["company_name"],
            state=ApprovalState(row["state"]),
            requested_by=row["asked_by"],
            lines=[OrderApprovalLine.of(line, currency) for line in orjson.loads(row["lines"])],
            total=Money.of(row["total_minor"], currency),
            maximum_total=Money.of(row["maximum_minor"], currency),
            delivery=OrderApprovalDelivery.of(goes),
            is_delivery_open=goes is None,
            message=row["message"],
            comment=row["comment"],
            decided_by=row["decided_by"],
            decided_by_staff=row["staff_id"] is not None,
            decided_at=row["decided_at"],
            expires_at=row["expires_at"],
            order_id=_gid("ord", order_id) if order_id else None,
            created_at=row["created_at"],
        )


def _gid(prefix: str, value: uuid.UUID) -> strawberry.ID:
    return strawberry.ID(ids.encode(prefix, value))


@strawberry.type(description="Answer to mutations of approvals.")
class OrderApprovalPayload:
    order_approval: OrderApproval | None = strawberry.field(
        default=None, description="The approval as it is now, for those who may see it."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")
