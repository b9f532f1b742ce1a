"""What graphql-cop and its like try, each against the running production profile.

https://github.com/dolevf/graphql-cop names the kinds; the tests are named after them.
"""

import json
from typing import Any

import httpx2
import pytest

from app import db
from schema.limits import MAX_ALIASES, MAX_DIRECTIVES, MAX_ROOT_FIELDS

TYPENAME = "{ __typename }"
VISITOR = "mutation { visitorCreate { visitor { id } } }"


def ask(http: httpx2.Client, query: str, variables: dict[str, Any] | None = None, **more: Any) -> httpx2.Response:
    return http.post("/graphql", json={"query": query, "variables": variables or {}}, **more)


def codes(response: httpx2.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json().get("errors", [])]


# --- overloads --------------------------------------------------------------------------------------------------------


def test_alias_overload(http: httpx2.Client) -> None:
    many = " ".join(f"alias{number}: __typename" for number in range(101))
    names = "{" + " ".join(f"a{number}: name" for number in range(MAX_ALIASES + 1)) + "}"
    for query in ("{" + many + "}", "{ shop " + names + "}", "{ shop { ...F } } fragment F on Shop " + names):
        response = ask(http, query)
        assert codes(response) == ["QUERY_TOO_COMPLEX"], query[:40]
        assert "data" not in response.json()


def test_array_based_query_batching(http: httpx2.Client) -> None:
    response = http.post("/graphql", json=[{"query": TYPENAME}] * 10)
    assert response.status_code == 400
    assert codes(response) == ["BAD_REQUEST"]


def test_directive_overload(http: httpx2.Client) -> None:
    for query in (
        "{ __typename " + "@aa" * (MAX_DIRECTIVES + 1) + " }",
        "{ __typename " + "@include(if: true) " * (MAX_DIRECTIVES + 1) + "}",
    ):
        assert codes(ask(http, query)) == ["QUERY_TOO_COMPLEX"]


def test_field_duplication(http: httpx2.Client) -> None:
    for query in ("{" + "__typename " * 500 + "}", "{" + "shop { name } " * (MAX_ROOT_FIELDS + 1) + "}"):
        assert codes(ask(http, query)) == ["QUERY_TOO_COMPLEX"]
    assert codes(ask(http, "{" + "__typename " * 5_000 + "}")) == ["GRAPHQL_PARSE_FAILED"]


@pytest.mark.parametrize(
    "query",
    [
        "query { ...A } fragment A on Query { __typename ...B } fragment B on Query { __typename ...A }",
        "query { ...A } fragment A on Query { ...A }",
        "query { shop { ...A } } fragment A on Shop { name ... on Shop { ...A } }",
    ],
)
def test_circular_fragments(http: httpx2.Client, query: str) -> None:
    assert codes(ask(http, query)) == ["GRAPHQL_VALIDATION_FAILED"]


def test_circular_introspection(http: httpx2.Client) -> None:
    circle = "fields { type { " * 8 + "name" + " } }" * 8
    response = ask(http, "{ __schema { types { " + circle + " } } }")
    assert codes(response)[0] in ("GRAPHQL_VALIDATION_FAILED", "QUERY_TOO_COMPLEX")
    assert "data" not in response.json()


def test_deep_nesting_and_huge_pages(http: httpx2.Client) -> None:
    deep = "{ products { nodes { " + "collections { nodes { products { nodes { " * 6 + "id" + " } } } }" * 6 + "} } }"
    wide = "{ products(first: 100) { nodes { variants(first: 100) { nodes { id sku name price { amount } } } } } }"
    for query in (deep, wide):
        assert codes(ask(http, query)) == ["QUERY_TOO_COMPLEX"]


def test_a_huge_body_is_not_even_parsed(http: httpx2.Client) -> None:
    response = http.post(
        "/graphql", content=b'{"query": "#' + b"x" * 2_100_000 + b'"}', headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 413
    assert codes(response) == ["CONTENT_TOO_LARGE"]


# --- leaks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    ["{ __schema { queryType { name } } }", '{ __type(name: "Query") { name } }', "{ a: __schema { types { name } } }",
     "{ ...F } fragment F on Query { __schema { directives { name } } }"],
)  # fmt: skip
def test_introspection(http: httpx2.Client, query: str) -> None:
    for response in (ask(http, query), http.get("/graphql", params={"query": query})):
        assert codes(response)[0] == "GRAPHQL_VALIDATION_FAILED"
        assert "data" not in response.json()


@pytest.mark.parametrize(
    "query",
    [
        "{ produts { nodes { id } } }",
        "{ shop { nam } }",
        "{ products(frst: 1) { nodes { id } } }",
        "{ products(sortKey: PRIC) { nodes { id } } }",
        "mutation { cartCreat { cart { id } } }",
        "mutation { cartCreate(input: { line: [] }) { cart { id } } }",
        "query ($a: CartInpt) { __typename }",
        "{ __typename @inContex }",
        "{ node(id: \"a\") { ... on Produc { id } } }",
    ],
)  # fmt: skip
def test_field_suggestions(http: httpx2.Client, query: str) -> None:
    response = ask(http, query)
    assert codes(response)
    assert "did you mean" not in response.text.lower()


