"""Orders that are fetched from a store: packed and waiting, then handed over. Each is said once."""

import uuid

from app import db
from app.errors import DomainError, not_found
from app.fulfillments import releasing
from app.fulfillments.errors import FulfillmentErrorCode
from app.fulfillments.service import create_fulfillment
from app.orders import status
from app.orders.models import OrderStatus

READY_FOR_PICKUP = "order.ready_for_pickup"


async def ready(order_id: uuid.UUID) -> None:
    """Everything waits in the store, and whoever bought it is told. Repeating it tells nobody again.

    Raises:
        DomainError: NOT_FOUND, ORDER_NOT_FULFILLABLE for an order that is cancelled or not fetched from a store,
            ORDER_ON_HOLD for one whose goods would not be handed over.
    """
    async with db.unit_of_work():
        order = await _locked(order_id)
        if order["pickup_ready_at"] is not None or order["picked_up_at"] is not None:
            return
        releasing.check_holds(order, ["orderId"])
        await db.execute(
            "UPDATE orders SET pickup_ready_at = business_now(), updated_at = business_now() WHERE id = $1", order_id
        )
        await status.tell(READY_FOR_PICKUP, order_id, order["profile_id"])
        status.announce(order_id)


async def picked_up(order_id: uuid.UUID, *, staff_id: uuid.UUID | None, allow_unpaid: bool = False) -> None:
    """It was handed over, and so is fulfilled. Repeating it changes nothing.

    Args:
        allow_unpaid: whoever asks answers for money that is missing.

    Raises:
        DomainError: as `ready`, ORDER_UNPAID, and what `create_fulfillment` raises.
    """
    async with db.unit_of_work():
        order = await _locked(order_id)
        if order["picked_up_at"] is not None:
            return
        releasing.check_holds(order, ["orderId"])
        if not allow_unpaid:
            await releasing.check_paid(order, ["orderId"])
        await db.execute(
            "UPDATE orders SET picked_up_at = business_now(), updated_at = business_now() WHERE id = $1", order_id
        )
        await create_fulfillment(order_id, None, [], notify_customer=False, staff_id=staff_id, allow_unpaid=True)


async def _locked(order_id: uuid.UUID) -> db.Record:
    order = await status.lock_order(order_id)
    if order is None:
        raise not_found("order", ["orderId"])
    if order["status"] == OrderStatus.CANCELLED or order["pickup_location_id"] is None:
        message = "The order is cancelled." if order["pickup_location_id"] else "The order is not fetched from a store."
        raise DomainError(FulfillmentErrorCode.ORDER_NOT_FULFILLABLE, message, ["orderId"])
    return order
