"""Completing objects quickly.

graphql-core completes every leaf of an answer in some five microseconds of general machinery: a path, an info object, a
resolver call, four type tests. A page of products has a thousand leaves, and each of ours is a plain attribute of an
instance. So the shape of a selection is compiled once into closures that do just what this selection needs, and kept
with the operation; see docs/decisions/executor.md.

Root fields, their arguments and guards are executed by graphql-core as ever. So is every object whose selection holds
anything that is not certain (`_Unsure`), and every object in which anything goes wrong on the quick way: it is
completed again from the same resolved value, and reports exactly what it would have reported. For that reason fields
with a resolver of their own below the root have to be free of side effects.

A field with arguments whose answers were fetched beforehand is an attribute too: its metadata says under READ_FROM
which one it is, given the arguments.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, NamedTuple, cast

from graphql import (
    FragmentDefinitionNode,
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path, Undefined
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.building import QuicklyBuilt
from schema.keeping import Kept

READ_FROM = "read_from"
"""Metadata of a field: from its arguments, by GraphQL's names, to the attribute that has the answer."""

Fields = list[FieldDetails]
Fetchers = list[Callable[[Any], Any]]
"""How one request, with its arguments, gets the value of each special field, by the field's place."""
Complete = Callable[[Any, Fetchers], Any]
"""Turns a resolved value into its part of the answer; raises whenever graphql-core would have more to say."""


class _Unsure(Exception):  # noqa: N818 - a decision, not an error
    """This selection is left to graphql-core."""


class _Special(NamedTuple):
    """A field with arguments, or with a resolver of its own."""

    parent: GraphQLObjectType
    definition: GraphQLField
    fields: Fields


class _Plan(NamedTuple):
    complete: Complete
    specials: list[_Special]


class _Operation(NamedTuple):
    """What is kept of an operation. It holds the nodes, so that their identities cannot be used again."""

    node: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    switches: list[str]
    """Variables that decide, in @skip and @include, which fields are selected."""


Plans = dict[tuple[object, ...], _Plan | None]
"""By object type and nodes; None for what is left to graphql-core."""
_operations: Kept[int, _Operation] = Kept()
_plans: Kept[tuple[int, tuple[object, ...]], tuple[_Operation, Plans]] = Kept()
"""By the values of the operation's switches, each of which doubles how many there could be."""


