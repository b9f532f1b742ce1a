"""Checkouts as clients see them."""

import datetime as dt

import strawberry

from app.cart.warnings import CartWarning
from app.checkout.errors import AmountDueChanged, TotalChanged
from schema.addresses import Address
from schema.cart import Cart, CartCost
from schema.errors import UserError, error_type
from schema.money import Money
from schema.nodes import Node
from schema.orders import Order
from schema.payments import BankAccount, PaymentActionType, PaymentMethod
from schema.shipping.quotes import ShippingQuote
from schema.warnings import WarningType


@error_type(TotalChanged, lambda error: {"total": Money.of(error.total.amount_minor, error.total.currency)})
@strawberry.type(description="The total is not the one that the shopper was shown.")
class TotalChangedError(UserError):
    total: Money = strawberry.field(description="What it is now; show it, and try again with a new key.")


@error_type(AmountDueChanged, lambda error: {"amount_due": Money.of(error.due.amount_minor, error.due.currency)})
@strawberry.type(description="Gift cards and store credit leave another amount to pay than the shopper was shown.")
class AmountDueChangedError(UserError):
    amount_due: Money = strawberry.field(description="What it is now; show it, and try again with a new key.")


@strawberry.type(description="A way to pay that the shop offers for this order.")
class AvailablePaymentMethod:
    method: PaymentMethod = strawberry.field(description="How to pay.")
    gateway: str | None = strawberry.field(description="Who takes the money; null where it comes by itself.")
    client_key: str | None = strawberry.field(
        description="The gateway's public key, for its form in the client; null where it has none."
    )
    bank_account: BankAccount | None = strawberry.field(
        description="Where to transfer to, for BANK_TRANSFER; the reference comes with the order's number."
    )
    needs_token: bool = strawberry.field(
        description="Whether a token of the gateway's form is needed. Without one, checkoutComplete answers what to do."
    )


@strawberry.type(
    description="What the shopper must do next; then the client calls checkoutComplete again with the same key.",
)
class PaymentAction:
    type: PaymentActionType = strawberry.field(description="What kind of thing.")
    url: str | None = strawberry.field(description="Where to send the shopper.")
    client_secret: str | None = strawberry.field(
        description="What the gateway's own form in the client confirms with; null for a redirect."
    )
    expires_at: dt.datetime = strawberry.field(description="Until when; the items are held for the shopper so long.")


@strawberry.type(
    description="Who buys a cart, and where to. A cart has one at the most, and needs none: checkoutComplete takes the "
    "same with a cart. Its id carries the cart's secret."
)
class Checkout(Node):
    cart: Cart = strawberry.field(description="What is bought.")
    email: str | None = strawberry.field(description="Where the order's mail goes; the cart's unless given here.")
    phone: str | None = strawberry.field(description="In international form; the cart's, until one is given here.")
    shipping_address: Address | None = strawberry.field(description="Where it goes.")
    billing_address: Address | None = strawberry.field(description="Who pays; the shipping address where null.")
    cost: CartCost = strawberry.field(description="What the order would cost, the chosen way to ship included.")
    shipping_quote: ShippingQuote | None = strawberry.field(
        description="The chosen way to ship, while it holds for this order."
    )
    shipping_quotes: list[ShippingQuote] = strawberry.field(
        description="Ways to ship to the address, the cheapest first, then stores to fetch it from; without an address "
        "only these, in the cart's country. Empty where nothing ships."
    )
    payment_methods: list[AvailablePaymentMethod] = strawberry.field(
        description="Ways to pay; empty when nothing is due."
    )
    reserved_until: dt.datetime | None = strawberry.field(
        description="Until when its items are kept for the shopper, as far as the shop keeps any: each change of the "
        "checkout or its cart begins the time anew, up to a limit. Null where nothing is kept; it can be completed all "
        "the same while there is stock."
    )
    age_confirmed: bool = strawberry.field(
        description="Whether the buyer has confirmed to be old enough for all that is in the cart; true where nothing "
        "asks for it."
    )
    problems: list[UserError] = strawberry.field(
        description="What still keeps it from becoming an order, but the payment. Paths are those of "
        "checkoutComplete's input, or begin with `cart`, `lines` and the line's place."
    )
    warnings: strawberry.Private[list[CartWarning]]
    """About the lines, for the answer to a change."""


@strawberry.type(description="Answer to `checkoutCreate` and `checkoutUpdate`.")
class CheckoutPayload:
    checkout: Checkout | None = strawberry.field(default=None, description="The checkout as it is now.")
    warnings: list[WarningType] = strawberry.field(default_factory=list, description="What to look at.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="What was refused, and why; nothing was changed then."
    )


@strawberry.type(description="Answer to `checkoutComplete`: an order, or something to do, or why not.")
class CheckoutCompletePayload:
    order: Order | None = strawberry.field(default=None, description="The order, once it is placed.")
    order_token: str | None = strawberry.field(
        default=None, description="Opens the order for the guest who bought; the receipt has it too."
    )
    payment_action: PaymentAction | None = strawberry.field(
        default=None, description="What the shopper has to do before there is an order."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="Why there is no order. A refusal stays the answer for this key; IN_PROGRESS does not.",
    )
