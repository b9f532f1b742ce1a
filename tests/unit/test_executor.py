"""The quick executor beside graphql-core's own, where values are not as they should be."""

from dataclasses import field
from enum import Enum
from typing import Annotated, Any

import pytest
import strawberry
from graphql import execute, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import ExecutionResult

from schema.executor import READ_FROM, Executor


@strawberry.enum
class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Leaf(Named):
    number: int | None = None
    colour: Colour = Colour.RED

    @strawberry.field
    def shout(self, times: int = 1) -> str:
        if times < 0:
            raise ValueError("how often?")
        return self.name.upper() * times

    @strawberry.field
    async def slow(self) -> str:
        return f"slow {self.name}"

    @strawberry.field(metadata={READ_FROM: lambda arguments: f"first_{arguments['first']}"})
    def some(self, first: int) -> list[str]:
        found: list[str] = getattr(self, f"first_{first}")
        return found


@strawberry.type
class Stone(Named):
    weight: float = 1.5


@strawberry.type
class Tree(Named):
    leaves: list[Leaf] = field(default_factory=list)
    maybe: list[Leaf | None] | None = None
    leaf: Leaf | None = None
    anything: list[Annotated["Leaf | Stone", strawberry.union("Anything")]] = field(default_factory=list)
    matrix: list[list[int]] = field(default_factory=list)


def leaf(name: Any, **more: Any) -> Leaf:
    made = Leaf(name=name, **more)
    made.first_2 = ["a", "b"]  # type: ignore[attr-defined]
    return made


TREES: dict[str, Any] = {
    "sound": lambda: Tree(
        name="oak",
        leaves=[leaf("one", number=1), leaf("two", colour=Colour.BLUE)],
        maybe=[leaf("x"), None],
        leaf=leaf("y"),
        anything=[leaf("z"), Stone(name="pebble")],
        matrix=[[1, 2], []],
    ),
    "null where none may be": lambda: Tree(name="oak", leaves=[leaf("one"), leaf(None)], leaf=leaf(None)),
    "null in a list of nulls": lambda: Tree(name="oak", maybe=[None, leaf(None), leaf("x")]),
    "not an integer": lambda: Tree(name="oak", leaves=[leaf("one", number="many")]),
    "too large": lambda: Tree(name="oak", leaves=[leaf("one", number=2**31)]),
    "not a list": lambda: Tree(name="oak", leaves=leaf("one"), maybe="text"),  # type: ignore[arg-type]
    "no such colour": lambda: Tree(name="oak", leaves=[leaf("one", colour="green")]),
    "an error as a value": lambda: Tree(name="oak", leaves=[leaf(RuntimeError("as a value"))]),
    "another type": lambda: Tree(name="oak", leaves=[Stone(name="pebble")]),  # type: ignore[list-item]
    "a generator": lambda: Tree(name="oak", leaves=(leaf(name) for name in ("one", "two"))),  # type: ignore[arg-type]
    "nothing": lambda: None,
}
DOCUMENTS = [
    "{ __typename name leaves { name number colour } matrix }",
    "{ name again: name leaves { ...L } leaf { ...L } } fragment L on Leaf { number name alias: name __typename }",
    "{ maybe { name colour } leaf { shout loud: shout(times: $n) } }",
    "{ leaves { name slow } maybe { slow } }",
    "{ leaves { some(first: 2) } leaf { s: some(first: $two) } }",
    "{ leaves { some(first: 3) } }",
    "{ leaf { shout(times: -1) name } leaves { bad: shout(times: -1) } }",
    "{ anything { __typename ... on Leaf { number } ... on Stone { weight } ... on Named { name } } }",
    "{ name @skip(if: $yes) leaves @include(if: $no) { name } leaf { name @include(if: $yes) } }",
    "{ ... @include(if: $no) { name } ... on Tree { leaf { name } } leaf { colour } }",
]


