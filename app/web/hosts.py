"""Names of this machine.

A page on the internet can give its own host name this machine's address (DNS rebinding) and then talk to a server that
listens on it as if it were that server's own page. In development there is a known password and an open inbox to be
had, so there only names count that nobody else can point anywhere: loopback names, bare addresses, the public URL's.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL_ORIGINS = r"https?://((.+\.)?localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?"
"""Pages of this machine, such as a storefront's development server, as an expression for CORS."""


def host_of(authority: str) -> str:
    """The name in a Host header, without its port; empty when there is none."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_local_origin(origin: str) -> bool:
    return re.fullmatch(LOCAL_ORIGINS, origin) is not None


class KnownHosts:
    """Refuses requests whose Host header names somebody else's domain."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        self.own = urlsplit(public_url).hostname

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self.knows(host_of(Headers(scope=scope).get("host", ""))):
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        text = "This development server answers to localhost, to addresses, and to the host of PUBLIC_URL.\n"
        await PlainTextResponse(text, 421)(scope, receive, send)

    def knows(self, host: str) -> bool:
        return host == self.own or is_loopback(host) or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
