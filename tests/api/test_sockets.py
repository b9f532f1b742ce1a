"""Subscriptions over WebSocket and as server-sent events, on a real server."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from app import db
from app.catalogue.importing.service import JOB_KIND
from app.jobs import service as jobs
from app.kit import ids
from app.kit.crypto import hash_token
from app.staff.permissions import Permission
from schema.sockets import MAX_OPERATIONS
from tests.factories import staff
from tests.live_server import LiveServer
from tests.patience import patience

PROTOCOL = Subprotocol("graphql-transport-ws")
WATCH = "subscription ($id: ID!) { job(id: $id) { id status } }"
MAX_BODY_BYTES = 2_000_000
SHUTDOWN_SECONDS = 20
"""That a server leaves open requests to end by themselves."""


async def queued_job() -> str:
    """A job that no worker takes up."""
    return ids.encode("job", await jobs.create(JOB_KIND, {}, created_by=None))


class Socket:
    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: object) -> None:
        await self.connection.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        text = await asyncio.wait_for(self.connection.recv(), patience(5))
        assert isinstance(text, str), "the protocol wants text frames"
        message: dict[str, Any] = json.loads(text)
        return message

    async def open(self, payload: object = None) -> None:
        await self.send({"type": "connection_init", **({} if payload is None else {"payload": payload})})
        assert (await self.receive())["type"] == "connection_ack"

    async def run(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The first message that answers an operation."""
        await self.send({"id": "1", "type": "subscribe", "payload": {"query": query, "variables": variables}})
        return await self.receive()

    async def close_code(self) -> int:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(self.connection.recv(), patience(5))
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code


@asynccontextmanager
async def connected(server: LiveServer, origin: str | None = None) -> AsyncIterator[Socket]:
    url = server.url.replace("http", "ws") + "/graphql"
    async with websockets.connect(
        url, subprotocols=[PROTOCOL], origin=Origin(origin) if origin else None, open_timeout=patience(10)
    ) as connection:
        yield Socket(connection)


async def test_queries_and_errors_come_as_over_http(live_server: LiveServer) -> None:
    async with connected(live_server) as socket:
        await socket.open()
        answer = await socket.run("{ __typename }")
        cost = {"requestedValues": 1, "limit": 60_000}
        payload = {"data": {"__typename": "Query"}, "extensions": {"cost": cost}}
        assert answer == {"id": "1", "type": "next", "payload": payload}
        assert await socket.receive() == {"id": "1", "type": "complete"}
        refused = await socket.run("{ nothing }")
        assert refused["type"] == "error"
        assert refused["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_the_token_comes_with_connection_init_and_is_looked_up_for_each_operation(
    live_server: LiveServer, clean_database: None
) -> None:
    token = await staff.signed_in({Permission.PRODUCTS_WRITE})
    job_id = await queued_job()
    query = f'{{ job(id: "{job_id}") {{ id }} }}'
    async with connected(live_server) as anonymous:
        await anonymous.open()
        refused = await anonymous.run(query)
        assert refused["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    async with connected(live_server) as socket:
        await socket.open({"Authorization": f"Bearer {token}"})
        assert (await socket.run(query))["payload"]["data"] == {"job": {"id": job_id}}
        assert (await socket.receive())["type"] == "complete"
        await db.execute("DELETE FROM session_tokens WHERE token_hash = $1", hash_token(token))
        signed_out = await socket.run(query)
        assert signed_out["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_page_of_another_origin_cannot_connect(live_server: LiveServer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connected(live_server, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    async with connected(live_server, origin="http://localhost:5173") as local:
        await local.open()


async def test_the_legacy_protocol_is_not_spoken(live_server: LiveServer) -> None:
    url = live_server.url.replace("http", "ws") + "/graphql"
    async with websockets.connect(url, subprotocols=[Subprotocol("graphql-ws")]) as connection:
        assert connection.subprotocol is None
        assert await Socket(connection).close_code() == 4406


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[]",
        "1",
        b"\x00",
        {"type": "nonsense"},
        {"id": "1", "type": "subscribe"},
        {"id": 1, "type": "subscribe", "payload": {"query": "{ __typename }"}},
        {"id": "1", "type": "subscribe", "payload": []},
        {"id": "1", "type": "subscribe", "payload": {"query": 1}},
        {"id": "1", "type": "subscribe", "payload": {"query": ""}},
        {"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }", "variables": []}},
        {"type": "connection_init", "payload": 1},
    ],
)
async def test_a_malformed_message_ends_the_connection_and_nothing_else(
    live_server: LiveServer, message: object
) -> None:
    async with connected(live_server) as socket:
        if not (isinstance(message, dict) and message["type"] == "connection_init"):
            await socket.open()
        await socket.send(message)
        assert await socket.close_code() == 4400
    async with connected(live_server) as another:
        await another.open()


