"""Twilio's webhook for incoming texts, believed only when signed.

Source: https://www.twilio.com/docs/usage/security (X-Twilio-Signature: HMAC-SHA1, under the account's token, of the
address that Twilio was given and the form's fields in the order of their names) and
https://www.twilio.com/docs/messaging/guides/webhook-request. Twilio takes an answer in the form of TwiML; ours is
always an empty one, since what we answer goes through the ledger.
"""

import base64
import hmac
from collections.abc import Sequence
from urllib.parse import parse_qsl

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.addresses.contact import normalise_phone
from app.errors import DomainError
from app.messaging import inbound
from app.messaging.inbound import InboundText
from app.messaging.sms_rules import SmsKeyword
from app.settings import Settings
from app.web.body import read_body

PATH = "/webhooks/twilio/sms"
MAX_BODY_BYTES = 50_000
MAX_FIELDS = 200
PROVIDER = "twilio"
_EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'

log = structlog.get_logger(__name__)


def signature(auth_token: str, url: str, fields: Sequence[tuple[str, str]]) -> str:
    """What Twilio puts into `X-Twilio-Signature`."""
    signed = url + "".join(f"{name}{value}" for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), "sha1")).decode()


async def receive(request: Request) -> Response:
    """`POST /webhooks/twilio/sms`. Twilio tells a message again when we do not answer with 2xx."""
    settings: Settings = request.app.state.settings
    fields = await _fields(request)
    if fields is None:
        return PlainTextResponse("The body is too large, or no form.", 413)
    if not settings.twilio_auth_token:
        return PlainTextResponse("Twilio is not set up.", 404)
    # The address that Twilio was given, not the one that a proxy shows us.
    query = f"?{request.url.query}" if request.url.query else ""
    expected = signature(settings.twilio_auth_token, f"{settings.public_url}{PATH}{query}", fields)
    given = request.headers.get("x-twilio-signature", "")
    if not hmac.compare_digest(expected.encode(), given.encode()):
        return PlainTextResponse("The signature does not match.", 403)
    form = dict(fields)
    try:
        sender = normalise_phone(form.get("From", ""))
    except DomainError:
        # A short code or a name has no consent, and cannot be answered.
        log.info("text from no number", provider=PROVIDER)
        return Response(_EMPTY_TWIML, media_type="text/xml")
    external_id = form.get("MessageSid", "")
    if not external_id:
        return PlainTextResponse("MessageSid is missing.", 400)
    await inbound.receive(
        InboundText(PROVIDER, external_id[:255], sender, form.get("Body", ""), _provider_keyword(form))
    )
    return Response(_EMPTY_TWIML, media_type="text/xml")


def _provider_keyword(form: dict[str, str]) -> SmsKeyword | None:
    """Sent with Advanced Opt-Out, where Twilio has answered by itself."""
    try:
        return SmsKeyword(form.get("OptOutType", "").upper())
    except ValueError:
        return None


async def _fields(request: Request) -> list[tuple[str, str]] | None:
    body = await read_body(request, MAX_BODY_BYTES)
    if body is None:
        return None
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return None
