"""What surrounds every request: its id, its line in the log, the headers that browsers are told to be careful by."""

import re
import secrets
import time
from contextlib import AbstractContextManager, nullcontext

import structlog
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import tracing
from app.logging import log_fault
from app.metrics import instruments
from app.outages import RETRY_AFTER_SECONDS, is_outage
from app.settings import Settings

_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")
_QUIET = ("/health/", "/metrics", "/static/", "/inbox", "/flows")
"""Asked every few seconds by machines and open pages, who also hear when something is not ready."""

log = structlog.get_logger("tradewind.http")

# An answer that is no page has no use for any of a page's rights. Pages set policies of their own, and what may be kept
# says so itself.
_DEFAULT_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}
_ONE_YEAR_SECONDS = 31_536_000
_REQUEST_ID_HEADER = b"x-request-id"


class Envelope:
    """Pure ASGI: Starlette's BaseHTTPMiddleware costs more than everything here together."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.trusts_ids = settings.trusted_proxies > 0
        headers = dict(_DEFAULT_HEADERS)
        if settings.is_production and settings.public_url.startswith("https://"):
            headers["Strict-Transport-Security"] = f"max-age={_ONE_YEAR_SECONDS}"
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        request_id = self._request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                given = message.get("headers", ())
                said = {name.lower() for name, _ in given}
                message["headers"] = [
                    *(header for header in given if header[0].lower() != _REQUEST_ID_HEADER),
                    (_REQUEST_ID_HEADER, request_id.encode()),
                    *(header for header in self.headers if header[0] not in said),
                ]
            await send(message)

        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id), self._span(scope, request_id):
            try:
                await self.app(scope, receive, send_with_headers)
            except Exception as fault:  # noqa: BLE001 - the server would log what the exception says, and that may be private
                log_fault(fault)
                if status:
                    raise ConnectionAbortedError from None  # half an answer is out: cut it off
                if scope["type"] == "http":
                    answer = _faulty(fault, request_id)
                    await answer(scope, receive, send_with_headers)
            if scope["type"] == "http":
                instruments.responded(status)
                tracing.describe(status=status)
                _log(scope, status, time.perf_counter() - started)

    def _span(self, scope: Scope, request_id: str) -> AbstractContextManager[None]:
        """Below the span of the proxy in front, where there is one to trust. A socket is none: it lasts for hours."""
        if not tracing.is_on() or scope["type"] != "http":
            return nullcontext()
        given = Headers(scope=scope).get("traceparent") if self.trusts_ids else None
        return tracing.span("request", traceparent=tracing.accepted(given), request_id=request_id)

    def _request_id(self, scope: Scope) -> str:
        """A proxy's own id, where there is a proxy to trust, so that its log and ours go together."""
        given = Headers(scope=scope).get("x-request-id", "") if self.trusts_ids else ""
        return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)


def _faulty(fault: BaseException, request_id: str) -> JSONResponse:
    if is_outage(fault):
        body = {"error": "The shop cannot get at its data at the moment.", "requestId": request_id}
        return JSONResponse(body, 503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return JSONResponse({"error": "Something went wrong on our side.", "requestId": request_id}, 500)


def _log(scope: Scope, status: int, seconds: float) -> None:
    path: str = scope["path"]
    quiet = status != 500 and path.startswith(_QUIET)
    # Tracking and unsubscribe links carry their secret in the path; so may links that lead nowhere.
    if "endpoint" not in scope:
        path = f"/{path.split('/')[1]}/…" if path.count("/") > 1 else path
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(str(value), f"{{{name}}}") if value else path
    write = log.debug if quiet else log.error if status >= 500 else log.info
    write("request", method=scope["method"], path=path, status=status, ms=round(seconds * 1000, 1))
