"""PayPal's REST API: signing in, asking, and what its errors mean.

Source: https://developer.paypal.com/api/rest/. The SDK of PayPal for Python is synchronous, so the shop asks by itself.
"""

import asyncio
import base64
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from app.kit import http
from app.payments.gateway import GatewayUnavailableError

TIMEOUT_SECONDS = 8.0
"""Of one request; a question to the gateway may take several, and has 20 seconds for them."""
MAX_ANSWER_BYTES = 4_000_000
_EARLIER = 60.0
"""Seconds before its end that an access token is exchanged."""
_IN_PROGRESS = frozenset({"PREVIOUS_REQUEST_IN_PROGRESS", "RESOURCE_CONFLICT"})


class PayPalError(Exception):
    """PayPal will not do it. The text is its code for the reason."""

    def __init__(self, issue: str, status: int) -> None:
        super().__init__(issue)
        self.issue = issue
        self.status = status


class PayPalClient:
    def __init__(self, api_url: str, client_id: str, secret: str, *, allow_private: bool) -> None:
        self.api_url = api_url.rstrip("/")
        self.allow_private = allow_private
        self._login = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        self._token: tuple[str, float] | None = None
        self._signing_in = asyncio.Lock()

    async def ask(self, method: str, path: str, body: object = None, *, key: str | None = None) -> Mapping[str, Any]:
        """The answer's document; empty where it has none.

        Args:
            key: for `PayPal-Request-Id`: the same request under it again is the same answer, for some hours or days.

        Raises:
            PayPalError: what was asked for is refused, or not there.
            GatewayUnavailableError: no answer, or one that says nothing about what was asked for.
        """
        answer = await self._answered(method, path, body, key)
        return _document(answer) if answer.body else {}

    async def make(self, path: str, body: object, *, key: str) -> tuple[Mapping[str, Any], bool]:
        """As `ask`, and whether it was made now: what was made before under the key is answered with 200."""
        answer = await self._answered("POST", path, body, key)
        return _document(answer), answer.status == 201

    async def _answered(self, method: str, path: str, body: object, key: str | None) -> http.Answer:
        headers = {"content-type": "application/json", "prefer": "return=representation"}
        if key is not None:
            headers["paypal-request-id"] = key
        content = b"" if body is None else orjson.dumps(body)
        answer = await self._send(method, path, await self._signed_in(headers), content)
        if answer.status == 401:  # revoked before its time
            self._token = None
            answer = await self._send(method, path, await self._signed_in(headers), content)
        if answer.is_success:
            return answer
        if answer.status in (401, 403, 408, 409, 429) or answer.status >= 500:
            raise GatewayUnavailableError(f"HTTP {answer.status}")
        issue = _issue(answer)
        if issue in _IN_PROGRESS:
            raise GatewayUnavailableError(issue)
        raise PayPalError(issue, answer.status)

    async def certificate(self, url: str) -> bytes:
        """Of PayPal's webhooks; `url` has been looked at. Raises GatewayUnavailableError."""
        answer = await self._request("GET", url, {}, b"")
        if not answer.is_success:
            raise GatewayUnavailableError("the certificate cannot be had")
        return answer.body

    def is_own(self, url: str) -> bool:
        """Whether a URL is of the server that is asked: PayPal's, or the one of tests."""
        ours, theirs = urlsplit(self.api_url), urlsplit(url)
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)

    async def _signed_in(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        async with self._signing_in:
            if self._token is None or self._token[1] < time.monotonic():
                self._token = await self._sign_in()
            return {**headers, "authorization": f"Bearer {self._token[0]}"}

    async def _sign_in(self) -> tuple[str, float]:
        form = {"authorization": f"Basic {self._login}", "content-type": "application/x-www-form-urlencoded"}
        answer = await self._send("POST", "/v1/oauth2/token", form, b"grant_type=client_credentials")
        if not answer.is_success:
            raise GatewayUnavailableError(f"PayPal does not let the shop sign in (HTTP {answer.status})")
        given = _document(answer)
        try:
            return str(given["access_token"]), time.monotonic() + float(given["expires_in"]) - _EARLIER
        except (KeyError, ValueError, TypeError):
            raise GatewayUnavailableError("PayPal signed the shop in without a token") from None

    async def _send(self, method: str, path: str, headers: Mapping[str, str], content: bytes) -> http.Answer:
        return await self._request(method, f"{self.api_url}{path}", headers, content)

    async def _request(self, method: str, url: str, headers: Mapping[str, str], content: bytes) -> http.Answer:
        try:
            return await http.request(
                method,
                url,
                headers={"accept": "application/json", **headers},
                content=content,
                timeout_seconds=TIMEOUT_SECONDS,
                max_answer_bytes=MAX_ANSWER_BYTES,
                allow_private=self.allow_private,
            )
        except http.HttpError as error:
            failure = error.detail
        raise GatewayUnavailableError(failure)


def _document(answer: http.Answer) -> Mapping[str, Any]:
    try:
        document = orjson.loads(answer.body)
    except ValueError:
        document = None
    if not isinstance(document, Mapping):
        raise GatewayUnavailableError("the answer is no document")
    return document


def _issue(answer: http.Answer) -> str:
    """`INSTRUMENT_DECLINED`, or its like; nothing of what was sent."""
    try:
        document = orjson.loads(answer.body)
        details = document.get("details") or [{}]
        return str(details[0].get("issue") or document.get("name") or f"HTTP_{answer.status}")[:80]
    except (ValueError, AttributeError, LookupError, TypeError):
        return f"HTTP_{answer.status}"
