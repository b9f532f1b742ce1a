"""What `tradewind doctor` finds out about Stripe. Nothing here writes, and nothing is paid."""

from collections.abc import Sequence

import stripe

from app.payments.adapters.stripe_client import code_of
from app.payments.gateway import Check
from app.settings import Settings

WANTED = frozenset(
    {
        "payment_intent.succeeded",
        "payment_intent.amount_capturable_updated",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "charge.refunded",
        "refund.updated",
        "refund.failed",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
    }
)
"""Events without which the shop learns late of what happened."""


async def examine(client: stripe.StripeClient, settings: Settings) -> Sequence[Check]:
    checks = [await _key(client, settings)]
    if not settings.stripe_webhook_secrets:
        said = "no webhook is believed: STRIPE_WEBHOOK_SECRETS is missing"
        return [*checks, Check(False, said, "Set the signing secret (whsec_…) of the webhook at Stripe's dashboard.")]
    return [*checks, await _webhook(client, f"{settings.public_url}/webhooks/payments/stripe")]


async def _key(client: stripe.StripeClient, settings: Settings) -> Check:
    key, shown = settings.stripe_secret_key or "", settings.stripe_publishable_key
    is_test = "_test_" in key
    if shown is not None and ("_test_" in shown) is not is_test:
        return Check(False, "one key is of the test mode and the other is not", "Take both of the same mode.")
    if is_test and settings.is_production:
        return Check(False, "the keys are of the test mode: no money moves", "Set the live keys.")
    try:
        await client.v1.payment_intents.list_async({"limit": 1})
    except stripe.StripeError as error:
        advice = "Correct STRIPE_SECRET_KEY; a restricted key needs to write PaymentIntents, Refunds and Customers."
        return Check(False, f"Stripe does not accept the secret key ({code_of(error)})", advice)
    if shown is None:
        return Check(True, "the secret key is accepted", "Set STRIPE_PUBLISHABLE_KEY, for Stripe's form in the client.")
    return Check(True, f"the secret key is accepted ({'test' if is_test else 'live'} mode)")


async def _webhook(client: stripe.StripeClient, url: str) -> Check:
    try:
        endpoints = (await client.v1.webhook_endpoints.list_async({"limit": 100})).data
    except stripe.StripeError as error:
        return Check(True, f"whether webhooks are sent could not be seen ({code_of(error)})", f"They go to {url}.")
    ours = [endpoint for endpoint in endpoints if endpoint.url == url and endpoint.status == "enabled"]
    if not ours:
        return Check(False, "no webhook leads to this shop", f"Add one at Stripe's dashboard that leads to {url}.")
    told = {event for endpoint in ours for event in endpoint.enabled_events}
    if "*" not in told and (missing := WANTED - told):
        return Check(False, f"the webhook leaves out {', '.join(sorted(missing))}", "Add them at Stripe's dashboard.")
    return Check(True, "webhooks lead to this shop")
