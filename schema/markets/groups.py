"""Groups of customers, for staff."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, cast

import strawberry

from app.errors import not_found
from app.kit import ids
from app.kit.pagination import encode_cursor, page_of, page_request
from app.markets import groups, queries
from app.markets.groups import GroupGiven
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.accounts.showing import CUSTOMER_PREFIX, load_customers
from schema.accounts.types import Customer
from schema.connections import Connection
from schema.context import Info
from schema.errors import UserError
from schema.inputs import given_fields
from schema.markets.price_lists import PriceList, show_lists
from schema.markets.types import GROUP_PREFIX, LIST_PREFIX
from schema.nodes import Node, node_loader
from schema.selection import Selection

UNSET = strawberry.UNSET
MEMBERS = "members"
GroupId = Annotated[strawberry.ID, strawberry.argument(description="Id of the group.")]
CustomerIds = Annotated[list[strawberry.ID], strawberry.argument(description="Ids of up to 250 accounts.")]


@strawberry.type(description="Accounts that buy on the same terms, such as dealers.")
class CustomerGroup(Node):
    name: str = strawberry.field(description="Unique, in upper and lower case alike.")
    price_lists: list[PriceList] = strawberry.field(
        description="Each holds in the markets of its currency; of all that apply to a buyer, the lowest price wins."
    )
    member_count: int = strawberry.field(description="How many accounts are in it.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When its name or lists last changed.")


@strawberry.input(description="A group of customers. What is left out stays as it is.")
class CustomerGroupInput:
    name: str | None = strawberry.field(default=UNSET, description="Unique; needed in a new one.")
    price_list_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="Its price lists, instead of those that it has."
    )

    def given(self) -> GroupGiven:
        values = given_fields(self)
        if self.price_list_ids:
            values["price_list_ids"] = [
                ids.decode(LIST_PREFIX, text, ["input", "priceListIds", place])
                for place, text in enumerate(self.price_list_ids)
            ]
        return cast(GroupGiven, values)


@strawberry.type(description="Answer to the mutations that make and change groups and their members.")
class CustomerGroupPayload:
    customer_group: CustomerGroup | None = strawberry.field(default=None, description="The group as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `customerGroupDelete`.")
class CustomerGroupDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of the group that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


async def _shown(info: Info, selection: Selection, group_ids: Sequence[uuid.UUID] | None = None) -> list[CustomerGroup]:
    stored = await queries.groups(group_ids)
    lists: dict[uuid.UUID, list[PriceList]] = {}
    if "priceLists" in selection:
        wanted = selection.below("priceLists")
        found = await queries.price_lists_of_groups([one.id for one in stored])
        lists = {group_id: await show_lists(info, some, wanted) for group_id, some in found.items()}
    return [
        CustomerGroup(
            id=strawberry.ID(ids.encode(GROUP_PREFIX, one.id)),
            name=one.name,
            price_lists=lists.get(one.id, []),
            member_count=one.member_count,
            created_at=one.created_at,
            updated_at=one.updated_at,
        )
        for one in stored
    ]


async def _payload(info: Info, group_id: uuid.UUID) -> CustomerGroupPayload:
    shown = await _shown(info, Selection.of(info).below("customerGroup"), [group_id])
    return CustomerGroupPayload(customer_group=next(iter(shown), None))


@node_loader(GROUP_PREFIX)
async def _load(info: Info, texts: Sequence[str], selection: Selection) -> list[Node | None]:
    """Staff's own: for everybody else there are no groups."""
    wanted = [ids.decode(GROUP_PREFIX, text, ["id"]) for text in texts]
    if info.context.staff is None or not info.context.staff.may(Permission.MARKETS_WRITE):
        return [None for _ in texts]
    shown = {group.id: group for group in await _shown(info, selection, wanted)}
    return [shown.get(strawberry.ID(text)) for text in texts]


def _customers(texts: Sequence[str]) -> list[uuid.UUID]:
    return [ids.decode(CUSTOMER_PREFIX, text, ["customerIds", place]) for place, text in enumerate(texts)]


@strawberry.type
class CustomerGroupQueries:
    @query(access=STAFF(Permission.MARKETS_WRITE), description="Every group of customers, by name.")
    async def customer_groups(self, info: Info) -> list[CustomerGroup]:
        return await _shown(info, Selection.of(info))

    @query(access=STAFF(Permission.MARKETS_WRITE), description="One group; null when there is none with this id.")
    async def customer_group(self, info: Info, id: GroupId) -> CustomerGroup | None:
        group_id = ids.decode(GROUP_PREFIX, id, ["id"])
        return next(iter(await _shown(info, Selection.of(info), [group_id])), None)

    @query(access=STAFF(Permission.CUSTOMERS_READ), description="The accounts in a group.")
    async def customer_group_members(
        self,
        info: Info,
        id: GroupId,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = UNSET,
    ) -> Connection[Customer]:
        group_id, selection = ids.decode(GROUP_PREFIX, id, ["id"]), Selection.of(info)
        request = page_request(None if first is UNSET else first, after or None, order=MEMBERS)
        group = next(iter(await queries.groups([group_id])), None)
        if group is None:
            raise not_found("customer group", ["id"])
        rows = await queries.members(group_id, request)
        page = page_of(rows, [encode_cursor([row.hex], MEMBERS) for row in rows], request, group.member_count)
        shown = await load_customers(info, page.items, selection.nodes())
        return Connection[Customer].of(page, [shown[customer_id] for customer_id in page.items])


@strawberry.type
class CustomerGroupMutations:
    @mutation(access=STAFF(Permission.MARKETS_WRITE), description="Make a group of customers.")
    async def customer_group_create(
        self, info: Info, input: Annotated[CustomerGroupInput, strawberry.argument(description="The new group.")]
    ) -> CustomerGroupPayload:
        return await _payload(info, await groups.create_group(input.given()))

    @mutation(access=STAFF(Permission.MARKETS_WRITE), description="Change a group's name and price lists.")
    async def customer_group_update(
        self,
        info: Info,
        id: GroupId,
        input: Annotated[CustomerGroupInput, strawberry.argument(description="What changes.")],
    ) -> CustomerGroupPayload:
        group_id = ids.decode(GROUP_PREFIX, id, ["id"])
        await groups.update_group(group_id, input.given())
        return await _payload(info, group_id)

    @mutation(access=STAFF(Permission.MARKETS_WRITE), description="Give up a group; its accounts stay.")
    async def customer_group_delete(self, info: Info, id: GroupId) -> CustomerGroupDeletePayload:
        await groups.delete_group(ids.decode(GROUP_PREFIX, id, ["id"]))
        return CustomerGroupDeletePayload(deleted_id=id)

    @mutation(
        access=STAFF(Permission.MARKETS_WRITE),
        description="Put accounts into a group. Their open carts follow at once.",
    )
    async def customer_group_members_add(
        self, info: Info, id: GroupId, customer_ids: CustomerIds
    ) -> CustomerGroupPayload:
        group_id = ids.decode(GROUP_PREFIX, id, ["id"])
        await groups.add_members(group_id, _customers(customer_ids))
        return await _payload(info, group_id)

    @mutation(access=STAFF(Permission.MARKETS_WRITE), description="Take accounts out of a group.")
    async def customer_group_members_remove(
        self, info: Info, id: GroupId, customer_ids: CustomerIds
    ) -> CustomerGroupPayload:
        group_id = ids.decode(GROUP_PREFIX, id, ["id"])
        await groups.remove_members(group_id, _customers(customer_ids))
        return await _payload(info, group_id)
