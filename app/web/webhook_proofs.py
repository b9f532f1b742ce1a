"""Webhooks that come without a proof, again and again from the same client, are not read any more for a while."""

import contextlib

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import rate_limit
from app.settings import Settings
from app.web.client import client_hop

PREFIX = "/webhooks/"
FAILURES, WINDOW_SECONDS = 60, 600
"""A provider whose secret was changed on one side only tries again for hours, and is heard when it is put right."""
_LIMIT = "webhook-proof"
_NOT_PROVEN = (400, 401, 403)


class WebhookProofs:
    """Pure ASGI, for every webhook that a provider calls: by their path, so that a new one cannot forget it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        client = rate_limit.client_unit(client_hop(HTTPConnection(scope), self.settings))
        if await rate_limit.is_used_up(_LIMIT, client, limit=FAILURES, window_seconds=WINDOW_SECONDS):
            headers = {"Retry-After": str(WINDOW_SECONDS // FAILURES)}
            refusal = PlainTextResponse("Too many without a proof; try again later.", 429, headers=headers)
            await refusal(scope, receive, send)
            return
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self.app(scope, receive, noting)
        if status in _NOT_PROVEN:
            with contextlib.suppress(rate_limit.RateLimitedError):  # the next one is refused
                await rate_limit.allow(_LIMIT, client, limit=FAILURES, window_seconds=WINDOW_SECONDS)
