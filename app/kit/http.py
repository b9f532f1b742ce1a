"""Requests to servers that somebody else named, which can never reach the shop's own network.

Every connection goes to an address that was looked up and checked for that very connection, so a name that answers
differently the second time (DNS rebinding) gains nothing; each redirect is a new connection. Proxies of the environment
are not used, and nothing is kept between two requests.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import httpcore2
import httpx2

from app.kit.public_addresses import is_literal, is_odd_literal, is_public

MAX_URL_CHARS = 2048
MAX_ANSWER_BYTES = 65_536
MAX_RETRY_AFTER_SECONDS = 24 * 3600
PORTS = {"http": (80, 8080), "https": (443, 8443)}
"""Where web servers are. Other ports belong to protocols that could be made to misread a request as theirs."""
_DEFAULT_PORT = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)
_FOR_ANY_SERVER = ("accept", "content-type", "user-agent")
"""Headers that a redirect to another server takes along: any other may be a credential."""
_OF_THE_CONNECTION = ("connection", "content-length", "host", "transfer-encoding")
_RESOLVERS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="look-up")
"""Of their own: a name server that says nothing must not keep the process's other threads."""


class HttpError(Exception):
    """There is no answer. The text is for logs: it names neither the URL nor anything that was sent."""

    def __init__(self, detail: str, *, sent: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.sent = sent
        """Whether a server may have got the request. False is certain."""


class RefusedUrlError(HttpError):
    """We do not go there: not http(s), credentials in the URL, another port, or not on the public internet."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)
    """At most 64 KB of it, or as much as was asked for."""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after_seconds(self) -> int:
        """How long the server asks to be left alone, up to a day; 0 when it does not say, or says a date."""
        wait = self.headers.get("retry-after", "").strip()
        # A number of a thousand digits is somebody's joke, or somebody's attack.
        return min(int(wait[:9]), MAX_RETRY_AFTER_SECONDS) if wait.isascii() and wait.isdigit() else 0


async def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    timeout_seconds: float,
    max_redirects: int = 0,
    allow_private: bool = False,
    max_answer_bytes: int = MAX_ANSWER_BYTES,
) -> Answer:
    """Ask, and read at most 64 KB of the answer (or `max_answer_bytes`), whatever its status.

    Args:
        timeout_seconds: for everything together: looking up the name, connecting, redirects, the answer.
        max_redirects: how many to follow; the next is returned as the answer. As browsers do, 301 and 302 make GET of
            POST, 303 of everything. What may be a credential goes to no other server, and https never becomes http.
        allow_private: any address and port, for tests and for servers that the shop's own operator named.

    Raises:
        RefusedUrlError: by our own rules, at the URL or at one that it redirects to.
        HttpError: everything else; its `sent` says whether a server may have got the request.
    """
    trace = _Trace()
    target = check_url(url, allow_private=allow_private)
    given = {name.lower(): value for name, value in (headers or {}).items()}
    given = {name: value for name, value in given.items() if name not in _OF_THE_CONNECTION}
    failure = HttpError("")
    try:
        async with asyncio.timeout(timeout_seconds):
            for redirects_left in range(max_redirects, -1, -1):
                answer = await _exchange(
                    method, target, given, content, trace=trace, allow_private=allow_private, limit=max_answer_bytes
                )
                location = answer.headers.get("location")
                if redirects_left == 0 or answer.status not in _REDIRECTS or location is None:
                    return answer
                following = check_url(location, base=target, allow_private=allow_private)
                if target.scheme == "https" and following.scheme == "http":
                    raise RefusedUrlError("redirected from https to http")
                if (answer.status in (301, 302) and method == "POST") or (answer.status == 303 and method != "HEAD"):
                    method, content = "GET", b""
                    given.pop("content-type", None)
                if (target.scheme, target.netloc) != (following.scheme, following.netloc):
                    given = {name: value for name, value in given.items() if name in _FOR_ANY_SERVER}
                target = following
    except RefusedUrlError as error:
        failure = RefusedUrlError(error.detail, sent=trace.sent)
    except TimeoutError:
        failure = HttpError("no answer in time" if trace.sent else "no connection in time", sent=trace.sent)
    except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, OSError, ValueError) as error:
        failure = HttpError(_kind(error), sent=trace.sent)
    # Outside the handlers: a chain of causes would carry the URL and the headers into logs.
    raise failure


async def post(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    timeout_seconds: float,
    max_redirects: int = 0,
    allow_private: bool = False,
) -> Answer:
    """`request("POST", …)`."""
    return await request(
        "POST",
        url,
        headers=headers,
        content=content,
        timeout_seconds=timeout_seconds,
        max_redirects=max_redirects,
        allow_private=allow_private,
    )


def check_url(url: str, *, base: httpx2.URL | None = None, allow_private: bool = False) -> httpx2.URL:
    """What can be said without looking up the name; for refusing a wrong URL when it is saved, too.

    Raises RefusedUrlError with what is wrong.
    """
    if len(url) > MAX_URL_CHARS:
        raise RefusedUrlError(f"the URL is longer than {MAX_URL_CHARS} characters")
    try:
        parsed = base.join(url) if base is not None else httpx2.URL(url)
        port = parsed.port
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise RefusedUrlError("not a URL") from None
    if parsed.scheme not in PORTS or not parsed.host:
        raise RefusedUrlError("the URL must begin with https:// or http:// and name a host")
    if parsed.userinfo:
        raise RefusedUrlError("the URL holds a user name or a password")
    host = parsed.raw_host.decode("ascii")
    if not 0 < (port or _DEFAULT_PORT[parsed.scheme]) < 65536 or "%" in host:
        raise RefusedUrlError("not a URL")
    if is_odd_literal(host):
        raise RefusedUrlError("the address is not in its usual form")
    if not allow_private:
        if port is not None and port not in (*PORTS["http"], *PORTS["https"]):
            raise RefusedUrlError("only the ports 80, 443, 8080 and 8443 are allowed")
        if is_literal(host) and not is_public(host):
            raise RefusedUrlError("the address is not on the public internet")
    return parsed


@dataclass(slots=True)
class _Trace:
    sent: bool = False

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        if event == "http11.send_request_headers.started":
            self.sent = True


async def _exchange(
    method: str,
    url: httpx2.URL,
    headers: Mapping[str, str],
    content: bytes,
    *,
    trace: "_Trace",
    allow_private: bool,
    limit: int,
) -> Answer:
    """One request over a connection of its own."""
    host = url.raw_host.decode("ascii")
    # An answer that is not packed cannot unpack to gigabytes.
    message = httpx2.Request(method, url, headers={"accept-encoding": "identity", **headers}, content=content)
    wire = httpcore2.Request(
        method=message.method,
        url=httpcore2.URL(
            scheme=url.raw_scheme,
            host=url.raw_host,
            port=url.port or _DEFAULT_PORT[url.scheme],
            target=url.raw_path,
        ),
        headers=[*message.headers.raw, (b"connection", b"close")],
        content=content,
        extensions={"trace": trace, "sni_hostname": host.rstrip(".")},
    )
    async with httpcore2.AsyncConnectionPool(
        ssl_context=_tls_context(), network_backend=_CheckedBackend(allow_private)
    ) as pool:
        response = await pool.handle_async_request(wire)
        try:
            body = bytearray()
            async for chunk in response.aiter_stream():
                body += chunk[: limit - len(body)]
                if len(body) >= limit:
                    break
        finally:
            await response.aclose()
    answered = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    return Answer(response.status, answered, bytes(body))


class _CheckedBackend(httpcore2.AnyIOBackend):
    """Looks the name up, refuses what is not public, and connects to the very addresses that it has looked at."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = [host] if is_literal(host) else await _look_up(host, port)
        if not self._allow_private and not all(is_public(address) for address in addresses):
            # One private address among public ones is no accident of somebody who means well.
            raise RefusedUrlError("the address is not on the public internet")
        failure: Exception | None = None
        for address in addresses:
            try:
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore2.ConnectError as error:
                failure = error
        raise failure or httpcore2.ConnectError("the name has no address")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        raise RefusedUrlError("not a web server")


async def _look_up(host: str, port: int) -> list[str]:
    """Every address of a name, in the system's order, each once."""
    try:
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(_RESOLVERS, look_up)
    except (OSError, UnicodeError):
        raise httpcore2.ConnectError("the name has no address") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@lru_cache
def _tls_context() -> ssl.SSLContext:
    """The system's trusted certificates, read once a process."""
    return httpcore2.default_ssl_context()


def _kind(error: BaseException) -> str:
    """The name of what went wrong; TLS by its own name, as its cause is usually a certificate."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "TLS failed"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
