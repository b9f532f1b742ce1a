"""What customers read and change of their own account."""

import strawberry

from schema.access import PUBLIC, query
from schema.accounts.showing import load_customers
from schema.accounts.types import Customer
from schema.context import Info
from schema.selection import Selection


@strawberry.type
class OwnAccountQueries:
    @query(access=PUBLIC, description="The signed-in customer; null when nobody is.")
    async def me(self, info: Info) -> Customer | None:
        own = info.context.customer
        return (await load_customers(info, [own.id], Selection.of(info))).get(own.id) if own else None
