"""Webhooks of payment gateways: believed only when signed, noted, and answered at once.

A webhook is no more than a reason to ask the gateway how a payment stands, so that repeated and reordered ones are
harmless, and none can say what is not so.
"""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app import db, events
from app.payments import disputes
from app.payments.gateway import GatewayUnavailableError, InvalidWebhookError
from app.payments.registry import gateways
from app.payments.service import asked_of
from app.web.body import read_body

NOTIFIED = "payment.notified"
MAX_BODY_BYTES = 100_000
MAX_PAYMENTS = 100


async def receive(request: Request) -> Response:
    """`POST /webhooks/payments/{gateway}`"""
    gateway = gateways().get(request.path_params["gateway"])
    if gateway is None:
        return PlainTextResponse("There is no such gateway.", 404)
    body = await read_body(request, MAX_BODY_BYTES)
    if body is None:
        return PlainTextResponse("The body is too large.", 413)
    try:
        notice = await asked_of(gateway.name, "notified", gateway.notified(request.headers, body, datetime.now(UTC)))
    except InvalidWebhookError as error:
        return PlainTextResponse(f"Not accepted: {error}.", 400)
    except GatewayUnavailableError:
        return PlainTextResponse("Whether it is genuine could not be found out; send it again.", 503)
    async with db.unit_of_work():
        known = await db.fetch(
            """
            SELECT id FROM payments WHERE gateway = $2 AND id = ANY($1)
            UNION SELECT id FROM payments WHERE gateway = $2 AND reference = ANY($3)
            """,
            list(notice.payment_ids)[:MAX_PAYMENTS],
            gateway.name,
            list(notice.references)[:MAX_PAYMENTS],
        )
        for row in known:
            await events.record(NOTIFIED, subject_id=row["id"])
        for dispute in list(notice.disputes)[:MAX_PAYMENTS]:
            await events.record(disputes.ASK_WANTED, payload={"gateway": gateway.name, "reference": dispute})
    return Response(status_code=204)
