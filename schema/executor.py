"""graphql-core's executor with a short way for plain fields.

A list page has a thousand fields, nearly all of them attributes of objects that are there already. For each, the
general way makes an info object, calls a resolver and asks of every value whether it is awaitable, a list or an error:
7 µs where reading an attribute takes a tenth of one. So a selection set is looked at once, and each of its fields that
is an attribute is read and coerced directly, and so are objects and lists of such. Whatever is out of the ordinary, a
resolver, a null that must not be, a value of the wrong kind, goes the general way, which also words the errors.

A field with arguments whose answers were fetched beforehand is an attribute too: its metadata says under READ_FROM
which one it is, given the arguments.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLID,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLString,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path, Undefined
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter

READ_FROM = "read_from"
"""Metadata of a field: from its arguments, by GraphQL's names, to the attribute that has the answer."""

_UNUSUAL: Any = object()
Answer = Callable[["Executor", Any, "Path | None"], Any]
"""From an object and its path to the field's value in the response; `_UNUSUAL` sends the field the general way."""


class _Plan(NamedTuple):
    field_set: Any
    """Kept, so that its id belongs to nobody else."""
    short: list[tuple[str, Answer]]
    general: dict[str, Any]
    """The fields that always go the general way, with their details."""


class Executor(StrawberryGraphQLCoreExecutionContext):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans: dict[int, _Plan] = {}
        # Middleware, which extensions can bring, wants to see every field.
        self._general_only = self.middleware_manager is not None and bool(self.middleware_manager.middlewares)

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        if self._general_only or position_context is not None:
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        plan = self._plans.get(id(grouped_field_set)) or self._plan(parent_type, grouped_field_set)
        results: dict[str, Any] = {}
        general = plan.general
        for name, answer in plan.short:
            value = answer(self, source_value, path)
            if value is not _UNUSUAL:
                results[name] = value
        if len(results) < len(plan.short):
            general = {name: details for name, details in grouped_field_set.items() if name not in results}
        if not general:
            return results
        rest = super().execute_fields(parent_type, source_value, path, general, None)
        if isinstance(rest, dict):
            return _in_order(grouped_field_set, results, rest)

        async def when_the_rest_is_there() -> dict[str, Any]:
            return _in_order(grouped_field_set, results, await rest)

        return when_the_rest_is_there()

    # --- looking at a selection set, once for each request ------------------------------------------------------------

    def _plan(self, parent_type: GraphQLObjectType, field_set: Any) -> _Plan:
        plan = _Plan(field_set, [], {})
        for name, details in field_set.items():
            answer = self._short_way(parent_type, name, details)
            if answer is None:
                plan.general[name] = details
            else:
                plan.short.append((name, answer))
        self._plans[id(field_set)] = plan
        return plan

    def _short_way(self, parent_type: GraphQLObjectType, name: str, details: Any) -> Answer | None:
        field_name = details[0].node.name.value
        if field_name == "__typename":
            type_name = parent_type.name
            return lambda executor, source, path: type_name
        field = self.schema.get_field(parent_type, field_name)
        definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF) if field else None
        attribute = self._attribute(field, definition, details) if field and definition else None
        if field is None or attribute is None:
            return None
        inner: Any = field.type.of_type if is_non_null_type(field.type) else field.type
        if is_leaf_type(inner):
            return _leaf(attribute, inner, nullable=inner is field.type)
        many = is_list_type(inner) and is_non_null_type(inner.of_type)
        if many:
            inner = inner.of_type.of_type
            if is_leaf_type(inner):
                return _leaves(attribute, inner, nullable=not is_non_null_type(field.type))
        if is_object_type(inner) and not self._may_wait(inner, details):
            below = _Below(parent_type.name, name, field, details, inner, self.collect_subfields(inner, details)[0])
            return (_objects if many else _object)(attribute, below)
        return None

    def _attribute(self, field: GraphQLField, definition: Any, details: Any) -> str | None:
        """Where the field's value is; None where only its resolver knows."""
        if definition.is_basic_field:
            name: str = definition.python_name
            return name
        read_from: Callable[[dict[str, Any]], str] | None = definition.metadata.get(READ_FROM)
        if read_from is None:
            return None
        try:
            return read_from(get_argument_values(field, details[0].node, self.variable_values))
        except GraphQLError:
            return None

    def _may_wait(self, object_type: GraphQLObjectType, details: Any) -> bool:
        """Whether anything below is asynchronous, or of a kind that only shows when it is there."""
        subfields, new_defer_usages, _ = self.collect_subfields(object_type, details)
        if new_defer_usages:
            return True
        for below in subfields.values():
            field = self.schema.get_field(object_type, below[0].node.name.value)
            if field is None:
                return True
            definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            if definition is not None and (definition.is_async or definition.extensions):
                return True
            named: GraphQLNamedType = get_named_type(field.type)
            if is_abstract_type(named) or (is_object_type(named) and self._may_wait(named, below)):
                return True
        return False


