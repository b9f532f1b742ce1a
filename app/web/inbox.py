"""The developer's inbox as a page: the mails and texts of a shop in development, as their receivers would see them."""

import uuid
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.messaging import dev_inbox
from app.messaging.dev_inbox import InboxMessage
from app.messaging.models import MessageChannel
from app.web.pages import page

PREVIEW_CHARS = 140

# A mail is a stranger's document, whoever wrote its template: no script, no form, nothing of this origin.
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src * data:; font-src *; frame-ancestors 'self'"
)


async def show(request: Request) -> Response:
    return page("inbox")


async def messages(request: Request) -> Response:
    """The newest hundred, each as a line of a list. Open pages ask every two seconds, mostly for nothing new."""
    tag = f'"{await dev_inbox.fingerprint()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    newest = await dev_inbox.list_messages(first=dev_inbox.MAX_LISTED)
    return _json([_summary(message) for message in newest], headers)


async def message(request: Request) -> Response:
    found = await _find(request)
    body = {**_summary(found), "text": found.text, "headers": found.headers, "hasHtml": found.html is not None}
    return _json(body, {"Cache-Control": "no-store"})


async def message_html(request: Request) -> Response:
    """The mail itself, for a frame. Its links open in a tab of their own."""
    found = await _find(request)
    if found.html is None:
        raise HTTPException(404)
    headers = {"Content-Security-Policy": _MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-store"}
    return HTMLResponse(found.html.replace("<head>", '<head><base target="_blank">', 1), headers=headers)


async def _find(request: Request) -> InboxMessage:
    try:
        wanted = uuid.UUID(request.path_params["id"])
    except ValueError:
        raise HTTPException(404) from None
    found = await dev_inbox.get_message(wanted)
    if found is None:
        raise HTTPException(404)
    return found


def _summary(message: InboxMessage) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "channel": message.channel.value,
        "purpose": message.purpose.value,
        "template": message.template,
        "to": message.to,
        "subject": message.subject,
        "text": message.text if message.channel is MessageChannel.SMS else None,
        "preview": " ".join(message.text.split())[:PREVIEW_CHARS],
        "deliveries": message.deliveries,
        "sentAt": message.sent_at.isoformat(),
    }


def _json(body: object, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json", headers=headers)
