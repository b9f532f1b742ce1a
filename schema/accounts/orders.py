"""The order history: `Customer.orders`."""

import uuid
from collections.abc import Sequence
from dataclasses import field
from typing import Annotated

import strawberry

from app.kit.pagination import PageRequest, page_request
from app.orders import queries
from schema.accounts.carts import check_carts
from schema.accounts.parts import Attributes, customer_part
from schema.connections import Connection
from schema.context import Info
from schema.orders import Order, OrderView
from schema.orders.showing import pages_of_lines, sees_all
from schema.selection import Selection, selection_check

PageArguments = tuple[int | None, str | None]
"""`first` and `after`."""


def _page(
    self: "CustomerOrders",
    first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
    after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
) -> Connection[Order] | None:
    return self.order_pages.get((None if first is strawberry.UNSET else first, after or None))


@strawberry.type
class CustomerOrders:
    """Fields of `Customer`."""

    orders: Connection[Order] | None = strawberry.field(
        resolver=_page,
        description="What was ordered while signed in, and by guests with the verified address; the latest first. Null "
        "for staff who may not see orders.",
    )
    order_pages: strawberry.Private[dict[PageArguments, Connection[Order]]] = field(default_factory=dict)


def pages_of_orders(selection: Selection) -> dict[PageArguments, tuple[PageRequest, Selection]]:
    """Those that are selected below a Customer, and what is wanted of each. Raises DomainError(OUT_OF_RANGE | INVALID)
    for a page that cannot be had, of orders or of their lines."""
    pages: dict[PageArguments, tuple[PageRequest, Selection]] = {}
    for selected in selection.fields("orders"):
        arguments = (selected.arguments.get("first"), selected.arguments.get("after") or None)
        wanted = selected.selection
        if arguments in pages:
            wanted = wanted.joined(pages[arguments][1])
        pages_of_lines(wanted.nodes())
        pages[arguments] = (page_request(*arguments, order=queries.CURSOR_ORDER), wanted)
    return pages


@customer_part
async def _load(info: Info, customer_ids: Sequence[uuid.UUID], selection: Selection) -> Attributes:
    if info.context.staff is not None and not sees_all(info):
        return {}
    shown: dict[uuid.UUID, dict[PageArguments, Connection[Order]]] = {one: {} for one in customer_ids}
    for arguments, (request, wanted) in pages_of_orders(selection).items():
        view = OrderView.of(info, wanted.nodes())
        found = await queries.of_customers(
            customer_ids, request, lines=bool(view.pages), payments=view.payments, count="totalCount" in wanted
        )
        rows = [row for page in found.values() for row in page.items]
        orders = {row["id"]: order for row, order in zip(rows, await view.show_all(info, rows), strict=True)}
        for customer_id, page in found.items():
            shown[customer_id][arguments] = Connection[Order].of(page, [orders[row["id"]] for row in page.items])
    return {customer_id: {"order_pages": pages} for customer_id, pages in shown.items()}


@selection_check("Customer")
def _check(selection: Selection) -> None:
    """Before a mutation that answers with a Customer changes anything."""
    pages_of_orders(selection)
    check_carts(selection)