@pytest.mark.parametrize(
    ("query", "operation_name", "code"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("{ a " + "x" * 500, None, "GRAPHQL_PARSE_FAILED"),
        (" ", None, "GRAPHQL_PARSE_FAILED"),
        ("query A { __typename }", "B", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", None, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_a_document_that_cannot_be_run_is_answered_and_the_socket_goes_on(
    live_server: LiveServer, query: str, operation_name: str | None, code: str
) -> None:
    async with connected(live_server) as socket:
        await socket.open()
        payload = {"query": query, "operationName": operation_name}
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        refused = await socket.receive()
        assert refused["type"] == "error"
        assert refused["payload"][0]["extensions"]["code"] == code
        assert (await socket.run("{ __typename }"))["type"] == "next"


async def test_a_socket_has_a_limited_number_of_operations(live_server: LiveServer, clean_database: None) -> None:
    token, job_id = await staff.signed_in({Permission.PRODUCTS_WRITE}), await queued_job()
    async with connected(live_server) as socket:
        await socket.open({"authorization": f"Bearer {token}"})
        for number in range(MAX_OPERATIONS + 1):
            payload = {"query": WATCH, "variables": {"id": job_id}}
            await socket.send({"id": str(number), "type": "subscribe", "payload": payload})
        answers = [await socket.receive() for _ in range(MAX_OPERATIONS + 1)]
        (refused,) = [answer for answer in answers if answer["type"] != "next"]
        assert (refused["id"], refused["payload"][0]["extensions"]["code"]) == (str(MAX_OPERATIONS), "TOO_MANY")
        await socket.send({"id": "1", "type": "complete"})
        assert (await socket.run(WATCH, {"id": job_id}))["type"] == "next", "there is room again"


async def test_operations_before_connection_init_are_refused(live_server: LiveServer) -> None:
    async with connected(live_server) as socket:
        await socket.send({"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }"}})
        assert await socket.close_code() == 4401


async def test_messages_have_the_size_limit_of_bodies(live_server: LiveServer) -> None:
    async with connected(live_server) as socket:
        await socket.open()
        await socket.send(json.dumps({"type": "ping"}).ljust(MAX_BODY_BYTES + 1))
        assert await socket.close_code() == 1009


async def test_limits_hold_on_sockets_too(live_server: LiveServer) -> None:
    async with connected(live_server) as socket:
        await socket.open()
        refused = await socket.run("{" + "__typename " * 30 + "}")
        assert refused["payload"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX"


async def test_server_sent_events(live_server: LiveServer) -> None:
    headers = {"Accept": "text/event-stream"}
    async with httpx2.AsyncClient(timeout=patience(5)) as client:
        response = await client.post(f"{live_server.url}/graphql", json={"query": "{ __typename }"}, headers=headers)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "no-store" in response.headers["cache-control"]
    data = '{"data":{"__typename":"Query"},"extensions":{"cost":{"requestedValues":1,"limit":60000}}}'
    assert response.text.replace("\r\n", "\n") == f"event: next\ndata: {data}\n\nevent: complete\ndata: \n\n"


async def test_open_streams_end_at_once_when_the_server_stops(clean_database: None) -> None:
    """A deploy does not wait for shoppers who watch their parcel; their clients connect to the next server."""
    token, job_id = await staff.signed_in({Permission.PRODUCTS_WRITE}), await queued_job()
    with LiveServer() as server:
        headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {token}"}
        body = {"query": WATCH, "variables": {"id": job_id}}
        async with (
            httpx2.AsyncClient(timeout=patience(30)) as client,
            client.stream("POST", f"{server.url}/graphql", json=body, headers=headers) as stream,
            connected(server) as socket,
        ):
            lines = stream.aiter_lines()
            assert await anext(lines) == "event: next"
            await socket.open({"authorization": f"Bearer {token}"})
            assert (await socket.run(WATCH, {"id": job_id}))["type"] == "next"

            started = time.monotonic()
            server.signal(signal.SIGTERM)
            rest = [line async for line in lines]
            assert not any(line.startswith("event: complete") for line in rest), "the job is not done"
            assert await socket.close_code() == 1012
            await asyncio.to_thread(server.wait, SHUTDOWN_SECONDS)
            assert time.monotonic() - started < SHUTDOWN_SECONDS, "it waited until what is open may be cut off"
