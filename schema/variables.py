"""Values of variables, coerced by functions that are compiled once for each operation.

graphql-core asks of every value, at each request, of what kind its type is, and first of all how deep it lies. Whatever
is not certain is left to it, as in `schema.executor`: defaults, one value where a list is expected, input types that
contain themselves, and everything that is wrong, of which it then says what it would have said.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    VariableDefinitionNode,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.pyutils import Undefined
from graphql.type import GraphQLInputField
from graphql.utilities.coerce_input_value import coerce_default_value

Coerce: TypeAlias = Callable[[Any], Any]
"""Turns a value into what resolvers get; raises whenever graphql-core has to look at it."""

_AS_IT_IS = {"String": str, "ID": str, "Boolean": bool}


class _Unsure(Exception):  # noqa: N818 - a decision, not an error
    """This is left to graphql-core."""


class _Variable(NamedTuple):
    signature: GraphQLVariableSignature
    coerce: Coerce
    may_be_absent: bool
    """Nullable, and without a default."""


class Variables:
    """Those of one operation."""

    def __init__(self, schema: GraphQLSchema, definitions: Collection[VariableDefinitionNode]) -> None:
        self._all: list[_Variable] | None
        try:
            self._all = [_variable(schema, definition) for definition in definitions]
        except _Unsure:
            self._all = None

    def values(self, given: Mapping[str, Any]) -> VariableValues | None:
        """None where graphql-core has to look at what is given."""
        if self._all is None:
            return None
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature, coerce, may_be_absent in self._all:
            name = signature.name
            if name in given:
                value = given[name]
                sources[name] = VariableValueSource(signature, value)
                try:
                    coerced[name] = coerce(value)
                except Exception:  # noqa: BLE001 - graphql-core meets the same error, and knows how to report it
                    return None
            elif may_be_absent:
                sources[name] = VariableValueSource(signature)
            else:
                return None
        return VariableValues(sources, coerced)


def _variable(schema: GraphQLSchema, definition: VariableDefinitionNode) -> _Variable:
    signature = get_variable_signature(schema, definition)
    if not isinstance(signature, GraphQLVariableSignature):
        raise _Unsure
    may_be_absent = signature.default is None and not isinstance(signature.type, GraphQLNonNull)
    return _Variable(signature, _value(signature.type, ()), may_be_absent)


def _value(type_: GraphQLInputType, within: tuple[str, ...]) -> Coerce:
    if isinstance(type_, GraphQLNonNull):
        return _present(type_.of_type, within)
    coerce = _present(type_, within)
    return lambda value: None if value is None else coerce(value)


def _present(type_: Any, within: tuple[str, ...]) -> Coerce:
    """For a value that is not null; refuses null.

    Args:
        within: names of the input types that this one is a part of.
    """
    if isinstance(type_, GraphQLList):
        return _list(_value(type_.of_type, within))
    if isinstance(type_, GraphQLInputObjectType):
        if type_.is_one_of or type_.name in within:
            raise _Unsure
        return _object(type_, (*within, type_.name))
    return _leaf(type_)


def _list(coerce: Coerce) -> Coerce:
    def each(values: Any) -> list[Any]:
        if values.__class__ is not list:
            raise TypeError
        return [coerce(value) for value in values]

    return each


def _object(type_: GraphQLInputObjectType, within: tuple[str, ...]) -> Coerce:
    fields = [(name, field.out_name or name, _value(field.type, within), field) for name, field in type_.fields.items()]
    known = type_.fields.keys()
    # What is asked for when a field is left out: its default, or a word of graphql-core.
    needed = {name for name, _, _, field in fields if not _may_be_absent(field)}
    make = type_.out_type

    def coerce_fields(given: Any) -> Any:
        if given.__class__ is not dict or not given.keys() <= known:
            raise TypeError
        coerced: dict[str, Any] = {}
        for name, out_name, coerce, field in fields:
            if name in given:
                coerced[out_name] = coerce(given[name])
            elif name in needed:
                if (default := coerce_default_value(field)) is Undefined:
                    raise TypeError
                coerced[out_name] = default
        return make(coerced)

    return coerce_fields


def _may_be_absent(field: GraphQLInputField) -> bool:
    """Nullable, and without a default of either kind."""
    return not isinstance(field.type, GraphQLNonNull) and coerce_default_value(field) is Undefined


def _leaf(type_: GraphQLLeafType) -> Coerce:
    coerce = type_.coerce_input_value
    as_it_is = None if isinstance(type_, GraphQLEnumType) else _AS_IT_IS.get(type_.name)

    def leaf(value: Any) -> Any:
        if value.__class__ is as_it_is:
            return value
        if value is None:
            raise TypeError
        coerced = coerce(value)
        if coerced is Undefined:
            raise TypeError
        return coerced

    return leaf
