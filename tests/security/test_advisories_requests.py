"""What advisories about servers, frameworks and parsers say, each tried against the running production profile.

Numbers are those of the advisories that the kinds were taken from. Aliases, batches, fragments and forged requests are
in test_attacks_graphql.py; slow clients and many connections in test_slow_clients.py.
"""

import asyncio
import gzip
import http.client
import json
import os
import socket
import zlib
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidHandshake, NegotiationError
from websockets.typing import Origin, Subprotocol

from app import db
from app.accounts import links
from app.accounts.models import AccountTokenKind
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import accounts, catalogue, staff
from tests.factories import shop as shops
from tests.live_server import LiveServer
from tests.patience import patience
from tests.security.conftest import ORIGIN

EVIL = "evil.example"
LEAKS = ("Traceback", 'File "', "site-packages", "asyncpg", "/home/", "postgres", "SELECT ")
TYPENAME = json.dumps({"query": "{ __typename }"}).encode()
JSON = {"Content-Type": "application/json"}
OUTSIDE_PATHS = (
    "/media/../../../../../../etc/passwd", "/media/..%2f..%2f..%2f..%2f..%2fetc/passwd",
    "/media/%2e%2e/%2e%2e/loading.py", "/media/....//....//loading.py", "/media//etc/passwd",
    "/media/%2fetc%2fpasswd", "/media/..%5c..%5cloading.py", "/media/a.webp%00.png", "/media/%00", "/media/%ff%fe",
    "/media/\\\\evil.example\\share", "/media", "/media/", "/media/../media_other/x", "/media/../loading.py",
    "/static/x/../../app/settings.py", "/static/x/%2e%2e%2fsettings.py", "/downloads/..%2f..%2fetc%2fpasswd",
    "/downloads/%2e%2e", "/downloads/%00", "/schemas/../settings.py", "/uploads/../../etc/passwd", "/.env",
    "/.git/config", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
)  # fmt: skip


