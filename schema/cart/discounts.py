"""Discounts as carts and orders show them."""

from collections.abc import Iterable

import strawberry

from app.promotions.rules import DiscountCodeReason, EnteredCode
from schema.enums import describe_enum
from schema.money import Money

describe_enum(
    DiscountCodeReason,
    "Why a discount code takes nothing off.",
    NOT_FOUND="There is no such code.",
    DISABLED="The shop has switched the discount off.",
    NOT_STARTED="The discount begins later.",
    EXPIRED="The discount's time, or the code's, is over.",
    USED_UP="It has been used as often as it can be.",
    ALREADY_USED="This buyer has used it as often as one customer may.",
    BUYER_UNKNOWN="It belongs to one person: enter the email address that it was sent to.",
    NOT_YOURS="It belongs to somebody with another email address.",
    SELF_REFERRAL="It is the buyer's own, for their friends.",
    EXISTING_CUSTOMER="It is for a first order, and this buyer has ordered before.",
    MINIMUM_NOT_REACHED="The cart's subtotal is below the least that the discount asks for.",
    OTHER_CURRENCY="It takes off an amount in a currency that is no longer the shop's.",
    NOT_COMBINABLE="Another of the codes takes more off, and only one code counts.",
)


@strawberry.type(description="A discount code that was entered into a cart.")
class CartDiscountCode:
    code: str = strawberry.field(description="As the shopper typed it.")
    applicable: bool = strawberry.field(description="Whether it takes something off this cart.")
    reason: DiscountCodeReason | None = strawberry.field(description="Why it does not; null where it applies.")

    @classmethod
    def of(cls, entered: EnteredCode) -> "CartDiscountCode":
        return cls(code=entered.code, applicable=entered.reason is None, reason=entered.reason)


@strawberry.type(description="What one discount takes off a cart or an order.")
class AppliedDiscount:
    name: str = strawberry.field(description="For shoppers.")
    code: str | None = strawberry.field(description="The code that brought it; null where it applies by itself.")
    amount: Money = strawberry.field(description="What it takes off all lines together.")

    @classmethod
    def all_of(cls, taken: Iterable[tuple[str, str | None, int]], currency: str) -> "list[AppliedDiscount]":
        """From name, code and amount in minor units."""
        return [cls(name=name, code=code, amount=Money.of(minor, currency)) for name, code, minor in taken]
