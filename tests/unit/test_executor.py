"""The short way through a response gives what the general way gives, errors included."""

import asyncio
import enum
from decimal import Decimal
from typing import Any

import pytest
import strawberry
from strawberry.types import ExecutionResult

from schema.executor import Executor


@strawberry.enum
class Colour(enum.Enum):
    RED = "red"


@strawberry.interface
class Named:
    name: str


class Anything:
    """Takes whatever a test wants an object's fields to be."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    @property
    def broken(self) -> str:
        raise RuntimeError("broken")


@strawberry.type
class Leaf:
    text: str
    maybe: str | None
    number: int
    price: Decimal
    colour: Colour | None
    texts: list[str]
    maybe_texts: list[str] | None
    loose_texts: list[str | None]
    broken: str | None


@strawberry.type
class Person(Named):
    leaf: Leaf
    maybe_leaf: Leaf | None
    leaves: list[Leaf]
    loose_leaves: list[Leaf | None] | None
    friends: list["Person"]
    best: Named | None

    @strawberry.field
    def twice(self, times: int = 2) -> str:
        return self.name * times

    @strawberry.field
    async def later(self, fail: bool = False) -> str:
        await asyncio.sleep(0)
        if fail:
            raise RuntimeError("late")
        return self.name


root: Any = None


@strawberry.type
class Query:
    @strawberry.field
    async def person(self) -> Person | None:
        person: Person | None = root
        return person

    @strawberry.field
    def people(self) -> list[Person]:
        return [root, root]


general = strawberry.Schema(Query)
short = strawberry.Schema(Query, execution_context_class=Executor)


def leaf(**fields: Any) -> Any:
    made = Leaf.__new__(Leaf)
    made.__dict__ = {
        "text": "a",
        "maybe": None,
        "number": 1,
        "price": Decimal("1.50"),
        "colour": Colour.RED,
        "texts": ["a", "b"],
        "maybe_texts": None,
        "loose_texts": ["a", None],
        "broken": None,
        **fields,
    }
    return made


def person(**fields: Any) -> Any:
    made = Person.__new__(Person)
    made.__dict__ = {
        "name": "Ada",
        "leaf": leaf(),
        "maybe_leaf": None,
        "leaves": [leaf(), leaf(text="b")],
        "loose_leaves": [None, leaf()],
        "friends": [],
        "best": None,
        **fields,
    }
    return made


LEAF = "{ text maybe number price colour texts maybeTexts looseTexts }"
EVERYTHING = f"""
    {{ last: __typename name alias: name leaf {LEAF} maybeLeaf {LEAF} leaves {LEAF} looseLeaves {LEAF}
       friends {{ name twice(times: 3) best {{ __typename name ... on Person {{ leaf {{ text }} }} }} }}
       best {{ name }} twice ...more }}
"""
MORE = "fragment more on Person { leaf { again: text } skipped: name @skip(if: true) }"
WAITING = "{ name later friends { later name leaf { text } } leaf { text } }"
FAILING = "{ friends { later(fail: true) name } name }"
BROKEN = "{ maybeLeaf { text broken } leaf { broken number } name }"

CASES: list[Any] = [
    None,
    person(),
    person(maybe_leaf=leaf(), friends=[person(name="Bob", best=person()), person()], best=person(name="Cy")),
    person(name=None),
    person(name=7),
    person(name=["no"]),
    person(leaf=None),
    person(leaf=leaf(text=None)),
    person(leaf=leaf(number="x")),
    person(leaf=leaf(number=2**40)),
    person(leaf=leaf(price=None)),
    person(leaf=leaf(price=RuntimeError("kept"))),
    person(leaf=leaf(colour="green")),
    person(leaf=leaf(texts=None)),
    person(leaf=leaf(texts=["a", None])),
    person(leaf=leaf(texts=("a", "b"))),
    person(leaf=leaf(texts="no list")),
    person(leaf=leaf(maybe_texts=["a", None])),
    person(leaf=leaf(maybe=["no"])),
    person(leaf=Anything(text="a", number=1)),
    person(maybe_leaf=leaf(text=None)),
    person(maybe_leaf=leaf(number="x", text=None)),
    person(maybe_leaf=Anything(text="a")),
    person(leaves=[leaf(), None]),
    person(leaves=[leaf(), leaf(text=None)]),
    person(leaves=None),
    person(leaves=(leaf(),)),
    person(leaves=5),
    person(loose_leaves=[leaf(text=None), leaf()]),
    person(friends=[person(name=None)]),
    person(friends=[Anything(name="no person")]),
    person(best=Anything(name="no person")),
]


def told(result: ExecutionResult) -> Any:
    return result.data, sorted((str(error.path), error.message, str(error.locations)) for error in result.errors or ())


@pytest.mark.parametrize("document", [EVERYTHING, WAITING, FAILING, BROKEN])
@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
async def test_the_short_way_ends_where_the_general_way_ends(
    case: Any, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "root", case)
    more = MORE if "more" in document else ""
    for query in (f"{{ person {document} }} {more}", f"{{ before: __typename people {document} }} {more}"):
        expected, found = await general.execute(query), await short.execute(query)
        assert told(found) == told(expected)
        assert str(found.data) == str(expected.data)  # in the same order


async def test_a_list_is_read_without_a_resolver_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setitem(globals(), "root", person(leaves=[leaf() for _ in range(50)]))
    general_way = Executor.execute_field
    monkeypatch.setattr(Executor, "execute_field", lambda self, *args: calls.append(1) or general_way(self, *args))
    result = await short.execute("{ person { leaves { text number texts price } } }")
    assert not result.errors
    assert len(calls) == 1
