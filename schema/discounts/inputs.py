"""Discounts as staff give them."""

import datetime as dt
from decimal import Decimal
from typing import Any

import strawberry

from app.kit import money as kit
from app.promotions.definition import Combination
from app.promotions.requests import (
    BuyXGetYRequest,
    DiscountChange,
    FreeShippingRequest,
    RequirementsRequest,
    TierRequest,
)
from schema.discounts.items import DiscountItemsInput, ids_of
from schema.money import MoneyInput
from schema.scalars import CountryCode

UNSET = strawberry.UNSET


@strawberry.input(description="What comes off from so many units, or from such a subtotal, of the discount's items on.")
class DiscountTierInput:
    minimum_quantity: int | None = strawberry.field(
        default=UNSET, description="From how many units on; this or `minimumSubtotal`, the same for all tiers."
    )
    minimum_subtotal: MoneyInput | None = strawberry.field(default=UNSET, description="From which subtotal on.")
    percentage: Decimal | None = strawberry.field(
        default=UNSET, description="Of 100, off all of the items; this, `amount` or `fixedPrice`."
    )
    amount: MoneyInput | None = strawberry.field(default=UNSET, description="An amount off.")
    fixed_price: MoneyInput | None = strawberry.field(default=UNSET, description="What each unit costs then.")

    def request(self, place: int) -> TierRequest:
        return TierRequest(
            minimum_quantity=None if self.minimum_quantity is UNSET else self.minimum_quantity,
            minimum_subtotal=money(self.minimum_subtotal, "tiers", place, "minimumSubtotal"),
            percentage=None if self.percentage is UNSET else self.percentage,
            amount=money(self.amount, "tiers", place, "amount"),
            fixed_price=money(self.fixed_price, "tiers", place, "fixedPrice"),
        )


@strawberry.input(
    description="For every so many units that are bought, others for less, the cheapest first. A unit is either bought "
    "or got: with `buyQuantity: 2, getQuantity: 1` on the same items, one of three is for nothing."
)
class BuyXGetYInput:
    buy_quantity: int = strawberry.field(description="How many units have to be bought, for each use.")
    buys: DiscountItemsInput | None = strawberry.field(default=UNSET, description="Of what; left out, of anything.")
    get_quantity: int = strawberry.field(default=1, description="How many units come for less, for each use.")
    gets: DiscountItemsInput | None = strawberry.field(default=UNSET, description="Of what; left out, of anything.")
    percentage: Decimal = strawberry.field(
        default=Decimal(100), description="What comes off them, of 100: 100 for nothing to pay."
    )
    uses_per_order: int | None = strawberry.field(
        default=UNSET, description="How often in one order; left out, as often as there are units."
    )

    def request(self) -> BuyXGetYRequest:
        return BuyXGetYRequest(
            buy_quantity=self.buy_quantity,
            buys=self.buys.request("buyXGetY", "buys") if self.buys else None,
            get_quantity=self.get_quantity,
            gets=self.gets.request("buyXGetY", "gets") if self.gets else None,
            percentage=self.percentage,
            uses_per_order=None if self.uses_per_order is UNSET else self.uses_per_order,
        )


@strawberry.input(description="Shipping for nothing.")
class FreeShippingInput:
    maximum_price: MoneyInput | None = strawberry.field(
        default=UNSET, description="Dearer ways to ship are paid in full; left out, none is."
    )


@strawberry.input(description="What has to be so for a discount to apply: all of what is given.")
class DiscountRequirementsInput:
    minimum_quantity: int | None = strawberry.field(
        default=UNSET, description="At least so many units of the items that the discount is for."
    )
    customer_group_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="The buyer is signed in, and in one of these customer groups."
    )
    segment_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="The buyer is in one of these segments."
    )
    first_order: bool | None = strawberry.field(
        default=UNSET, description="The buyer, by email or else phone, has no order that was not cancelled."
    )
    market_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="The cart is in one of these markets."
    )
    country_codes: list[CountryCode] | None = strawberry.field(
        default=UNSET, description="The order goes to one of these countries."
    )

    def request(self) -> RequirementsRequest:
        return RequirementsRequest(
            minimum_quantity=None if self.minimum_quantity is UNSET else self.minimum_quantity,
            customer_group_ids=ids_of("cgrp", self.customer_group_ids or (), "requires", "customerGroupIds"),
            segment_ids=ids_of("seg", self.segment_ids or (), "requires", "segmentIds"),
            first_order=bool(self.first_order),
            market_ids=ids_of("mkt", self.market_ids or (), "requires", "marketIds"),
            country_codes=[str(code) for code in self.country_codes or ()],
        )


