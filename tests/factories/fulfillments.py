"""Shipping orders and saying where their parcels are, as staff do it."""

from typing import Any

from app import db
from tests.client import Api
from tests.factories import catalogue, checkout

UPS_NUMBER = "1Z5R89390357567127"

FULFILL = """mutation ($input: FulfillmentCreateInput!) {
    fulfillmentCreate(input: $input) {
        fulfillment {
            id createdAt
            lines { id quantity orderLine { id productName quantity fulfilledQuantity } }
            shipments {
                id carrier trackingNumber trackingUrl status estimatedDelivery { from to }
                events { status description location occurredAt }
            }
        }
        userErrors { code message field }
    }
}"""
TRACK = """mutation ($input: TrackingEventInput!) {
    trackingEventAdd(input: $input) {
        fulfillment { id shipments { id status events { status description location occurredAt } } }
        userErrors { code message field }
    }
}"""
ORDER = """query ($id: ID!, $token: String) {
    order(id: $id, token: $token) {
        number status paymentStatus fulfillmentStatus
        lines { nodes { id productName quantity fulfilledQuantity requiresShipping } }
        fulfillments { id lines { quantity orderLine { id productName } } shipments { carrier trackingNumber status } }
    }
}"""


async def fulfill(api: Api, token: str, order_gid: str, **more: Any) -> dict[str, Any]:
    """The fulfilment; all that is left, in one parcel, unless told otherwise."""
    done = await api.ok(FULFILL, {"input": {"orderId": order_gid, **more}}, token=token)
    fulfillment: dict[str, Any] = done["fulfillmentCreate"]["fulfillment"]
    return fulfillment


async def track(api: Api, token: str, fulfillment_gid: str, status: str, **more: Any) -> dict[str, Any]:
    """The fulfilment as it is then."""
    event = {"fulfillmentId": fulfillment_gid, "status": status, **more}
    done = await api.ok(TRACK, {"input": event}, token=token)
    fulfillment: dict[str, Any] = done["trackingEventAdd"]["fulfillment"]
    return fulfillment


async def order(api: Api, order_gid: str, *, token: str | None = None, staff: str | None = None) -> dict[str, Any]:
    """With the token from the receipt, or for staff."""
    found = await api.ok(ORDER, {"id": order_gid, "token": token}, token=staff)
    read: dict[str, Any] = found["order"]
    return read


async def everything() -> list[tuple[str, Any]]:
    """What a refused fulfilment or tracking event must leave as it is."""
    tables = (
        "orders", "order_lines", "fulfillments", "fulfillment_lines", "shipments", "tracking_events",
        "stock_levels", "stock_reservations", "stock_movements", "events", "payments", "messages",
    )  # fmt: skip
    return [
        (table, await db.fetchval(f"SELECT coalesce(json_agg(t ORDER BY t.id)::text, '') FROM {table} t"))
        for table in tables
    ]


async def bought(api: Api, *quantities: int, **changed: Any) -> tuple[dict[str, Any], list[str]]:
    """An order with a line for each quantity; its payload and its lines' ids."""
    products = [(await catalogue.product(name=f"Thing {n}", stock=10), units) for n, units in enumerate(quantities)]
    payload = await checkout.placed(api, *products, **changed)
    read = await order(api, payload["order"]["id"], token=payload["orderToken"])
    return payload, [line["id"] for line in read["lines"]["nodes"]]


async def stock() -> dict[str, int]:
    """Units of all variants at all warehouses."""
    row = await db.fetchrow("SELECT sum(available)::int AS available, sum(reserved)::int AS reserved FROM stock_levels")
    return dict(row or {})
