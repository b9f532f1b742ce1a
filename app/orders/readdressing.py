"""A buyer corrects the address of an order that has not been shipped.

Country, province, postal code and city stay, so that no tax and no way to ship can be another one; anything else is for
staff, who edit the order.
"""

import uuid

import orjson

from app import db
from app.addresses.postal import PostalAddress
from app.errors import DomainError, not_found
from app.kit.ids import new_id
from app.orders import status
from app.orders.editing import ORDER_EDITED
from app.orders.errors import OrderErrorCode
from app.orders.models import FulfillmentStatus, OrderActorKind, OrderStatus

_READDRESS = """
    UPDATE orders SET shipping_address = $2::jsonb,
        updated_at = greatest(business_now(), updated_at + interval '1 microsecond')
    WHERE id = $1
"""
_NOTE = """
    INSERT INTO order_edits (id, order_id, changes, reason, actor_kind, notify_customer, total_before_minor,
                             total_after_minor, due_before_minor, due_after_minor, created_at)
    SELECT $1, id, '{"lines": [], "shipping_address": true}', NULL, $3, true, total_minor, total_minor,
           coalesce(amount_due_minor, total_minor), coalesce(amount_due_minor, total_minor), business_now()
    FROM orders WHERE id = $2
"""


async def readdress(order_id: uuid.UUID, address: PostalAddress, *, by: OrderActorKind) -> None:
    """Who may is the caller's to know.

    Raises:
        DomainError: NOT_FOUND; ORDER_NOT_EDITABLE for one that is not open, that has begun to be shipped or is not
            shipped at all; ADDRESS_CHANGES_PRICE.
    """
    async with db.unit_of_work():
        order = await status.lock_order(order_id)
        if order is None:
            raise not_found("order", ["orderId"])
        waits = order["status"] == OrderStatus.OPEN and order["fulfillment_status"] == FulfillmentStatus.UNFULFILLED
        if not waits or order["shipping_address"] is None:
            message = "The order is on its way or complete, or nothing of it is sent to an address."
            raise DomainError(OrderErrorCode.ORDER_NOT_EDITABLE, message, ["orderId"])
        before = PostalAddress.from_json(orjson.loads(order["shipping_address"]))
        if _place(before) != _place(address):
            message = "Country, state, postal code and city stay as they were; ask the shop for another place."
            raise DomainError(OrderErrorCode.ADDRESS_CHANGES_PRICE, message, ["shippingAddress"])
        if before == address:
            return
        edit_id = new_id()
        await db.execute("SELECT set_config('tradewind.editing', $1, true)", edit_id.hex)
        await db.execute(_READDRESS, order_id, orjson.dumps(address.to_json()).decode())
        await db.execute("SELECT set_config('tradewind.editing', '', true)")
        await db.execute(_NOTE, edit_id, order_id, by.value)
        profile_id = order["profile_id"]
        facts = {
            "editId": str(edit_id),
            "notifyCustomer": True,
            "profileId": str(profile_id) if profile_id else None,
        }
        await status.tell(ORDER_EDITED, order_id, profile_id, facts)
        status.announce(order_id)


def _place(address: PostalAddress) -> tuple[str | None, ...]:
    place = (address.country_code, address.province_code, address.postal_code, address.city)
    return tuple(part.casefold() if part else None for part in place)
