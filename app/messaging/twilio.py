"""Text messages through Twilio's Programmable Messaging API, and what its other APIs share with it.

Source: https://www.twilio.com/docs/messaging/api/message-resource (POST Messages.json) and
https://www.twilio.com/docs/api/errors. Twilio has no idempotency key for messages, so an unanswered request is
`UnknownOutcomeError`, and never repeated by itself.
"""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

import orjson

from app.kit import http
from app.kit.http import Answer, HttpError
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
SENDER_CODES = {21210, 21212, 21603, 21606, 21611, 21659, 21660, 21661, 21703, 21704}
"""About our own number or messaging service: not ours, cannot send this, or its queue is full."""
STATUS_PATH = "/webhooks/twilio/status"


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    sid: str
    sender: str
    """A number in E.164, an alphanumeric sender, or the SID of a messaging service (`MG…`)."""
    api_url: str
    auth_token: str = field(repr=False)
    voice_sender: str | None = None
    """The number that calls come from: neither a name nor a messaging service can call."""
    status_url: str | None = None
    """Where Twilio reports what became of a message; None where Twilio could not reach it."""

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
            voice_sender=settings.twilio_voice_from
            or (settings.twilio_from if settings.twilio_from.startswith("+") else None),
            status_url=settings.public_url + STATUS_PATH if settings.public_url.startswith("https://") else None,
        )

    def report_to(self, message_id: uuid.UUID) -> dict[str, str]:
        """The form's field that asks Twilio for reports; they come back with the ledger row's id."""
        return {"StatusCallback": f"{self.status_url}?message={message_id.hex}"} if self.status_url else {}


class TwilioTransport:
    def __init__(self, account: TwilioAccount, timeout_seconds: float) -> None:
        self._account = account
        self._timeout_seconds = timeout_seconds

    async def send(self, sms: OutgoingSms) -> str | None:
        """Twilio's message SID. A 201 means that Twilio queued it; delivery is reported elsewhere."""
        account = self._account
        sender = "MessagingServiceSid" if account.sender.startswith("MG") else "From"
        form = {"To": sms.recipient, sender: account.sender, "Body": sms.text[:MAX_BODY_CHARS]}
        return await post(account, "Messages.json", {**form, **account.report_to(sms.id)}, self._timeout_seconds)


async def post(account: TwilioAccount, resource: str, form: Mapping[str, str], timeout_seconds: float) -> str | None:
    """Make something at Twilio; returns its SID. Raises SendError."""
    credentials = base64.b64encode(f"{account.sid}:{account.auth_token}".encode()).decode()
    failure: SendError
    try:
        answer = await http.post(
            f"{account.api_url}/2010-04-01/Accounts/{account.sid}/{resource}",
            headers={"Authorization": f"Basic {credentials}", "Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode(),
            timeout_seconds=timeout_seconds,
            allow_private=True,  # the operator's own setting, not something that a client said
        )
    except HttpError as error:
        if error.sent:
            failure = UnknownOutcomeError(f"{error.detail} after the request was sent")
        else:
            failure = TemporarySendError(error.detail)
    else:
        return _read(answer)
    # Outside the handlers, so that no chain of causes carries the request into a log.
    raise failure


def _body(answer: Answer) -> dict[str, Any]:
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _read(answer: Answer) -> str | None:
    """The SID of what was accepted; raises what any other answer means."""
    body = _body(answer)
    status = answer.status
    if answer.is_success:
        reference = body.get("sid")
        return reference if isinstance(reference, str) else None
    code = body.get("code")
    detail = f"HTTP {status}, code {code}" if isinstance(code, int) else f"HTTP {status}"
    if code == UNSUBSCRIBED_CODE:
        raise UnsubscribedError(detail)
    if code in SENDER_CODES or status in (401, 403, 404, 429, 503):
        # Our set-up, our rate, or their overload: nothing was taken, and somebody will mend it.
        raise TemporarySendError(detail)
    if status >= 500:
        raise UnknownOutcomeError(detail)
    raise PermanentSendError(detail)
