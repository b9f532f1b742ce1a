"""What a request selects below a field, so that one read fetches exactly that.

Fragments are spread, `@skip` and `@include` obeyed, arguments coerced. The same field under two aliases appears twice.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
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


@dataclass(frozen=True, slots=True)
class SelectedField:
    name: str
    """In GraphQL's spelling."""
    arguments: Mapping[str, Any]
    """By GraphQL's names; absent ones are left out."""
    type_name: str
    """Of what the field is, lists and non-null taken off."""
    selection: "Selection"


class Selection:
    """The fields selected below one field, over all of its fragments."""

    __slots__ = ("_by_name", "_info", "_variables")

    def __init__(self, info: GraphQLResolveInfo[Any], parent: GraphQLNamedType, sets: list[SelectionSetNode]) -> None:
        self._info = info
        # Strawberry hands out the plain values, where graphql-core's functions want their container.
        plain: Any = info.variable_values
        self._variables = plain if isinstance(plain, VariableValues) else VariableValues({}, plain)
        self._by_name: dict[str, list[SelectedField]] = {}
        for selection_set in sets:
            self._add(parent, selection_set)

    @classmethod
    def of(cls, info: Info) -> "Selection":
        """What is selected below the field that is being resolved; worked out once, for its guard and its resolver."""
        kept: dict[str, Any] = vars(info)
        if "_selection" not in kept:
            raw: GraphQLResolveInfo[Any] = info._raw_info
            sets = [node.selection_set for node in raw.field_nodes if node.selection_set]
            kept["_selection"] = cls(raw, get_named_type(raw.return_type), sets)
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
        merged = Selection.__new__(Selection)
        merged._info = self._info
        merged._variables = self._variables
        merged._by_name = {}
        for name in names:
            for field in self.fields(name):
                merged.merge(field.selection)
        return merged

    def merge(self, other: "Selection") -> None:
        for name, fields in other._by_name.items():
            self._by_name.setdefault(name, []).extend(fields)

    def nodes(self) -> "Selection":
        """For a connection: what is selected of its items, by `nodes` and by `edges { node }` together."""
        merged = self.below("nodes")
        merged.merge(self.below("edges").below("node"))
        return merged

    def _add(self, parent: GraphQLNamedType, selection_set: SelectionSetNode) -> None:
        schema: GraphQLSchema = self._info.schema
        for node in selection_set.selections:
            if self._left_out(node):
                continue
            if isinstance(node, FieldNode):
                self._add_field(parent, node)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                self._add((condition and schema.get_type(condition.name.value)) or parent, node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._info.fragments[node.name.value]
                condition_type = schema.get_type(fragment.type_condition.name.value)
                self._add(condition_type or parent, fragment.selection_set)

    def _add_field(self, parent: GraphQLNamedType, node: FieldNode) -> None:
        name = node.name.value
        if name.startswith("__") or not isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType)):
            return
        definition = parent.fields[name]
        arguments = get_argument_values(definition, node, self._variables) if definition.args else {}
        below = get_named_type(definition.type)
        sets = [node.selection_set] if node.selection_set else []
        selected = SelectedField(name, arguments, below.name, Selection(self._info, below, sets))
        self._by_name.setdefault(name, []).append(selected)

    def _left_out(self, node: Any) -> bool:
        if not node.directives:
            return False
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        if skip and skip["if"]:
            return True
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return bool(include and not include["if"])


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
    for field in selection:
        if check := _checks.get(field.type_name):
            check(field.selection)
        else:
            check_selection(field.selection)
