"""How other modules add fields to `Customer`.

A module declares its fields as a class that `types.Customer` inherits from, each with a default, and registers here
what loads them: one function for all accounts of a request, which reads the selection and returns for each account the
attributes that were asked for.

    @strawberry.type
    class CustomerOrders:
        orders: Connection[Order] | None = strawberry.field(default=None, description="…")

    @customer_part
    async def _load(info: Info, customer_ids: Sequence[UUID], selection: Selection) -> Attributes:
        if "orders" not in selection:
            return {}
        ...
        return {customer_id: {"orders": page} for …}
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from schema.context import Info
from schema.selection import Selection

Attributes: TypeAlias = Mapping[uuid.UUID, Mapping[str, Any]]
"""By account: values of fields by their Python names. What is left out keeps its default."""
Part: TypeAlias = Callable[[Info, Sequence[uuid.UUID], Selection], Awaitable[Attributes]]

_parts: list[Part] = []


def customer_part(load: Part) -> Part:
    """Registers a loader. It is asked for accounts that the request may see: the own one, or, for staff with
    CUSTOMERS_READ, any; what takes another permission (orders) it has to leave out itself."""
    _parts.append(load)
    return load


async def load_parts(info: Info, customer_ids: Sequence[uuid.UUID], selection: Selection) -> dict[uuid.UUID, Any]:
    values: dict[uuid.UUID, dict[str, Any]] = {customer_id: {} for customer_id in customer_ids}
    for load in _parts:
        for customer_id, attributes in (await load(info, customer_ids, selection)).items():
            values[customer_id].update(attributes)
    return values
