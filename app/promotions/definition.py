"""What a discount can be: the document in `discounts.rule`, typed.

A discount without a document is the oldest kind, a percentage or an amount off the order, which lies in columns of its
own. Amounts are in minor units of `discounts.currency_code`.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated
from uuid import UUID

from pydantic import PlainSerializer, TypeAdapter

# Sorted, so that the same rule is the same text: the audit log compares texts.
Ids = Annotated[frozenset[UUID], PlainSerializer(lambda ids: sorted(str(one) for one in ids))]
Words = Annotated[frozenset[str], PlainSerializer(sorted)]


class DiscountClass(StrEnum):
    """What a discount takes off; discounts say which classes they go together with."""

    PRODUCT = "PRODUCT"
    ORDER = "ORDER"
    SHIPPING = "SHIPPING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What comes off, in exactly one way.

    Attributes:
        percentage: of 100.
        amount_minor: off all of its items together.
        each_minor: off each unit.
        fixed_price_minor: what each unit costs then, where it would cost more.
    """

    percentage: Decimal | None = None
    amount_minor: int | None = None
    each_minor: int | None = None
    fixed_price_minor: int | None = None

    @property
    def is_for_units(self) -> bool:
        return self.each_minor is not None or self.fixed_price_minor is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Some of what the shop sells: whatever is in one of the first four, everything where they are empty, and of that
    nothing which is in one of the others. Tags are the same in upper and lower case."""

    product_ids: Ids = frozenset()
    variant_ids: Ids = frozenset()
    collection_ids: Ids = frozenset()
    tags: Words = frozenset()
    excluded_product_ids: Ids = frozenset()
    excluded_variant_ids: Ids = frozenset()
    excluded_collection_ids: Ids = frozenset()
    excluded_tags: Words = frozenset()

    @property
    def includes_all(self) -> bool:
        return not (self.product_ids or self.variant_ids or self.collection_ids or self.tags)

    @property
    def is_everything(self) -> bool:
        return self == EVERYTHING

    @property
    def reads_products(self) -> bool:
        """Whether collections or tags of products have to be known."""
        return bool(self.collection_ids or self.tags or self.excluded_collection_ids or self.excluded_tags)


EVERYTHING = Items()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What is off from so many units, or from such a subtotal, on; exactly one of the two."""

    worth: Worth
    minimum_quantity: int | None = None
    minimum_subtotal_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyXGetY:
    """For every `buy_quantity` units, `get_quantity` others for a percentage (of 100) less, the cheapest first."""

    buy_quantity: int
    buys: Items = EVERYTHING
    get_quantity: int = 1
    gets: Items = EVERYTHING
    percentage: Decimal = Decimal(100)
    uses_per_order: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeShipping:
    maximum_price_minor: int | None = None
    """Dearer ways to ship are paid in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """All of them have to be met; each is empty where it asks for nothing.

    Attributes:
        minimum_quantity: units of the items that the discount is for.
        customer_group_ids, segment_ids, market_ids, country_codes: being in one of them is enough.
    """

    minimum_quantity: int | None = None
    customer_group_ids: Ids = frozenset()
    segment_ids: Ids = frozenset()
    first_order: bool = False
    market_ids: Ids = frozenset()
    country_codes: Words = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """The classes that a discount goes together with, where those discounts go together with its class, too."""

    product: bool = False
    order: bool = False
    shipping: bool = False

    def has(self, other: DiscountClass) -> bool:
        return {
            DiscountClass.PRODUCT: self.product,
            DiscountClass.ORDER: self.order,
            DiscountClass.SHIPPING: self.shipping,
        }[other]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Exactly one of `worth`, `tiers`, `buy_x_get_y` and `free_shipping`.

    Attributes:
        tiers: ascending; the highest that is reached counts.
        items: what `worth`, `tiers` and the minimum quantity are about.
        combines_with: None for the shop's custom: an automatic discount goes together with one by code, and neither
            with another of its own sort.
        priority: higher goes first, and keeps out what it does not combine with.
    """

    worth: Worth | None = None
    tiers: tuple[Tier, ...] = ()
    buy_x_get_y: BuyXGetY | None = None
    free_shipping: FreeShipping | None = None
    items: Items = EVERYTHING
    requires: Requirements = field(default_factory=Requirements)
    combines_with: Combination | None = None
    priority: int = 0

    @property
    def discount_class(self) -> DiscountClass:
        if self.free_shipping:
            return DiscountClass.SHIPPING
        worths = [self.worth] if self.worth else [tier.worth for tier in self.tiers]
        if self.buy_x_get_y or not self.items.is_everything or any(worth.is_for_units for worth in worths):
            return DiscountClass.PRODUCT
        return DiscountClass.ORDER

    @property
    def reads_products(self) -> bool:
        offer = self.buy_x_get_y
        return self.items.reads_products or bool(offer and (offer.buys.reads_products or offer.gets.reads_products))

    @property
    def is_in_money(self) -> bool:
        """Whether it is about amounts of some currency."""
        worths = [self.worth] if self.worth else [tier.worth for tier in self.tiers]
        return (
            any(worth.percentage is None for worth in worths)
            or any(tier.minimum_subtotal_minor is not None for tier in self.tiers)
            or bool(self.free_shipping and self.free_shipping.maximum_price_minor is not None)
        )

    @property
    def is_plain(self) -> bool:
        """A percentage or an amount off the order and nothing else, which needs no document."""
        worth = self.worth
        return worth is not None and not worth.is_for_units and self == Rule(worth=worth)

    def to_json(self) -> str:
        """What is as usual is left out."""
        return _RULE.dump_json(self, exclude_defaults=True).decode()


_RULE = TypeAdapter(Rule)


@lru_cache(maxsize=1024)
def rule_of(document: str | None, percentage: str | None, amount_minor: int | None) -> Rule:
    """From a row's columns. The same few discounts are read with every cart, so they are taken apart once."""
    if document is not None:
        return _RULE.validate_json(document)
    return Rule(worth=Worth(percentage=None if percentage is None else Decimal(percentage), amount_minor=amount_minor))