def raw(server: LiveServer, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """As it is: other clients put paths and headers right before they send them."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=patience(10))
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def sent(server: LiveServer, request: str) -> bytes:
    """What comes back for these very bytes."""
    with socket.create_connection(("localhost", server.port), timeout=patience(10)) as connection:
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def told(response: httpx2.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json().get("errors", [])]


# --- hosts and paths --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["Host", "X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-URL", "X-Rewrite-URL"]
)
async def test_links_do_not_lead_where_a_header_says(production: LiveServer, clean_database: None, header: str) -> None:
    """Password reset poisoning by Host and its kin; pages and redirects name the shop's own address alone."""
    await shops.shop()
    ada = await accounts.signed_in("ada@example.com")
    async with db.unit_of_work():
        issued = await links.issue(AccountTokenKind.RESET_PASSWORD, ada.id, ada.email)
    path = urlsplit(await links.url_of(issued) or "").path
    value = f"host={EVIL}" if header == "Forwarded" else f"https://{EVIL}/" if "URL" in header else EVIL
    for asked in (path, "/graphql/", "/account/", "/media", "/restore/x", "//" + EVIL + "/", "/%5c" + EVIL):
        status, headers, body = raw(production, asked, **{header: value})
        assert status < 500, asked
        assert EVIL not in headers.get("location", ""), asked
        assert EVIL.encode() not in body, asked


@pytest.mark.parametrize("host", ["a/account/verify-email/x?", "a#", "a@b", "[::1", "a\\b", "", "a b", "é", "x" * 5000])
async def test_a_strange_host_changes_no_path(production: LiveServer, clean_database: None, host: str) -> None:
    """A Host header that moves the path that code sees (starlette, CVE-2026-48710 and CVE-2026-54282)."""
    await shops.shop()
    for path in (
        "/account/reset-password/x",
        "/graphql",
        "/staff/invitation/x",
        "/metrics",
        "/flows",
        "/account/x/%3F",
    ):
        answer = sent(production, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        status = int(answer.split(b" ", 2)[1])
        assert status in (400, 401, 404, 406), (path, status)


@pytest.mark.parametrize(
    "target", ["@evil.example/", "http://evil.example/graphql", "*", "?", "graphql", "evil.example:80"]
)
def test_a_strange_target_leads_nowhere(production: LiveServer, target: str) -> None:
    """A request target without a slash (starlette, CVE-2026-54282), and proxy requests."""
    answer = sent(production, f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.split(b" ", 2)[1] in (b"400", b"404", b"406"), answer[:200]
    assert b"evil" not in answer


@pytest.mark.parametrize("path", OUTSIDE_PATHS)
def test_no_path_leads_out_of_the_folders(production: LiveServer, path: str) -> None:
    """Path traversal: ../, encoded, doubled, absolute, NUL, sister folders (starlette StaticFiles, CVE-2023-29159)."""
    for accept in ("*/*", "text/html"):
        status, headers, body = raw(production, path, Accept=accept)
        assert status in (400, 404, 405), (path, status)
        assert "location" not in headers
        for word in (b"root:", b"import ", b"[core]", b"SECRET_KEYS"):
            assert word not in body


async def test_a_file_name_is_a_name(outside: Api, production: LiveServer) -> None:
    """Uploads under names of other files: what is kept is the content, and no folder is made or left."""
    await shops.shop()
    token = await staff.signed_in(set(Permission))
    for name in (
        "../../../../tmp/evil.csv",
        "..%2f..%2fevil",
        "/etc/cron.d/evil",
        "a%00.csv",
        "a%0d%0aX-Evil: 1",
        "%ff",
    ):
        headers = {"Authorization": f"Bearer {token}", "X-Filename": name}
        answer = await outside.http.post("/uploads", content=b"Handle,Title\n", headers=headers)
        assert answer.status_code in (201, 400), name
        assert "x-evil" not in answer.headers
    assert not os.path.exists("/tmp/evil.csv")


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip"])
def test_compressed_bodies_are_not_unpacked(http: httpx2.Client, encoding: str) -> None:
    """Gzip bombs: a body is what was sent, so a packed one is no JSON, however large it would be."""
    bomb = gzip.compress(b'{"query": "#' + b" " * 20_000_000 + b'"}', 9)
    for body in (bomb, gzip.compress(TYPENAME), zlib.compress(TYPENAME)):
        response = http.post("/graphql", content=body, headers={**JSON, "Content-Encoding": encoding})
        assert response.status_code in (400, 415), encoding
        assert "data" not in response.json()


@pytest.mark.parametrize(
    "variables",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"a": ' + b"9" * 500_000 + b"}",
        b'{"a": 1e999999}',
        b'{"a": -1e-999999, "a": 2}',
        b'{"a": "\\ud800"}',
        b'{"a": NaN}',
        b'{"a": ' + b"-" * 100_000 + b"1}",
    ],
)
@pytest.mark.parametrize("kind", ["Int", "String", "JSON", "Decimal", "ID", "DateTime"])
def test_bombs_of_json(http: httpx2.Client, variables: bytes, kind: str) -> None:
    """Nesting bombs and huge integers, which parsers recurse over or take quadratic time for."""
    query = json.dumps(f"query ($a: {kind}) {{ __typename @include(if: true) }}").encode()
    response = http.post("/graphql", content=b'{"query":' + query + b',"variables":' + variables + b"}", headers=JSON)
    assert response.status_code in (200, 400)
    assert not {"INTERNAL_SERVER_ERROR", "TIMEOUT"} & set(told(response))
    assert http.post("/graphql", content=TYPENAME, headers=JSON).json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "value", ["9" * 5_000, "-" + "9" * 400, "0x7fffffff", "1e400", "9223372036854775808", "1.5", "1e2"]
)
async def test_numbers_in_a_document(outside: Api, value: str) -> None:
    """Integers that overflow or are floats, written into the text (int() of long digits is quadratic)."""
    await shops.shop()
    for argument in (f"first: {value}", f"first: 1, after: {value}"):
        result = await outside.query(f"{{ products({argument}) {{ nodes {{ id }} }} }}")
        assert result.codes[0] in ("GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "QUERY_TOO_COMPLEX"), argument


async def test_graphql_in_forms_is_refused(http: httpx2.Client) -> None:
    """GraphQL over multipart: a request that any site's form sends (strawberry's uploads), with files or without."""
    operations = json.dumps(
        {"query": "mutation ($f: String) { visitorCreate { visitor { id } } }", "variables": {"f": None}}
    )
    files: Any = {"operations": (None, operations), "map": (None, '{"0": ["variables.f"]}'), "0": ("a.txt", b"x")}
    for headers in ({}, {"Origin": ORIGIN}, {"X-Apollo-Operation-Name": "a", "GraphQL-Require-Preflight": "1"}):
        assert http.post("/graphql", files=files, headers=headers).status_code == 415
    assert await db.fetchval("SELECT count(*) FROM visitors") == 0


async def test_forms_have_a_limit(production: LiveServer, http: httpx2.Client) -> None:
    """Form fields that are buffered without a limit (starlette, CVE-2024-47874): pages with forms read 20 kB."""
    await shops.shop()
    ada = await accounts.signed_in("ada@example.com")
    async with db.unit_of_work():
        issued = await links.issue(AccountTokenKind.RESET_PASSWORD, ada.id, ada.email)
    path = urlsplit(await links.url_of(issued) or "").path
    for content, kind in (
        (b"password=a+long+harbour+wall&more=" + b"x" * 1_000_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % n for n in range(100_000)), "application/x-www-form-urlencoded"),
        (
            b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n' + b"x" * 1_000_000 + b"\r\n--b--",
            "multipart/form-data; boundary=b",
        ),
    ):
        response = http.post(path, content=content, headers={"Content-Type": kind})
        assert response.status_code in (400, 413, 415, 422), (kind, response.status_code)
    assert await db.fetchval("SELECT password_hash FROM customers") is None


def test_many_ranges_of_a_file(http: httpx2.Client, production: LiveServer) -> None:
    """Range headers whose parts are merged in quadratic time (starlette, CVE-2025-62727)."""
    for header in (
        "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 14_000, 2)),
        "bytes=" + "0" * 60_000 + "x",
        "bytes=-",
    ):
        status, _, body = raw(production, "/media/nothing.webp", Range=header)
        assert status in (400, 404, 416, 431), status
        assert not any(word.encode() in body for word in LEAKS)


# --- questions --------------------------------------------------------------------------------------------------------

INJECTIONS = (
    "en' OR '1'='1",
    "en'); DROP TABLE products; --",
    'en" UNION SELECT',
    "en;SELECT pg_sleep(30)",
    "$1",
    "%",
    "\\",
)


@pytest.mark.parametrize("text", INJECTIONS)
async def test_what_is_asked_is_never_sql(outside: Api, text: str) -> None:
    """SQL through a language or a search (Vendure's languageCode, CVE-2026-40887): in directives, headers, the address,
    searches, cursors, slugs."""
    await shops.shop()
    await catalogue.product(name="Mug")
    query = json.dumps(text)
    documents = (
        f"query @inContext(language: {query}) {{ products {{ nodes {{ name }} }} }}",
        f"{{ products(query: {query}) {{ nodes {{ name }} }} }}",
        f"{{ products(after: {query}) {{ nodes {{ name }} }} }}",
        f"{{ product(slug: {query}) {{ name }} }}",
        f"{{ collection(slug: {query}) {{ name }} }}",
    )
    for document in documents:
        result = await outside.query(document)
        assert not {"INTERNAL_SERVER_ERROR", "TIMEOUT"} & set(result.codes), document
    parameters = {"query": "{ products { nodes { name } } }", "languageCode": text, "language": text}
    answer = await outside.http.get("/graphql", params=parameters)
    assert answer.json()["data"]["products"]["nodes"] == [{"name": "Mug"}]
    answer = await outside.http.post(
        "/graphql", json={"query": "{ products { nodes { name } } }"}, headers={"Accept-Language": text}
    )
    assert answer.json()["data"]["products"]["nodes"] == [{"name": "Mug"}]
    assert await db.fetchval("SELECT count(*) FROM products") == 1


@pytest.mark.parametrize(
    "text",
    [
        "(a+)+$" + "a" * 500,
        "%" * 900,
        "_" * 900,
        "* " * 400,
        "((((" * 200,
        "&|!" * 300,
        "<-> " * 200,
        "\\" * 900,
        "a:*b " * 180,
    ],
)
async def test_searches_that_grow(outside: Api, text: str) -> None:
    """ReDoS in a search, and its like in LIKE and tsquery: an answer or a refusal, and no time-out of the statement."""
    await shops.shop()
    for _ in range(3):
        await catalogue.product(name="a" * 200)
    result = await outside.query("query ($q: String) { products(query: $q) { nodes { id } } }", {"q": text})
    assert not {"INTERNAL_SERVER_ERROR", "TIMEOUT"} & set(result.codes)


async def test_errors_tell_nothing(outside: Api) -> None:
    """Verbose errors: no trace, no path, no statement, no version, whatever breaks and at whichever door."""
    await shops.shop()
    doors: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/nowhere", {}), ("PATCH", "/graphql", {}), ("POST", "/graphql", {"content": b"\xff", "headers": JSON}),
        ("POST", "/uploads", {"content": b"x"}), ("GET", "/downloads/%00", {}),
        ("GET", "/account/verify-email/%00", {}), ("POST", "/webhooks/payments/%00", {"content": b"{}"}),
        ("POST", "/webhooks/payments/stripe", {"content": b"{"}),
        ("GET", "/health/ready", {}), ("POST", "/account/verify-email/x", {"content": b"\xff=%zz"}),
    ]  # fmt: skip
    for method, path, more in doors:
        answer = await outside.http.request(method, path, **more)
        assert answer.status_code < 500, path
        assert not [word for word in LEAKS if word in answer.text], path


