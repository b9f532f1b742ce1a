"""Clients that keep the server waiting, or have it work for too long."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from websockets import Subprotocol
from websockets.asyncio.client import connect

from app import db
from app.kit.postgres_url import connection_arguments
from app.main import create_app
from app.settings import Settings
from app.web import deadlines, http_protocol
from app.web.http_protocol import MAX_HEAD_BYTES, BoundedProtocol
from tests.client import Api
from tests.environment import make_settings
from tests.factories import shop
from tests.live_server import LiveServer
from tests.patience import patience

PATIENCE_SECONDS = patience(10)
POST = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CART = "mutation { cartCreate(input: {}) { cart { id } userErrors { code } } }"


class Wire:
    """What a client sends and gets, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def all(self) -> bytes:
        """Everything until the server closes the connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            received = b""
            with contextlib.suppress(ConnectionError):
                while chunk := await self._reader.read(65_536):
                    received += chunk
            return received

    async def status(self) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return int((await self._reader.readline()).split()[1])


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("localhost", port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def served(settings: Settings, *routes: Route) -> AsyncIterator[int]:
    """The application under uvicorn in this process, where a test can shorten its patience."""
    app = create_app(settings)
    app.router.routes += routes
    config = uvicorn.Config(app, port=0, http=BoundedProtocol, lifespan="off", log_config=None, access_log=False)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        for connection in list(server.server_state.connections):
            connection.transport.close()
        await server.shutdown()


@pytest.fixture
def impatient_for_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.3)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the head, which may take its time."""
    monkeypatch.setattr(deadlines, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(deadlines, "GRACE_SECONDS", 0.3)


# --- heads ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", b"POST /gra", b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"\r\n"])
async def test_a_head_that_does_not_end(
    settings: Settings, database: str, impatient_for_heads: None, sent: bytes
) -> None:
    async with served(settings) as port, connected(port) as wire:
        await wire.send(sent)
        assert (await wire.all()).startswith(b"HTTP/1.1 408 ")


async def test_a_head_that_drips(settings: Settings, database: str, impatient_for_heads: None) -> None:
    """A byte now and then is no progress: the time is for the whole head."""
    async with served(settings) as port, connected(port) as wire:
        await wire.send(b"GET /health/live HTTP/1.1\r\n")

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                while True:
                    await wire.send(b"X-A: b\r\n")
                    await asyncio.sleep(0.05)

        dripping = asyncio.ensure_future(drip())
        assert (await wire.all()).startswith(b"HTTP/1.1 408 ")
        dripping.cancel()


async def test_the_second_head_of_a_connection(
    settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(settings) as port, connected(port) as wire:
        await wire.send(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await wire.status() == 200
        monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.3)
        await asyncio.sleep(0.05)
        await wire.send(b"\r\n")
        assert b"HTTP/1.1 408 " in await wire.all()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /health/live HTTP/1.1\r\nX-A: " + b"a" * (MAX_HEAD_BYTES + 10),
        b"GET /" + b"a" * (MAX_HEAD_BYTES + 10),
        b"GET /health/live HTTP/1.1\r\n" + b"X-A: b\r\n" * (MAX_HEAD_BYTES // 7),
    ],
    ids=["one header", "path", "many headers"],
)
async def test_a_head_that_is_too_large(live_server: LiveServer, sent: bytes) -> None:
    """On the very server that `tradewind api` runs."""
    async with connected(live_server.port) as wire:
        await wire.send(sent)
        assert (await wire.all()).startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))


async def test_trailers_are_no_way_around(live_server: LiveServer) -> None:
    async with connected(live_server.port) as wire:
        await wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(400):  # far more than one read takes in
                await wire.send(b"X-A: " + b"b" * 8_000 + b"\r\n")
        await wire.all()  # it ends


# --- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/graphql", "/webhooks/twilio/sms"])
async def test_a_body_that_does_not_come(settings: Settings, database: str, impatient: None, path: str) -> None:
    async with served(settings) as port, connected(port) as wire:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
        )
        await wire.send(head.encode() + b"{")
        answer = await wire.all()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"TIMEOUT"' in answer
        assert b"x-content-type-options: nosniff" in answer.lower()


