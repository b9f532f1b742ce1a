"""What an operation may cost: the values its answer could hold, and what is dear beside them.

One point is one value of an answer, some eight microseconds of a processor. What takes longer than a value is counted
as that many; see docs/decisions/rate-limits.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError, ListValueNode, ObjectValueNode, ValueNode, VariableNode

from app.kit.pagination import DEFAULT_PAGE, MAX_PAGE

MAX_POINTS = 60_000
"""Of one operation, were every page full: about half a second of processor time."""
MUTATION_POINTS = 100
"""For each root field of a mutation: a transaction, whatever is selected."""
ITEM_POINTS = 5
"""For each item of a list that is passed as an argument, at any depth."""
RECOMMENDATIONS = "recommendations"

_PASSWORD = 2_500
_SIMULATION = 3_000
_COUNT = 50
FIELD_POINTS = {
    # Counted from hundreds of orders, for each product.
    RECOMMENDATIONS: 250,
    # The whole schema: as long as half an operation may take.
    "__schema": 30_000,
    "__type": 1_000,
    # argon2.
    "staffLogin": _PASSWORD,
    "staffPasswordUpdate": _PASSWORD,
    "staffPasswordReset": _PASSWORD,
    "staffInviteAccept": _PASSWORD,
    "customerLogin": 2 * _PASSWORD,
    "customerCreate": _PASSWORD,
    "customerPasswordReset": _PASSWORD,
    "customerPasswordUpdate": _PASSWORD,
    "customerEmailUpdate": _PASSWORD,
    "customerDelete": _PASSWORD,
    # Carriers, rates and dates for every parcel; an order with everything that hangs on it.
    "shippingQuotes": 300,
    "checkoutComplete": 500,
    # Everybody whom a condition could fit.
    "segmentPreview": _SIMULATION,
    "flowSimulate": _SIMULATION,
    "templatePreview": 1_000,
    "totalCount": _COUNT,
    "filters": 500,
}
"""By name, on whatever type: a document is measured before it is known to be valid."""


class TooComplexError(GraphQLError):
    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "QUERY_TOO_COMPLEX"})


@dataclass(slots=True)
class Cost:
    """Points of one selection set, and what is below those of its fields that repeat."""

    points: int = 0
    below: "list[tuple[int | VariableNode, Cost]]" = field(default_factory=list)
    """How often, or the variable that says so, and what is repeated."""
    lists: list[str] = field(default_factory=list)
    """Variables that are passed as arguments, once for each place: their items count."""

    def total(self, variables: Mapping[str, Any], defaults: Mapping[str, int]) -> int:
        """The points of the largest answer possible."""
        total = self.points
        for name in self.lists:
            total += ITEM_POINTS * _items(variables.get(name))
        for times, cost in self.below:
            total += _times(times, variables, defaults) * cost.total(variables, defaults)
        return total

    def add_value(self, written: ValueNode | None) -> None:
        """What is written where an argument is passed, or as a variable's default."""
        waiting = [written]
        while waiting:
            value = waiting.pop()
            if isinstance(value, VariableNode):
                self.lists.append(value.name.value)
            elif isinstance(value, ListValueNode):
                self.points += ITEM_POINTS * len(value.values)
                waiting += value.values
            elif isinstance(value, ObjectValueNode):
                waiting += [part.value for part in value.fields]


@dataclass(slots=True)
class OperationCost:
    cost: Cost
    defaults: dict[str, int]

    def points(self, variables: Mapping[str, Any] | None) -> int:
        return self.cost.total(variables or {}, self.defaults)


def check_points(points: int) -> None:
    """Raises TooComplexError."""
    if points > MAX_POINTS:
        raise TooComplexError(
            f"The answer could hold {points:,} values, and {MAX_POINTS:,} is the limit. Ask for smaller pages."
        )


def _items(value: Any) -> int:
    """Items of all lists in a variable's value. The body's size bounds them."""
    if value.__class__ is str or value is None:
        return 0
    found, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            found += len(one)
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
    return found


def _times(times: int | VariableNode, variables: Mapping[str, Any], defaults: Mapping[str, int]) -> int:
    if isinstance(times, int):
        return times
    name = times.name.value
    given = variables.get(name, defaults.get(name, DEFAULT_PAGE))
    if isinstance(given, list):
        return len(given)
    # Anything that is no page size is refused where it is used; here it must only not count as nothing.
    return min(max(given, 1), MAX_PAGE) if isinstance(given, int) else DEFAULT_PAGE
