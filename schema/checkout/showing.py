"""From a checkout as it was read to what a request selects of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import strawberry

from app.addresses.postal import Destination
from app.cart import queries as carts
from app.cart.errors import CartErrorCode
from app.cart.models import CartState
from app.cart.snapshots import CartSnapshot
from app.cart.warnings import CartWarning, line_warnings
from app.checkout import queries
from app.checkout.payment_methods import Terms, offered_methods, terms_for
from app.checkout.requests import Details
from app.checkout.review import Review, destination_of, review, shortages, wanted_units
from app.checkout.service import CheckoutKey
from app.errors import DomainError, DomainErrors
from app.kit import ids
from app.kit.crypto import token_matches
from app.shipping.quotes import Quote, QuoteKind
from app.shipping.service import quote_shipping
from app.terms.rules import highest_age
from schema.addresses import Address
from schema.cart import CartCost, CartView
from schema.checkout.inputs import CHECKOUT_PREFIX
from schema.checkout.types import AvailablePaymentMethod, Checkout
from schema.context import Info
from schema.errors import to_user_errors
from schema.payments import BankAccount, PaymentMethod
from schema.selection import Selection
from schema.shipping.quotes import ShippingQuote


@dataclass(frozen=True, slots=True)
class CheckoutView:
    """What is wanted of a checkout, checked before anything is read or changed."""

    cart: CartView
    quotes: bool
    """Whether ways to ship have to be worked out: they are shown, or missing ones are a problem."""
    methods: bool
    """Whether ways to pay are shown."""

    @classmethod
    def of(cls, selection: Selection) -> "CheckoutView":
        """`selection` is below a Checkout. Raises DomainError for a page of the cart's lines that cannot be had."""
        wanted = "shippingQuotes" in selection or "problems" in selection
        return cls(CartView.of(selection.below("cart")), wanted, "paymentMethods" in selection)

    async def load(self, info: Info, key: CheckoutKey) -> Checkout | None:
        """The checkout that the key opens; None where it opens none, and for a cart that has none."""
        row = await queries.standing(key.cart_id, key.checkout_id)
        if row is None or row["checkout_id"] is None or not token_matches(key.secret, row["secret_hash"]):
            return None
        cart = await carts.load_cart(row["cart_id"], key.secret)
        if cart is None:
            return None
        details = queries.stored_details(row).over(Details(email=cart.email, phone=cart.phone))
        return await self._show(info, row, cart, await review(cart, details, row["now"]))

    async def _show(self, info: Info, row: Mapping[str, Any], cart: CartSnapshot, seen: Review) -> Checkout:
        quotes, unserved = await _quotes(seen) if self.quotes else ([], [])
        details = seen.details
        due = seen.priced.amount_due_minor
        terms = await terms_for(cart.versions, cart.company_id) if self.methods else Terms()
        return Checkout(
            id=strawberry.ID(ids.encode_with_secret(CHECKOUT_PREFIX, row["checkout_id"], cart.secret)),
            cart=await self.cart.show(info, seen.cart, seen.priced),
            email=details.email,
            phone=details.phone,
            shipping_address=Address.of(details.shipping_address) if details.shipping_address else None,
            billing_address=Address.of(details.billing_address) if details.billing_address else None,
            cost=CartCost.of(seen.priced, tax_estimated=seen.tax_estimated),
            shipping_quote=ShippingQuote.of(seen.quote) if seen.quote else None,
            shipping_quotes=[ShippingQuote.of(quote) for quote in quotes],
            payment_methods=[
                AvailablePaymentMethod(
                    method=offered.method,
                    gateway=offered.gateway,
                    client_key=offered.client_key,
                    needs_token=offered.needs_token,
                    bank_account=BankAccount.of(terms.settings)
                    if offered.method is PaymentMethod.BANK_TRANSFER
                    else None,
                )
                for offered in offered_methods(due_minor=due, ships=seen.ships, terms=terms)
            ],
            reserved_until=cart.checkout.reserved_until if cart.checkout and cart.keeps_units else None,
            age_confirmed=(highest_age(line.terms for line in cart.lines) or 0) <= (details.confirmed_age or 0),
            problems=to_user_errors(_problems(cart, seen, unserved)),
            warnings=_warnings(cart),
        )


async def _quotes(seen: Review) -> tuple[list[Quote], list[DomainError]]:
    """Ways to ship, or why there are none."""
    address, checkout = seen.details.shipping_address, seen.cart.checkout
    if not seen.ships or (address is None and seen.cart.country_code is None):
        return [], []
    try:
        # Without an address the country is enough to fetch it from a store; what is shipped needs one.
        destination = destination_of(address) if address else Destination(seen.cart.country_code or "")
        keeper = checkout.id if checkout else None
        quotes = await quote_shipping(seen.cart.lines, destination, checkout_id=keeper)
        return [quote for quote in quotes if address or quote.kind is QuoteKind.PICKUP], []
    except (DomainError, DomainErrors) as problem:
        if address is None:
            return [], []
        for error in problem.errors:
            error.field = ["shippingAddress"]
        return [], problem.errors


def _warnings(cart: CartSnapshot) -> list[CartWarning]:
    """What of the cart others were quicker with, or cannot be ordered for other reasons."""
    units = wanted_units(cart.lines)
    return [
        replace(warning, field=["cart", "lines", str(place), *(warning.field or [])])
        for place, line in enumerate(cart.lines)
        for warning in line_warnings(line, units[line.variant_id])
    ]


def _problems(cart: CartSnapshot, seen: Review, unserved: list[DomainError]) -> list[DomainError]:
    if cart.state is CartState.COMPLETED:
        return [DomainError(CartErrorCode.CART_COMPLETED, "This cart has become an order.", ["cart"])]
    # Where nothing can be shipped, there is no quote to choose either.
    found = [problem for problem in seen.problems if not (unserved and problem.field == ["shippingQuoteId"])]
    return [*found, *unserved, *shortages(cart.lines)]
