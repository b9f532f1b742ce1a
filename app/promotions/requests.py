"""Discounts as staff ask for them; lists keep their order, for the paths of what is wrong in them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from app.kit.money import Money
from app.promotions.definition import Combination


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsRequest:
    product_ids: Sequence[uuid.UUID] = ()
    variant_ids: Sequence[uuid.UUID] = ()
    collection_ids: Sequence[uuid.UUID] = ()
    tags: Sequence[str] = ()
    excluded_product_ids: Sequence[uuid.UUID] = ()
    excluded_variant_ids: Sequence[uuid.UUID] = ()
    excluded_collection_ids: Sequence[uuid.UUID] = ()
    excluded_tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRequest:
    minimum_quantity: int | None = None
    minimum_subtotal: Money | None = None
    percentage: Decimal | None = None
    amount: Money | None = None
    fixed_price: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyXGetYRequest:
    buy_quantity: int
    buys: ItemsRequest | None = None
    get_quantity: int = 1
    gets: ItemsRequest | None = None
    percentage: Decimal = Decimal(100)
    uses_per_order: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeShippingRequest:
    maximum_price: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementsRequest:
    minimum_quantity: int | None = None
    customer_group_ids: Sequence[uuid.UUID] = ()
    segment_ids: Sequence[uuid.UUID] = ()
    first_order: bool = False
    market_ids: Sequence[uuid.UUID] = ()
    country_codes: Sequence[str] = ()


class DiscountChange(TypedDict, total=False):
    """What is given changes; None takes it away. What it is worth takes exactly one of `percentage`, `amount`,
    `fixed_price`, `tiers`, `buy_x_get_y` and `free_shipping`."""

    name: str | None
    percentage: Decimal | None
    amount: Money | None
    applies_on_each_item: bool | None
    fixed_price: Money | None
    tiers: Sequence[TierRequest] | None
    buy_x_get_y: BuyXGetYRequest | None
    free_shipping: FreeShippingRequest | None
    applies_to: ItemsRequest | None
    requires: RequirementsRequest | None
    combines_with: Combination | None
    priority: int | None
    minimum_subtotal: Money | None
    usage_limit: int | None
    usage_limit_per_customer: int | None
    starts_at: datetime | None
    ends_at: datetime | None


WORTHS = ("percentage", "amount", "fixed_price", "tiers", "buy_x_get_y", "free_shipping")
"""Of them a discount has exactly one."""
EMPTY: DiscountChange = dict.fromkeys(DiscountChange.__annotations__)  # type: ignore[assignment]
