"""Root fields, called without what Strawberry works out anew at each request.

It asks of every argument what its name and type are, and chains guard and resolver together by functions that it makes
for the purpose. A field's arguments, its guard and its resolver do not change.
"""

from collections.abc import Callable
from typing import Any

import strawberry
from graphql import GraphQLResolveInfo
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import InputContext
from strawberry.types.field import StrawberryField

from schema.coercion import Convert, converter
from schema.context import Info


def compile_roots(schema: strawberry.Schema) -> None:
    """Gives the fields of queries and mutations their resolvers. Subscriptions are few, and begin once."""
    core = schema._schema
    for root in (core.query_type, core.mutation_type):
        for field in root.fields.values() if root else ():
            definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            if isinstance(definition, StrawberryField) and _is_guarded(definition):
                field.resolve = _resolver(definition, schema)


def _is_guarded(field: StrawberryField) -> bool:
    """Whether it is a coroutine function behind its guard alone, as all are that `schema.access` makes."""
    resolver = field.base_resolver
    return (
        resolver is not None
        and field.is_async
        and len(field.extensions) == 1
        and resolver.parent_parameter is None
        and resolver.root_parameter is None
    )


def _resolver(field: StrawberryField, schema: strawberry.Schema) -> Callable[..., Any]:
    resolver: Any = field.base_resolver
    function = resolver.wrapped_func
    takes_source = resolver.self_parameter is not None
    takes_info = resolver.info_parameter.name if resolver.info_parameter else None
    guard = field.extensions[0].resolve_async
    config, scalars = schema.config, schema.schema_converter.scalar_registry
    converters: dict[str, tuple[str, Convert]] | None = None

    def call(source: Any, info: Info, **arguments: Any) -> Any:
        if takes_info:
            arguments[takes_info] = info
        return function(source, **arguments) if takes_source else function(**arguments)

    async def resolve(source: Any, raw_info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        nonlocal converters
        info: Info = strawberry.Info(_raw_info=raw_info, _field=field)
        arguments: dict[str, Any] = {}
        if given:
            context = InputContext(info=info, config=config, scalar_registry=scalars, path=())
            if converters is None:  # when the first comes, as types may be circular
                converters = {
                    config.name_converter.from_argument(one): (one.python_name, converter(one.type, context))
                    for one in field.arguments
                }
            for name, value in given.items():
                python_name, convert = converters[name]
                arguments[python_name] = value if value is None else convert(value, context)
        return await guard(call, source, info, **arguments)

    return resolve
