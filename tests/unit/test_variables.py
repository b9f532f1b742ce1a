"""Variables coerced by compiled functions, beside graphql-core's own coercion."""

from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import GraphQLSchema, OperationDefinitionNode, VariableDefinitionNode, get_variable_values, parse
from graphql.execution.values import VariableValues
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.variables import Variables


@strawberry.enum
class Size(Enum):
    SMALL = "s"
    LARGE = "l"


@strawberry.input
class Part:
    name: str
    size: Size | None = strawberry.UNSET
    amounts: list[int] | None = None
    price: Decimal | None = strawberry.UNSET


@strawberry.input
class Whole:
    id: strawberry.ID
    part: Part
    parts: list[Part] | None = strawberry.UNSET
    matrix: list[list[float | None]] = strawberry.field(default_factory=list)
    flag: bool = True
    count: int = 3


@strawberry.input
class Tree:
    name: str
    below: "list[Tree] | None" = strawberry.UNSET


@strawberry.type
class Query:
    @strawberry.field
    def ask(self, whole: Whole, part: Part | None = None, tree: Tree | None = None, n: int | None = None) -> str:
        return ""


SCHEMA: GraphQLSchema = strawberry.Schema(Query)._schema
PLAIN = "query ($whole: Whole!, $part: Part, $ids: [ID!], $n: Int) { ask(whole: $whole, part: $part, n: $n) }"


def definitions(document: str) -> list[VariableDefinitionNode]:
    (operation,) = parse(document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return list(operation.variable_definitions or ())


def both(document: str, values: dict[str, Any]) -> tuple[Any, Any]:
    """Coerced values and where they are from: by compiled functions, and by graphql-core; None for what either leaves
    to the other or refuses."""
    nodes = definitions(document)
    quick, general = Variables(SCHEMA, nodes).values(values), get_variable_values(SCHEMA, nodes, values)
    return _plain(quick), None if isinstance(general, list) else _plain(general)


def _plain(values: VariableValues | None) -> Any:
    if values is None:
        return None
    return list(values.coerced.items()), {
        name: (source.signature.name, str(source.signature.type), source.value)
        for name, source in values.sources.items()
    }


PART: dict[str, Any] = {"name": "a", "size": "LARGE", "amounts": [1, 2], "price": "1.50"}
WHOLE: dict[str, Any] = {"id": "x", "part": PART}


@pytest.mark.parametrize(
    "values",
    [
        {"whole": WHOLE},
        {"whole": WHOLE, "part": None, "ids": ["a"], "n": 7, "unknown": 1},
        {"whole": {**WHOLE, "id": 5, "parts": [PART, {"name": ""}], "matrix": [[1, None], []], "flag": False}},
        {"whole": {**WHOLE, "parts": None, "count": 0}, "part": {"name": "b", "amounts": None, "size": None}},
    ],
)
def test_what_is_right_is_coerced_alike_and_quickly(values: dict[str, Any]) -> None:
    quick, expected = both(PLAIN, values)
    assert quick is not None
    assert quick == expected


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"whole": None},
        {"whole": {**WHOLE, "other": 1}},
        {"whole": {**WHOLE, "flag": None}},
        {"whole": {**WHOLE, "part": {"size": "SMALL"}}},
        {"whole": {**WHOLE, "part": {"name": "a", "size": "HUGE"}}},
        {"whole": {**WHOLE, "parts": [None]}},
        {"whole": WHOLE, "n": "7"},
        {"whole": WHOLE, "n": True},
        {"whole": WHOLE, "n": 2**40},
        {"whole": [WHOLE]},
        # One value where a list is expected is right, and rare.
        {"whole": {**WHOLE, "parts": PART}},
    ],
)
def test_what_is_not_certain_is_left_to_graphql_core(values: dict[str, Any]) -> None:
    assert both(PLAIN, values)[0] is None


def test_an_absent_value_with_a_default_is_left_to_graphql_core() -> None:
    document = "query ($whole: Whole!, $n: Int = 3) { ask(whole: $whole, n: $n) }"
    assert both(document, {"whole": WHOLE})[0] is None
    quick, expected = both(document, {"whole": WHOLE, "n": 4})
    assert quick is not None
    assert quick == expected


def test_input_types_that_contain_themselves_are_left_to_graphql_core() -> None:
    assert both("query ($tree: Tree) { ask(tree: $tree) }", {"tree": {"name": "a"}})[0] is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**32) | st.sampled_from([1.5, "SMALL", "x", "2.50", Decimal(1)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "part", "parts", "matrix", "flag", "count", "name", "size", "amounts", "price", "?"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
PARTS = st.fixed_dictionaries(
    {"name": st.just("a") | ANYTHING}, optional={"size": ANYTHING, "amounts": ANYTHING, "price": ANYTHING}
)
WHOLES = st.fixed_dictionaries(
    {"id": st.just("x") | ANYTHING, "part": PARTS},
    optional={"parts": st.lists(PARTS, max_size=2) | ANYTHING, "matrix": ANYTHING, "flag": ANYTHING, "count": ANYTHING},
)


@settings(max_examples=100, deadline=None)
@given(st.fixed_dictionaries({"whole": WHOLES}, optional={"part": PARTS, "ids": ANYTHING, "n": ANYTHING}))
def test_nothing_is_coerced_otherwise(values: dict[str, Any]) -> None:
    quick, expected = both(PLAIN, values)
    assert quick is None or quick == expected
