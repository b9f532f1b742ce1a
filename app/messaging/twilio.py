"""Text messages through Twilio's Programmable Messaging API.

Source: https://www.twilio.com/docs/messaging/api/message-resource (POST Messages.json) and
https://www.twilio.com/docs/api/errors. Twilio has no idempotency key for messages, so an unanswered request is
`UnknownOutcomeError`, and never repeated by itself.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from app.messaging.transports import (
    OutgoingSms,
    PermanentSendError,
    SendError,
    TemporarySendError,
    UnknownOutcomeError,
    UnsubscribedError,
)
from app.settings import Settings

MAX_BODY_CHARS = 1600
UNSUBSCRIBED_CODE = 21610
"""The receiver answered STOP to this sender."""


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    sid: str
    sender: str
    """A number in E.164, an alphanumeric sender, or the SID of a messaging service (`MG…`)."""
    api_url: str
    auth_token: str = field(repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """None unless account, token and sender are all set."""
        if not (settings.twilio_account_sid and settings.twilio_auth_token and settings.twilio_from):
            return None
        return cls(
            sid=settings.twilio_account_sid,
            sender=settings.twilio_from,
            api_url=settings.twilio_api_url.rstrip("/"),
            auth_token=settings.twilio_auth_token,
        )


class TwilioTransport:
    def __init__(self, account: TwilioAccount, timeout_seconds: float) -> None:
        self._account = account
        self._timeout_seconds = timeout_seconds

    async def send(self, sms: OutgoingSms) -> str | None:
        """Twilio's message SID. A 201 means that Twilio queued it; delivery is reported elsewhere."""
        account = self._account
        sender = "MessagingServiceSid" if account.sender.startswith("MG") else "From"
        form = {"To": sms.recipient, sender: account.sender, "Body": sms.text[:MAX_BODY_CHARS]}
        failure: SendError
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                httpx2.AsyncClient(timeout=self._timeout_seconds) as client,
            ):
                response = await client.post(
                    f"{account.api_url}/2010-04-01/Accounts/{account.sid}/Messages.json",
                    data=form,
                    auth=(account.sid, account.auth_token),
                )
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            failure = TemporarySendError(f"{type(error).__name__}")
        except (httpx2.HTTPError, TimeoutError) as error:
            failure = UnknownOutcomeError(f"{type(error).__name__} after the request was sent")
        else:
            return _read(response)
        # Outside the handlers, so that no chain of causes carries the request into a log.
        raise failure


def _body(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _read(response: httpx2.Response) -> str | None:
    """The SID of an accepted message; raises what any other answer means."""
    body = _body(response)
    status = response.status_code
    if response.is_success:
        reference = body.get("sid")
        return reference if isinstance(reference, str) else None
    code = body.get("code")
    detail = f"HTTP {status}, code {code}" if isinstance(code, int) else f"HTTP {status}"
    if code == UNSUBSCRIBED_CODE:
        raise UnsubscribedError(detail)
    if status in (401, 403, 404, 429, 503):
        # Our credentials, our rate, or their overload: nothing was taken, and somebody will mend it.
        raise TemporarySendError(detail)
    if status >= 500:
        raise UnknownOutcomeError(detail)
    raise PermanentSendError(detail)
