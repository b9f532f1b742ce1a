"""Input objects out of what graphql-core has coerced, by converters that are worked out once for each input type.

Strawberry asks of every field of every input, at each request, what its name and its type are. That took a fifth of the
processor time of a mutation. What a converter does not know of is left to Strawberry.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING
from typing import Any, TypeAlias

import strawberry
from graphql import GraphQLInputObjectType, GraphQLSchema
from strawberry.scalars import is_scalar
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import InputContext
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType

Convert: TypeAlias = Callable[[Any, InputContext], Any]
"""Turns a value that is neither null nor absent into what a resolver gets."""


def compile_inputs(schema: strawberry.Schema) -> None:
    """Gives every input type of the schema its converter, by the hook that Strawberry has for it."""
    core: GraphQLSchema = schema._schema
    for type_ in core.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            definition = type_.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
            if definition.from_input is None:
                definition.from_input = _Inputs(definition)


class _Inputs:
    """Makes the instances of one input type. Its fields are looked at when the first comes: types may be circular."""

    def __init__(self, definition: StrawberryObjectDefinition) -> None:
        self._definition = definition
        self._fields: list[tuple[str, str, Convert]] | None = None
        self._absent: dict[str, None] = {}

    def __call__(self, type_: type, value: Mapping[str, Any], context: InputContext) -> Any:
        fields = self._fields
        if fields is None:
            fields = self._compile(context)
        arguments: dict[str, Any] = dict(self._absent)
        for graphql_name, python_name, convert in fields:
            if graphql_name in value:
                given = value[graphql_name]
                arguments[python_name] = (
                    given if given is None or given is strawberry.UNSET else convert(given, context)
                )
        return type_(**arguments)

    def _compile(self, context: InputContext) -> list[tuple[str, str, Convert]]:
        definition = self._definition
        self._absent = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }
        self._fields = [
            (
                context.config.name_converter.from_field(field),
                field.python_name,
                converter(field.resolve_type(type_definition=definition), context),
            )
            for field in definition.fields
        ]
        return self._fields


def converter(type_: Any, context: InputContext) -> Convert:
    """Of an argument or a field of an input, by its type."""
    while isinstance(type_, (StrawberryOptional, LazyType)) and not isinstance(type_, StrawberryMaybe):
        type_ = type_.of_type if isinstance(type_, StrawberryOptional) else type_.resolve_type()
    if isinstance(type_, StrawberryList):
        return _list_converter(converter(type_.of_type, context))
    if type_ is not strawberry.relay.GlobalID and (
        is_scalar(type_, context.scalar_registry)
        or isinstance(type_, StrawberryEnumDefinition)
        or has_enum_definition(type_)
    ):
        return _as_it_is
    if has_object_definition(type_) and isinstance(type_.__strawberry_definition__.from_input, _Inputs):
        make = type_.__strawberry_definition__.from_input
        return lambda value, given: make(type_, value, given)
    return lambda value, given: given.convert(value, type_)


def _as_it_is(value: Any, context: InputContext) -> Any:
    return value


def _list_converter(convert: Convert) -> Convert:
    """A list of its own in any case: graphql-core gives the same default to every request that leaves the value out."""

    def each(values: Iterable[Any], context: InputContext) -> list[Any]:
        return [one if one is None else convert(one, context) for one in values]

    return (lambda values, context: list(values)) if convert is _as_it_is else each
