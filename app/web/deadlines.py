"""Ends requests that take too long: bodies that drip, handlers that hang, readers that do not read."""

import asyncio

import structlog
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
        loop = asyncio.get_running_loop()
        now = loop.time
        allowed, whole, slow, started = BODY_SECONDS, False, False, False
        deadline = _Deadline(self.seconds, loop)

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
            deadline.moved = now()
            allowed += len(message.get("body", b"")) / BODY_BYTES_PER_SECOND - (deadline.moved - began)
            whole = not message.get("more_body", False)
            return message

        async def send_in_time(message: Message) -> None:
            nonlocal started
            if slow:
                return  # what it says to a client that went away
            if message["type"] == "http.response.start":
                started = True
                if _is_event_stream(message):
                    deadline.stop()
            deadline.moved = now()
            await send(message)

        try:
            await self.app(scope, receive_in_time, send_in_time)
        except ClientDisconnect:
            if not slow:
                return  # nobody is there to answer
        except asyncio.CancelledError:
            if not deadline.is_over():
                raise
            log.warning("request given up", started=started)
            if started:
                raise ConnectionAbortedError from None
            await _refusal(503, "It took too long, and was given up.")(scope, receive, send)
            return
        finally:
            deadline.stop()
        if slow and not started:
            await _refusal(408, "The request's body came too slowly.")(scope, receive, send)


class _Deadline:
    """Cancels this task when nothing has moved for so long. One timer for a request: each costs as much as all else."""

    def __init__(self, seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        self.seconds = seconds
        self.moved = loop.time()
        self._loop = loop
        self._task = asyncio.current_task()
        self._before = self._task.cancelling() if self._task else 0
        self._expired = False
        self._timer = loop.call_later(seconds, self._look)

    def _look(self) -> None:
        left = self.moved + self.seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        elif self._task is not None:
            self._expired = True
            self._task.cancel()

    def stop(self) -> None:
        self._timer.cancel()

    def is_over(self) -> bool:
        """Whether a cancellation that has arrived is this one's, and nobody else's beside it."""
        return self._expired and self._task is not None and self._task.uncancel() <= self._before


def _is_event_stream(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"]
    )


def _refusal(status: int, message: str) -> JSONResponse:
    body = {"errors": [{"message": message, "extensions": {"code": TIMEOUT}}]}
    return JSONResponse(body, status, headers={"Connection": "close", "Cache-Control": "no-store"})
