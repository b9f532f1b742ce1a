"""GraphQL over HTTP: what is taken, what is refused, and what an answer carries."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx2
import pytest

from app import db
from app.main import create_app
from app.outages import DatabaseAwayError
from app.settings import Settings
from tests.api.http_answers import code_of, errors_of
from tests.client import Api
from tests.environment import make_settings
from tests.factories import shop

RESPONSE = "application/graphql-response+json"
TYPENAME = {"query": "{ __typename }"}


@asynccontextmanager
async def api_with(settings: Settings, **more: object) -> AsyncIterator[httpx2.AsyncClient]:
    """The application under other settings, on the run's database."""
    app = create_app(make_settings(settings.database_url, settings.redis_url, **more))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://testserver") as client:
        yield client


def production(settings: Settings, **more: object) -> Any:
    values = {"TRADEWIND_ENV": "production", "smtp_url": "smtp://localhost", "public_url": "https://shop.example"}
    return api_with(settings, **{**values, **more})


# What an answer looks like


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        (RESPONSE, f"{RESPONSE}; charset=utf-8"),
        (f"{RESPONSE}, application/json;q=0.9", f"{RESPONSE}; charset=utf-8"),
        (f"{RESPONSE};q=0.5, application/json", "application/json; charset=utf-8"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json; charset=utf-8"),
    ],
)
async def test_the_client_chooses_the_media_type(api: Api, accept: str | None, content_type: str) -> None:
    headers = {"Accept": accept} if accept else {}
    request = api.http.build_request("POST", "/graphql", json=TYPENAME, headers=headers)
    if accept is None:
        del request.headers["Accept"]
    response = await api.http.send(request)
    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert response.json()["data"] == {"__typename": "Query"}


async def test_a_type_that_is_not_served_is_not_acceptable(api: Api) -> None:
    response = await api.http.post("/graphql", json=TYPENAME, headers={"Accept": "image/png"})
    assert response.status_code == 406
    assert code_of(response) == "NOT_ACCEPTABLE"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: ID!) { node(id: $id) { id } }", "BAD_USER_INPUT"),
    ],
)
async def test_the_status_tells_what_was_not_executed(api: Api, query: str, code: str) -> None:
    """With plain JSON it is 200, as old clients want it; the GraphQL media type says 400."""
    for accept, status in (("application/json", 200), (RESPONSE, 400)):
        response = await api.http.post("/graphql", json={"query": query}, headers={"Accept": accept})
        assert response.status_code == status
        assert code_of(response) == code
        assert "data" not in response.json()


async def test_answers_are_not_kept_and_carry_the_security_headers(api: Api) -> None:
    response = await api.http.post("/graphql", json=TYPENAME)
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert len(response.headers["x-request-id"]) == 32


async def test_a_proxy_that_is_trusted_names_the_request(api: Api, settings: Settings) -> None:
    sent = {"X-Request-Id": "proxy-0123456789"}
    async with api_with(settings, trusted_proxies=1) as behind_proxy:
        named = await behind_proxy.get("/health/live", headers=sent)
        forged = await behind_proxy.get("/health/live", headers={"X-Request-Id": "two words\\n"})
    alone = await api.http.get("/health/live", headers=sent)
    assert named.headers["x-request-id"] == "proxy-0123456789"
    assert "words" not in forged.headers["x-request-id"]
    assert alone.headers["x-request-id"] != "proxy-0123456789"


# What is taken


async def test_get_answers_queries_alone(api: Api) -> None:
    document = "query Named($yes: Boolean!) { __typename @include(if: $yes) }"
    parameters = {"query": document, "variables": '{"yes": true}', "operationName": "Named"}
    response = await api.http.get("/graphql", params=parameters)
    assert response.status_code == 200
    assert response.json()["data"] == {"__typename": "Query"}

    refused = await api.http.get("/graphql", params={"query": "mutation { logout { userErrors { code } } }"})
    assert refused.status_code == 405
    assert refused.headers["allow"] == "POST"
    assert code_of(refused) == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD"])
async def test_other_methods_are_refused(api: Api, method: str) -> None:
    response = await api.http.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_what_a_foreign_page_can_send_without_asking_is_refused(api: Api, content_type: str) -> None:
    response = await api.http.post("/graphql", content=json.dumps(TYPENAME), headers={"Content-Type": content_type})
    assert response.status_code == 415
    assert code_of(response) == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"1",
        b'"{ __typename }"',
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": 1}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "operationName": 1}',
        b'{"query": "{ __typename }", "extensions": "x"}',
        b'{"query": "query A { __typename }", "operationName": "B"}',
    ],
)
async def test_what_is_no_graphql_request_is_a_bad_request(api: Api, body: bytes) -> None:
    response = await api.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert code_of(response) == "BAD_REQUEST"


