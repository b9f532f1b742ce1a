"""What a shopper wants to have, as storefronts send it: to a cart, or to see shipping quotes before there is one."""

import uuid
from collections.abc import Sequence

import strawberry

from app.kit import ids
from app.terms.customizations import Given
from schema.gifting import GiftOptionsInput

VARIANT_PREFIX = "var"


@strawberry.input(description="A key and a value of the storefront's own, such as an engraving.")
class AttributeInput:
    key: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="Its text.")


@strawberry.input(description="What is to be made to order: one of the product's `customizations`.")
class CustomizationInput:
    key: str = strawberry.field(description="Which of them.")
    value: str = strawberry.field(
        description="The text or number, the day as YYYY-MM-DD, the choice's `value`, or `true` for a ticked box."
    )

    def given(self) -> Given:
        return Given(self.key, self.value)


@strawberry.input(
    description="Some quantity of a variant. The same variant with the same attributes, customizations and gift "
    "options is one line; adding it again adds up."
)
class CartLineInput:
    variant_id: strawberry.ID = strawberry.field(description="Which variant.")
    quantity: int = strawberry.field(default=1, description="How many.")
    attributes: list[AttributeInput] | None = strawberry.field(
        default=strawberry.UNSET, description="What the storefront wants to remember with the line."
    )
    customizations: list[CustomizationInput] | None = strawberry.field(
        default=strawberry.UNSET, description="What is to be made to order, checked by the product's `customizations`."
    )
    gift_options: GiftOptionsInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="What is wanted done with these units as a gift; GIFT_WRAP_UNAVAILABLE where they cannot be "
        "wrapped. What it costs to ship does not depend on it.",
    )

    def variant_uuid(self, field: Sequence[str | int]) -> uuid.UUID:
        """Raises DomainError(INVALID_ID)."""
        return ids.decode(VARIANT_PREFIX, self.variant_id, [*field, "variantId"])
