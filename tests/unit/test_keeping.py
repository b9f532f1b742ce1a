"""What is worked out of documents is kept, and never more than of so many characters of them."""

from typing import Any

import pytest
from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, build_schema, parse

from schema import building, executor
from schema.documents import MAX_DOCUMENT_CHARS
from schema.executor import Executor
from schema.keeping import Kept


def document(name: str, chars: int = 10) -> DocumentNode:
    return parse(f"{{{name}}}".ljust(chars))


def test_what_was_used_last_stays() -> None:
    kept: Kept[str, str] = Kept(max_chars=30)
    for name in "abc":
        kept.keep(name, name.upper(), document(name))
    assert kept.get("a") == "A"
    kept.keep("d", "D", document("d"))
    assert [kept.get(name) for name in "abcd"] == ["A", None, "C", "D"]
    kept.keep("e", "E", document("e", 25))
    assert list(kept) == ["E"]


def test_the_same_key_counts_once() -> None:
    kept: Kept[str, int] = Kept(max_chars=30)
    kept.keep("other", 0, document("other"))
    for number in range(5):
        kept.keep("again", number, document("again"))
    assert list(kept) == [0, 4]


def test_of_a_document_that_is_not_kept_itself_nothing_is() -> None:
    kept: Kept[str, int] = Kept()
    kept.keep("long", 1, document("long", MAX_DOCUMENT_CHARS + 1))
    assert len(kept) == 0
    kept.keep("long enough", 1, document("long", MAX_DOCUMENT_CHARS))
    assert len(kept) == 1


def executed(schema: GraphQLSchema, given: DocumentNode, variables: dict[str, Any] | None = None) -> None:
    built = Executor.build(schema, given, raw_variable_values=variables)
    assert isinstance(built, Executor), built


@pytest.fixture
def schema(monkeypatch: pytest.MonkeyPatch) -> GraphQLSchema:
    monkeypatch.setattr(building, "_operations", Kept(max_chars=1_000))
    monkeypatch.setattr(executor, "_operations", Kept(max_chars=1_000))
    monkeypatch.setattr(executor, "_plans", Kept(max_chars=1_000))
    return build_schema("type Query { name: String }")


def test_documents_that_somebody_makes_up_do_not_fill_the_memory(schema: GraphQLSchema) -> None:
    for number in range(50):
        executed(schema, parse(f"{{ a{number}: name }}".ljust(100)))
    assert {len(each) for each in (building._operations, executor._operations, executor._plans)} == {10}


def test_switches_in_all_their_ways_do_not_fill_the_memory(schema: GraphQLSchema) -> None:
    names = [f"s{number}" for number in range(6)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    given = parse(f"query ({declared}) {{ {' '.join(f'{n}: name @skip(if: ${n})' for n in names)} }}".ljust(400))
    assert isinstance(given.definitions[0], OperationDefinitionNode)
    for number in range(64):
        executed(schema, given, {name: bool(number >> place & 1) for place, name in enumerate(names)})
    assert len(executor._plans) == 2
    assert len(executor._operations) == 1
