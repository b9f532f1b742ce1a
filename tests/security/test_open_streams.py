"""How many sockets and event streams a client may hold open, and for how long with nothing to do."""

import asyncio
import contextlib
import json
from typing import Any

import httpx2
import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from app.settings import Settings
from app.staff.permissions import Permission
from app.web.open_streams import Places
from tests.api.test_sockets import WATCH, Socket, queued_job
from tests.factories import staff
from tests.patience import patience
from tests.security.test_slow_clients import served

PROTOCOLS = [Subprotocol("graphql-transport-ws")]


def opened(port: int) -> Any:
    return websockets.connect(f"ws://localhost:{port}/graphql", subprotocols=PROTOCOLS, open_timeout=patience(10))


def subscribing(job_id: str) -> dict[str, Any]:
    return {"query": WATCH, "variables": {"id": job_id}}


def test_places_are_given_back() -> None:
    places = Places(2)
    with places.held("a") as first, places.held("a") as second, places.held("a") as third, places.held("b") as other:
        assert [first, second, third, other] == [True, True, False, True]
        with places.held(None) as nobody:
            assert nobody
    assert not places._taken


async def test_sockets_and_streams_of_one_client(
    settings: Settings, clean_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schema.view.STREAMS_PER_CLIENT", 2)
    token, job_id = await staff.signed_in({Permission.PRODUCTS_WRITE}), await queued_job()
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {token}"}
    async with (
        served(settings) as port,
        httpx2.AsyncClient(base_url=f"http://localhost:{port}", timeout=patience(5)) as http,
    ):
        body = subscribing(job_id)
        async with opened(port), http.stream("POST", "/graphql", json=body, headers=headers) as stream:
            assert stream.status_code == 200
            refused = await http.post("/graphql", json=body, headers=headers)
            assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (429, "TOO_MANY")
            with pytest.raises(InvalidStatus) as caught:
                async with opened(port):
                    pass
            assert caught.value.response.status_code == 429
            assert caught.value.response.headers["x-content-type-options"] == "nosniff"
            assert (await http.post("/graphql", json={"query": "{ __typename }"})).status_code == 200
        for _ in range(100):  # the server hears of their ends a moment later
            with contextlib.suppress(InvalidStatus):
                async with opened(port), opened(port):
                    return
            await asyncio.sleep(0.02)
        pytest.fail("the places were not given back")


async def test_operations_of_one_client_over_many_sockets(
    settings: Settings, clean_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schema.view.OPERATIONS_PER_CLIENT", 2)
    token, job_id = await staff.signed_in({Permission.PRODUCTS_WRITE}), await queued_job()
    async with served(settings) as port, opened(port) as first, opened(port) as second:
        answers: list[dict[str, Any]] = []
        for connection in (first, first, second):
            socket = Socket(connection)
            if not answers or connection is second:
                await socket.open({"authorization": f"Bearer {token}"})
            await socket.send({"id": str(len(answers)), "type": "subscribe", "payload": subscribing(job_id)})
            answers.append(await socket.receive())
        assert [answer["type"] for answer in answers] == ["next", "next", "error"]
        assert answers[2]["payload"][0]["extensions"]["code"] == "TOO_MANY"
        await Socket(first).send({"id": "0", "type": "complete"})
        for number in range(100):
            await socket.send({"id": f"again {number}", "type": "subscribe", "payload": subscribing(job_id)})
            if (await socket.receive())["type"] == "next":
                return
            await asyncio.sleep(0.02)
        pytest.fail("the place was not given back")


async def test_a_socket_that_says_nothing(settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schema.view.INIT_SECONDS", 0.2)
    async with served(settings) as port, opened(port) as connection:
        assert await Socket(connection).close_code() == 4408


async def test_a_socket_that_does_nothing(
    settings: Settings, clean_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schema.sockets.IDLE_SECONDS", 1.0)
    token, job_id = await staff.signed_in({Permission.PRODUCTS_WRITE}), await queued_job()
    async with served(settings) as port, opened(port) as idle, opened(port) as busy:
        await Socket(busy).open({"authorization": f"Bearer {token}"})
        await Socket(busy).send({"id": "1", "type": "subscribe", "payload": subscribing(job_id)})
        assert (await Socket(busy).receive())["type"] == "next"
        await Socket(idle).open()
        await Socket(idle).send(json.dumps({"type": "ping"}))
        assert (await Socket(idle).receive())["type"] == "pong"
        assert await Socket(idle).close_code() == 4408
        with contextlib.suppress(ConnectionClosed):
            await Socket(busy).send({"type": "ping"})
        assert (await Socket(busy).receive())["type"] == "pong", "it has something to wait for"


async def test_the_points_of_a_client_count_on_sockets(settings: Settings, clean_database: None) -> None:
    made = settings.model_copy(update={"rate_limit_client_points": 600})
    async with served(made) as port, opened(port) as connection:
        socket = Socket(connection)
        await socket.open()
        answer = await socket.run("# " + "x" * 5_000 + "\n{ __typename }")
        assert answer["payload"]["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 0
        assert (await socket.receive())["type"] == "complete"
        refused = await socket.run("{ __typename }")
        assert refused["type"] == "error"
        assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
