"""What the templates about an order can print, by name.

Every one is given `language, shop, customer, order, lines, more_lines, has_images`, and what `TEMPLATE_VALUES` adds.
Amounts and dates are text, in the shop's locale, currency and time zone.
"""

from typing import TypedDict


class ShopValues(TypedDict):
    name: str
    url: str | None
    email: str | None
    address: list[str]


class CustomerValues(TypedDict):
    first_name: str | None


class LineValues(TypedDict):
    name: str
    options: str | None
    """`Navy / M`."""
    notes: list[str]
    """What is made to order, when it is expected, how it is a gift, and what the shopper attached: `Engraving: Ada`;
    keys that begin with _ are the storefront's own."""
    quantity: int
    unit_price: str | None
    total: str | None
    """Prices are None where a shipment is described."""
    image_url: str | None
    image_alt: str


class TotalValues(TypedDict):
    label: str
    amount: str


class OrderValues(TypedDict):
    number: str
    placed_on: str
    url: str | None
    """The storefront's page of this order, see `formats.order_url`."""
    token: str | None
    """Shown where there is no `url`: with it a storefront, or GraphiQL, opens the order."""
    ships: bool
    estimated_delivery: str | None
    shipping_method: str | None
    totals: list[TotalValues]
    total: str
    paid_before: list[TotalValues]
    """By gift cards and store credit, and as a deposit, and what is left then; empty without them."""
    tax_note: str | None
    payment: str | None
    shipping_address: list[str]
    billing_address: list[str]
    note: str | None


class ParcelValues(TypedDict):
    carrier: str
    tracking_number: str | None
    tracking_url: str | None
    estimated_delivery: str | None


class PickupValues(TypedDict):
    """Where an order can be fetched."""

    store: str
    address: list[str]
    hours: list[str]
    """`Monday to Friday: 9:00 AM to 6:00 PM`."""
    instructions: str | None
    ready: str | None
    """Day and time by which it is expected to be ready; None where it was put on hold at first."""


class GiftValues(TypedDict):
    """Of the whole order; what a line is has its place in the line's notes."""

    is_wrapped: bool
    message: str | None
    hides_prices: bool


TEMPLATE_VALUES: dict[str, dict[str, str]] = {
    "order_confirmation": {
        "invoice_url": "the invoice as a PDF, or nil",
        "pickup": "where it can be fetched, or nil: store, address, hours, instructions, ready",
        "gift": "what the whole order is as a gift, or nil: is_wrapped, message, hides_prices",
        "transfer": "whom to transfer what to, or nil: account_holder, iban, bic, bank, instructions, reference, "
        "amount, pay_by",
    },
    "order_shipped": {
        "parcels": "list of parcels: carrier, tracking_number, tracking_url, estimated_delivery",
        "estimated_delivery": "text or nil, for all parcels together",
        "is_partial": "whether other items of the order are not in this shipment",
        "remaining_quantity": "units that are still to be shipped",
    },
    "order_out_for_delivery": {
        "parcels": "the one parcel",
        "parcel_count": "parcels of the whole order; what is still to be shipped counts as one",
    },
    "order_delivered": {
        "parcels": "the one parcel",
        "parcel_count": "parcels of the whole order; what is still to be shipped counts as one",
        "delivered_on": "day",
        "delivered_at_place": "text or nil",
    },
    "order_ready_for_pickup": {
        "store": "name of the store",
        "store_address": "lines",
        "instructions": "text, or nil",
    },
    "order_cancelled": {
        "reason": "text or nil",
        "refund": "one sentence about the money, or nil",
    },
    "order_refunded": {
        "amount": "what was given back",
        "money": "one sentence about where it goes",
        "reason": "text or nil",
    },
    "order_edited": {
        "money": "one sentence about what it costs now, and what is to be paid or goes back",
        "reason": "text or nil",
    },
    "order_payment_reminder": {"transfer": "as in order_confirmation; never nil"},
}
"""What each template is given beside the values that all of them share."""