@strawberry.type
class Query:
    @strawberry.field
    async def tree(self, info: strawberry.Info) -> Tree | None:
        found: Tree | None = info.context()
        return found

    @strawberry.field
    async def certain(self, info: strawberry.Info) -> Tree:
        found: Tree = info.context()
        return found


quick = strawberry.Schema(Query, types=[Leaf, Stone], execution_context_class=Executor)
general = strawberry.Schema(Query, types=[Leaf, Stone], execution_context_class=StrawberryGraphQLCoreExecutionContext)
VARIABLES = {"n": 2, "two": 2, "yes": True, "no": False}


async def run(schema: strawberry.Schema, document: str, make: Any) -> Any:
    result = await schema.execute(document, variable_values=VARIABLES, context_value=make)
    assert isinstance(result, ExecutionResult)
    errors = sorted((error.formatted for error in result.errors or ()), key=str)
    return repr(result.data), errors


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("shape", DOCUMENTS)
@pytest.mark.parametrize("root", ["tree", "certain"])
async def test_the_answer_is_the_same(tree: str, shape: str, root: str) -> None:
    selection, _, fragment = shape.partition(" fragment ")
    declared = "".join(
        f"${name}: {kind}, "
        for name, kind in {"n": "Int!", "two": "Int!", "yes": "Boolean!", "no": "Boolean!"}.items()
        if f"${name}" in shape
    )
    head = f"query Q({declared.rstrip(', ')})" if declared else "query Q"
    document = f"{head} {{ {root} {selection} }}" + (f" fragment {fragment}" if fragment else "")
    expected = await run(general, document, TREES[tree])
    assert await run(quick, document, TREES[tree]) == expected
    assert await run(quick, document, TREES[tree]) == expected


async def test_the_quick_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the comparisons above compared graphql-core with itself."""

    def never(*args: Any) -> Any:
        raise AssertionError("graphql-core executed fields of an object")

    monkeypatch.setattr(Executor, "collect_and_execute_subfields", never)
    document = (
        "{ tree { name leaves { name number some(first: 2) shout(times: 2) } anything { ... on Leaf { name } } } }"
    )
    data, errors = await run(quick, document, TREES["sound"])
    assert errors == []
    assert "oak" in data


async def test_switches_of_one_request_are_not_those_of_the_next() -> None:
    document = "query Q($yes: Boolean!) { tree { name @include(if: $yes) leaf { name } } }"
    for value in (True, False, True):
        result = await quick.execute(document, variable_values={"yes": value}, context_value=TREES["sound"])
        assert isinstance(result, ExecutionResult)
        assert ("name" in (result.data or {})["tree"]) is value


async def test_a_kept_operation_takes_the_variables_of_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    document = parse("query Q($n: Int!) { tree { leaves { shout(times: $n) } } } query Other { tree { name } }")

    async def ask(name: str, variables: dict[str, Any]) -> Any:
        answer: Any = execute(
            quick._schema,
            document,
            context_value=TREES["sound"],
            variable_values=variables,
            operation_name=name,
            executor_class=Executor,
        )
        return await answer

    first = await ask("Q", {"n": 1})

    def never(*args: Any, **options: Any) -> Any:
        raise AssertionError("graphql-core coerced variables once more")

    with monkeypatch.context() as patched:
        patched.setattr("graphql.execution.executor.get_variable_values", never)
        second = await ask("Q", {"n": 2})
    assert [leaf["shout"] * 2 for leaf in first.data["tree"]["leaves"]] == [
        leaf["shout"] for leaf in second.data["tree"]["leaves"]
    ]
    assert (await ask("Other", {})).data == {"tree": {"name": "oak"}}
    wrong: dict[str, Any] = {"variable_values": {"n": "many"}, "operation_name": "Q"}
    refused: Any = execute(quick._schema, document, **wrong, executor_class=Executor)
    expected: Any = execute(quick._schema, document, **wrong)
    assert refused.errors
    assert [error.formatted for error in refused.errors] == [error.formatted for error in expected.errors]