def _in_order(field_set: Any, some: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """Fields of a response stand in the order in which they were asked for."""
    some.update(others)
    return {name: some[name] for name in field_set if name in some}


# --- the short way ----------------------------------------------------------------------------------------------------


def _coercion(leaf_type: Any) -> Callable[[Any], Any]:
    """To the leaf's value in the response; `_UNUSUAL` for what is not one."""
    coerce = leaf_type.coerce_output_value
    is_text = leaf_type is GraphQLString or leaf_type is GraphQLID

    def to_response(value: Any) -> Any:
        if is_text and type(value) is str:
            return value
        if value is None or isinstance(value, Exception):
            return _UNUSUAL
        try:
            coerced = coerce(value)
        except Exception:  # noqa: BLE001 - the general way meets it again, and tells it
            return _UNUSUAL
        return _UNUSUAL if coerced is None or coerced is Undefined else coerced

    return to_response


def _read(source: Any, attribute: str) -> Any:
    try:
        return getattr(source, attribute)
    except Exception:  # noqa: BLE001 - the general way meets it again, and tells it
        return _UNUSUAL


def _leaf(attribute: str, leaf_type: Any, *, nullable: bool) -> Answer:
    to_response = _coercion(leaf_type)

    def answer(executor: Executor, source: Any, path: Path | None) -> Any:
        value = _read(source, attribute)
        if value is None and nullable:
            return None
        return value if value is _UNUSUAL else to_response(value)

    return answer


def _leaves(attribute: str, leaf_type: Any, *, nullable: bool) -> Answer:
    to_response = _coercion(leaf_type)

    def answer(executor: Executor, source: Any, path: Path | None) -> Any:
        values = _read(source, attribute)
        if values is None and nullable:
            return None
        if type(values) is not list:
            return _UNUSUAL
        coerced = [to_response(value) for value in values]
        return _UNUSUAL if _UNUSUAL in coerced else coerced

    return answer


class _Below(NamedTuple):
    """A field that leads to objects, and what is selected of them."""

    parent_name: str
    response_name: str
    field: GraphQLField
    details: Any
    object_type: GraphQLObjectType
    subfields: Any

    @property
    def nullable(self) -> bool:
        return not is_non_null_type(self.field.type)

    def is_one(self, value: Any) -> bool:
        """As far as the type can tell."""
        is_type_of: Any = self.object_type.is_type_of
        return value is not None and (is_type_of is None or is_type_of(value, None))


def _object(attribute: str, below: _Below) -> Answer:
    nullable, is_one, subfields = below.nullable, below.is_one, below.subfields

    def answer(executor: Executor, source: Any, path: Path | None) -> Any:
        value = _read(source, attribute)
        if value is None and nullable:
            return None
        if value is _UNUSUAL or not is_one(value):
            return _UNUSUAL
        here = Path(path, below.response_name, below.parent_name)
        try:
            return executor.execute_fields(below.object_type, value, here, subfields, None)
        except Exception as error:  # noqa: BLE001 - as the general way does
            return executor.handle_field_error(error, below.field.type, below.details, here)

    return answer


def _objects(attribute: str, below: _Below) -> Answer:
    nullable, is_one, subfields = below.nullable, below.is_one, below.subfields

    def answer(executor: Executor, source: Any, path: Path | None) -> Any:
        values = _read(source, attribute)
        if values is None and nullable:
            return None
        if type(values) is not list or not all(map(is_one, values)):
            return _UNUSUAL
        here = Path(path, below.response_name, below.parent_name)
        try:
            return [
                executor.execute_fields(below.object_type, value, Path(here, index, None), subfields, None)
                for index, value in enumerate(values)
            ]
        except Exception as error:  # noqa: BLE001 - as the general way does
            return executor.handle_field_error(error, below.field.type, below.details, here)

    return answer
