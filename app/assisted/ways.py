"""Ways to pay for what a link offers on a page without a script: no gateway's form can be shown there."""

from dataclasses import dataclass

from app.checkout.payment_methods import Terms, offered_methods
from app.orders.draft import OrderDraft
from app.payments.models import PaymentMethod
from app.payments.registry import gateways

AFTERWARDS = frozenset({PaymentMethod.CASH_ON_DELIVERY, PaymentMethod.PURCHASE_ORDER})
"""Ways to pay once the goods have come, which no deposit is paid by."""
_AT_PROVIDER = {
    PaymentMethod.CARD: "Pay by card",
    PaymentMethod.WALLET: "Pay with a wallet",
    PaymentMethod.PAYPAL: "Pay with PayPal",
}
_BY_ITSELF = {
    PaymentMethod.BANK_TRANSFER: "Order, and pay by bank transfer",
    PaymentMethod.CASH_ON_DELIVERY: "Order, and pay on delivery",
    PaymentMethod.PURCHASE_ORDER: "Order on the company's account",
}


@dataclass(frozen=True, slots=True)
class Way:
    """`gateway` is empty where nobody is asked."""

    method: PaymentMethod
    gateway: str
    label: str


def at_providers() -> list[Way]:
    """Those that lead the buyer to a page of the provider's."""
    return [
        Way(method, gateway.name, _AT_PROVIDER[method])
        for gateway in gateways().values()
        for method in PaymentMethod
        # An adapter of somebody else's may be older than the word.
        if method in getattr(gateway, "redirects", frozenset()) and method in _AT_PROVIDER
    ]


def for_offer(order: OrderDraft, terms: Terms) -> list[Way]:
    """No way when nothing is due."""
    if not order.due_minor:
        return []
    by_itself = [
        Way(one.method, "", _BY_ITSELF[one.method])
        for one in offered_methods(due_minor=order.due_minor, ships=order.ships, terms=terms)
        if one.gateway is None and not (order.deposit_minor is not None and one.method in AFTERWARDS)
    ]
    return [*at_providers(), *by_itself]
