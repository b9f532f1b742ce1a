"""Shipping orders and noting what carriers say: for staff."""

import uuid
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.fulfillments import queries, service, tracking
from app.kit import ids
from app.staff.permissions import Permission
from schema.access import STAFF, mutation
from schema.context import Info
from schema.errors import UserError
from schema.fulfillments.inputs import FulfillmentCreateInput, TrackingEventInput
from schema.fulfillments.types import FULFILLMENT_PREFIX, Fulfillment, show_fulfillments
from schema.nodes import node_loader
from schema.selection import Selection


@strawberry.type(description="Answer to `fulfillmentCreate` and `trackingEventAdd`.")
class FulfillmentPayload:
    fulfillment: Fulfillment | None = strawberry.field(default=None, description="The fulfilment as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@node_loader(FULFILLMENT_PREFIX)
async def _fulfillment_nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Fulfillment | None]:
    wanted = [ids.decode(FULFILLMENT_PREFIX, text, ["id"]) for text in texts]
    staff = info.context.staff
    if staff is None or not staff.may(Permission.ORDERS_READ):
        return [None] * len(wanted)
    rows = await queries.by_ids(wanted)
    shown = await show_fulfillments(info, rows, selection)
    found = {row["id"]: fulfillment for row, fulfillment in zip(rows, shown, strict=True)}
    return [found.get(fulfillment_id) for fulfillment_id in wanted]


async def _payload(info: Info, fulfillment_id: uuid.UUID) -> FulfillmentPayload:
    rows = await queries.by_ids([fulfillment_id])
    (fulfillment,) = await show_fulfillments(info, rows, Selection.of(info).below("fulfillment"))
    return FulfillmentPayload(fulfillment=fulfillment)


@strawberry.type
class FulfillmentMutations:
    @mutation(access=STAFF(Permission.ORDERS_WRITE), description="Ship an order, or a part of it.")
    async def fulfillment_create(
        self, info: Info, input: Annotated[FulfillmentCreateInput, strawberry.argument(description="What is shipped.")]
    ) -> FulfillmentPayload:
        staff = info.context.staff
        fulfillment_id = await service.create_fulfillment(
            ids.decode("ord", input.order_id, ["input", "orderId"]),
            input.wanted(),
            input.parcel_details(),
            notify_customer=input.notify_customer is not False,
            staff_id=staff.id if staff else None,
            allow_unpaid=input.allow_unpaid is True,
        )
        return await _payload(info, fulfillment_id)

    @mutation(
        access=STAFF(Permission.ORDERS_WRITE),
        description="Note what a carrier says of a parcel. Its status moves forward, never backward; repeated and "
        "late events are harmless.",
    )
    async def tracking_event_add(
        self, info: Info, input: Annotated[TrackingEventInput, strawberry.argument(description="What happened.")]
    ) -> FulfillmentPayload:
        update = input.update()
        await tracking.add_tracking_event(update)
        return await _payload(info, update.fulfillment_id)
