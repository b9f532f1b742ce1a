"""What a request selects below a field, so that one read fetches exactly that.

Fragments are spread, `@skip` and `@include` obeyed, arguments coerced. The same field under two aliases appears twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)
from graphql.execution.values import VariableValues, get_argument_values, get_directive_values
from graphql.type import (
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSkipDirective,
)

from schema.context import Info
from schema.keeping import Kept


@dataclass(frozen=True, slots=True)
class SelectedField:
    name: str
    """In GraphQL's spelling."""
    arguments: Mapping[str, Any]
    """By GraphQL's names; absent ones are left out."""
    type_name: str
    """Of what the field is, lists and non-null taken off."""
    selection: "Selection"


T = TypeVar("T")


class Selection:
    """The fields selected below one field, over all of its fragments. Once it is read it does not change, and is kept
    for the requests that select the same."""

    __slots__ = ("_below", "_by_name", "_derived")

    def __init__(self) -> None:
        self._by_name: dict[str, list[SelectedField]] = {}
        self._below: dict[tuple[str, ...], Selection] = {}
        self._derived: dict[Callable[[Selection], Any], Any] = {}

    @classmethod
    def of(cls, info: Info) -> "Selection":
        """What is selected below the field that is being resolved; worked out once, for its guard and its resolver."""
        kept: dict[str, Any] = vars(info)
        if "_selection" not in kept:
            kept["_selection"] = _selected(info._raw_info)
        selection: Selection = kept["_selection"]
        return selection

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[SelectedField]:
        for fields in self._by_name.values():
            yield from fields

    def fields(self, name: str) -> list[SelectedField]:
        """Every appearance of the field: one for each alias."""
        return self._by_name.get(name, [])

    def asks_for(self, *path: str) -> bool:
        """Whether `path` is selected, for instance `asks_for("nodes", "variants")`."""
        if not path:
            return True
        return any(field.selection.asks_for(*path[1:]) for field in self.fields(path[0]))

    def below(self, *names: str) -> "Selection":
        """One selection out of all appearances of the fields `names`."""
        if (merged := self._below.get(names)) is None:
            self._below[names] = merged = _merged(field.selection for name in names for field in self.fields(name))
        return merged

    def joined(self, other: "Selection") -> "Selection":
        """What either selects."""
        return _merged([self, other])

    def nodes(self) -> "Selection":
        """For a connection: what is selected of its items, by `nodes` and by `edges { node }` together."""
        return self.once(_nodes)

    def once(self, derive: "Callable[[Selection], T]") -> T:
        """What `derive` makes of the selection alone, remembered with it. What it raises is raised each time."""
        try:
            derived: T = self._derived[derive]
        except KeyError:
            self._derived[derive] = derived = derive(self)
        return derived

    def add(self, field: SelectedField) -> None:
        """While it is read."""
        self._by_name.setdefault(field.name, []).append(field)


def _merged(selections: Iterable[Selection]) -> Selection:
    merged = Selection()
    for selection in selections:
        for field in selection:
            merged.add(field)
    return merged


def _nodes(selection: Selection) -> Selection:
    return selection.below("nodes").joined(selection.below("edges").below("node"))


class _Reader:
    """Reads selection sets of one request. It knows afterwards whether another request would read the same."""

    def __init__(self, info: GraphQLResolveInfo[Any]) -> None:
        self._schema: GraphQLSchema = info.schema
        self._fragments = info.fragments
        # Strawberry hands out the plain values, where graphql-core's functions want their container.
        plain: Any = info.variable_values
        self._variables = plain if isinstance(plain, VariableValues) else VariableValues({}, plain)
        self.is_constant = True
        """No variable is in what was read."""

    def read(self, parent: GraphQLNamedType, sets: Iterable[SelectionSetNode]) -> Selection:
        selection = Selection()
        for selection_set in sets:
            self._add(selection, parent, selection_set)
        return selection

    def _add(self, selection: Selection, parent: GraphQLNamedType, selection_set: SelectionSetNode) -> None:
        for node in selection_set.selections:
            if self._left_out(node):
                continue
            if isinstance(node, FieldNode):
                self._add_field(selection, parent, node)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                narrowed = (condition and self._schema.get_type(condition.name.value)) or parent
                self._add(selection, narrowed, node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                condition_type = self._schema.get_type(fragment.type_condition.name.value)
                self._add(selection, condition_type or parent, fragment.selection_set)

    def _add_field(self, selection: Selection, parent: GraphQLNamedType, node: FieldNode) -> None:
        name = node.name.value
        if name.startswith("__") or not isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType)):
            return
        definition = parent.fields[name]
        if node.arguments:
            self.is_constant = self.is_constant and all(_is_constant(one.value) for one in node.arguments)
        arguments = get_argument_values(definition, node, self._variables) if definition.args else {}
        below = get_named_type(definition.type)
        inner = self.read(below, [node.selection_set] if node.selection_set else [])
        selection.add(SelectedField(name, arguments, below.name, inner))

    def _left_out(self, node: Any) -> bool:
        if not node.directives:
            return False
        self.is_constant = False
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        if skip and skip["if"]:
            return True
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return bool(include and not include["if"])


def _is_constant(value: ValueNode) -> bool:
    """Whether a literal stands there, and one without parts: those are the request's own, to do with as it likes."""
    return not isinstance(value, (VariableNode, ListValueNode, ObjectValueNode))


class _Read(NamedTuple):
    """It holds the nodes, so that their identities cannot be used again."""

    nodes: list[FieldNode]
    selection: Selection


_kept: Kept[tuple[int, ...], _Read] = Kept()
"""Selections below root fields."""


def _selected(info: GraphQLResolveInfo[Any]) -> Selection:
    """What is selected below the field, kept where it is the same for every request: documents are, so nodes come
    again."""
    key = (id(info.parent_type), *map(id, info.field_nodes))
    if kept := _kept.get(key):
        return kept.selection
    reader = _Reader(info)
    sets = [node.selection_set for node in info.field_nodes if node.selection_set]
    selection = reader.read(get_named_type(info.return_type), sets)
    if reader.is_constant:
        _kept.keep(key, _Read(list(info.field_nodes), selection), info.field_nodes[0])
    return selection


Check = Callable[[Selection], None]
_checks: dict[str, Check] = {}


def selection_check(type_name: str) -> Callable[[Check], Check]:
    """Registers what raises DomainError for arguments, at any depth below a field of the type, that no read serves."""

    def register(check: Check) -> Check:
        _checks[type_name] = check
        return check

    return register


def check_selection(selection: Selection) -> None:
    """Raises DomainError for what could not be shown: for mutations, before they change anything."""
    selection.once(_checked)


def _checked(selection: Selection) -> None:
    for field in selection:
        if check := _checks.get(field.type_name):
            check(field.selection)
        else:
            _checked(field.selection)
