"""The gateways of this installation. The only place that knows which there are."""

from collections.abc import Mapping
from functools import lru_cache

from app.payments.gateway import Gateway
from app.payments.models import PaymentMethod
from app.payments.test_gateway import TestGateway
from app.settings import get_settings

CASH_ON_DELIVERY = "cash_on_delivery"
"""What stands for the gateway where the carrier takes the money: nobody is asked."""


@lru_cache
def gateways() -> Mapping[str, Gateway]:
    """By name. The test gateway gives goods away for nothing, so production does not know it."""
    known: list[Gateway] = [TestGateway()] if get_settings().is_development else []
    return {gateway.name: gateway for gateway in known}


def gateway_for(method: PaymentMethod, name: str | None) -> Gateway | None:
    """The gateway of that name, if it takes the method; without a name, the only one that does."""
    able = [gateway for gateway in gateways().values() if method in gateway.methods]
    if name is not None:
        return next((gateway for gateway in able if gateway.name == name), None)
    return able[0] if len(able) == 1 else None
