"""The states of an order, as clients see them."""

from app.orders.models import FulfillmentStatus, OrderHold, OrderStatus, PaymentStatus
from schema.enums import describe_enum

describe_enum(
    OrderStatus,
    "Where an order is in its life.",
    OPEN="Placed; something is still to be shipped or paid.",
    COMPLETED="Paid, and all of it shipped.",
    CANCELLED="Called off; its units can be sold again and its payment is given back.",
)
describe_enum(
    PaymentStatus,
    "What happened to an order's payment.",
    PENDING="To be paid later, on delivery for instance.",
    AUTHORIZED="The money is set aside for the shop, not taken yet.",
    PARTIALLY_PAID="The shop has a part of the money: a deposit, or that of the goods that have left.",
    PAID="The shop has the money.",
    PARTIALLY_REFUNDED="A part of the money went back to the buyer.",
    REFUNDED="All of the money went back to the buyer.",
    VOIDED="What was set aside was given back.",
)
describe_enum(
    FulfillmentStatus,
    "How much of an order has been shipped.",
    UNFULFILLED="Nothing yet.",
    PARTIALLY_FULFILLED="A part of it.",
    FULFILLED="All that has to be shipped.",
    NOT_REQUIRED="Nothing in it has to be shipped.",
)
describe_enum(
    OrderHold,
    "Why an order may not be fulfilled yet.",
    DEPOSIT="A deposit has to be paid.",
    GUARANTEE="Staff have to confirm a guarantee, such as a bank's.",
    DISPUTE="The buyer disputes the payment; it ends by itself once the shop has won.",
)

__all__ = ["FulfillmentStatus", "OrderHold", "OrderStatus", "PaymentStatus"]
