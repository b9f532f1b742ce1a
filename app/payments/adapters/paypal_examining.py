"""What `tradewind doctor` finds out about PayPal. Nothing here writes, and nothing is paid."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.payments.adapters import paypal_history
from app.payments.adapters.paypal_client import PayPalClient, PayPalError
from app.payments.gateway import Check, GatewayUnavailableError
from app.settings import Settings

WANTED = frozenset(
    {
        "CHECKOUT.ORDER.APPROVED",
        "PAYMENT.AUTHORIZATION.CREATED",
        "PAYMENT.AUTHORIZATION.VOIDED",
        "PAYMENT.CAPTURE.COMPLETED",
        "PAYMENT.CAPTURE.DENIED",
        "PAYMENT.CAPTURE.REFUNDED",
        "CUSTOMER.DISPUTE.CREATED",
        "CUSTOMER.DISPUTE.UPDATED",
        "CUSTOMER.DISPUTE.RESOLVED",
    }
)
"""Events without which the shop learns late of what happened."""


async def examine(client: PayPalClient, settings: Settings) -> Sequence[Check]:
    if settings.is_production and "sandbox" in settings.paypal_api_url:
        return [Check(False, "PAYPAL_API_URL is the sandbox: no money moves", "Unset it, and set live credentials.")]
    return [await _webhook(client, settings), await _history(client), await _disputes(client)]


async def _webhook(client: PayPalClient, settings: Settings) -> Check:
    url = f"{settings.public_url}/webhooks/payments/paypal"
    if settings.paypal_webhook_id is None:
        advice = f"Add a webhook at PayPal's dashboard that leads to {url}, and set PAYPAL_WEBHOOK_ID."
        return Check(False, "no webhook is believed: PAYPAL_WEBHOOK_ID is missing", advice)
    try:
        webhook = await client.ask("GET", f"/v1/notifications/webhooks/{settings.paypal_webhook_id}")
    except PayPalError as error:
        advice = "Correct PAYPAL_WEBHOOK_ID: it is of another app, or of another mode."
        return Check(False, f"PayPal does not know the webhook ({error.issue})", advice)
    except GatewayUnavailableError as error:
        return Check(False, f"PayPal does not answer ({error})", "Correct PAYPAL_CLIENT_ID and PAYPAL_SECRET.")
    if webhook.get("url") != url:
        return Check(False, "the webhook leads elsewhere", f"Let it lead to {url}.")
    told = {event.get("name") for event in webhook.get("event_types") or []}
    if "*" not in told and (missing := WANTED - told):
        return Check(False, f"the webhook leaves out {', '.join(sorted(missing))}", "Add them at PayPal's dashboard.")
    return Check(True, "webhooks lead to this shop")


async def _history(client: PayPalClient) -> Check:
    try:
        now = datetime.now(UTC)
        async for _ in paypal_history.transactions(client, now - timedelta(minutes=1), now):
            break
    except GatewayUnavailableError as error:
        advice = "Switch on Transaction Search for the app at PayPal's dashboard; it takes some hours to count."
        return Check(False, f"payments cannot be compared ({error})", advice)
    return Check(True, "payments can be compared")


async def _disputes(client: PayPalClient) -> Check:
    try:
        await client.ask("GET", "/v1/customer/disputes?page_size=1")
    except (GatewayUnavailableError, PayPalError) as error:
        advice = "Switch on Disputes for the app at PayPal's dashboard; the shop hears of chargebacks through it."
        return Check(False, f"disputes cannot be seen ({error})", advice)
    return Check(True, "disputes can be seen")
