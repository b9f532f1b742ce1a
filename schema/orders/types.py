"""Orders as clients see them."""

import datetime as dt
from typing import Annotated

import strawberry

from schema.addresses import Address
from schema.cart import AppliedDiscount, Attribute, CartCost
from schema.connections import Connection
from schema.dates import DateRange
from schema.disputes import PaymentDispute
from schema.errors import UserError
from schema.fulfillments import Fulfillment
from schema.gifting import GiftOptions
from schema.invoices import Invoice
from schema.money import Money
from schema.nodes import Node
from schema.order_lines import OrderLine
from schema.order_status import FulfillmentStatus, OrderHold, OrderStatus, PaymentStatus
from schema.orders.timeline import OrderEvent
from schema.payments import BankTransfer, PaymentMethod, PaymentState
from schema.refunds import Refund
from schema.shipping.pickup import OrderPickup

PageArguments = tuple[int | None, str | None]
"""`first` and `after`."""


@strawberry.type(description="How an order is shipped, as it was promised.")
class OrderShipping:
    carrier: str = strawberry.field(description="Who carries it.")
    service: str = strawberry.field(description="The carrier's service.")
    price: Money = strawberry.field(description="What was promised, before discounts.")
    estimated_delivery: DateRange | None = strawberry.field(description="Between which dates it was to arrive.")


@strawberry.type(description="A payment of an order.")
class Payment:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    method: PaymentMethod = strawberry.field(description="How it is paid.")
    gateway: str | None = strawberry.field(description="Who takes the money; null on delivery.")
    state: PaymentState = strawberry.field(description="Where it is in its life.")
    amount: Money = strawberry.field(description="What is to be paid.")
    captured_amount: Money = strawberry.field(description="What the shop has taken.")
    refunded_amount: Money = strawberry.field(description="What of that went back.")
    reference: str | None = strawberry.field(description="The gateway's own id.")
    created_at: dt.datetime = strawberry.field(description="When it was begun.")
    disputes: list[PaymentDispute] = strawberry.field(
        description="What the buyer disputes of it at the provider's, oldest first."
    )


def _page_of_lines(
    self: "Order",
    first: Annotated[
        int | None, strawberry.argument(description="Page size, up to 100, which is also the default.")
    ] = strawberry.UNSET,
    after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
) -> Connection[OrderLine]:
    return self.pages[None if first is strawberry.UNSET else first, None if after is strawberry.UNSET else after]


@strawberry.type(
    description="What was sold, frozen at the moment it was sold. For staff, and for whoever holds the token from the "
    "receipt; its id and number open nothing."
)
class Order(Node):
    number: str = strawberry.field(description="For people; goes up by one or more.")
    placed_at: dt.datetime = strawberry.field(description="When it was placed.")
    updated_at: dt.datetime = strawberry.field(description="When anything about it last changed.")
    email: str | None = strawberry.field(description="Where its mail goes.")
    phone: str | None = strawberry.field(description="In international form (E.164).")
    status: OrderStatus = strawberry.field(description="Where it is in its life.")
    payment_status: PaymentStatus = strawberry.field(description="What happened to its payment.")
    fulfillment_status: FulfillmentStatus = strawberry.field(description="How much of it has been shipped.")
    payment_method: PaymentMethod | None = strawberry.field(description="How it is paid; null when nothing was due.")
    lines: Connection[OrderLine] = strawberry.field(
        resolver=_page_of_lines, description="What was sold, in the order in which it stood in the cart."
    )
    cost: CartCost = strawberry.field(description="What it cost. Its total is what is charged, to the last cent.")
    discounts: list[AppliedDiscount] = strawberry.field(description="What was taken off, and by which codes.")
    shipping_address: Address | None = strawberry.field(description="Where it goes; null when nothing ships.")
    billing_address: Address | None = strawberry.field(description="Who pays.")
    tax_id: str | None = strawberry.field(description="The buyer's VAT number or the like, as it was given.")
    reverse_charge: bool = strawberry.field(description="Whether the buyer accounts for the tax on any of it.")
    pickup: OrderPickup | None = strawberry.field(
        description="How it is fetched from a store; null when it is shipped, or nothing of it is."
    )
    shipping: OrderShipping | None = strawberry.field(description="How it goes; null when nothing ships.")
    note: str | None = strawberry.field(description="The buyer's words to the shop.")
    gift_options: GiftOptions | None = strawberry.field(
        description="What is wanted done with the whole of it as a gift; null for nothing."
    )
    attributes: list[Attribute] = strawberry.field(description="The storefront's own.")
    cancelled_at: dt.datetime | None = strawberry.field(description="When it was cancelled.")
    cancel_reason: str | None = strawberry.field(description="Why, for people.")
    fulfillments: list[Fulfillment] = strawberry.field(description="What has been shipped of it, oldest first.")
    payments: list[Payment] | None = strawberry.field(description="Its payments; for staff, null for anybody else.")
    bank_transfer: BankTransfer | None = strawberry.field(
        description="What is to be transferred, and where to; null where nothing is, or not any more."
    )
    outstanding: Money = strawberry.field(
        description="What no payment covers yet, neither taken nor set aside; `orderPaymentCreate` pays it."
    )
    purchase_order_number: str | None = strawberry.field(description="The buyer's own number, of an order on account.")
    payment_due_at: dt.datetime | None = strawberry.field(description="By when an order on account is to be paid.")
    holds: list[OrderHold] = strawberry.field(
        description="What has to be met before its goods leave; empty for nothing."
    )
    is_payment_overdue: bool = strawberry.field(description="Whether that moment is over and money is missing.")
    refunds: list[Refund] = strawberry.field(description="What was given back of it, oldest first.")
    invoices: list[Invoice] = strawberry.field(description="Its invoice and credit notes, oldest first.")
    timeline: list[OrderEvent] = strawberry.field(description="What happened to it, oldest first.")
    pages: strawberry.Private[dict[PageArguments, Connection[OrderLine]]]
    """Made before, since a page that cannot be had has to be refused before anything is changed."""


@strawberry.type(description="Answer to what staff do with an order.")
class OrderPayload:
    order: Order | None = strawberry.field(
        default=None,
        description="The order as it is now; null when refused, and without the permission ORDERS_READ.",
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="What was refused, and why; nothing was changed then."
    )
