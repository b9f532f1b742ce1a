"""Requests that cannot reach the shop's own network, against real servers and a name service that lies."""

import asyncio
import gzip
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from app.kit import http
from app.kit.http import Answer, HttpError, RefusedUrlError
from app.kit.public_addresses import is_public
from tests.patience import patience
from tests.smtp_server import dripping_server

PUBLIC, OTHER_PUBLIC = "93.184.216.34", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
TLS_FILES = Path(__file__).parent.parent / "fixtures" / "tls"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def redirect(status: int, location: str) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@dataclass
class Server:
    answers: list[bytes] = field(default_factory=list)
    """An empty one hangs up."""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def heads(self) -> list[list[str]]:
        return [request.partition(b"\r\n\r\n")[0].decode().lower().split("\r\n") for request in self.requests]


@asynccontextmanager
async def serving(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(list(answers))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        server.requests.append(head + await reader.readexactly(length))
        writer.write(server.answers.pop(0) if server.answers else OK)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What the name service answers, one answer after the other; the last one for ever."""
    answers: dict[str, list[list[str]]] = {}

    def getaddrinfo(host: str, port: int, **options: Any) -> list[Any]:
        of_name = answers.get(host)
        if of_name is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        addresses = of_name.pop(0) if len(of_name) > 1 else of_name[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], list[str]]:
    """Lets public addresses lead to a server of the test. Returns the list of addresses that are dialled."""
    dialled: list[str] = []
    real = httpcore2.AnyIOBackend.connect_tcp

    def lead_to(server: Server) -> list[str]:
        async def connect(self: Any, host: str, port: int, *rest: Any) -> Any:
            dialled.append(f"{host}:{port}")
            return await real(self, "127.0.0.1", server.port, *rest)

        monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", connect)
        return dialled

    return lead_to


async def get(url: str, **options: Any) -> Answer:
    return await http.request("GET", url, **{"timeout_seconds": 5, **options})


NOT_PUBLIC = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.31.255.255",
    "192.0.0.8",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:93.184.216.34",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_no_address_outside_the_public_internet(address: str, names: dict[str, list[list[str]]]) -> None:
    names["hooks.example"] = [[address]]
    host = f"[{address}]" if ":" in address else address
    for url in (f"http://{host}/", "http://hooks.example/"):
        with pytest.raises(RefusedUrlError) as caught:
            await get(url)
        assert not caught.value.sent


@pytest.mark.parametrize("address", [PUBLIC, OTHER_PUBLIC, "1.1.1.1", "172.32.0.1", "100.128.0.1", "2a00:1450::1"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://017700000001/",
        "http://127.1/",
        "http://0127.0.0.1/",
        "http://127.0.0.1./",
        "http://①②⑦.⓪.⓪.①/",
        "http://[::1%25lo]/",
        "http://[::ffff:7f00:1]/",
        "http://user@hooks.example/",
        "http://:password@hooks.example/",
        "http://hooks.example:22/",
        "http://hooks.example:6379/",
        "http://hooks.example:0/",
        "http://hooks.example:70000/",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "//hooks.example/",
        "hooks.example",
        "http:///path",
        "https://",
        "",
        "http://hooks.example/\r\nX: y",
        "http://" + "a" * 2050,
    ],
)
async def test_no_url_that_is_not_plainly_a_web_address(url: str, names: dict[str, list[list[str]]]) -> None:
    names["hooks.example"] = [[PUBLIC]]
    names["127.0.0.1."] = names["127.1"] = [[PUBLIC]]
    with pytest.raises(RefusedUrlError):
        await get(url)


async def test_a_local_server_is_never_reached(names: dict[str, list[list[str]]], monkeypatch: Any) -> None:
    monkeypatch.setattr(http, "PORTS", {"http": range(65536), "https": range(65536)})
    names["hooks.example"] = [["127.0.0.1"]]
    names["mixed.example"] = [[PUBLIC, "127.0.0.1"]]
    async with serving() as server:
        for host in ("hooks.example", "mixed.example", "127.0.0.1"):
            with pytest.raises(RefusedUrlError, match="not on the public internet"):
                await get(f"http://{host}:{server.port}/")
    assert server.connections == 0


async def test_the_address_that_was_checked_is_the_one_that_is_dialled(
    names: dict[str, list[list[str]]], internet: Callable[[Server], list[str]]
) -> None:
    names["flips.example"] = [[PUBLIC], ["127.0.0.1"]]
    async with serving() as server:
        dialled = internet(server)
        answer = await get("http://flips.example/hook?a=1")
    assert (answer.status, answer.body) == (200, b"ok")
    assert dialled == [f"{PUBLIC}:80"]
    assert server.heads[0][:2] == ["get /hook?a=1 http/1.1", "host: flips.example"]


async def test_a_name_is_checked_again_for_every_redirect(
    names: dict[str, list[list[str]]], internet: Callable[[Server], list[str]]
) -> None:
    names["flips.example"] = [[PUBLIC], ["127.0.0.1"]]
    async with serving(redirect(302, "/second")) as server:
        dialled = internet(server)
        with pytest.raises(RefusedUrlError) as caught:
            await get("http://flips.example/", max_redirects=3)
    assert dialled == [f"{PUBLIC}:80"]
    assert caught.value.sent, "the first server has got it"


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://017700000001/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fd00:ec2::254]/",
        "http://inside.example/",
        "//[::1]/",
        "//inside.example/",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "http://hooks.example:6379/",
        "http://u:p@a.example/",
    ],
)
async def test_no_redirect_leads_inside(
    location: str, names: dict[str, list[list[str]]], internet: Callable[[Server], list[str]]
) -> None:
    names["hooks.example"] = [[PUBLIC]]
    names["inside.example"] = [[PUBLIC, "10.0.0.1"]]
    async with serving(redirect(307, location)) as server:
        dialled = internet(server)
        with pytest.raises(RefusedUrlError):
            await get("http://hooks.example/", max_redirects=3)
    assert len(dialled) == 1


async def test_redirects_are_followed_only_where_asked_and_take_no_credentials_along(
    names: dict[str, list[list[str]]], internet: Callable[[Server], list[str]]
) -> None:
    names["a.example"] = names["b.example"] = [[PUBLIC]]
    headers = {"Authorization": "Bearer x", "X-Api-Key": "y", "Content-Type": "application/json"}
    async with serving(redirect(307, "/2"), redirect(308, "http://b.example/3"), redirect(303, "/4")) as server:
        internet(server)
        answer = await http.post(
            "http://a.example/1", headers=headers, content=b"{}", timeout_seconds=5, max_redirects=3
        )
        assert answer.status == 200
        server.answers = [redirect(302, "/2")]
        assert (await http.post("http://a.example/1", timeout_seconds=5)).status == 302
    assert [head[0].split()[:2] for head in server.heads] == [
        ["post", "/1"],
        ["post", "/2"],
        ["post", "/3"],
        ["get", "/4"],
        ["post", "/1"],
    ]
    assert ["authorization: bearer x" in head for head in server.heads] == [True, True, False, False, False]
    assert ["x-api-key: y" in head for head in server.heads] == [True, True, False, False, False]
    assert [request.endswith(b"\r\n\r\n{}") for request in server.requests] == [True, True, True, False, False]


async def test_tls_is_checked_for_the_name_and_never_given_up(
    names: dict[str, list[list[str]]], internet: Callable[[Server], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    names["localhost"] = names["other.example"] = [[PUBLIC]]
    ours = ssl.create_default_context(cafile=TLS_FILES / "server.crt")
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(TLS_FILES / "server.crt", TLS_FILES / "server.key")
    asked_for: list[str] = []
    theirs.sni_callback = lambda connection, name, context: asked_for.append(name)
    async with serving(OK, redirect(302, "http://localhost/"), tls=theirs) as server:
        dialled = internet(server)
        with pytest.raises(HttpError, match="TLS failed") as caught:
            await get("https://localhost/")
        assert not caught.value.sent, "a certificate that nobody vouches for"
        monkeypatch.setattr(http, "_tls_context", lambda: ours)
        assert (await get("https://localhost/")).status == 200
        with pytest.raises(RefusedUrlError, match="https to http"):
            await get("https://localhost/", max_redirects=1)
        with pytest.raises(HttpError, match="TLS failed"):
            await get("https://other.example/")
    assert dialled == [f"{PUBLIC}:443"] * 4
    assert asked_for == ["localhost"] * 3 + ["other.example"]
    assert "host: localhost" in server.heads[0]


async def test_everything_has_one_deadline() -> None:
    async with dripping_server(b"HTTP/1.1 200 OK\r\n", 0.05) as server:
        started = time.monotonic()
        with pytest.raises(HttpError, match="no answer in time") as caught:
            await get(f"http://127.0.0.1:{server.port}/", timeout_seconds=1.0, allow_private=True)
    assert time.monotonic() - started < patience(2)
    assert caught.value.sent
    assert caught.value.__context__ is None, "the chain would bring the URL into logs"


async def test_a_name_service_that_says_nothing_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **options: time.sleep(1))
    with pytest.raises(HttpError, match="no connection in time") as caught:
        await get("http://hooks.example/", timeout_seconds=0.1)
    assert not caught.value.sent


async def test_it_says_whether_anything_was_sent(names: dict[str, list[list[str]]]) -> None:
    async with serving(b"") as server:
        with pytest.raises(HttpError) as after:
            await get(f"http://127.0.0.1:{server.port}/", allow_private=True)
    with pytest.raises(HttpError) as nobody:
        await get(f"http://127.0.0.1:{server.port}/", allow_private=True)
    with pytest.raises(HttpError) as unknown:
        await get("http://nowhere.example/")
    assert [caught.value.sent for caught in (after, nobody, unknown)] == [True, False, False]
    assert not isinstance(nobody.value, RefusedUrlError)


async def test_an_endless_answer_is_cut_and_a_packed_one_left_packed() -> None:
    packed = gzip.compress(b"0" * 10_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    async with serving(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000, head % len(packed) + packed) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert len((await get(url, allow_private=True)).body) == http.MAX_ANSWER_BYTES
        assert (await get(url, allow_private=True)).body == packed
    assert "accept-encoding: identity" in server.heads[0]


async def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as server, serving() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert (await get(f"http://127.0.0.1:{server.port}/", allow_private=True)).status == 200
    assert proxy.connections == 0


async def test_headers_cannot_be_injected() -> None:
    async with serving() as server:
        with pytest.raises(HttpError) as caught:
            await get(f"http://127.0.0.1:{server.port}/", headers={"X-A": "b\r\nX-C: d"}, allow_private=True)
        headers = {"Host": "other.example", "Content-Length": "5"}
        assert (await get(f"http://127.0.0.1:{server.port}/", headers=headers, allow_private=True)).status == 200
    assert len(server.heads) == 1
    assert f"host: 127.0.0.1:{server.port}" in server.heads[0]
    assert "X-C" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("120", 120), ("0", 0), ("999999999999", 86_400), ("9" * 5_000, 86_400), ("-5", 0), ("²", 0), ("Wed, 21 Oct", 0)],
)
def test_how_long_a_server_asks_to_be_left_alone(said: str, seconds: int) -> None:
    assert Answer(429, {"retry-after": said}, b"").retry_after_seconds == seconds
    assert Answer(429, {}, b"").retry_after_seconds == 0