@strawberry.input(
    description="The classes of discounts that one goes together with, where those go together with its class, too. A "
    "discount for which this was never given goes together with those that come the other way: one that applies by "
    "itself with one by code."
)
class DiscountCombinationInput:
    product_discounts: bool = strawberry.field(default=False, description="With discounts of class PRODUCT.")
    order_discounts: bool = strawberry.field(default=False, description="With discounts of class ORDER.")
    shipping_discounts: bool = strawberry.field(default=False, description="With discounts of class SHIPPING.")


@strawberry.input(
    description="What comes off takes one of `percentage`, `amount`, `fixedPrice`, `tiers`, `buyXGetY` and "
    "`freeShipping`; without a code it applies by itself."
)
class DiscountInput:
    name: str = strawberry.field(description="For shoppers, up to 120 characters.")
    code: str | None = strawberry.field(
        default=UNSET,
        description="Letters A to Z, digits, hyphens, dots and underscores, up to 64; upper and lower case are the "
        "same. It cannot be changed later; `discountCodesAdd` and `discountCodesGenerate` make others.",
    )
    automatic: bool | None = strawberry.field(
        default=UNSET,
        description="Whether it applies by itself. Left out, a discount without a code does; false makes one whose "
        "codes come later. It cannot be changed.",
    )
    percentage: Decimal | None = strawberry.field(
        default=UNSET, description="Above 0 and at most 100, with up to four digits after the point."
    )
    amount: MoneyInput | None = strawberry.field(
        default=UNSET,
        description="In the shop's currency, exchanged where a market sells in another; off all of its items together.",
    )
    applies_on_each_item: bool | None = strawberry.field(
        default=UNSET, description="Take the amount, or the tiers' amounts, off each unit instead."
    )
    fixed_price: MoneyInput | None = strawberry.field(
        default=UNSET, description="What each unit of its items costs, where it would cost more."
    )
    tiers: list[DiscountTierInput] | None = strawberry.field(
        default=UNSET,
        description="The more, the less it costs: ascending, up to 20; the highest that is reached counts.",
    )
    buy_x_get_y: BuyXGetYInput | None = strawberry.field(
        default=UNSET, name="buyXGetY", description="Some units for less when others are bought."
    )
    free_shipping: FreeShippingInput | None = strawberry.field(default=UNSET, description="Shipping for nothing.")
    applies_to: DiscountItemsInput | None = strawberry.field(
        default=UNSET, description="The items that it takes something off; left out, the whole order."
    )
    requires: DiscountRequirementsInput | None = strawberry.field(
        default=UNSET, description="What has to be so for it to apply."
    )
    combines_with: DiscountCombinationInput | None = strawberry.field(
        default=UNSET, description="Which other discounts it goes together with."
    )
    priority: int | None = strawberry.field(
        default=UNSET,
        description="From 0, the default, to 1000. A higher one applies first, and keeps out discounts that it does "
        "not go together with; among equal ones the shopper gets what takes most off.",
    )
    minimum_subtotal: MoneyInput | None = strawberry.field(
        default=UNSET, description="The least that the lines have to cost before any discount."
    )
    usage_limit: int | None = strawberry.field(
        default=UNSET, description="How many orders can have it; left out or null, any number."
    )
    usage_limit_per_customer: int | None = strawberry.field(
        default=UNSET, description="How many orders with the same email (or, without one, phone) can have it."
    )
    starts_at: dt.datetime | None = strawberry.field(default=UNSET, description="From when it counts.")
    ends_at: dt.datetime | None = strawberry.field(default=UNSET, description="Until when it counts.")


