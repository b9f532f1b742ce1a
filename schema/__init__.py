"""The GraphQL schema, put together from the domains' parts."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.development import DevelopmentMutations
from schema.errors import ERROR_TYPES
from schema.nodes import NodeQueries
from schema.operations import OperationsMutations, OperationsQueries
from schema.scalars import SCALAR_MAP
from schema.staff import StaffMutations, StaffQueries


@strawberry.type(description="Everything that can be read.")
class Query(NodeQueries, OperationsQueries, StaffQueries):
    pass


@strawberry.type(description="Everything that can be changed.")
class Mutation(OperationsMutations, StaffMutations):
    pass


@strawberry.type(name="Mutation", description="Everything that can be changed.")
class DevelopmentMutation(Mutation, DevelopmentMutations):
    pass


def build_schema(*, development: bool) -> strawberry.Schema:
    """The schema; with `development`, the developer's clock and inbox are in it."""
    return strawberry.Schema(
        query=Query,
        mutation=DevelopmentMutation if development else Mutation,
        types=ERROR_TYPES,
        config=StrawberryConfig(scalar_map=SCALAR_MAP),
    )


__all__ = ["build_schema"]
