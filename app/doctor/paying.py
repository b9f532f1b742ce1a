"""Payment gateways: whether their providers accept the shop's keys, and tell it what happens."""

import asyncio
from collections.abc import Sequence

from app.doctor.finding import Finding
from app.payments.gateway import Check, Gateway, GatewayUnavailableError
from app.payments.registry import gateways
from app.settings import Settings

TIMEOUT_SECONDS = 20.0
"""For one gateway's examination, which may ask several times."""


async def examine(settings: Settings) -> list[Finding]:
    findings = [half for half in (_half_of_paypal(settings), _stripe_without_key(settings)) if half is not None]
    for name, gateway in gateways().items():
        found = await _checks(gateway)
        findings += [Finding(f"payments by {name}", check.is_well, check.text, check.advice) for check in found]
    if settings.is_production and not gateways() and not findings:
        advice = "Set up Stripe or PayPal, see docs/payments.md."
        findings.append(Finding("payments", True, "no gateway: nobody can pay online", advice))
    return findings


async def _checks(gateway: Gateway) -> Sequence[Check]:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await gateway.examine()
    except (TimeoutError, GatewayUnavailableError) as error:
        return [Check(False, f"cannot be reached ({type(error).__name__})", "Look at the way out to the internet.")]


def _half_of_paypal(settings: Settings) -> Finding | None:
    parts = {"PAYPAL_CLIENT_ID": settings.paypal_client_id, "PAYPAL_SECRET": settings.paypal_secret}
    missing = [name for name, value in parts.items() if value is None]
    if not missing or len(missing) == len(parts):
        return None
    return Finding("payments by paypal", False, "set up by half", f"Set {missing[0]} too.")


def _stripe_without_key(settings: Settings) -> Finding | None:
    if settings.stripe_secret_key or not (settings.stripe_publishable_key or settings.stripe_webhook_secrets):
        return None
    return Finding("payments by stripe", False, "set up by half", "Set STRIPE_SECRET_KEY too.")