@strawberry.input(
    description="What is left out stays as it is; null takes it away. To turn one kind into another, null the one and "
    "give the other."
)
class DiscountUpdateInput:
    name: str | None = strawberry.field(default=UNSET, description="For shoppers, up to 120 characters.")
    percentage: Decimal | None = strawberry.field(
        default=UNSET, description="Of 100; to change from an amount, give `amount: null` with it."
    )
    amount: MoneyInput | None = strawberry.field(
        default=UNSET, description="In the shop's currency; to change from a percentage, null that."
    )
    applies_on_each_item: bool | None = strawberry.field(
        default=UNSET, description="Take amounts off each unit, and not off all of its items together."
    )
    fixed_price: MoneyInput | None = strawberry.field(
        default=UNSET, description="What each unit of its items costs, where it would cost more."
    )
    tiers: list[DiscountTierInput] | None = strawberry.field(
        default=UNSET, description="All tiers, in the place of those that it has."
    )
    buy_x_get_y: BuyXGetYInput | None = strawberry.field(
        default=UNSET, name="buyXGetY", description="All of it, in the place of what it has."
    )
    free_shipping: FreeShippingInput | None = strawberry.field(default=UNSET, description="Shipping for nothing.")
    applies_to: DiscountItemsInput | None = strawberry.field(
        default=UNSET, description="All of its items, in the place of those that it has; null for the whole order."
    )
    requires: DiscountRequirementsInput | None = strawberry.field(
        default=UNSET, description="All that it asks for, in the place of what it has."
    )
    combines_with: DiscountCombinationInput | None = strawberry.field(
        default=UNSET, description="Which other discounts it goes together with; null for the custom of the shop."
    )
    priority: int | None = strawberry.field(default=UNSET, description="From 0 to 1000; null for 0.")
    minimum_subtotal: MoneyInput | None = strawberry.field(
        default=UNSET, description="The least that the lines have to cost before any discount."
    )
    usage_limit: int | None = strawberry.field(
        default=UNSET, description="How many orders can have it; not below those that have."
    )
    usage_limit_per_customer: int | None = strawberry.field(
        default=UNSET, description="How many orders of one customer can have it."
    )
    starts_at: dt.datetime | None = strawberry.field(default=UNSET, description="From when it counts.")
    ends_at: dt.datetime | None = strawberry.field(default=UNSET, description="Until when it counts.")


def change_of(input: DiscountInput | DiscountUpdateInput) -> DiscountChange:
    """What is given of it. Raises DomainError for ids and amounts that are none, at their places."""
    change: Any = {
        name: getattr(input, name) for name in DiscountChange.__annotations__ if getattr(input, name) is not UNSET
    }
    for name, field in (
        ("amount", "amount"),
        ("fixed_price", "fixedPrice"),
        ("minimum_subtotal", "minimumSubtotal"),
    ):
        if change.get(name) is not None:
            change[name] = money(change[name], field)
    if change.get("tiers") is not None:
        change["tiers"] = [tier.request(place) for place, tier in enumerate(change["tiers"])]
    for name in ("buy_x_get_y", "requires"):
        if change.get(name) is not None:
            change[name] = change[name].request()
    if free := change.get("free_shipping"):
        most = money(free.maximum_price, "freeShipping", "maximumPrice")
        change["free_shipping"] = FreeShippingRequest(maximum_price=most)
    if items := change.get("applies_to"):
        change["applies_to"] = items.request("appliesTo")
    if combination := change.get("combines_with"):
        change["combines_with"] = Combination(
            product=combination.product_discounts,
            order=combination.order_discounts,
            shipping=combination.shipping_discounts,
        )
    checked: DiscountChange = change
    return checked


def money(given: MoneyInput | None, *at: str | int) -> kit.Money | None:
    """None where it was left out, too."""
    return given.parsed(["input", *at, "amount"]) if given else None
