"""Reading orders, and what staff do with them."""

import uuid
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.kit import ids
from app.kit.pagination import page_request
from app.orders import cancellation, collecting, queries, timeline
from app.payments.models import RefundTarget
from app.staff.permissions import Permission
from schema.access import PUBLIC, STAFF, mutation, query
from schema.connections import Connection
from schema.context import Info
from schema.nodes import Node, node_loader
from schema.order_lines import LINE_PREFIX, load_lines
from schema.order_status import OrderStatus
from schema.orders.showing import ORDER_PREFIX, OrderView, owner_of, sees_all
from schema.orders.types import Order, OrderPayload
from schema.selection import Selection

OrderId = Annotated[strawberry.ID, strawberry.argument(description="Id of the order.")]


@strawberry.type
class OrderQueries:
    @query(
        access=PUBLIC,
        description="An order: for staff, for the customer who placed it, or with the token from the receipt. Null for "
        "anybody else, as for an order that does not exist.",
    )
    async def order(
        self,
        info: Info,
        id: OrderId,
        token: Annotated[
            str | None, strawberry.argument(description="The token from the receipt; staff and its customer need none.")
        ] = strawberry.UNSET,
    ) -> Order | None:
        order_id = ids.decode(ORDER_PREFIX, id, ["id"])
        view = OrderView.of(info, Selection.of(info))
        own = (await view.load_own(info, [order_id])).get(order_id)
        if own is not None or sees_all(info):
            return own
        row = await queries.with_token(order_id, token, lines=bool(view.pages)) if token else None
        return await view.show(info, row) if row else None

    @query(access=STAFF(Permission.ORDERS_READ), description="Orders, newest first.")
    async def orders(  # noqa: PLR0917 - these are the field's arguments
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
        query: Annotated[
            str | None,
            strawberry.argument(
                description="What the order's number, email address, last name, or first and last name begin with."
            ),
        ] = strawberry.UNSET,
        status: Annotated[
            OrderStatus | None, strawberry.argument(description="Only orders with this status.")
        ] = strawberry.UNSET,
        payment_overdue: Annotated[
            bool | None,
            strawberry.argument(description="True: only orders on account that should have been paid by now."),
        ] = strawberry.UNSET,
    ) -> Connection[Order]:
        selection = Selection.of(info)
        view = OrderView.of(info, selection.nodes())
        page = await queries.search(
            page_request(None if first is strawberry.UNSET else first, after or None, order=queries.CURSOR_ORDER),
            query=query or None,
            status=status or None,
            overdue=payment_overdue is True,
            lines=bool(view.pages),
            payments=view.payments,
            count="totalCount" in selection,
        )
        return Connection[Order].of(page, await view.show_all(info, page.items))


@strawberry.type
class OrderMutations:
    @mutation(
        access=STAFF(Permission.ORDERS_WRITE),
        description="Cancel an order of which nothing has been shipped: its units can be sold again, its codes used "
        "again, what is set aside of its payment is let go of, what gift cards and store credit paid is back on them, "
        "and the customer is told. For one whose money has been taken, `refund` says what becomes of that.",
    )
    async def order_cancel(  # noqa: PLR0917 - these are the field's arguments
        self,
        info: Info,
        order_id: OrderId,
        reason: Annotated[
            str | None, strawberry.argument(description="Up to 500 characters for the customer, who reads it.")
        ] = strawberry.UNSET,
        refund: Annotated[
            bool | None,
            strawberry.argument(
                description="Whether money that has been taken is given back, which needs REFUNDS_WRITE, or kept. "
                "Without it, and without `refundTo`, such an order is refused with PAYMENT_CAPTURED. While a dispute "
                "withholds the money it cannot be given back: REFUND_TOO_LARGE."
            ),
        ] = strawberry.UNSET,
        refund_to: Annotated[
            RefundTarget | None,
            strawberry.argument(
                description="Where it goes; to give it is to refund. ORIGINAL unless given; STORE_CREDIT makes store "
                "credit of all that was paid, for orders of accounts."
            ),
        ] = strawberry.UNSET,
        restock: Annotated[
            bool | None,
            strawberry.argument(description="False: its units are lost, and cannot be sold again; true unless given."),
        ] = strawberry.UNSET,
        notify_customer: Annotated[
            bool | None, strawberry.argument(description="Whether the customer is written to; true unless given.")
        ] = strawberry.UNSET,
        staff_note: Annotated[
            str | None,
            strawberry.argument(description="Up to 2,000 characters for its timeline, where staff alone read them."),
        ] = strawberry.UNSET,
    ) -> OrderPayload:
        cancelled, view = ids.decode(ORDER_PREFIX, order_id, ["orderId"]), _view(info)
        back, to = refund if isinstance(refund, bool) else None, refund_to or None
        if back or to:
            STAFF(Permission.REFUNDS_WRITE).check(info)
        await cancellation.cancel_order(
            cancelled,
            reason or None,
            refund=back,
            refund_to=to,
            restock=restock is not False,
            notify_customer=notify_customer is not False,
            staff_note=staff_note or None,
        )
        return await _payload(info, view, cancelled)

    @mutation(
        access=STAFF(Permission.ORDERS_WRITE),
        description="Note that all the money for an order has come in that is paid on delivery, by transfer, on "
        "account or by hand; `orderManualPaymentCreate` notes a part.",
    )
    async def order_mark_as_paid(self, info: Info, order_id: OrderId) -> OrderPayload:
        paid, view = ids.decode(ORDER_PREFIX, order_id, ["orderId"]), _view(info)
        await collecting.mark_as_paid(paid)
        return await _payload(info, view, paid)

    @mutation(
        access=STAFF(Permission.ORDERS_WRITE),
        description="Keep a word with an order, in its timeline, where staff alone read it.",
    )
    async def order_note_add(
        self,
        info: Info,
        order_id: OrderId,
        text: Annotated[str, strawberry.argument(description="Up to 2,000 characters.")],
    ) -> OrderPayload:
        noted, view = ids.decode(ORDER_PREFIX, order_id, ["orderId"]), _view(info)
        await timeline.add_note(noted, text)
        return await _payload(info, view, noted)


def _view(info: Info) -> OrderView:
    return OrderView.of(info, Selection.of(info).below("order"))


async def _payload(info: Info, view: OrderView, order_id: uuid.UUID) -> OrderPayload:
    # To change an order is not to read who bought it.
    return OrderPayload(order=(await view.load_own(info, [order_id])).get(order_id))


@node_loader(ORDER_PREFIX)
async def _order_nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted = [ids.decode(ORDER_PREFIX, text, ["id"]) for text in texts]
    orders = await OrderView.of(info, selection).load_own(info, wanted)
    return [orders.get(order_id) for order_id in wanted]


@node_loader(LINE_PREFIX)
async def _line_nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted, owner = [ids.decode(LINE_PREFIX, text, ["id"]) for text in texts], owner_of(info)
    if owner is None and not sees_all(info):
        return [None] * len(texts)
    lines = await load_lines(info, wanted, selection, owner=owner)
    return [lines.get(line_id) for line_id in wanted]