# --- sockets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "https://harbour.example.evil.example", "http://harbour.example", "file://"],
)
async def test_sockets_of_other_sites(production: LiveServer, clean_database: None, origin: str) -> None:
    """Cross-site WebSocket hijacking."""
    url = production.url.replace("http", "ws") + "/graphql"
    with pytest.raises(InvalidHandshake):
        async with websockets.connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], origin=Origin(origin)):
            pass


async def test_nothing_is_asked_before_the_handshake(production: LiveServer, clean_database: None) -> None:
    """The legacy protocol, where `start` came before `connection_init` (strawberry, CVE-2026-35523)."""
    start = {"id": "1", "type": "start", "payload": {"query": "{ __typename }"}}
    for protocol, message in (("graphql-ws", start), ("graphql-transport-ws", {**start, "type": "subscribe"})):
        assert await heard(production, protocol, json.dumps(message)) is None


async def heard(server: LiveServer, protocol: str, message: str) -> str | bytes | None:
    """The first answer to a message; None where the connection is refused or closed for it."""
    url = server.url.replace("http", "ws") + "/graphql"
    try:
        async with websockets.connect(url, subprotocols=[Subprotocol(protocol)], origin=Origin(ORIGIN)) as connection:
            await connection.send(message)
            return await asyncio.wait_for(connection.recv(), patience(5))
    except (ConnectionClosed, InvalidHandshake, NegotiationError):
        return None
