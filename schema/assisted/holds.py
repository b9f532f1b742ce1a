"""Letting go of orders that are on hold."""

from typing import Annotated

import strawberry

from app.assisted import holds
from app.kit import ids
from app.staff.permissions import Permission
from schema.access import STAFF, mutation
from schema.context import Info
from schema.errors import UserError
from schema.order_status import OrderHold


@strawberry.type(description="Answer to `orderHoldRelease`.")
class OrderHoldReleasePayload:
    order_id: strawberry.ID | None = strawberry.field(default=None, description="The order.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class OrderHoldMutations:
    @mutation(
        access=STAFF(Permission.ORDERS_WRITE),
        description="Say that a condition of an order is met, such as a bank's guarantee, or that it is waived. A "
        "deposit releases its hold by itself once it has been paid.",
    )
    async def order_hold_release(
        self,
        info: Info,
        order_id: Annotated[strawberry.ID, strawberry.argument(description="Id of the order.")],
        hold: Annotated[OrderHold, strawberry.argument(description="Which of its holds.")],
        reason: Annotated[str, strawberry.argument(description="On the order's timeline, up to 500 characters.")],
    ) -> OrderHoldReleasePayload:
        await holds.release(ids.decode("ord", order_id, ["orderId"]), hold, reason)
        return OrderHoldReleasePayload(order_id=order_id)
