"""The gateways of this installation: our own, and those that other packages declare.

An entry point of the group `tradewind.payment_gateways` has the gateway's name and leads to something that is called
without arguments and returns a `Gateway`, or None where the settings do not set it up.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import entry_points

import structlog

from app.payments.gateway import Gateway
from app.payments.models import PaymentMethod
from app.payments.test_gateway import TestGateway
from app.settings import get_settings

GROUP = "tradewind.payment_gateways"
CASH_ON_DELIVERY = "cash_on_delivery"
"""What stands for the gateway where the carrier takes the money: nobody is asked."""
BANK_TRANSFER = "bank_transfer"
PURCHASE_ORDER = "purchase_order"
BY_HAND = "by_hand"
"""What staff note themselves: cash in the shop, a cheque."""
MANUAL: Mapping[PaymentMethod, str] = {
    PaymentMethod.CASH_ON_DELIVERY: CASH_ON_DELIVERY,
    PaymentMethod.BANK_TRANSFER: BANK_TRANSFER,
    PaymentMethod.PURCHASE_ORDER: PURCHASE_ORDER,
}
"""What stands for the gateway where the money comes by itself and staff say that it has."""
ASKED_NOBODY = frozenset({*MANUAL.values(), BY_HAND})

Configured = Callable[[], Gateway | None]

log = structlog.get_logger(__name__)


def _test() -> Gateway | None:
    """It gives goods away for nothing, so production does not know it."""
    return TestGateway() if get_settings().is_development else None


def _stripe() -> Gateway | None:
    """Imported only where it is set up: the SDK takes its time, and memory."""
    settings = get_settings()
    if settings.stripe_secret_key is None:
        return None
    from app.payments.adapters.stripe import StripeGateway

    return StripeGateway(settings)


def _paypal() -> Gateway | None:
    settings = get_settings()
    if settings.paypal_client_id is None and settings.paypal_secret is None:
        return None
    from app.payments.adapters.paypal import PayPalGateway

    return PayPalGateway(settings)


_OWN: Mapping[str, Configured] = {"test": _test, "stripe": _stripe, "paypal": _paypal}
"""No entry points, so that they are found in a checkout that is not installed."""


@lru_cache
def gateways() -> Mapping[str, Gateway]:
    """By name. A package that cannot be loaded, or is set up wrongly, costs its own gateway and nothing else."""
    declared: dict[str, Configured] = dict(_OWN)
    for point in entry_points(group=GROUP):
        if point.name in _OWN or point.name in ASKED_NOBODY:
            continue
        try:
            declared[point.name] = point.load()
        except Exception:
            log.exception("a payment gateway cannot be loaded", gateway=point.name)
    found: dict[str, Gateway] = {}
    for name, configured in sorted(declared.items()):
        try:
            gateway = configured()
        except Exception:
            log.exception("a payment gateway is not set up rightly", gateway=name)
            continue
        if gateway is not None:
            found[name] = gateway
    return found


def gateway_for(method: PaymentMethod, name: str | None) -> Gateway | None:
    """The gateway of that name, if it takes the method; without a name, the only one that does."""
    able = [gateway for gateway in gateways().values() if method in gateway.methods]
    if name is not None:
        return next((gateway for gateway in able if gateway.name == name), None)
    return able[0] if len(able) == 1 else None