class Executor(QuicklyBuilt):
    """graphql-core's executor, with a quick way through objects that are made of plain attributes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans = _plans_of(self)
        self._fetchers: dict[int, Fetchers] = {}

    def complete_object_value(  # noqa: PLR0917 - as graphql-core has it
        self,
        return_type: GraphQLObjectType,
        field_details_list: Fields,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        plan = self._plan(return_type, field_details_list)
        if plan is not None:
            try:
                return plan.complete(result, self._bound(plan, path))
            except Exception:  # noqa: BLE001, S110 - graphql-core meets the same error, and knows how to report it
                pass
        return super().complete_object_value(return_type, field_details_list, info, path, result, position_context)

    def _plan(self, return_type: GraphQLObjectType, fields: Fields) -> _Plan | None:
        if self.middleware_manager is not None and self.middleware_manager.middlewares:
            return None
        key = (return_type.name, *(id(details.node) for details in fields))
        try:
            return self._plans[key]
        except KeyError:
            self._plans[key] = plan = _Compiler(self).plan(return_type, fields)
            return plan

    def _bound(self, plan: _Plan, path: Path) -> Fetchers:
        """The plan's special fields with this request's arguments."""
        fetchers = self._fetchers.get(id(plan))
        if fetchers is None:
            fetchers = self._fetchers[id(plan)] = [self._fetcher(special, path) for special in plan.specials]
        return fetchers

    def _fetcher(self, special: _Special, path: Path) -> Callable[[Any], Any]:
        definition = special.definition
        arguments = get_argument_values(definition, special.fields[0].node, self.variable_values)
        read_from = definition.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].metadata.get(READ_FROM)
        if read_from is not None:
            attribute = read_from(arguments)
            return lambda source: getattr(source, attribute)
        resolve = cast("Callable[..., Any]", definition.resolve)
        info = self.build_resolve_info(definition, [one.node for one in special.fields], special.parent, path)

        def fetch(source: Any) -> Any:
            value = resolve(source, info, **arguments)
            if isinstance(value, Exception) or hasattr(value, "__await__"):
                raise TypeError
            return value

        return fetch


class _Compiler:
    """Compiles one selection of one object type, and all that is below it."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._specials: list[_Special] = []

    def plan(self, return_type: GraphQLObjectType, fields: Fields) -> _Plan | None:
        try:
            return _Plan(self._object(return_type, fields), self._specials)
        except _Unsure:
            return None

    def _object(self, parent: GraphQLObjectType, fields: Fields) -> Complete:
        selected, defer_usages, forbidden = self._executor.collect_subfields(parent, fields)
        if defer_usages or forbidden or parent.name.startswith("__"):
            raise _Unsure
        shape = _Shape(list(selected), [], [], {}, [])
        for name, details in selected.items():
            node = details[0].node
            if any(one.fragment_variable_values for one in details):
                raise _Unsure
            if node.name.value == "__typename":
                shape.constants[name] = parent.name
                continue
            definition = parent.fields[node.name.value]
            complete = self._value(definition.type, details)
            strawberry_field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            if getattr(definition.resolve, "_is_default", False):
                shape.attributes.append(strawberry_field.python_name)
                shape.plain.append((name, complete))
            elif strawberry_field is not None and definition.resolve and not strawberry_field.is_async:
                shape.special.append((name, len(self._specials), complete))
                self._specials.append(_Special(parent, definition, details))
            else:
                raise _Unsure
        return _object_completer(_class_check(parent), shape)

    def _value(self, type_: GraphQLOutputType, fields: Fields) -> Complete:
        if isinstance(type_, GraphQLNonNull):
            inner = type_.of_type
            if is_leaf_type(inner):
                return _leaf(inner)
            complete = self._nullable(inner, fields)

            def non_null(value: Any, fetchers: Fetchers) -> Any:
                completed = complete(value, fetchers)
                if completed is None:
                    raise TypeError
                return completed

            return non_null
        return self._nullable(type_, fields)

    def _nullable(self, type_: Any, fields: Fields) -> Complete:
        complete = self._present(type_, fields)
        return lambda value, fetchers: None if value is None or value is Undefined else complete(value, fetchers)

    def _present(self, type_: Any, fields: Fields) -> Complete:
        """For a value that is there."""
        if is_leaf_type(type_):
            return _leaf(type_)
        if isinstance(type_, GraphQLObjectType):
            return self._object(type_, fields)
        if isinstance(type_, GraphQLList):
            item = self._value(type_.of_type, fields)

            def each(value: Any, fetchers: Fetchers) -> list[Any]:
                if not isinstance(value, (list, tuple)):
                    raise TypeError
                return [item(one, fetchers) for one in value]

            return each
        if is_abstract_type(type_):
            return self._abstract(type_, fields)
        raise _Unsure

    def _abstract(self, type_: GraphQLAbstractType, fields: Fields) -> Complete:
        """One completer for each class of value that the interface or union can have."""
        completers = {
            definition.origin: self._object(possible, fields)
            for possible in self._executor.schema.get_possible_types(type_)
            if (definition := possible.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF))
            and definition.concrete_of is None
        }
        return lambda value, fetchers: completers[value.__class__](value, fetchers)


class _Shape(NamedTuple):
    """What is selected of one object type."""

    order: list[str]
    """Every response name, as asked for."""
    attributes: list[str]
    plain: list[tuple[str, Complete]]
    """Response names and completers of `attributes`."""
    constants: dict[str, str]
    special: list[tuple[str, int, Complete]]
    """Response name, place among the fetchers, completer."""