async def test_a_body_that_drips(settings: Settings, database: str, impatient: None) -> None:
    async with served(settings) as port, connected(port) as wire:
        await wire.send(POST + b"Content-Length: 9000\r\n\r\n")

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                while True:
                    await wire.send(b" ")
                    await asyncio.sleep(0.05)

        dripping = asyncio.ensure_future(drip())
        assert (await wire.all()).startswith(b"HTTP/1.1 408 ")
        dripping.cancel()


async def test_a_large_body_has_the_time_it_needs(settings: Settings, database: str, impatient: None) -> None:
    body = json.dumps({"query": "{ __typename }"}).encode().ljust(40_000)
    async with served(settings) as port, connected(port) as wire:
        await wire.send(POST + f"Content-Length: {len(body)}\r\n\r\n".encode())
        for start in range(0, len(body), 5_000):
            await wire.send(body[start : start + 5_000])
            await asyncio.sleep(0.1)
        assert await wire.status() == 200


# --- handlers and readers ---------------------------------------------------------------------------------------------


async def test_a_handler_that_hangs(settings: Settings, database: str, impatient: None) -> None:
    async def hang(request: Request) -> PlainTextResponse:
        await asyncio.sleep(60)
        return PlainTextResponse("never")

    made = settings.model_copy(update={"request_timeout_seconds": 0.1})
    async with served(made, Route("/hangs", hang)) as port, connected(port) as wire:
        await wire.send(b"GET /hangs HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await wire.all()).startswith(b"HTTP/1.1 503 ")


async def test_a_reader_that_does_not_read(settings: Settings, database: str, impatient: None) -> None:
    ended = asyncio.Event()

    class Much:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                while True:
                    await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})
            finally:
                ended.set()

    made = settings.model_copy(update={"request_timeout_seconds": 0.1})
    async with served(made, Route("/much", Much())) as port, connected(port) as wire:
        await wire.send(b"GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await ended.wait()


async def test_an_operation_that_takes_too_long_is_given_up(settings: Settings, clean_database: None) -> None:
    """More of them than the pool has connections: each gives its own back, and nothing stays of any."""
    await shop.shop()
    made = make_settings(settings.database_url, settings.redis_url, request_timeout_seconds=0.5)
    api, patient = Api(create_app(made)), Api(create_app(settings))
    blocking: Any = await asyncpg.connect(**connection_arguments(settings.database_url))
    try:
        async with blocking.transaction():
            await blocking.execute("LOCK TABLE carts IN ACCESS EXCLUSIVE MODE")
            answers = await asyncio.gather(
                *(api.http.post("/graphql", json={"query": CART}) for _ in range(made.database_pool_max + 5))
            )
        assert {answer.status_code for answer in answers} == {503}
        assert {answer.json()["errors"][0]["extensions"]["code"] for answer in answers} == {"TIMEOUT"}
        assert "data" not in answers[0].json()
        assert answers[0].json()["extensions"]["cost"], "the operation's own limit, not the one around every request"
        assert await db.fetchval("SELECT count(*) FROM carts") == 0
        await asyncio.gather(*(db.fetchval("SELECT 1") for _ in range(made.database_pool_max + 5)))
        after = await patient.query(CART)
        assert after.data is not None
        assert after.data["cartCreate"]["userErrors"] == []
        assert await db.fetchval("SELECT count(*) FROM carts") == 1
    finally:
        await blocking.close()
        await api.close()
        await patient.close()


async def test_a_socket_outlives_the_time_for_a_head(
    settings: Settings, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What says that a request is late is no business of the socket that it has become."""
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 1.0)
    async with served(settings) as port:
        url, subprotocols = f"ws://localhost:{port}/graphql", [Subprotocol("graphql-transport-ws")]
        async with connect(url, subprotocols=subprotocols) as socket:
            await socket.send(json.dumps({"type": "connection_init"}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            await asyncio.sleep(1.5 * http_protocol.HEAD_SECONDS)
            await socket.send(json.dumps({"type": "ping"}))
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert json.loads(await socket.recv())["type"] == "pong"
