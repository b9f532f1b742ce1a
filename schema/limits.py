"""How much one request may ask for, counted with every fragment spread where it is used.

Two questions, asked at different times. *How large is the document* is answered once for a document text, before
GraphQL's own validation (some of whose rules are quadratic) gets to see it. *How much could it cost* depends on
variables such as `first`, so the document is boiled down to a small `schema.costs.Cost` that each request evaluates.
"""

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)

from app.kit.pagination import DEFAULT_PAGE, MAX_PAGE
from schema.costs import (
    FIELD_POINTS,
    MAX_POINTS,
    MUTATION_POINTS,
    RECOMMENDATIONS,
    Cost,
    OperationCost,
    TooComplexError,
)

MAX_TOKENS = 4_000
MAX_DEPTH = 15
MAX_FRAGMENTS = 100
MAX_ALIASES = 50
MAX_DIRECTIVES = 50
MAX_ROOT_FIELDS = 20
"""Every root field is a read or a transaction of its own, so the shortest query could ask for the most work."""
_PAGE_SIZES = ("first", "last")
_LISTS = ("ids",)
_INTROSPECTION = ("__schema", "__type")
_OF_THE_PAGE = ("pageInfo", "totalCount", "filters")
"""Beside a connection's nodes: there once, however many nodes there are."""


def measure(document: DocumentNode) -> dict[str | None, OperationCost]:
    """Check the document's size, and give the cost of each of its operations by name.

    Raises:
        TooComplexError: too deep, too many fragments, aliases, directives or root fields, or the fragments spread to
            more than could ever be answered.
    """
    measuring = _Measuring(document)
    return {
        definition.name.value if definition.name else None: OperationCost(
            measuring.operation(definition), _default_sizes(definition)
        )
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    }


def _default_sizes(operation: OperationDefinitionNode) -> dict[str, int]:
    return {
        definition.variable.name.value: int(definition.default_value.value)
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, IntValueNode)
    }


class _Measuring:
    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        if len(self.fragments) > MAX_FRAGMENTS:
            raise TooComplexError(f"The document has more than {MAX_FRAGMENTS} fragments.")
        self.aliases = self.directives = self.visited = 0

    def operation(self, operation: OperationDefinitionNode) -> Cost:
        self.aliases = self.directives = self.visited = 0
        self._count_directives(operation)
        roots = sum(1 for _ in self._fields(operation.selection_set, ()))
        if roots > MAX_ROOT_FIELDS:
            raise TooComplexError(f"An operation may have {MAX_ROOT_FIELDS} root fields at most; this one has {roots}.")
        self.aliases = self.directives = self.visited = 0
        cost = self._cost(operation.selection_set, depth=1, spread=())
        if operation.operation is OperationType.MUTATION:
            cost.points += roots * MUTATION_POINTS
        for variable in operation.variable_definitions or ():
            cost.add_value(variable.default_value)
        return cost

    def _cost(
        self,
        selections: SelectionSetNode,
        depth: int,
        spread: tuple[str, ...],
        *,
        around: Cost | None = None,
        recommended: bool = False,
    ) -> Cost:
        """Of what is selected once. What belongs to the page and not to its nodes goes to the cost `around` it."""
        if depth > MAX_DEPTH:
            raise TooComplexError(f"The query is nested deeper than {MAX_DEPTH} levels.")
        repeated = Cost()
        for node, within in self._fields(selections, spread):
            cost = around if around is not None and node.name.value in _OF_THE_PAGE else repeated
            cost.points += 1 + FIELD_POINTS.get(node.name.value, 0)
            for argument in node.arguments or ():
                cost.add_value(argument.value)
            if recommended and node.name.value == RECOMMENDATIONS:
                raise TooComplexError("Recommendations have no recommendations of their own.")
            if node.selection_set is None or node.name.value in _INTROSPECTION:
                continue  # GraphQL has a depth rule of its own for introspection
            suggested = recommended or node.name.value == RECOMMENDATIONS
            times = _repetition(node)
            around_it = cost if times != 1 else None
            below = self._cost(node.selection_set, depth + 1, within, around=around_it, recommended=suggested)
            if times == 1:
                cost.points += below.points
                cost.below += below.below
                cost.lists += below.lists
            else:
                cost.below.append((times, below))
        return repeated

    def _fields(
        self, selections: SelectionSetNode, spread: tuple[str, ...]
    ) -> Iterator[tuple[FieldNode, tuple[str, ...]]]:
        """The fields of a selection set, fragments spread, each with the fragments that it was reached through."""
        for node in selections.selections:
            self.visited += 1
            if self.visited > MAX_POINTS:
                raise TooComplexError("The fragments of this document spread to more fields than may be asked for.")
            self._count_directives(node)
            if isinstance(node, FieldNode):
                if node.alias is not None:
                    self.aliases += 1
                    if self.aliases > MAX_ALIASES:
                        raise TooComplexError(f"An operation may have {MAX_ALIASES} aliases at most.")
                yield node, spread
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                fragment = self.fragments.get(name)
                # An unknown fragment or a circle is for validation to explain.
                if fragment is not None and name not in spread:
                    yield from self._fields(fragment.selection_set, (*spread, name))
            else:
                yield from self._fields(node.selection_set, spread)  # type: ignore[attr-defined]

    def _count_directives(self, node: Any) -> None:
        self.directives += len(node.directives or ())
        if self.directives > MAX_DIRECTIVES:
            raise TooComplexError(f"An operation may have {MAX_DIRECTIVES} directives at most.")


def _repetition(node: FieldNode) -> int | VariableNode:
    """How often what is below `node` can appear in an answer.

    A connection without a size has the default one. It is known by its `nodes` and `edges`, as recommendations are by
    their name, since that keeps this independent of the schema: a document is measured before it is known to be valid.
    """
    for argument in node.arguments or ():
        if argument.name.value in _PAGE_SIZES:
            if isinstance(argument.value, IntValueNode):
                return min(max(int(argument.value.value), 1), MAX_PAGE)
            if isinstance(argument.value, VariableNode):
                return argument.value
            if isinstance(argument.value, NullValueNode):
                return DEFAULT_PAGE
        if argument.name.value in _LISTS:
            if isinstance(argument.value, ListValueNode):
                return max(len(argument.value.values), 1)
            if isinstance(argument.value, VariableNode):
                return argument.value
    below = node.selection_set.selections if node.selection_set else ()
    if node.name.value == RECOMMENDATIONS:
        return DEFAULT_PAGE
    if any(isinstance(child, FieldNode) and child.name.value in ("nodes", "edges") for child in below):
        return DEFAULT_PAGE
    return 1
