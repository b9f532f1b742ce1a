"""The lines of a cart as discounts look at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from app.pricing.discounting import goods_of
from app.promotions.definition import Items
from app.promotions.terms import ProductFacts, PromotionLine

_UNKNOWN = ProductFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line: `unit_price_minor` before discounts, by the quantity of its variant and with its options."""

    line_id: str
    product_id: UUID
    variant_id: UUID
    quantity: int
    unit_price_minor: int
    facts: ProductFacts

    @property
    def subtotal_minor(self) -> int:
        return self.unit_price_minor * self.quantity

    def is_in(self, items: Items) -> bool:
        if (
            self.product_id in items.excluded_product_ids
            or self.variant_id in items.excluded_variant_ids
            or not self.facts.collection_ids.isdisjoint(items.excluded_collection_ids)
            or not self.facts.tags.isdisjoint(_lowered(items.excluded_tags))
        ):
            return False
        return (
            items.includes_all
            or self.product_id in items.product_ids
            or self.variant_id in items.variant_ids
            or not self.facts.collection_ids.isdisjoint(items.collection_ids)
            or not self.facts.tags.isdisjoint(_lowered(items.tags))
        )


def items_of(lines: Sequence[PromotionLine], products: Mapping[UUID, ProductFacts]) -> list[Item]:
    """Without those whose price is fixed."""
    prices = {
        line.id: group.unit_price_minor
        for group in goods_of([line.to_price for line in lines], ())
        for line in group.lines
    }
    return [
        Item(
            line_id=line.to_price.id,
            product_id=line.product_id,
            variant_id=line.variant_id,
            quantity=line.to_price.quantity,
            unit_price_minor=prices[line.to_price.id],
            facts=products.get(line.product_id, _UNKNOWN),
        )
        for line in lines
        if not line.to_price.fixed
    ]


@lru_cache(maxsize=1024)
def _lowered(tags: frozenset[str]) -> frozenset[str]:
    return frozenset(tag.lower() for tag in tags)
