"""Discounts and their codes as staff see them."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import strawberry

from app import db
from app.kit import ids
from app.promotions.definition import BuyXGetY as BuyXGetYOffer
from app.promotions.definition import DiscountClass, Requirements, Rule, Tier, Worth
from app.promotions.models import DiscountStatus
from app.promotions.stored import rule_of_row
from schema.discounts.items import DiscountItems, encoded
from schema.enums import describe_enum
from schema.errors import UserError
from schema.money import Money
from schema.nodes import Node
from schema.scalars import CountryCode

DISCOUNT_PREFIX, CODE_PREFIX = "disc", "code"

describe_enum(
    DiscountStatus,
    "Whether a discount can be used.",
    ACTIVE="From its beginning to its end, while its limits allow it.",
    DISABLED="Switched off by staff, with all its codes.",
)

InMoney = Callable[[int | None], Money | None]


@strawberry.type(description="What comes off from so many units, or from such a subtotal, of the discount's items on.")
class DiscountTier:
    minimum_quantity: int | None = strawberry.field(description="From how many units on.")
    minimum_subtotal: Money | None = strawberry.field(description="From which subtotal on.")
    percentage: Decimal | None = strawberry.field(description="Of 100, off all of the items.")
    amount: Money | None = strawberry.field(description="An amount off all of the items, or off each unit.")
    fixed_price: Money | None = strawberry.field(description="What each unit costs then.")

    @classmethod
    def of(cls, tier: Tier, money: InMoney) -> "DiscountTier":
        worth = tier.worth
        return cls(
            minimum_quantity=tier.minimum_quantity,
            minimum_subtotal=money(tier.minimum_subtotal_minor),
            percentage=plain(worth.percentage),
            amount=money(worth.amount_minor if worth.each_minor is None else worth.each_minor),
            fixed_price=money(worth.fixed_price_minor),
        )


@strawberry.type(description="For every so many units that are bought, others for less, the cheapest first.")
class BuyXGetY:
    buy_quantity: int = strawberry.field(description="How many units have to be bought, for each use.")
    buys: DiscountItems | None = strawberry.field(description="Of what; null for anything.")
    get_quantity: int = strawberry.field(description="How many units come for less, for each use.")
    gets: DiscountItems | None = strawberry.field(description="Of what; null for anything.")
    percentage: Decimal = strawberry.field(description="What comes off them, of 100.")
    uses_per_order: int | None = strawberry.field(description="How often in one order; null for any number.")

    @classmethod
    def of(cls, offer: BuyXGetYOffer) -> "BuyXGetY":
        return cls(
            buy_quantity=offer.buy_quantity,
            buys=DiscountItems.of(offer.buys),
            get_quantity=offer.get_quantity,
            gets=DiscountItems.of(offer.gets),
            percentage=offer.percentage.normalize() + 0,
            uses_per_order=offer.uses_per_order,
        )


@strawberry.type(description="Shipping for nothing.")
class FreeShipping:
    maximum_price: Money | None = strawberry.field(description="Dearer ways to ship are paid in full.")


@strawberry.type(description="What has to be so for a discount to apply: all of what is given.")
class DiscountRequirements:
    minimum_quantity: int | None = strawberry.field(description="At least so many units of its items.")
    customer_group_ids: list[strawberry.ID] = strawberry.field(
        description="The buyer is signed in, and in one of these customer groups; empty for anybody."
    )
    segment_ids: list[strawberry.ID] = strawberry.field(
        description="The buyer is in one of these segments; empty for anybody."
    )
    first_order: bool = strawberry.field(description="Whether the buyer may not have ordered before.")
    market_ids: list[strawberry.ID] = strawberry.field(
        description="The cart is in one of these markets; empty for all of them."
    )
    country_codes: list[CountryCode] = strawberry.field(
        description="The order goes to one of these countries; empty for all of them."
    )

    @classmethod
    def of(cls, requires: Requirements) -> "DiscountRequirements | None":
        if requires == Requirements():
            return None
        return cls(
            minimum_quantity=requires.minimum_quantity,
            customer_group_ids=encoded("cgrp", sorted(requires.customer_group_ids)),
            segment_ids=encoded("seg", sorted(requires.segment_ids)),
            first_order=requires.first_order,
            market_ids=encoded("mkt", sorted(requires.market_ids)),
            country_codes=[CountryCode(code) for code in sorted(requires.country_codes)],
        )


@strawberry.type(description="The classes of discounts that one goes together with, where those do so with its class.")
class DiscountCombination:
    product_discounts: bool = strawberry.field(description="With discounts of class PRODUCT.")
    order_discounts: bool = strawberry.field(description="With discounts of class ORDER.")
    shipping_discounts: bool = strawberry.field(description="With discounts of class SHIPPING.")

    @classmethod
    def of(cls, rule: Rule) -> "DiscountCombination | None":
        goes = rule.combines_with
        if goes is None:
            return None
        return cls(product_discounts=goes.product, order_discounts=goes.order, shipping_discounts=goes.shipping)


@strawberry.type(
    description="Something off an order. A cart gets those of the highest priority first, and among equal ones the set "
    "that takes most off of all that go together."
)
class Discount(Node):
    name: str = strawberry.field(description="For shoppers, beside the amount.")
    status: DiscountStatus = strawberry.field(description="Whether it can be used.")
    automatic: bool = strawberry.field(description="Whether it applies by itself; otherwise it takes a code.")
    discount_class: DiscountClass = strawberry.field(description="What it takes something off.")
    percentage: Decimal | None = strawberry.field(description="Of 100; null where it is something else.")
    amount: Money | None = strawberry.field(
        description="Off all of its items together, or off each unit; null where it is something else."
    )
    applies_on_each_item: bool = strawberry.field(description="Whether amounts are taken off each unit.")
    fixed_price: Money | None = strawberry.field(description="What each unit of its items costs then.")
    tiers: list[DiscountTier] = strawberry.field(description="Ascending; the highest that is reached counts.")
    buy_x_get_y: BuyXGetY | None = strawberry.field(
        name="buyXGetY", description="Some units for less when others are bought."
    )
    free_shipping: FreeShipping | None = strawberry.field(description="Shipping for nothing.")
    applies_to: DiscountItems | None = strawberry.field(description="Its items; null for the whole order.")
    requires: DiscountRequirements | None = strawberry.field(description="What has to be so for it to apply.")
    combines_with: DiscountCombination | None = strawberry.field(
        description="Which others it goes together with; null for those that come the other way: one that applies by "
        "itself with one by code."
    )
    priority: int = strawberry.field(description="Higher ones apply first, and keep out what does not go with them.")
    minimum_subtotal: Money | None = strawberry.field(description="The least that the lines have to cost, if any.")
    usage_limit: int | None = strawberry.field(description="How many orders can have it; null for any number.")
    usage_limit_per_customer: int | None = strawberry.field(
        description="How many orders with the same email (or, without one, phone) can have it; null for any number."
    )
    used_count: int = strawberry.field(description="Orders that have it, and checkouts that are being paid with it.")
    starts_at: dt.datetime | None = strawberry.field(description="From when it counts; null for at once.")
    ends_at: dt.datetime | None = strawberry.field(description="Until when it counts; null for ever.")
    issued: bool = strawberry.field(description="Whether a flow or a referral made it, for the coupons it gives out.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When staff last changed it.")

    @classmethod
    def of(cls, row: db.Record) -> "Discount":
        rule, currency = rule_of_row(row), row["currency_code"]
        worth, offer, free = rule.worth or Worth(), rule.buy_x_get_y, rule.free_shipping
        worths = [worth, *(tier.worth for tier in rule.tiers)]

        def money(minor: int | None) -> Money | None:
            return None if minor is None else Money.of(minor, currency)

        return cls(
            id=strawberry.ID(ids.encode(DISCOUNT_PREFIX, row["id"])),
            name=row["name"],
            status=DiscountStatus(row["status"]),
            automatic=row["automatic"],
            discount_class=rule.discount_class,
            percentage=plain(worth.percentage),
            amount=money(worth.amount_minor if worth.each_minor is None else worth.each_minor),
            applies_on_each_item=any(one.each_minor is not None for one in worths),
            fixed_price=money(worth.fixed_price_minor),
            tiers=[DiscountTier.of(tier, money) for tier in rule.tiers],
            buy_x_get_y=BuyXGetY.of(offer) if offer else None,
            free_shipping=FreeShipping(maximum_price=money(free.maximum_price_minor)) if free else None,
            applies_to=DiscountItems.of(rule.items),
            requires=DiscountRequirements.of(rule.requires),
            combines_with=DiscountCombination.of(rule),
            priority=rule.priority,
            minimum_subtotal=money(row["minimum_subtotal_minor"]),
            usage_limit=row["usage_limit"],
            usage_limit_per_customer=row["usage_limit_per_customer"],
            used_count=row["used_count"],
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
            issued=row["source_key"] is not None,
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )


@strawberry.type(description="A code of a discount. A coupon is one that belongs to a person and can be used once.")
class DiscountCode(Node):
    code: str = strawberry.field(description="As it was given out; shoppers may type it in any case.")
    discount_id: strawberry.ID = strawberry.field(description="The discount that it brings.")
    profile_id: strawberry.ID | None = strawberry.field(description="The only person who can use it; null for anybody.")
    usage_limit: int | None = strawberry.field(description="How many orders can use it; null for any number.")
    used_count: int = strawberry.field(description="Orders that used it, and checkouts that are being paid with it.")
    ends_at: dt.datetime | None = strawberry.field(description="Until when it counts, if sooner than its discount.")
    disabled_at: dt.datetime | None = strawberry.field(description="When staff switched it off; null where it is on.")
    job_id: strawberry.ID | None = strawberry.field(description="The job that drew it, with many others.")
    created_at: dt.datetime = strawberry.field(description="When it was made or issued.")

    @classmethod
    def of(cls, row: db.Record) -> "DiscountCode":
        return cls(
            id=strawberry.ID(ids.encode(CODE_PREFIX, row["id"])),
            code=row["code"],
            discount_id=strawberry.ID(ids.encode(DISCOUNT_PREFIX, row["discount_id"])),
            profile_id=strawberry.ID(ids.encode("prof", row["profile_id"])) if row["profile_id"] else None,
            usage_limit=row["usage_limit"],
            used_count=row["used_count"],
            ends_at=row["ends_at"],
            disabled_at=row["disabled_at"],
            job_id=strawberry.ID(ids.encode("job", row["job_id"])) if row["job_id"] else None,
            created_at=row["created_at"],
        )


def plain(percentage: Decimal | None) -> Decimal | None:
    """Without zeros at its end."""
    return None if percentage is None else percentage.normalize() + 0


@strawberry.type(description="Answer to everything that makes or changes a discount.")
class DiscountPayload:
    discount: Discount | None = strawberry.field(default=None, description="The discount as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to everything that adds codes, or changes them.")
class DiscountCodesPayload:
    codes: list[DiscountCode] = strawberry.field(default_factory=list, description="The codes as they are now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")
