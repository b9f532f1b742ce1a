"""The outbox: what happens is written with the change it speaks of, and takes effect exactly once after it.

    await events.record("order.placed", subject_id=order.id, payload={"orderId": str(order.id)})

    @events.on("order.placed", name="messaging.order_confirmation")
    async def confirm(event: Event) -> None: ...

Delivery has no order between events, and a handler may start more than once; see `delivery`.
"""

from app.events.recording import (
    Watch,
    record,
    set_publisher,
    sql_to_watch,
    sql_to_write,
    take_noted,
    watch,
    withdraw,
)
from app.events.registry import Event, Handler, on, subscribed

__all__ = [
    "Event",
    "Handler",
    "Watch",
    "on",
    "record",
    "set_publisher",
    "sql_to_watch",
    "sql_to_write",
    "subscribed",
    "take_noted",
    "watch",
    "withdraw",
]
