"""Where an order is, for whoever placed it: once, or live."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import strawberry

from app import live, rate_limit
from app.errors import CommonErrorCode, DomainError, not_found
from app.fulfillments import queries
from app.orders.status import order_topic
from schema.access import PUBLIC, query, subscription
from schema.context import Info
from schema.dates import DateRange
from schema.fulfillments.types import Shipment
from schema.order_status import FulfillmentStatus, OrderStatus

LOOK_UPS_PER_ADDRESS = 60
LOOK_UP_WINDOW_SECONDS = 300


@strawberry.type(description="What anybody with the order's number and email may see: no name, address or line.")
class OrderTracking:
    number: str = strawberry.field(description="The order's number, for people.")
    status: OrderStatus = strawberry.field(description="Where the order is in its life.")
    fulfillment_status: FulfillmentStatus = strawberry.field(description="How much of it has been shipped.")
    estimated_delivery: DateRange | None = strawberry.field(
        description="When all of it should arrive, as it was promised; null when it is cancelled or nothing ships."
    )
    shipments: list[Shipment] = strawberry.field(description="Its parcels, in the order in which they left.")

    @classmethod
    def of(cls, row: dict[str, Any]) -> "OrderTracking":
        promised = row["promised"] or {}
        return cls(
            number=str(row["number"]),
            status=OrderStatus(row["status"]),
            fulfillment_status=FulfillmentStatus(row["fulfillment_status"]),
            estimated_delivery=DateRange.of(promised.get("from"), promised.get("to")),
            shipments=[Shipment.of(shipment) for shipment in row["shipments"]],
        )


Number = Annotated[
    str | None, strawberry.argument(description="The order's number, with or without a #; needs the email too.")
]
Email = Annotated[str | None, strawberry.argument(description="The address that the order was placed with.")]
Token = Annotated[str | None, strawberry.argument(description="The token from the receipt; enough by itself.")]


async def _find(info: Info, number: str | None, email: str | None, token: str | None) -> dict[str, Any] | None:
    """Raises DomainError(REQUIRED) without a token or a pair, RATE_LIMITED for too many guesses.

    Tokens are not counted: nobody guesses one, and pages that follow an order ask often.
    """
    if token:
        return await queries.tracking_by_token(token)
    if not number or not email:
        missing = "email" if number else "number" if email else "token"
        raise DomainError(CommonErrorCode.REQUIRED, "Give the token, or the number with the email.", [missing])
    await rate_limit.allow(
        "order_tracking",
        info.context.client_address,
        limit=LOOK_UPS_PER_ADDRESS,
        window_seconds=LOOK_UP_WINDOW_SECONDS,
    )
    return await queries.tracking_by_number(number, email)


@strawberry.type
class FulfillmentQueries:
    @query(
        access=PUBLIC,
        description="Guest tracking: the token from the receipt, or the order's number with the email it was placed "
        "with. Null when they do not fit.",
    )
    async def order_tracking(
        self,
        info: Info,
        number: Number = strawberry.UNSET,
        email: Email = strawberry.UNSET,
        token: Token = strawberry.UNSET,
    ) -> OrderTracking | None:
        row = await _find(info, number or None, email or None, token or None)
        return OrderTracking.of(row) if row else None


@strawberry.type
class FulfillmentSubscriptions:
    @subscription(
        access=PUBLIC,
        description="Emits at once, then at every change of the order's status, fulfilments or tracking events.",
    )
    async def order_tracking(
        self,
        info: Info,
        number: Number = strawberry.UNSET,
        email: Email = strawberry.UNSET,
        token: Token = strawberry.UNSET,
    ) -> AsyncIterator[OrderTracking]:
        found = await _find(info, number or None, email or None, token or None)
        if found is None:
            raise not_found("order", ["token" if token else "number"])
        last: dict[str, Any] | None = None
        async with live.watch(order_topic(found["id"])) as changes:
            async for _ in changes:
                row = await queries.tracking_of(found["id"])
                if row is not None and row != last:
                    last = row
                    yield OrderTracking.of(row)
