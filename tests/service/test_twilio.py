"""Text messages: a local HTTP server that answers as Twilio's documentation says it does."""

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pytest

from app.messaging.models import MessagePurpose
from app.messaging.transports import (
    OutgoingSms,
    PermanentSendError,
    SendError,
    TemporarySendError,
    UnknownOutcomeError,
    UnsubscribedError,
)
from app.messaging.twilio import TwilioAccount, TwilioTransport
from tests.environment import make_settings

PHONE = "+14155550188"
ACCOUNT = "AC" + "0" * 32

ACCEPTED = (201, {"sid": "SM" + "a" * 32, "status": "queued", "error_code": None, "to": PHONE})


def refusal(status: int, code: int | None) -> tuple[int, object]:
    message = f"The 'To' number {PHONE} is not good"
    return status, {"code": code, "message": message, "more_info": "https://www.twilio.com/docs", "status": status}


@dataclass
class Twilio:
    """Answers in turn; keeps what it was asked. An answer of None hangs up after reading the request."""

    answers: list[tuple[int, object] | None]
    requests: list[tuple[str, dict[str, str], dict[str, list[str]]]] = field(default_factory=list)
    url: str = ""
    before_answer: Callable[[], Awaitable[None]] | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request_line = (await reader.readline()).decode().strip()
        headers: dict[str, str] = {}
        while line := (await reader.readline()).decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append((request_line, headers, parse_qs(body.decode())))
        answer = self.answers.pop(0)
        if self.before_answer is not None:
            await self.before_answer()
        if answer is not None:
            status, content = answer
            payload = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: {len(payload)}\r\n\r\n".encode() + payload)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def twilio(*answers: tuple[int, object] | None) -> AsyncIterator[Twilio]:
    state = Twilio(list(answers))
    server = await asyncio.start_server(state.serve, "127.0.0.1", 0)
    state.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield state
    finally:
        server.close()


async def send(url: str, *, sender: str = "+12025550100", text: str = "Hello £5", timeout: float = 5) -> str | None:
    account = TwilioAccount(sid=ACCOUNT, sender=sender, api_url=url, auth_token="token-of-the-account")
    sms = OutgoingSms(uuid.uuid4(), MessagePurpose.TRANSACTIONAL, "order_shipped", PHONE, text)
    return await TwilioTransport(account, timeout).send(sms)


async def failing(answer: tuple[int, object] | None, kind: type[SendError], detail: str) -> None:
    async with twilio(answer) as state:
        with pytest.raises(kind) as caught:
            await send(state.url)
    assert type(caught.value) is kind
    assert caught.value.detail == detail
    assert PHONE not in str(caught.value)
    assert caught.value.__context__ is None
    assert len(state.requests) == 1


async def test_an_accepted_message_gives_its_sid() -> None:
    async with twilio(ACCEPTED) as state:
        assert await send(state.url) == "SM" + "a" * 32
    ((request_line, headers, form),) = state.requests
    assert request_line == f"POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    credentials = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
    assert credentials == f"{ACCOUNT}:token-of-the-account"
    assert form == {"To": [PHONE], "From": ["+12025550100"], "Body": ["Hello £5"]}


async def test_a_messaging_service_sends_under_its_sid_and_long_texts_are_cut_to_what_twilio_takes() -> None:
    async with twilio(ACCEPTED) as state:
        await send(state.url, sender="MG" + "1" * 32, text="x" * 2000)
    form = state.requests[0][2]
    assert form["MessagingServiceSid"] == ["MG" + "1" * 32]
    assert "From" not in form
    assert len(form["Body"][0]) == 1600


async def test_a_receiver_who_said_stop_is_recognised() -> None:
    await failing(refusal(400, 21610), UnsubscribedError, "HTTP 400, code 21610")


@pytest.mark.parametrize("code", [21211, 21408, 21614, 30006])
async def test_a_number_that_cannot_be_reached_is_final(code: int) -> None:
    await failing(refusal(400, code), PermanentSendError, f"HTTP 400, code {code}")


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (401, 20003), (403, 20005), (404, 20404), (503, 20503)])
async def test_their_overload_and_our_credentials_are_temporary(status: int, code: int) -> None:
    await failing(refusal(status, code), TemporarySendError, f"HTTP {status}, code {code}")


async def test_a_fault_of_theirs_leaves_the_outcome_open() -> None:
    await failing((500, "<html>oops</html>"), UnknownOutcomeError, "HTTP 500")
    await failing((502, ["not", "an", "object"]), UnknownOutcomeError, "HTTP 502")
    await failing(None, UnknownOutcomeError, "RemoteProtocolError after the request was sent")


async def test_no_answer_in_time_leaves_the_outcome_open() -> None:
    async with twilio(ACCEPTED) as state:
        given_up = asyncio.Event()
        state.before_answer = given_up.wait
        with pytest.raises(UnknownOutcomeError):
            await send(state.url, timeout=1)
        given_up.set()
    assert len(state.requests) == 1


async def test_nobody_there_is_temporary() -> None:
    async with twilio() as state:
        url = state.url
    with pytest.raises(TemporarySendError, match="ConnectError"):
        await send(url)


def test_an_account_needs_all_three_settings_and_hides_its_token() -> None:
    def account(**settings: str | None) -> TwilioAccount | None:
        return TwilioAccount.from_settings(make_settings("postgres://x@localhost/x", "redis://localhost", **settings))

    assert account() is None
    assert account(twilio_account_sid=ACCOUNT, twilio_auth_token="secret-token") is None
    complete = account(twilio_account_sid=ACCOUNT, twilio_auth_token="secret-token", twilio_from="+12025550100")
    assert complete is not None
    assert "secret-token" not in repr(complete)