def _object_completer(check: Callable[[Any], None], shape: _Shape) -> Complete:
    order, attributes, pairs, constants, special = shape
    values: Callable[[Any], Iterable[Any]]
    if len(attributes) == 1:
        one = attrgetter(attributes[0])
        values = lambda source: (one(source),)  # noqa: E731 - attrgetter of one name gives no tuple
    elif attributes:
        values = attrgetter(*attributes)
    else:
        values = lambda source: ()  # noqa: E731

    def plain(source: Any, fetchers: Fetchers) -> dict[str, Any]:
        check(source)
        return {name: complete(value, fetchers) for (name, complete), value in zip(pairs, values(source), strict=True)}

    def mixed(source: Any, fetchers: Fetchers) -> dict[str, Any]:
        completed: dict[str, Any] = {**constants, **plain(source, fetchers)}
        for name, place, complete in special:
            completed[name] = complete(fetchers[place](source), fetchers)
        return {name: completed[name] for name in order}

    return mixed if constants or special else plain


def _class_check(parent: GraphQLObjectType) -> Callable[[Any], None]:
    """Raises for a value that cannot stand for this type. What `is_type_of` says of a class is asked once."""
    is_type_of = parent.is_type_of
    if is_type_of is None:
        return lambda source: None
    expected: set[type] = set()

    def check(source: Any) -> None:
        if source.__class__ not in expected:
            if not is_type_of(source, None):  # type: ignore[arg-type]
                raise TypeError
            expected.add(source.__class__)

    return check


_AS_IT_IS = {"String": str, "ID": str, "Boolean": bool}


def _leaf(type_: GraphQLLeafType) -> Complete:
    coerce = type_.coerce_output_value
    if isinstance(type_, GraphQLEnumType):
        return _remembered(coerce)
    as_it_is = _AS_IT_IS.get(type_.name)

    def complete(value: Any, fetchers: Fetchers) -> Any:
        if value.__class__ is as_it_is:
            return value
        if value is None or isinstance(value, Exception):
            raise TypeError
        coerced = coerce(value)
        if coerced is Undefined or coerced is None:
            raise TypeError
        return coerced

    return complete


def _remembered(coerce: Callable[[Any], Any]) -> Complete:
    """An enum has few members, each with one name."""
    names: dict[Any, Any] = {}

    def complete(value: Any, fetchers: Fetchers) -> Any:
        try:
            return names[value]
        except KeyError:
            name = coerce(value)
            if name is None or name is Undefined:
                raise TypeError from None
            names[value] = name
            return name

    return complete


def _plans_of(executor: Executor) -> Plans:
    """The plans of this operation under the switches of this request. Documents are kept, so operations come again."""
    node = executor.operation
    operation = _operations.get(id(node))
    if operation is None:
        fragments = executor.fragment_definitions
        switches = sorted(set(_switches([node, *fragments.values()])))
        operation = _Operation(node, fragments, switches)
        _operations.keep(id(node), operation, node)
    coerced = executor.variable_values.coerced
    key = (id(node), tuple(coerced.get(name) for name in operation.switches))
    kept = _plans.get(key)
    if kept is None:
        kept = (operation, {})
        _plans.keep(key, kept, node)
    return kept[1]


def _switches(nodes: Iterable[OperationDefinitionNode | FragmentDefinitionNode]) -> Iterable[str]:
    """Names of the variables in @skip and @include.

    Directives of operations and fragments themselves select nothing: a plan for each value of their variables would
    fill the memory with equal plans.
    """
    waiting: list[Any] = [node.selection_set for node in nodes]
    while waiting:
        node = waiting.pop()
        if isinstance(node, SelectionSetNode):
            waiting.extend(node.selections)
            continue
        for directive in getattr(node, "directives", None) or ():
            for argument in directive.arguments or ():
                if isinstance(argument.value, VariableNode):
                    yield argument.value.name.value
        if selection_set := getattr(node, "selection_set", None):
            waiting.append(selection_set)
