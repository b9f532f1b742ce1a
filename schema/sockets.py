"""GraphQL over WebSocket: the graphql-transport-ws protocol."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, cast

from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)

from app.errors import CommonErrorCode
from app.logging import log_fault
from schema.context import Context, build_context
from schema.throttling import refusal

if TYPE_CHECKING:
    from schema.view import View

MAX_OPERATIONS = 100
"""Under way at a time: each subscription among them reads the database now and then."""
INIT_SECONDS = 10.0
"""Until a client has to have said `connection_init`."""
IDLE_SECONDS = 300.0
"""A socket without an operation is closed then; clients open another when they need one."""
_TOO_MANY = {"code": CommonErrorCode.TOO_MANY.name}
_TOO_BIG = 1009
_MALFORMED = 4400
_IDLE = 4408


class SocketAdapter(ASGIWebSocketAdapter):
    """Text frames in both directions, with the size limit that HTTP bodies have."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        limit = cast("View", self.view).settings.max_body_bytes
        while self.ws.application_state != WebSocketState.DISCONNECTED:
            try:
                text = await self.ws.receive_text()
            except KeyError as error:
                raise NonTextMessageReceived from error
            except WebSocketDisconnect:
                return
            if len(text) > limit:
                await self.close(_TOO_BIG, "Message too big")
                return
            try:
                yield self.view.decode_json(text)
            except JSONDecodeError as error:
                if not ignore_parsing_errors:
                    raise NonJsonMessageReceived from error

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await self.ws.send_text(cast("bytes", self.view.encode_json(message)).decode())
        except WebSocketDisconnect as gone:
            raise WebSocketDisconnected from gone


class SocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Browsers cannot set headers on a WebSocket, so `connection_init` carries the Authorization."""

    _authorization: str | None = None
    _busy_at = 0.0
    """When there was an operation last."""

    async def handle(self) -> None:
        self._busy_at = asyncio.get_running_loop().time()
        watching = asyncio.ensure_future(self._end_when_idle())
        try:
            await super().handle()
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await watching

    async def _end_when_idle(self) -> None:
        now = asyncio.get_running_loop().time
        while now() - self._busy_at < IDLE_SECONDS:
            await asyncio.sleep(IDLE_SECONDS / 10)
            if self.operations:
                self._busy_at = now()
        await self.websocket.close(code=_IDLE, reason="Idle")

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        payload = message.get("payload")
        if isinstance(payload, dict):
            given = {str(name).lower(): value for name, value in payload.items()}.get("authorization")
            self._authorization = given if isinstance(given, str) else None
        await super().handle_connection_init(message)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Who asks is looked up for each operation: a socket outlives the token that it was opened with."""
        payload = cast("Any", message["payload"])
        if not isinstance(payload, dict) or not _is_request(payload):
            await self.handle_invalid_message("Failed to parse message")
            return
        if not self.connection_acknowledged:
            await super().handle_subscribe(message)  # which closes the connection
            return
        if len(self.operations) >= MAX_OPERATIONS:
            await self._refuse(message, f"A socket has {MAX_OPERATIONS} operations at most.")
            return
        self._busy_at = asyncio.get_running_loop().time()
        socket = cast("SocketAdapter", self.websocket).ws
        context = self.context = await build_context(socket, self.context.settings, self._authorization)
        if context.throttle and (wait := context.throttle.wait_seconds()):
            await self._send_error(message, refusal(wait))
            return
        places, client = cast("View", self.view).operations, context.client_address
        if not places.take(client):
            await self._refuse(message, f"A client has {places.per_client} operations at most.")
            return
        before = self.operations.get(message["id"])
        try:
            await super().handle_subscribe(message)
        finally:
            operation = self.operations.get(message["id"])
            if operation is None or operation is before or operation.task is None:
                places.give_back(client)
            else:
                operation.task.add_done_callback(lambda _: places.give_back(client))

    async def _refuse(self, message: SubscribeMessage, why: str) -> None:
        await self._send_error(message, GraphQLError(why, extensions=_TOO_MANY))

    async def _send_error(self, message: SubscribeMessage, error: GraphQLError) -> None:
        await self.send_message({"id": message["id"], "type": "error", "payload": [error.formatted]})

    async def handle_message(self, message: Message) -> None:
        """Whatever is not shaped like a message ends the connection, as the protocol asks, and nothing else."""
        received: object = message
        if not isinstance(received, dict) or not isinstance(received.get("id", ""), str):
            await self.handle_invalid_message("Failed to parse message")
            return
        await super().handle_message(message)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """A document that cannot be run is answered like any other, and whatever else the socket carries goes on."""
        return None

    async def handle_task_exception(self, error: Exception) -> None:
        log_fault(error)

    async def handle_invalid_message(self, error_message: str) -> None:
        await self.websocket.close(code=_MALFORMED, reason=error_message)


def _is_request(payload: dict[str, Any]) -> bool:
    return (
        isinstance(payload.get("query"), str)
        and payload["query"] != ""
        and isinstance(payload.get("variables"), (dict, type(None)))
        and isinstance(payload.get("operationName"), (str, type(None)))
    )
