"""GraphQL over HTTP, and as server-sent events. `schema.sockets` adds WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException, StarletteRequestAdapter
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.http.parse_content_type import parse_content_type
from strawberry.http.streaming import HTTPStreamTransport
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from app import db
from app.errors import CommonErrorCode
from app.outages import RETRY_AFTER_SECONDS
from app.settings import Settings
from app.web.hosts import is_local_origin
from app.web.open_streams import OPERATIONS_PER_CLIENT, STREAMS_PER_CLIENT, Places
from app.web.shutdown import until_shutdown
from schema import build_schema
from schema.context import Context, build_context, client_address
from schema.faults import INTERNAL, TIMEOUT, TOLD, UNAVAILABLE, masked, public_errors
from schema.negotiation import GRAPHQL_RESPONSE, JSON, answer_type, wants_page
from schema.sockets import INIT_SECONDS, SocketAdapter, SocketHandler
from schema.throttling import refusal as too_many

Page: TypeAlias = Callable[[Request], Awaitable[Response]]
BAD_REQUEST = "BAD_REQUEST"

OVERLOADED = "OVERLOADED"

_NO_STORE = {"Cache-Control": "no-store"}
_CODES = {
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    413: "CONTENT_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: CommonErrorCode.TOO_MANY.name,
    503: TIMEOUT,
}


class TooManyRequestsError(HTTPException):
    def __init__(self, wait_seconds: int) -> None:
        super().__init__(429, "")
        self.wait_seconds = wait_seconds


class OverloadedError(HTTPException):
    """The request was not begun; see docs/decisions/overload.md."""

    def __init__(self) -> None:
        super().__init__(503, "The shop has more to do than it can. Try again in a moment.")


class LimitedRequest(StarletteRequestAdapter):
    """Stops reading at the limit: a parser can be kept busy for seconds by megabytes that it skips.

    Starlette's limiting middleware would answer in plain text, and the clients of this one read JSON.
    """

    def __init__(self, request: Request, *, max_bytes: int) -> None:
        super().__init__(request)
        self._stream = request.stream()
        self._max_bytes = max_bytes

    async def get_body(self) -> bytes:
        """Raises HTTPException(413)."""
        refusal = HTTPException(413, f"A request may have {self._max_bytes:,} bytes; files go to /uploads.")
        declared = self.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._max_bytes:
            raise refusal
        received = bytearray()
        async for chunk in self._stream:
            received += chunk
            if len(received) > self._max_bytes:
                raise refusal
        return bytes(received)


class View(GraphQL[Context, None]):
    """The ASGI application behind `/graphql`.

    Args:
        page: what a browser gets that is pointed here; None answers it like any other client.
    """

    websocket_adapter_class = SocketAdapter
    graphql_transport_ws_handler_class = SocketHandler

    def __init__(self, settings: Settings, page: Page | None = None) -> None:
        self.settings = settings
        self.page = page
        # Strawberry declares a class here and calls it like any function.
        self.request_adapter_class = partial(  # type: ignore[assignment]
            LimitedRequest, max_bytes=settings.max_body_bytes
        )
        super().__init__(
            build_schema(
                development=settings.is_development,
                introspection=settings.introspection_enabled,
                suggestions=settings.suggestions_enabled,
                timeout_seconds=settings.request_timeout_seconds,
            ),
            graphql_ide=None,
            # Neither the legacy graphql-ws protocol nor multipart: nothing new needs them.
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            allowed_origins=settings.allowed_origins,
            connection_init_wait_timeout=timedelta(seconds=INIT_SECONDS),
        )
        self.streams = Places(STREAMS_PER_CLIENT)
        self.operations = Places(OPERATIONS_PER_CLIENT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        is_socket = scope["type"] == "websocket"
        is_stream = is_socket or self._get_stream_transport_from_headers(connection.headers) is not None
        client = client_address(connection, self.settings) if is_stream else None
        with self.streams.held(client) as has_place:
            if is_socket and has_place:
                await super().__call__(scope, receive, send)
            elif is_socket:
                await WebSocket(scope, receive, send).send_denial_response(Response(status_code=429))
            else:
                await self._serve(scope, receive, send, has_place=has_place)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, *, has_place: bool) -> None:
        request = Request(scope, receive)
        try:
            if not has_place:
                raise HTTPException(429, f"A client has {self.streams.per_client} streams at most.")
            response = await self._answer(request)
        except TooManyRequestsError as refusal:
            response = self._unread(request, 429, too_many(refusal.wait_seconds), refusal.wait_seconds)
        except OverloadedError as refusal:
            error = GraphQLError(refusal.reason, extensions={"code": OVERLOADED, "requestId": _request_id(request)})
            response = self._unread(request, 503, error, RETRY_AFTER_SECONDS)
        except HTTPException as refusal:
            response = self._refuse(request, refusal.status_code, refusal.reason)
        except InvalidOperationTypeError as refusal:
            response = self._refuse(request, 405, refusal.as_http_error_reason(request.method))
        except ClientDisconnect:
            return
        except Exception as fault:  # noqa: BLE001 - the last place where it can become an answer in GraphQL's form
            response = self._failed(request, masked(fault, _request_id(request)))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "POST"):
            raise HTTPException(405, "GraphQL is asked with GET or POST.")
        accept = request.headers.get("accept")
        if self.page and request.method == "GET" and "query" not in request.query_params and wants_page(accept):
            return await self.page(request)
        if self._get_stream_transport_from_headers(request.headers) is not None:
            return await self.run(request)
        if answer_type(accept) is None:
            raise HTTPException(406, f"The answer can be {JSON}, {GRAPHQL_RESPONSE} or text/event-stream.")
        return await self._execute(request)

    async def _execute(self, request: Request) -> Response:
        """What Strawberry's `run` comes to where it is no stream, page or socket that is asked for."""
        adapter = LimitedRequest(request, max_bytes=self.settings.max_body_bytes)
        sub_response = await self.get_sub_response(request)
        context = await self.get_context(request, sub_response)
        asked = await self.parse_http_body(adapter)
        result = await self.execute_single(request, adapter, sub_response, context, None, asked)
        return self.create_response(await self.process_result(request, result), sub_response)

    def _get_stream_transport_from_headers(self, headers: Mapping[str, str]) -> HTTPStreamTransport | None:
        """As Strawberry has it, but without a look at every header of every request, three times."""
        accept = headers.get("accept")
        if not accept:
            return None
        return next((one for one in self._stream_transport_map.values() if one.accepts(accept)), None)

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        return False

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        """Raises HTTPException: 503 when the database does not say whose token it is, or has too much to do already;
        429 when nothing is left."""
        if db.longest_wait_seconds() > self.settings.overloaded_after_seconds:
            raise OverloadedError
        # Nothing but a token is looked up.
        seconds = self.settings.request_timeout_seconds if "authorization" in request.headers else None
        try:
            async with asyncio.timeout(seconds):
                context = await build_context(request, self.settings)
        except TimeoutError:
            raise HTTPException(503, TOLD[TIMEOUT]) from None
        if context.throttle and isinstance(request, Request) and (wait := context.throttle.wait_seconds()):
            raise TooManyRequestsError(wait)
        return context

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        if self.settings.is_development and is_local_origin(origin):
            return True
        return super().is_websocket_origin_allowed(request, origin)

    # What comes in

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        """Raises HTTPException: 415 for another type than JSON, 400 for what is no GraphQL request.

        A page on another origin can send forms and plain text without asking; JSON it has to ask for (CORS).
        """
        if request.method == "GET":
            sent: Any = self.parse_query_params(request.query_params)
        else:
            if request.content_type != JSON:  # as nearly every client says it, in just these letters
                _check_type(request.content_type or "")
            sent = self.parse_json(await request.get_body())
        if isinstance(sent, list):
            raise HTTPException(400, "Batching is off: send one operation at a time.")
        if not isinstance(sent, dict):
            raise HTTPException(400, "A GraphQL request is a JSON object with the key query.")
        for name, kind, described in (
            ("query", str, "a string"),
            ("operationName", str, "a string"),
            ("variables", dict, "an object"),
            ("extensions", dict, "an object"),
        ):
            if sent.get(name) is not None and not isinstance(sent[name], kind):
                raise HTTPException(400, f"{name} must be {described}.")
        if not sent.get("query"):
            raise HTTPException(400, "The request has no query.")
        transport = self._get_stream_transport_from_headers(request.headers)
        return GraphQLRequestData(
            query=sent["query"],
            variables=sent.get("variables"),
            operation_name=sent.get("operationName") or None,
            extensions=sent.get("extensions"),
            protocol=transport.protocol if transport else "http",
        )

    async def execute_single(  # noqa: PLR0917 - as Strawberry has it
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """Raises InvalidOperationTypeError for what needs another method; HTTPException: 400 for an unknown operation,
        406 for a subscription, which one answer cannot hold."""
        try:
            result = await self.schema.execute(
                request_data.query,
                root_value=root_value,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                allowed_operation_types=OperationType.from_http(request_adapter.method) - {OperationType.SUBSCRIPTION},
                operation_extensions=request_data.extensions,
            )
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from error
        except InvalidOperationTypeError as error:
            if error.operation_type is not OperationType.SUBSCRIPTION:
                raise
            raise HTTPException(406, "Subscriptions are answered as text/event-stream, or over WebSocket.") from error
        if context.retry_after_seconds:
            sub_response.headers["Retry-After"] = str(context.retry_after_seconds)
        return result

    # What goes out

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        before_execution = isinstance(result, PreExecutionError)
        # Variables are checked as a part of execution, but a wrong one keeps it from beginning.
        begun = result.data is not None or any(error.path for error in result.errors or ())
        # Without `data`: nothing was executed, which null would not say.
        answer: GraphQLHTTPResponse = {"data": result.data} if begun and not before_execution else {}
        if result.errors:
            errors = public_errors(result.errors, _request_id(request), before_execution=before_execution)
            answer["errors"] = [error.formatted for error in errors]
        if result.extensions:
            answer["extensions"] = result.extensions
        return answer

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        response = await super().get_sub_response(request)
        response.media_type = answer_type(request.headers.get("accept")) or JSON
        return response

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        status = 200
        if isinstance(response_data, dict) and "data" not in response_data:
            status = 400 if sub_response.media_type == GRAPHQL_RESPONSE else 200
            errors: Any = response_data.get("errors") or ()
            if any(error.get("extensions", {}).get("code") in (TIMEOUT, UNAVAILABLE) for error in errors):
                status = 503
        response = self._json(response_data, status, sub_response.media_type)
        if wait := sub_response.headers.get("Retry-After"):
            response.headers["Retry-After"] = wait
        return response

    async def create_streaming_response(
        self,
        request: Request | WebSocket,
        stream: Callable[[], AsyncIterator[str]],
        sub_response: Response,
        headers: Mapping[str, str],
    ) -> Response:
        return StreamingResponse(
            until_shutdown(stream()), headers={**headers, "Cache-Control": "no-store, no-transform"}
        )

    def _refuse(self, request: Request, status: int, message: str) -> Response:
        extensions = {"code": _CODES.get(status, BAD_REQUEST)}
        if status >= 500:
            extensions["requestId"] = _request_id(request)
        body = {"errors": [{"message": message, "extensions": extensions}]}
        response = self._json(body, status, answer_type(request.headers.get("accept")))
        if status == 405:
            response.headers["Allow"] = "POST" if request.method == "GET" else "GET, POST"
        if status == 413:
            # The rest of the body is not read, so the connection cannot carry another request.
            response.headers["Connection"] = "close"
        return response

    def _unread(self, request: Request, status: int, error: GraphQLError, wait_seconds: int) -> Response:
        """A refusal before anything of the request was looked at."""
        response = self._json({"errors": [error.formatted]}, status, answer_type(request.headers.get("accept")))
        response.headers["Retry-After"] = str(wait_seconds)
        if request.method == "POST":
            response.headers["Connection"] = "close"  # the body is not read
        return response

    def _failed(self, request: Request, error: GraphQLError) -> Response:
        """A fault from outside of the operation."""
        code = (error.extensions or {})["code"]
        status = 500 if code == INTERNAL else 503
        response = self._json({"errors": [error.formatted]}, status, answer_type(request.headers.get("accept")))
        if code == UNAVAILABLE:
            response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response

    def _json(self, body: object, status: int, media_type: str | None) -> Response:
        content_type = f"{media_type or JSON}; charset=utf-8"
        return Response(self.encode_json(body), status, headers={**_NO_STORE, "Content-Type": content_type})


def _check_type(given: str) -> None:
    """Raises HTTPException(415) for a body that is no JSON in UTF-8."""
    content_type, parameters = parse_content_type(given)
    if content_type != JSON:
        raise HTTPException(415, f"Send the request as {JSON}.")
    if parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise HTTPException(415, "Send the request in UTF-8.")


def _request_id(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))
