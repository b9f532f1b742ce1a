"""What a GraphQL document may ask for, and that it is checked once."""

import pytest
from graphql import parse

from schema import documents
from schema.limits import MAX_ALIASES, MAX_DEPTH, MAX_DIRECTIVES, MAX_FRAGMENTS, MAX_ROOT_FIELDS, MAX_TOKENS
from tests.api.http_answers import code_of, errors_of
from tests.client import Api
from tests.factories import shop


def nested(levels: int) -> str:
    """A query of that many levels, `__typename` at the innermost, that could hold few values."""
    around = ["products(first: 1)", "nodes", *["collections(first: 1)", "nodes", "products(first: 1)", "nodes"] * 20]
    return "{" + "{".join(around[: levels - 1]) + "{ __typename" + "}" * levels


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (nested(MAX_DEPTH + 1), f"deeper than {MAX_DEPTH} levels"),
        ("{" + " ".join(f"a{n}: __typename" for n in range(MAX_ROOT_FIELDS + 1)) + "}", "root fields"),
        ("{ shop {" + " ".join(f"a{n}: name" for n in range(MAX_ALIASES + 1)) + "} }", f"{MAX_ALIASES} aliases"),
        ("{ shop {" + "name @include(if: true) " * (MAX_DIRECTIVES + 1) + "} }", f"{MAX_DIRECTIVES} directives"),
        ("{" + "__typename " * (MAX_ROOT_FIELDS + 1) + "}", f"{MAX_ROOT_FIELDS} root fields"),
        (
            "{ __typename }" + "".join(f"fragment F{n} on Query {{ __typename }}" for n in range(MAX_FRAGMENTS + 1)),
            f"{MAX_FRAGMENTS} fragments",
        ),
        (
            # Each fragment spreads the next one twice: thirty lines for a billion fields.
            "{ shop { ...F0 } }"
            + "".join(f"fragment F{n} on Shop {{ ...F{n + 1} ...F{n + 1} }}" for n in range(30))
            + "fragment F30 on Shop { name }",
            "spread to more",
        ),
        ("{ products(first: 100) { nodes { variants(first: 100) { nodes {"
         " id sku name price { amount } availableForSale availableQuantity } } } } }", "could hold"),
    ],
)  # fmt: skip
async def test_a_query_that_asks_for_too_much_is_refused(api: Api, query: str, says: str) -> None:
    response = await api.http.post("/graphql", json={"query": query})
    assert code_of(response) == "QUERY_TOO_COMPLEX"
    assert says in errors_of(response)[0]["message"]
    assert "data" not in response.json()


async def test_a_query_at_the_limits_is_answered(api: Api) -> None:
    await shop.shop()
    deepest = await api.query(nested(MAX_DEPTH))
    assert deepest.data == {"products": {"nodes": []}}
    at_most = await api.query("{" + "__typename " * MAX_ROOT_FIELDS + "}")
    assert at_most.data == {"__typename": "Query"}


async def test_page_sizes_in_variables_count_too(api: Api) -> None:
    query = """query ($outer: Int, $inner: Int = 100) {
        products(first: $outer) { nodes { variants(first: $inner) { nodes {
            id sku name price { amount } availableForSale availableQuantity
        } } } }
    }"""
    await shop.shop()
    large = await api.query(query, {"outer": 100})
    small = await api.query(query, {"outer": 100, "inner": 3})
    assert large.codes == ["QUERY_TOO_COMPLEX"]
    assert small.data == {"products": {"nodes": []}}


async def test_tokens_are_limited(api: Api) -> None:
    result = await api.query("{" + "__typename " * MAX_TOKENS + "}")
    assert result.codes == ["GRAPHQL_PARSE_FAILED"]
    assert f"{MAX_TOKENS} tokens" in result.errors[0]["message"]


async def test_what_is_nested_too_deeply_for_the_parser_is_no_fault_of_ours(api: Api) -> None:
    result = await api.query("{a" * 1900 + "}" * 1900)
    assert result.codes == ["GRAPHQL_PARSE_FAILED"] or result.codes == ["QUERY_TOO_COMPLEX"]
    assert "nested" in result.errors[0]["message"]


@pytest.mark.parametrize(
    "query",
    [
        "{{ products(first: {0}) {{ nodes {{ id }} }} }}",
        'mutation {{ cartLinesAdd(cartId: "c", lines: [{{variantId: "v", quantity: {0}}}]) {{ cart {{ id }} }} }}',
    ],
)
async def test_a_number_of_thousands_of_digits_is_no_fault_of_ours(api: Api, query: str) -> None:
    result = await api.query(query.format("9" * 5_000))
    assert not result.data
    assert result.codes in (["GRAPHQL_VALIDATION_FAILED"], ["QUERY_TOO_COMPLEX"])
    assert "digits" in result.errors[0]["message"]


async def test_a_document_is_checked_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[object] = []
    validate = documents.validate_document
    monkeypatch.setattr(documents, "validate_document", lambda *arguments: checked.append(1) or validate(*arguments))
    query = "query OnlyHere($id: ID!) { node(id: $id) { id } }"
    for _ in range(3):
        await api.query(query, {"id": "nothing"})
    assert len(checked) == 1


def checked_document() -> documents.CheckedDocument:
    return documents.CheckedDocument(parse("{ __typename }"), [], {})


def test_documents_are_kept_up_to_a_size() -> None:
    kept = documents.Documents(introspection=True)
    texts = [f"{{ __typename }} # {number}".ljust(documents.MAX_DOCUMENT_CHARS) for number in range(11)]
    for text in texts[:10]:
        kept.keep(text, checked_document())
    assert kept.get(texts[0]) is not None  # so the second is the oldest now
    kept.keep(texts[10], checked_document())
    kept.keep("x" * (documents.MAX_DOCUMENT_CHARS + 1), checked_document())
    assert [number for number, text in enumerate(texts) if kept.get(text) is None] == [1]
