"""What shoppers and staff watch, on a real server, while another process (this one) changes it."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import websockets
from websockets.typing import Subprotocol

from app import cache, db, live
from app.catalogue.importing.service import JOB_KIND
from app.dev import processes
from app.dev.valkey import ValkeyServer
from app.jobs import service as jobs
from app.jobs.models import JobStatus
from app.kit import ids
from app.settings import Settings
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import checkout, staff
from tests.factories.fulfillments import fulfill, track
from tests.live_server import LiveServer
from tests.patience import patience

ORDER = """subscription ($number: String, $email: String, $token: String) {
    orderTracking(number: $number, email: $email, token: $token) {
        number status fulfillmentStatus shipments { status events { description } }
    }
}"""
JOB = "subscription ($id: ID!) { job(id: $id) { status done total } }"
PROMPT_SECONDS = 9.0
"""Less than it would take by looking every ten seconds; Redis carries it in milliseconds."""
END_SECONDS = patience(6)
QUIET_SECONDS = 0.4

Updates = asyncio.Queue[dict[str, Any] | None]
"""What came, each with `data` or `errors`; None at its end."""


@asynccontextmanager
async def by_socket(
    server: LiveServer, document: str, variables: dict[str, Any], token: str | None = None
) -> AsyncIterator[Updates]:
    updates: Updates = asyncio.Queue()
    url = server.url.replace("http", "ws") + "/graphql"
    async with websockets.connect(
        url, subprotocols=[Subprotocol("graphql-transport-ws")], open_timeout=END_SECONDS
    ) as socket:
        payload = {"Authorization": f"Bearer {token}"} if token else {}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        subscribe = {"query": document, "variables": variables}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": subscribe}))

        async def read() -> None:
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "complete":
                    updates.put_nowait(None)
                else:
                    assert message["type"] == "next", message
                    updates.put_nowait(message["payload"])

        with _reading(read) as reader:
            yield updates
        await _ended(reader)


@asynccontextmanager
async def by_events(
    server: LiveServer, document: str, variables: dict[str, Any], token: str | None = None
) -> AsyncIterator[Updates]:
    updates: Updates = asyncio.Queue()
    headers = {"Accept": "text/event-stream", **({"Authorization": f"Bearer {token}"} if token else {})}
    body = {"query": document, "variables": variables}
    async with (
        httpx2.AsyncClient(timeout=patience(30)) as client,
        client.stream("POST", f"{server.url}/graphql", json=body, headers=headers) as stream,
    ):

        async def read() -> None:
            kind = ""
            async for line in stream.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data" and kind == "next":
                    updates.put_nowait(json.loads(value))
            updates.put_nowait(None)

        with _reading(read) as reader:
            yield updates
        await _ended(reader)


@contextlib.contextmanager
def _reading(read: Callable[[], Awaitable[None]]) -> Any:
    reader = asyncio.ensure_future(read())
    try:
        yield reader
    finally:
        reader.cancel()


async def _ended(reader: "asyncio.Future[None]") -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await reader


TRANSPORTS = pytest.mark.parametrize("watching", [by_socket, by_events], ids=["websocket", "sse"])
Watching = Callable[..., Any]


async def upcoming(updates: Updates, seconds: float = PROMPT_SECONDS) -> Any:
    """The next state; its errors, where it has any."""
    update = await asyncio.wait_for(updates.get(), seconds)
    assert update is not None, "it ended"
    if update.get("errors"):
        return [error["extensions"]["code"] for error in update["errors"]]
    (state,) = update["data"].values()
    return state


async def end_of(updates: Updates) -> None:
    assert await asyncio.wait_for(updates.get(), END_SECONDS) is None


async def quiet(updates: Updates) -> None:
    """Nothing more comes: no state twice."""
    await asyncio.sleep(QUIET_SECONDS)
    assert updates.empty(), updates.get_nowait()


async def listening(connections: int) -> None:
    """Until so many Redis connections listen for changes, over all processes."""
    async with asyncio.timeout(END_SECONDS):
        while (await cache.cache().pubsub_numsub(cache.named(live.CHANNEL)))[0][1] != connections:
            await asyncio.sleep(0.02)


nobody_listens = partial(listening, 0)


@pytest.fixture
async def placed(api: Api) -> dict[str, Any]:
    await checkout.shop_that_ships()
    return await checkout.placed(api)


# --- orders -----------------------------------------------------------------------------------------------------------


@TRANSPORTS
async def test_an_order_is_followed_from_its_state_now_to_delivery(
    live_server: LiveServer, api: Api, staff_token: str, placed: dict[str, Any], drain: Any, watching: Watching
) -> None:
    async with watching(live_server, ORDER, {"token": placed["orderToken"]}) as updates:
        first = await upcoming(updates)
        assert (first["number"], first["fulfillmentStatus"]) == (placed["order"]["number"], "UNFULFILLED")
        await quiet(updates)

        fulfillment = await fulfill(api, staff_token, placed["order"]["id"])
        shipped = await upcoming(updates)
        assert (shipped["status"], shipped["fulfillmentStatus"]) == ("OPEN", "FULFILLED")
        assert shipped["shipments"] == [{"status": "LABEL_CREATED", "events": []}]
        await drain()  # the payment is taken
        assert (await upcoming(updates))["status"] == "COMPLETED"

        await track(api, staff_token, fulfillment["id"], "OUT_FOR_DELIVERY", externalId="1", description="On its way")
        assert (await upcoming(updates))["shipments"] == [
            {"status": "OUT_FOR_DELIVERY", "events": [{"description": "On its way"}]}
        ]
        # Late, it moves nothing; still it is news, once.
        await track(api, staff_token, fulfillment["id"], "IN_TRANSIT", externalId="0", description="Sorted",
                    occurredAt="2026-01-01T00:00:00Z")  # fmt: skip
        (parcel,) = (await upcoming(updates))["shipments"]
        assert (parcel["status"], len(parcel["events"])) == ("OUT_FOR_DELIVERY", 2)
        await track(api, staff_token, fulfillment["id"], "IN_TRANSIT", externalId="0", description="Sorted")
        await track(api, staff_token, fulfillment["id"], "OUT_FOR_DELIVERY", externalId="1")
        await quiet(updates)
        await track(api, staff_token, fulfillment["id"], "DELIVERED")
        assert (await upcoming(updates))["shipments"][0]["status"] == "DELIVERED"
        await quiet(updates)
    await nobody_listens()


async def test_a_cancellation_is_news_to_those_who_follow_by_number_and_email(
    live_server: LiveServer, api: Api, staff_token: str, placed: dict[str, Any]
) -> None:
    by = {"number": f"#{placed['order']['number']}", "email": checkout.EMAIL.upper()}
    async with by_socket(live_server, ORDER, by) as updates:
        assert (await upcoming(updates))["status"] == "OPEN"
        await api.ok(
            "mutation ($id: ID!) { orderCancel(orderId: $id) { userErrors { code } } }",
            {"id": placed["order"]["id"]},
            token=staff_token,
        )
        assert (await upcoming(updates))["status"] == "CANCELLED"


@TRANSPORTS
@pytest.mark.parametrize(
    ("by", "code"),
    [
        ({"token": "nonsense"}, "NOT_FOUND"),
        ({"number": "1001", "email": "somebody@example.com"}, "NOT_FOUND"),
        ({"number": "1001"}, "REQUIRED"),
        ({}, "REQUIRED"),
    ],
)
async def test_an_order_that_is_not_there_or_not_yours_is_an_error_and_the_end(
    live_server: LiveServer, placed: dict[str, Any], watching: Watching, by: dict[str, str], code: str
) -> None:
    async with watching(live_server, ORDER, by) as updates:
        assert await upcoming(updates) == [code]
        await end_of(updates)
    await nobody_listens()


async def test_many_who_watch_share_one_connection_to_redis(
    live_server: LiveServer, api: Api, staff_token: str, placed: dict[str, Any]
) -> None:
    async with contextlib.AsyncExitStack() as everybody:
        watchers = [
            await everybody.enter_async_context(by_socket(live_server, ORDER, {"token": placed["orderToken"]}))
            for _ in range(20)
        ]
        for updates in watchers:
            await upcoming(updates)
        await listening(1)
        await fulfill(api, staff_token, placed["order"]["id"])
        for updates in watchers:
            assert (await upcoming(updates))["fulfillmentStatus"] == "FULFILLED"
    await nobody_listens()


# --- ends -------------------------------------------------------------------------------------------------------------


async def test_a_client_that_stops_watching_leaves_nothing_behind(
    live_server: LiveServer, placed: dict[str, Any]
) -> None:
    url = live_server.url.replace("http", "ws") + "/graphql"
    payload = {"query": ORDER, "variables": {"token": placed["orderToken"]}}
    async with websockets.connect(
        url, subprotocols=[Subprotocol("graphql-transport-ws")], open_timeout=END_SECONDS
    ) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        assert [json.loads(await socket.recv())["type"] for _ in range(2)] == ["connection_ack", "next"]
        await listening(1)
        await socket.send(json.dumps({"id": "1", "type": "complete"}))
        await nobody_listens()
        # The connection is still there, and can watch again.
        await socket.send(json.dumps({"id": "2", "type": "subscribe", "payload": payload}))
        assert json.loads(await socket.recv())["id"] == "2"
        socket.transport.abort()  # as when a phone loses its network
    await nobody_listens()


@pytest.mark.parametrize("at_once", [False, True], ids=["later", "at once"])
async def test_a_reader_of_events_who_goes_away_leaves_nothing_behind(
    live_server: LiveServer, placed: dict[str, Any], at_once: bool
) -> None:
    url, headers = f"{live_server.url}/graphql", {"Accept": "text/event-stream"}
    body = {"query": ORDER, "variables": {"token": placed["orderToken"]}}
    for _ in range(5):
        async with (
            httpx2.AsyncClient(timeout=patience(30)) as client,
            client.stream("POST", url, json=body, headers=headers) as stream,
        ):
            lines = stream.aiter_lines()
            assert await anext(lines) == "event: next"
            if not at_once:
                await listening(1)
        if not at_once:
            await nobody_listens()
    await asyncio.sleep(QUIET_SECONDS)  # whoever was about to listen has begun by now
    await nobody_listens()


# --- jobs -------------------------------------------------------------------------------------------------------------


@TRANSPORTS
async def test_a_job_is_watched_by_staff_until_it_ends(
    live_server: LiveServer, clean_database: None, watching: Watching
) -> None:
    token = await staff.signed_in({Permission.PRODUCTS_WRITE})
    job_id = await jobs.create(JOB_KIND, {}, created_by=None)
    async with watching(live_server, JOB, {"id": ids.encode("job", job_id)}, token) as updates:
        assert await upcoming(updates) == {"status": "QUEUED", "done": 0, "total": None}
        running = await jobs.start(job_id)
        assert running is not None
        assert (await upcoming(updates))["status"] == "RUNNING"
        await jobs.announce_total(running, 2)
        assert (await upcoming(updates))["total"] == 2
        for done in (1, 2):
            async with db.unit_of_work():
                await jobs.save_progress(running, done=done, checkpoint={"row": done})
            assert await upcoming(updates) == {"status": "RUNNING", "done": done, "total": 2}
        await quiet(updates)
        await jobs.finish(running, JobStatus.SUCCEEDED)
        assert (await upcoming(updates))["status"] == "SUCCEEDED"
        await end_of(updates)
    await nobody_listens()


@TRANSPORTS
async def test_a_job_is_not_for_strangers(live_server: LiveServer, clean_database: None, watching: Watching) -> None:
    job = ids.encode("job", await jobs.create(JOB_KIND, {}, created_by=None))
    elsewhere = await staff.signed_in({Permission.ORDERS_READ})
    for token, code in ((None, "UNAUTHENTICATED"), ("nonsense", "UNAUTHENTICATED"), (elsewhere, "NOT_FOUND")):
        async with watching(live_server, JOB, {"id": job}, token) as updates:
            assert await upcoming(updates) == [code]
            await end_of(updates)
    await nobody_listens()


# --- Redis is away ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def valkey(tmp_path: Path, settings: Settings) -> AsyncIterator[ValkeyServer]:
    """A Valkey for this test alone, which the test may stop; this process talks to it too. Not yet started."""
    (tmp_path / "valkey").mkdir()
    server = ValkeyServer(tmp_path / "valkey", durable=False)
    server.prepare()
    before = cache._client
    yield server
    await cache.close_cache()
    cache._client = before


@pytest.mark.faults
async def test_watching_goes_on_when_redis_has_been_away(
    api: Api, staff_token: str, placed: dict[str, Any], settings: Settings, valkey: ValkeyServer
) -> None:
    with contextlib.ExitStack() as running:
        process = valkey.start()
        running.callback(lambda: processes.stop(process, *valkey.stop_signals))
        cache._client = None
        cache.open_cache(settings.model_copy(update={"redis_url": valkey.url}))
        server = running.enter_context(LiveServer(REDIS_URL=valkey.url, BROKER_URL=os.environ["REDIS_URL"]))
        async with by_socket(server, ORDER, {"token": placed["orderToken"]}) as updates:
            assert (await upcoming(updates))["fulfillmentStatus"] == "UNFULFILLED"
            processes.stop(process, *valkey.stop_signals)
            # Nothing waits for Redis, and nothing is lost.
            fulfillment = await asyncio.wait_for(fulfill(api, staff_token, placed["order"]["id"]), PROMPT_SECONDS)
            await quiet(updates)
            process = valkey.start()
            assert (await upcoming(updates))["fulfillmentStatus"] == "FULFILLED"
            await track(api, staff_token, fulfillment["id"], "DELIVERED")
            assert (await upcoming(updates))["shipments"][0]["status"] == "DELIVERED"
            await quiet(updates)
        await nobody_listens()
