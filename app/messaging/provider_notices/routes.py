"""`/webhooks/ses`, `/webhooks/postmark`, `/webhooks/sendgrid` and `/webhooks/twilio/status`.

404 where the provider is not set up, 403 where the proof does not hold, 400 for what is not the provider's, 413 for too
much, 204 when everything is stored. Providers repeat what was not taken.
"""

import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app import db, events
from app.kit.ids import new_id
from app.messaging.inbound_twilio import signature
from app.messaging.provider_notices import postmark, sendgrid, ses, sns, twilio_status
from app.messaging.provider_notices.keeping import Notice, keep
from app.messaging.twilio import STATUS_PATH
from app.settings import Settings
from app.web.body import read_body

MAX_BODY_BYTES = 2_000_000
"""SendGrid sends events in batches of that much."""
SUBSCRIPTION_OFFERED = "provider.subscription_offered"
MAX_FORM_FIELDS = 100

log = structlog.get_logger(__name__)


def routes() -> list[BaseRoute]:
    """What is added to the API's own routes."""
    return [
        Route("/webhooks/ses", _ses, methods=["POST"]),
        Route("/webhooks/postmark", _postmark, methods=["POST"]),
        Route("/webhooks/sendgrid", _sendgrid, methods=["POST"]),
        Route(STATUS_PATH, _twilio, methods=["POST"]),
    ]


async def _ses(request: Request) -> Response:
    settings = _settings(request)
    if not settings.ses_topic_arns:
        return _answer(404)
    body = await read_body(request, MAX_BODY_BYTES)
    if body is None:
        return _answer(413)
    message = _json(body)
    if not isinstance(message, dict):
        return _answer(400)
    try:
        await sns.verify(message, settings.ses_topic_arns, datetime.now(UTC))
    except sns.UntrustedMessageError as error:
        log.warning("message of SNS refused", cause=str(error))
        return _answer(403)
    if message["Type"] == "SubscriptionConfirmation":
        async with db.unit_of_work():
            offer = {"topicArn": message["TopicArn"], "token": str(message["Token"])}
            await events.record(SUBSCRIPTION_OFFERED, subject_id=new_id(), payload=offer)
        return _answer(204)
    content = _json(str(message.get("Message", "")).encode())
    if message["Type"] != "Notification" or not isinstance(content, dict):
        return _answer(204)  # such as the sentence by which SES says that the topic works
    return await _keep(lambda: ses.notices(content, str(message["MessageId"])))


async def _postmark(request: Request) -> Response:
    login = _settings(request).postmark_webhook_login
    if login is None:
        return _answer(404)
    if not postmark.is_signed_in(request.headers.get("authorization", ""), login):
        return Response(status_code=401, headers={"WWW-Authenticate": "Basic"})
    body = await read_body(request, MAX_BODY_BYTES)
    if body is None:
        return _answer(413)
    content = _json(body)
    return await _keep(lambda: postmark.notices(content)) if isinstance(content, dict) else _answer(400)


async def _sendgrid(request: Request) -> Response:
    text = _settings(request).sendgrid_webhook_key
    if text is None:
        return _answer(404)
    body = await read_body(request, MAX_BODY_BYTES)
    if body is None:
        return _answer(413)
    try:
        key = sendgrid.public_key(text)
    except ValueError:
        log.error("SENDGRID_WEBHOOK_KEY is no public key")
        return _answer(404)
    signed, moment = request.headers.get(sendgrid.SIGNATURE, ""), request.headers.get(sendgrid.TIMESTAMP, "")
    if not sendgrid.is_signed(key, signed, moment, body, datetime.now(UTC)):
        return _answer(403)
    return await _keep(lambda: sendgrid.notices(_json(body)))


async def _twilio(request: Request) -> Response:
    settings = _settings(request)
    if not settings.twilio_auth_token:
        return _answer(404)
    body = await read_body(request, MAX_BODY_BYTES)
    if body is None:
        return _answer(413)
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        return _answer(400)
    # The address that Twilio was given, not the one that a proxy shows us.
    query = f"?{request.url.query}" if request.url.query else ""
    expected = signature(settings.twilio_auth_token, f"{settings.public_url}{STATUS_PATH}{query}", fields)
    if not hmac.compare_digest(expected.encode(), request.headers.get("x-twilio-signature", "").encode()):
        return _answer(403)
    return await _keep(lambda: twilio_status.notices(dict(fields), request.query_params.get("message")))


async def _keep(read: Any) -> Response:
    found: list[Notice]
    try:
        found = read()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        log.warning("notice of a provider not understood", error=type(error).__name__)
        return _answer(400)
    await keep(found)
    return _answer(204)


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _answer(status: int) -> Response:
    said = {400: "Not understood.", 403: "Not accepted.", 404: "Not set up.", 413: "The body is too large."}
    return PlainTextResponse(said[status], status) if status in said else Response(status_code=status)