async def test_batching_is_off(api: Api) -> None:
    response = await api.http.post("/graphql", json=[TYPENAME, TYPENAME])
    assert response.status_code == 400
    assert "Batching is off" in errors_of(response)[0]["message"]


async def test_a_subscription_needs_a_stream_to_answer_in(api: Api) -> None:
    subscription = 'subscription { orderTracking(token: "unknown") { number } }'
    for accept in ("application/json", RESPONSE):
        response = await api.http.post("/graphql", json={"query": subscription}, headers={"Accept": accept})
        assert response.status_code == 406
        assert code_of(response) == "NOT_ACCEPTABLE"
        assert "text/event-stream" in errors_of(response)[0]["message"]


async def test_nothing_is_changed_by_a_get_of_an_event_stream(api: Api) -> None:
    """Any page may open an EventSource without asking."""
    await shop.shop()
    sent = {"query": "mutation { cartCreate { cart { id } } }"}
    refused = await api.http.get("/graphql", params=sent, headers={"Accept": "text/event-stream"})
    assert "cart_" not in refused.text
    assert await db.fetchval("SELECT count(*) FROM carts") == 0


async def test_a_document_with_several_operations_needs_a_name(api: Api) -> None:
    two = "query A { a: __typename } query B { b: __typename }"
    unnamed = await api.http.post("/graphql", json={"query": two})
    assert code_of(unnamed) == "GRAPHQL_VALIDATION_FAILED"
    named = await api.http.post("/graphql", json={"query": two, "operationName": "B"})
    assert named.json()["data"] == {"b": "Query"}


async def test_no_answer_sends_the_client_to_a_host_that_it_named_itself(settings: Settings) -> None:
    async with production(settings) as client:
        for path in ("/graphql/", "/uploads/", "/health/live/"):
            response = await client.get(path, headers={"Host": "evil.example"})
            assert response.status_code == 404
            assert "evil.example" not in str(response.headers)


# Limits


async def test_a_body_beyond_the_limit_is_refused_before_it_is_parsed(settings: Settings, clean_database: None) -> None:
    async with api_with(settings, max_body_bytes=1000) as small:
        largest = json.dumps(TYPENAME).ljust(1000).encode()

        async def pieces(size: int) -> AsyncIterator[bytes]:
            yield largest
            yield b" " * size

        json_type = {"Content-Type": "application/json"}
        fits = await small.post("/graphql", content=largest, headers=json_type)
        declared = await small.post("/graphql", content=largest + b" ", headers=json_type)
        chunked = await small.post("/graphql", content=pieces(1), headers=json_type)
    assert fits.status_code == 200
    for response in (declared, chunked):
        assert response.status_code == 413
        assert code_of(response) == "CONTENT_TOO_LARGE"
        assert "data" not in response.json()


# Faults


