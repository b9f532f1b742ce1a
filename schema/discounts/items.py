"""Which of the shop's items a discount is for, as staff give it and as they see it."""

import uuid
from collections.abc import Iterable, Sequence

import strawberry

from app.kit import ids
from app.promotions.definition import Items
from app.promotions.requests import ItemsRequest
from app.promotions.stored import items_request

PREFIXES = {
    "product_ids": "prod", "variant_ids": "var", "collection_ids": "coll", "excluded_product_ids": "prod",
    "excluded_variant_ids": "var", "excluded_collection_ids": "coll",
}  # fmt: skip
_CAMEL = {
    "product_ids": "productIds", "variant_ids": "variantIds", "collection_ids": "collectionIds",
    "excluded_product_ids": "excludedProductIds", "excluded_variant_ids": "excludedVariantIds",
    "excluded_collection_ids": "excludedCollectionIds",
}  # fmt: skip
TAKES = (
    "Everything in one of the first four lists (all that is sold, where they are empty), except what is in the others."
)


@strawberry.input(description=f"Some of what the shop sells. {TAKES} Up to 250 in each list.")
class DiscountItemsInput:
    product_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="These products, with all their variants."
    )
    variant_ids: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description="These variants.")
    collection_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="What is in these collections, published or not, when a cart is looked at.",
    )
    tags: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Products with one of these tags, in upper or lower case."
    )
    excluded_product_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="None of these products."
    )
    excluded_variant_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="None of these variants."
    )
    excluded_collection_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="Nothing that is in one of these collections."
    )
    excluded_tags: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="No product with one of these tags."
    )

    def request(self, *at: str | int) -> ItemsRequest:
        """Raises DomainError(INVALID_ID) at the place of the id."""
        listed: dict[str, Sequence[uuid.UUID]] = {
            name: ids_of(prefix, getattr(self, name), *at, _CAMEL[name]) for name, prefix in PREFIXES.items()
        }
        return ItemsRequest(**listed, tags=self.tags or (), excluded_tags=self.excluded_tags or ())


def ids_of(prefix: str, texts: Sequence[str] | None, *at: str | int) -> list[uuid.UUID]:
    return [ids.decode(prefix, text, ["input", *at, place]) for place, text in enumerate(texts or ())]


@strawberry.type(description=f"Some of what the shop sells. {TAKES}")
class DiscountItems:
    product_ids: list[strawberry.ID] = strawberry.field(description="These products, with all their variants.")
    variant_ids: list[strawberry.ID] = strawberry.field(description="These variants.")
    collection_ids: list[strawberry.ID] = strawberry.field(description="What is in these collections.")
    tags: list[str] = strawberry.field(description="Products with one of these tags.")
    excluded_product_ids: list[strawberry.ID] = strawberry.field(description="None of these products.")
    excluded_variant_ids: list[strawberry.ID] = strawberry.field(description="None of these variants.")
    excluded_collection_ids: list[strawberry.ID] = strawberry.field(description="Nothing in one of these collections.")
    excluded_tags: list[str] = strawberry.field(description="No product with one of these tags.")

    @classmethod
    def of(cls, items: Items) -> "DiscountItems | None":
        """None for everything."""
        if items.is_everything:
            return None
        listed = items_request(items)
        return cls(
            tags=list(listed.tags),
            excluded_tags=list(listed.excluded_tags),
            **{name: encoded(prefix, getattr(listed, name)) for name, prefix in PREFIXES.items()},
        )


def encoded(prefix: str, listed: Iterable[uuid.UUID]) -> list[strawberry.ID]:
    return [strawberry.ID(ids.encode(prefix, one)) for one in listed]
