"""Handing over orders that are fetched from a store, for staff."""

from typing import Annotated

import strawberry

from app.fulfillments import pickup
from app.kit import ids
from app.staff.permissions import Permission
from schema.access import STAFF, mutation
from schema.context import Info
from schema.orders.showing import ORDER_PREFIX, OrderView
from schema.orders.types import OrderPayload
from schema.selection import Selection

OrderId = Annotated[strawberry.ID, strawberry.argument(description="Which order.")]


@strawberry.type
class PickupMutations:
    @mutation(
        access=STAFF(Permission.ORDERS_WRITE),
        description="Note that an order waits in its store, and tell whoever bought it. Repeated, it tells nobody.",
    )
    async def order_pickup_ready(self, info: Info, order_id: OrderId) -> OrderPayload:
        view = OrderView.of(info, Selection.of(info).below("order"))
        order = ids.decode(ORDER_PREFIX, order_id, ["orderId"])
        await pickup.ready(order)
        return OrderPayload(order=await view.show(info, await view.read(order)))

    @mutation(
        access=STAFF(Permission.ORDERS_WRITE),
        description="Note that an order was handed over in its store: all of it is fulfilled then.",
    )
    async def order_pickup_complete(
        self,
        info: Info,
        order_id: OrderId,
        allow_unpaid: Annotated[
            bool | None,
            strawberry.argument(
                description="Hand it over although money is missing that was not agreed to come later; without it, "
                "ORDER_UNPAID."
            ),
        ] = strawberry.UNSET,
    ) -> OrderPayload:
        view = OrderView.of(info, Selection.of(info).below("order"))
        order, staff = ids.decode(ORDER_PREFIX, order_id, ["orderId"]), info.context.staff
        await pickup.picked_up(order, staff_id=staff.id if staff else None, allow_unpaid=allow_unpaid is True)
        return OrderPayload(order=await view.show(info, await view.read(order)))