async def test_a_fault_shows_a_request_id_and_nothing_else(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("password=hunter2 at 10.0.0.7")

    await shop.shop()
    monkeypatch.setattr("app.shop.queries.current", broken)
    response = await api.http.post("/graphql", json={"query": "{ shop { name } }"})
    assert "hunter2" not in response.text
    (error,) = errors_of(response)
    assert error["message"] == "Something went wrong on our side."
    assert error["extensions"] == {
        "code": "INTERNAL_SERVER_ERROR",
        "requestId": response.headers["x-request-id"],
    }


async def test_a_fault_before_the_operation_is_masked_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise OSError("connection to 10.0.0.7 refused")

    monkeypatch.setattr("schema.view.build_context", broken)
    response = await api.http.post("/graphql", json=TYPENAME)
    assert response.status_code == 500
    assert "10.0.0.7" not in response.text
    assert code_of(response) == "INTERNAL_SERVER_ERROR"


IN_STATE = "cannot switch to state 11; another operation (%d) is in progress"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (asyncpg.DiskFullError("could not extend file"), "SERVICE_UNAVAILABLE"),
        (asyncpg.DeadlockDetectedError("deadlock detected"), "SERVICE_UNAVAILABLE"),
        (asyncpg.CannotConnectNowError("the database system is starting up"), "SERVICE_UNAVAILABLE"),
        (asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"), "SERVICE_UNAVAILABLE"),
        (asyncpg.InterfaceError("cannot perform operation: connection is closed"), "SERVICE_UNAVAILABLE"),
        (asyncpg.InternalClientError(IN_STATE % 2), "SERVICE_UNAVAILABLE"),
        (asyncpg.InternalClientError(IN_STATE % 5), "INTERNAL_SERVER_ERROR"),
        (DatabaseAwayError("ConnectionRefusedError"), "SERVICE_UNAVAILABLE"),
        (asyncpg.QueryCanceledError("canceling statement due to statement timeout"), "TIMEOUT"),
        (TimeoutError(), "TIMEOUT"),
        (asyncpg.InterfaceError("another operation is in progress"), "INTERNAL_SERVER_ERROR"),
        (asyncpg.UniqueViolationError("duplicate key"), "INTERNAL_SERVER_ERROR"),
        (FileNotFoundError("a template"), "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_a_client_learns_whether_asking_again_may_help(
    api: Api, monkeypatch: pytest.MonkeyPatch, fault: Exception, code: str
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr("app.shop.queries.current", broken)
        inside = await api.http.post("/graphql", json={"query": "{ shop { name } }"})
    with monkeypatch.context() as patch:
        patch.setattr("schema.view.build_context", broken)
        outside = await api.http.post("/graphql", json=TYPENAME)
    assert (code_of(inside), code_of(outside)) == (code, code)
    assert str(fault) == "" or str(fault) not in inside.text + outside.text
    is_later = code != "INTERNAL_SERVER_ERROR"
    assert (inside.status_code, outside.status_code) == (200, 503 if is_later else 500)
    for answer in (inside, outside):
        assert ("retry-after" in answer.headers) is (code == "SERVICE_UNAVAILABLE")


async def test_a_page_says_that_the_database_is_away(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object, **__: object) -> None:
        raise DatabaseAwayError("ConnectionRefusedError")

    monkeypatch.setattr("app.connections.take", away)
    response = await api.http.get("/flows/-/overview")
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")


# Production, and other origins


async def test_production_hides_the_schema_unless_told(settings: Settings, clean_database: None) -> None:
    introspection = {"query": "{ __schema { queryType { name } } }"}
    typo = {"query": "{ produts { totalCount } }"}
    page = {"Accept": "text/html"}
    async with production(settings) as closed:
        hidden = await closed.post("/graphql", json=introspection)
        assert {error["extensions"]["code"] for error in errors_of(hidden)} == {"GRAPHQL_VALIDATION_FAILED"}
        assert "data" not in hidden.json()
        assert "Did you mean" not in (await closed.post("/graphql", json=typo)).text
        assert (await closed.get("/graphql", headers=page)).status_code != 200
        for path in ("/", "/inbox", "/inbox/messages", "/schema.graphql"):
            assert (await closed.get(path, headers=page)).status_code == 404, path
        live = await closed.get("/health/live")
        assert live.headers["strict-transport-security"] == "max-age=31536000"
    async with production(settings, introspection=True, graphiql=True) as opened:
        assert "errors" not in (await opened.post("/graphql", json=introspection)).json()
        assert "Did you mean" in (await opened.post("/graphql", json=typo)).text
        graphiql = await opened.get("/graphql", headers=page)
        assert graphiql.headers["content-type"].startswith("text/html")
        # The story's tabs sign in with the sample shop's password.
        assert "tradewind-dev" not in graphiql.text
        assert (await opened.get("/inbox", headers=page)).status_code == 404


async def test_only_listed_origins_may_read_answers(settings: Settings, clean_database: None) -> None:
    async with production(settings, allowed_origins="https://shop.example") as client:

        async def preflight(origin: str) -> httpx2.Response:
            return await client.options("/graphql", headers={
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type, authorization",
            })  # fmt: skip

        listed = await preflight("https://shop.example")
        foreign = await preflight("https://evil.example")
        local = await preflight("http://localhost:5173")
    assert listed.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-credentials" not in listed.headers
    assert "access-control-allow-origin" not in foreign.headers
    assert "access-control-allow-origin" not in local.headers


async def test_a_storefront_on_this_machine_may_call_in_development(api: Api) -> None:
    local = await api.http.post("/graphql", json=TYPENAME, headers={"Origin": "http://localhost:5173"})
    lookalike = await api.http.post("/graphql", json=TYPENAME, headers={"Origin": "http://localhost.evil.example"})
    assert local.headers["access-control-allow-origin"] == "http://localhost:5173"
    assert "access-control-allow-origin" not in lookalike.headers


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8000", "localhost@evil.example", ""])
async def test_a_name_that_somebody_else_points_here_gets_nothing(api: Api, host: str) -> None:
    for path in ("/", "/inbox", "/inbox/messages", "/graphql?query={__typename}"):
        response = await api.http.get(path, headers={"Host": host, "Accept": "text/html"})
        assert response.status_code == 421
        assert "Query" not in response.text


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "192.168.1.20", "shop.localhost"])
async def test_names_of_this_machine_and_addresses_are_known(api: Api, host: str) -> None:
    assert (await api.http.get("/inbox/messages", headers={"Host": host})).status_code == 200
