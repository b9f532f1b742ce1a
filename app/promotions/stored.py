"""A stored discount as a request for the same one, for changes of a part of it."""

from collections.abc import Mapping
from typing import Any

from app.kit.money import Money
from app.promotions.definition import BuyXGetY, Items, Requirements, Rule, Tier, Worth, rule_of
from app.promotions.requests import (
    BuyXGetYRequest,
    DiscountChange,
    FreeShippingRequest,
    ItemsRequest,
    RequirementsRequest,
    TierRequest,
)


def rule_of_row(row: Mapping[str, Any]) -> Rule:
    """Of a row of `discounts`."""
    percentage = row["percentage"]
    return rule_of(row["rule"], None if percentage is None else str(percentage), row["amount_minor"])


def request_of(row: Mapping[str, Any]) -> DiscountChange:
    """Of a row of `discounts`, with everything in it."""
    rule, currency = rule_of_row(row), row["currency_code"]

    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, currency)

    def amount(worth: Worth) -> Money | None:
        return money(worth.amount_minor if worth.each_minor is None else worth.each_minor)

    def tier(one: Tier) -> TierRequest:
        worth = one.worth
        return TierRequest(
            minimum_quantity=one.minimum_quantity,
            minimum_subtotal=money(one.minimum_subtotal_minor),
            percentage=worth.percentage,
            amount=amount(worth),
            fixed_price=money(worth.fixed_price_minor),
        )

    worths = [rule.worth] if rule.worth else [one.worth for one in rule.tiers]
    single, offer, free = rule.worth or Worth(), rule.buy_x_get_y, rule.free_shipping
    return DiscountChange(
        name=row["name"],
        percentage=single.percentage,
        amount=amount(single),
        applies_on_each_item=any(worth.each_minor is not None for worth in worths),
        fixed_price=money(single.fixed_price_minor),
        tiers=[tier(one) for one in rule.tiers] or None,
        buy_x_get_y=_buy_x_get_y(offer) if offer else None,
        free_shipping=FreeShippingRequest(maximum_price=money(free.maximum_price_minor)) if free else None,
        applies_to=None if rule.items.is_everything else items_request(rule.items),
        requires=None if rule.requires == Requirements() else _requirements(rule.requires),
        combines_with=rule.combines_with,
        priority=rule.priority,
        minimum_subtotal=money(row["minimum_subtotal_minor"]),
        usage_limit=row["usage_limit"],
        usage_limit_per_customer=row["usage_limit_per_customer"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
    )


def changed(row: Mapping[str, Any], change: DiscountChange) -> DiscountChange:
    """A stored discount's request with a change; what was said of amounts goes with them."""
    after: DiscountChange = {**request_of(row), **change}
    if "applies_on_each_item" not in change and not (
        after["amount"] or any(one.amount for one in after["tiers"] or ())
    ):
        after["applies_on_each_item"] = False
    return after


def items_request(items: Items) -> ItemsRequest:
    """In a stable order."""
    return ItemsRequest(**{name: sorted(getattr(items, name)) for name in ItemsRequest.__dataclass_fields__})


def _buy_x_get_y(offer: BuyXGetY) -> BuyXGetYRequest:
    return BuyXGetYRequest(
        buy_quantity=offer.buy_quantity,
        buys=None if offer.buys.is_everything else items_request(offer.buys),
        get_quantity=offer.get_quantity,
        gets=None if offer.gets.is_everything else items_request(offer.gets),
        percentage=offer.percentage,
        uses_per_order=offer.uses_per_order,
    )


def _requirements(requires: Requirements) -> RequirementsRequest:
    return RequirementsRequest(
        minimum_quantity=requires.minimum_quantity,
        customer_group_ids=sorted(requires.customer_group_ids),
        segment_ids=sorted(requires.segment_ids),
        first_order=requires.first_order,
        market_ids=sorted(requires.market_ids),
        country_codes=sorted(requires.country_codes),
    )
