"""Ends requests that take too long: bodies that drip, handlers that hang, readers that do not read."""

import asyncio

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("tradewind.http")

BODY_SECONDS = 15.0
"""That a body may keep us waiting in all, and a second more for each of the next."""
BODY_BYTES_PER_SECOND = 5_000
GRACE_SECONDS = 5.0
"""Beyond the limit for executing a GraphQL request, which has an error of its own."""
TIMEOUT = "TIMEOUT"


class Deadlines:
    """Pure ASGI. Event streams may last: what they watch has limits of its own."""

    def __init__(self, app: ASGIApp, request_seconds: float) -> None:
        self.app = app
        self.seconds = request_seconds + GRACE_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        now = asyncio.get_running_loop().time
        allowed, whole, slow, started = BODY_SECONDS, False, False, False

        def give_time(*, endless: bool = False) -> None:
            if not deadline.expired():
                deadline.reschedule(None if endless else now() + self.seconds)

        async def receive_in_time() -> Message:
            nonlocal allowed, whole, slow
            if whole:
                return await receive()
            began = now()
            try:
                async with asyncio.timeout(max(allowed, 0.0)):
                    message = await receive()
            except TimeoutError:
                # To the application it is a client that went away: it takes back whatever it has begun.
                slow = whole = True
                return {"type": "http.disconnect"}
            allowed += len(message.get("body", b"")) / BODY_BYTES_PER_SECOND - (now() - began)
            whole = not message.get("more_body", False)
            if not started:
                give_time()
            return message

        async def send_in_time(message: Message) -> None:
            nonlocal started
            if slow:
                return  # what it says to a client that went away
            if message["type"] == "http.response.start":
                started = True
                streams = Headers(raw=message["headers"]).get("content-type", "").startswith("text/event-stream")
                give_time(endless=streams)
            elif deadline.when() is not None:
                give_time()
            await send(message)

        try:
            async with asyncio.timeout(self.seconds) as deadline:
                await self.app(scope, receive_in_time, send_in_time)
        except ClientDisconnect:
            if not slow:
                return  # nobody is there to answer
        except TimeoutError:
            if not deadline.expired():
                raise
            log.warning("request given up", started=started)
            if started:
                raise ConnectionAbortedError from None
            await _refusal(503, "It took too long, and was given up.")(scope, receive, send)
            return
        if slow and not started:
            await _refusal(408, "The request's body came too slowly.")(scope, receive, send)


def _refusal(status: int, message: str) -> JSONResponse:
    body = {"errors": [{"message": message, "extensions": {"code": TIMEOUT}}]}
    return JSONResponse(body, status, headers={"Connection": "close", "Cache-Control": "no-store"})