def test_field_suggestions_in_variables(http: httpx2.Client) -> None:
    create = "mutation ($input: CartInput) { cartCreate(input: $input) { cart { id } } }"
    response = ask(http, create.replace("CartInput", "CartCreateInput"), {"input": {"line": []}})
    assert codes(response)
    assert "did you mean" not in response.text.lower()


@pytest.mark.parametrize("path", ["/graphql", "/", "/graphiql", "/playground", "/altair", "/voyager", "/console"])
def test_graphql_ide_exposure(http: httpx2.Client, path: str) -> None:
    response = http.get(path, headers={"Accept": "text/html"})
    assert response.status_code in (400, 404, 406)
    assert "<script" not in response.text.lower()


@pytest.mark.parametrize(
    "path", ["/schema.graphql", "/inbox", "/flows", "/dev/payments/x", "/metrics", "/.env", "/docs"]
)
def test_developer_pages_are_not_there(http: httpx2.Client, path: str) -> None:
    assert http.get(path).status_code in (401, 404)


def test_trace_mode(http: httpx2.Client) -> None:
    """Apollo's tracing, asked for in every way that servers have been known to listen to."""
    response = http.post(
        "/graphql",
        json={"query": TYPENAME, "extensions": {"tracing": True, "debug": True}},
        headers={"X-Apollo-Tracing": "1", "Apollo-Query-Plan-Experimental": "1", "X-Debug": "1"},
    )
    assert set(response.json()["extensions"]) == {"cost"}


def test_debug_extensions_and_stack_traces(http: httpx2.Client) -> None:
    missing = "query ($a: Int!) { products(first: $a) { nodes { id } } }"
    for query in ("{", "{ nothing }", missing, '{ node(id: "x") { id } }'):
        response = ask(http, query)
        (error,) = response.json()["errors"]
        assert set(error["extensions"]) <= {"code", "field", "requestId"}
        for word in ("Traceback", 'File "', ".py", "exception", "stacktrace"):
            assert word not in response.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"1", b'"a"', b'{"query": 1}', b'{"query": {"a": 1}}', b"\xff\xfe", b'{"query": "{"}',
             b'{"query": "{ __typename }", "variables": 5}', b"[" * 5_000, b'{"a":' * 5_000]
)  # fmt: skip
def test_unhandled_errors(http: httpx2.Client, body: bytes) -> None:
    response = http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 400)
    assert all(code != "INTERNAL_SERVER_ERROR" for code in codes(response))
    assert "Traceback" not in response.text


def test_the_server_does_not_say_what_it_is(http: httpx2.Client) -> None:
    response = ask(http, TYPENAME)
    assert "server" not in response.headers
    assert "x-powered-by" not in response.headers


# --- requests that other sites forge ----------------------------------------------------------------------------------


async def visitors() -> int:
    return int(await db.fetchval("SELECT count(*) FROM visitors"))


async def test_get_based_mutations(http: httpx2.Client) -> None:
    before = await visitors()
    response = http.get("/graphql", params={"query": VISITOR})
    assert response.status_code == 405
    assert codes(response) == ["METHOD_NOT_ALLOWED"]
    hidden = f"query A {{ __typename }} {VISITOR.replace('mutation', 'mutation B')}"
    assert http.get("/graphql", params={"query": hidden, "operationName": "B"}).status_code == 405
    assert await visitors() == before


async def test_post_based_url_encoded_query(http: httpx2.Client) -> None:
    """CSRF by form."""
    before = await visitors()
    response = http.post("/graphql", data={"query": VISITOR})
    assert response.status_code == 415
    assert await visitors() == before


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; application/json", "multipart/form-data; boundary=a", ""])
async def test_csrf_by_other_simple_requests(http: httpx2.Client, kind: str) -> None:
    """Everything that a browser sends elsewhere without asking first."""
    before = await visitors()
    body = json.dumps({"query": VISITOR})
    response = http.post("/graphql", content=body, headers={"Content-Type": kind, "Origin": "https://evil.example"})
    assert response.status_code == 415
    assert await visitors() == before


async def test_query_in_the_address_of_a_post(http: httpx2.Client) -> None:
    before = await visitors()
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/json"}):
        assert http.post("/graphql", params={"query": VISITOR}, headers=headers).status_code in (400, 415)
    assert await visitors() == before


async def test_methods_cannot_be_overridden(http: httpx2.Client) -> None:
    before = await visitors()
    headers = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST"}
    assert http.get("/graphql", params={"query": VISITOR, "_method": "POST"}, headers=headers).status_code == 405
    assert await visitors() == before
