"""Discounts as carts and orders show them."""

from collections.abc import Iterable

import strawberry

from app.pricing.amounts import DiscountTarget
from app.promotions.definition import DiscountClass
from app.promotions.terms import DiscountCodeReason, EnteredCode
from schema.enums import describe_enum
from schema.money import Money

describe_enum(
    DiscountClass,
    "What a discount takes something off. Products come first, then the order, then shipping.",
    PRODUCT="Single items.",
    ORDER="All goods together.",
    SHIPPING="What it costs to ship.",
)
describe_enum(
    DiscountCodeReason,
    "Why a discount code takes nothing off.",
    NOT_FOUND="There is no such code.",
    DISABLED="The shop has switched the discount off.",
    NOT_STARTED="The discount begins later.",
    EXPIRED="The discount's time, or the code's, is over.",
    USED_UP="It has been used as often as it can be.",
    ALREADY_USED="This buyer has used it as often as one customer may.",
    BUYER_UNKNOWN="It is for one person, or for some customers: enter the email address, or sign in.",
    NOT_YOURS="It belongs to somebody with another email address.",
    SELF_REFERRAL="It is the buyer's own, for their friends.",
    EXISTING_CUSTOMER="It is for a first order, and this buyer has ordered before.",
    NOT_FIRST_ORDER="It is for a first order, and this buyer has ordered before.",
    NOT_IN_SEGMENT="It is for customers of some segments, and this buyer is in none of them.",
    NOT_IN_CUSTOMER_GROUP="It is for some customer groups, and this buyer is not signed in as one of them.",
    OTHER_MARKET="It is for other markets than the cart's.",
    OTHER_COUNTRY="It is for orders to some countries, and the cart's is another one or not known.",
    OTHER_CURRENCY="It is in another currency than the cart.",
    MINIMUM_NOT_REACHED="The cart's subtotal is below the least that the discount asks for.",
    MINIMUM_QUANTITY_NOT_REACHED="There are fewer units in the cart than the discount asks for.",
    NO_ELIGIBLE_ITEMS="Nothing in the cart is part of the offer.",
    NO_SHIPPING="It makes shipping free, and nothing in the cart is sent.",
    SHIPPING_TOO_EXPENSIVE="It makes shipping free up to a price, and the chosen way to ship costs more.",
    NOT_COMBINABLE="It does not go together with other discounts that take more off, or have a higher priority.",
)


@strawberry.type(description="A discount code that was entered into a cart.")
class CartDiscountCode:
    code: str = strawberry.field(description="As the shopper typed it.")
    applicable: bool = strawberry.field(description="Whether it takes something off this cart.")
    reason: DiscountCodeReason | None = strawberry.field(description="Why it does not; null where it applies.")
    message: str | None = strawberry.field(
        description="The same for the shopper, and what is missing: `Add items for 12.50 USD more to get it.`"
    )

    @classmethod
    def of(cls, entered: EnteredCode) -> "CartDiscountCode":
        return cls(code=entered.code, applicable=entered.reason is None, reason=entered.reason, message=entered.message)


@strawberry.type(description="What one discount takes off a cart or an order.")
class AppliedDiscount:
    name: str = strawberry.field(description="For shoppers.")
    code: str | None = strawberry.field(description="The code that brought it; null where it applies by itself.")
    amount: Money = strawberry.field(description="What it takes off all lines together, or off shipping.")
    discount_class: DiscountClass = strawberry.field(
        description="What it takes it off. What is off SHIPPING is off `cost.shipping`, and not in `cost.discount`."
    )

    @classmethod
    def all_of(
        cls, taken: Iterable[tuple[str, str | None, int, DiscountTarget]], currency: str
    ) -> "list[AppliedDiscount]":
        """From name, code, amount in minor units, and what it is off."""
        return [
            cls(name=name, code=code, amount=Money.of(minor, currency), discount_class=_CLASSES[target])
            for name, code, minor, target in taken
        ]


_CLASSES = {
    DiscountTarget.LINES: DiscountClass.PRODUCT,
    DiscountTarget.MERCHANDISE: DiscountClass.ORDER,
    DiscountTarget.SHIPPING: DiscountClass.SHIPPING,
}
