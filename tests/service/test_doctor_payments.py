"""The doctor asks payment gateways whether they are set up."""

import pytest

from app.doctor import paying
from app.doctor.finding import Finding
from app.settings import get_settings
from tests.environment import make_settings
from tests.providers.paypal_server import CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, PayPalServer
from tests.providers.serving import configured, serving
from tests.providers.stripe_server import SECRET, SIGNING_SECRET, StripeServer

pytestmark = pytest.mark.usefixtures("settings")


async def findings() -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in await paying.examine(get_settings()):
        found.setdefault(finding.name, []).append(finding)
    return found


async def test_both_providers_that_are_well() -> None:
    async with serving(StripeServer()) as stripe, serving(PayPalServer()) as paypal:
        url = "http://testserver/webhooks/payments"
        stripe.endpoints = [{"id": "we", "url": f"{url}/stripe", "status": "enabled", "enabled_events": ["*"]}]
        paypal.webhook = {"url": f"{url}/paypal", "event_types": [{"name": "*"}]}
        with configured(
            stripe_secret_key=SECRET,
            stripe_publishable_key="pk_test_51TradewindStandIn",
            stripe_webhook_secrets=[SIGNING_SECRET],
            stripe_api_url=stripe.url,
            paypal_client_id=CLIENT_ID,
            paypal_secret=CLIENT_SECRET,
            paypal_webhook_id=WEBHOOK_ID,
            paypal_api_url=paypal.url,
            allow_private_addresses=True,
        ):
            found = await findings()
    assert {name: [one.ok for one in ones] for name, ones in found.items()} == {
        "payments by paypal": [True, True, True],
        "payments by stripe": [True, True],
        "payments by test": [True],
    }


async def test_servers_that_are_away_are_told() -> None:
    nowhere = "http://127.0.0.1:1"
    with configured(
        stripe_secret_key=SECRET, stripe_api_url=nowhere, paypal_client_id=CLIENT_ID, paypal_secret=CLIENT_SECRET,
        paypal_webhook_id=WEBHOOK_ID, paypal_api_url=nowhere, allow_private_addresses=True,
    ):  # fmt: skip
        found = await findings()
    assert not any(one.ok for name in ("payments by paypal", "payments by stripe") for one in found[name])
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"paypal_client_id": "x"}, "PAYPAL_SECRET"),
        ({"paypal_secret": "x"}, "PAYPAL_CLIENT_ID"),
        ({"stripe_publishable_key": "pk_x"}, "STRIPE_SECRET_KEY"),
    ],
)
async def test_what_is_set_up_by_half_is_told(given: dict[str, str], missing: str) -> None:
    settings = make_settings("postgres://x@localhost/x", "redis://localhost", **given)
    halves = [finding for finding in await paying.examine(settings) if not finding.ok]
    assert [missing in finding.advice for finding in halves] == [True]
