"""Accounts as staff see and close them."""

from typing import Annotated

import strawberry

from app.accounts import closing, queries
from app.kit import ids
from app.kit.pagination import page_request
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.accounts.inputs import CustomerPayload
from schema.accounts.showing import CUSTOMER_PREFIX, load_customers, show_customers
from schema.accounts.types import Customer
from schema.connections import Connection
from schema.context import Info
from schema.selection import Selection

CustomerId = Annotated[strawberry.ID, strawberry.argument(description="Id of the account.")]


@strawberry.type
class StaffAccountQueries:
    @query(
        access=STAFF(Permission.CUSTOMERS_READ), description="One account; null when there is no account with this id."
    )
    async def customer(self, info: Info, id: CustomerId) -> Customer | None:
        customer_id = ids.decode(CUSTOMER_PREFIX, id, ["id"])
        return (await load_customers(info, [customer_id], Selection.of(info))).get(customer_id)

    @query(
        access=STAFF(Permission.CUSTOMERS_READ),
        description="Accounts, the newest first, also those that only claim an address. People without an account are "
        "found with `profiles`.",
    )
    async def customers(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
        email: Annotated[
            str | None, strawberry.argument(description="Only accounts with, or claims to, this address.")
        ] = strawberry.UNSET,
    ) -> Connection[Customer]:
        selection = Selection.of(info)
        page = await queries.search(
            page_request(None if first is strawberry.UNSET else first, after or None, order=queries.CURSOR),
            email=email or None,
            count="totalCount" in selection,
        )
        shown = await show_customers(info, {row["id"]: row for row in page.items}, selection.nodes())
        return Connection[Customer].of(page, [shown[row["id"]] for row in page.items])


@strawberry.type
class StaffAccountMutations:
    @mutation(
        access=STAFF(Permission.CUSTOMERS_WRITE),
        description="Close an account: its sessions and mailed links end at once, and nobody signs in to it.",
    )
    async def customer_disable(self, info: Info, id: CustomerId) -> CustomerPayload:
        return await _set_active(info, id, active=False)

    @mutation(access=STAFF(Permission.CUSTOMERS_WRITE), description="Open a closed account again.")
    async def customer_enable(self, info: Info, id: CustomerId) -> CustomerPayload:
        return await _set_active(info, id, active=True)


async def _set_active(info: Info, text: str, *, active: bool) -> CustomerPayload:
    customer_id = ids.decode(CUSTOMER_PREFIX, text, ["id"])
    await closing.set_active(customer_id, active=active)
    # To close an account is not to read it.
    staff = info.context.staff
    seen = [customer_id] if staff is not None and staff.may(Permission.CUSTOMERS_READ) else []
    found = await load_customers(info, seen, Selection.of(info).below("customer"))
    return CustomerPayload(customer=found.get(customer_id))
