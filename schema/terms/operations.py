"""Setting the terms of sale, for staff."""

from decimal import Decimal
from typing import Annotated, cast

import strawberry

from app.catalogue import queries
from app.kit import ids
from app.staff.permissions import Permission
from app.terms import service
from app.terms.models import CustomizationType
from app.terms.service import ChoiceGiven, CustomizationGiven, TermsGiven
from schema.access import STAFF, mutation
from schema.catalogue import reading
from schema.catalogue.mutations import ProductPayload
from schema.context import Info
from schema.inputs import given_fields
from schema.selection import Selection


@strawberry.input(description="One of the things that a customization can be.")
class CustomizationChoiceInput:
    value: str = strawberry.field(description="What storefronts send; unique within the customization.")
    label: str | None = strawberry.field(default=strawberry.UNSET, description="What they show; the value unless said.")
    price: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="For each unit, in the shop's currency; 0 unless said."
    )


@strawberry.input(description="Something that is made to order.")
class ProductCustomizationInput:
    key: str = strawberry.field(
        description="Its name for programs, unique within the product: letters, digits, - _ and the point. Lines in "
        "carts know it by this."
    )
    label: str = strawberry.field(description="Its name for people.")
    type: CustomizationType = strawberry.field(description="How it is asked for.")
    required: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether the product cannot be bought without it; false unless said."
    )
    price: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="For each unit, in the shop's currency; 0 unless said."
    )
    choices: list[CustomizationChoiceInput] | None = strawberry.field(
        default=strawberry.UNSET, description="For CHOICE: up to 100."
    )
    max_length: int | None = strawberry.field(
        default=strawberry.UNSET, description="For texts: up to 200 characters in one line, 1,000 in several."
    )
    minimum: str | None = strawberry.field(
        default=strawberry.UNSET, description="For NUMBER and DATE: the least that it takes."
    )
    maximum: str | None = strawberry.field(
        default=strawberry.UNSET, description="For NUMBER and DATE: the most that it takes."
    )

    def given(self) -> CustomizationGiven:
        values = given_fields(self)
        if self.choices:
            values["choices"] = [cast(ChoiceGiven, given_fields(choice)) for choice in self.choices]
        return cast(CustomizationGiven, values)


@strawberry.input(
    description="On which terms a product is sold. What is left out stays; null takes it away; lists are given whole."
)
class ProductTermsInput:
    customizations: list[ProductCustomizationInput] | None = strawberry.field(
        default=strawberry.UNSET, description="What can be made to order, up to 25, in the order to ask for it."
    )
    minimum_quantity: int | None = strawberry.field(
        default=strawberry.UNSET, description="Units of the product that an order has to have at least."
    )
    maximum_quantity: int | None = strawberry.field(
        default=strawberry.UNSET, description="Units of the product that an order may have at most."
    )
    quantity_step: int | None = strawberry.field(
        default=strawberry.UNSET, description="Orders have multiples of this number of units."
    )
    minimum_age: int | None = strawberry.field(
        default=strawberry.UNSET, description="Years that a buyer has to have, up to 120; see `Shop.ageCheck`."
    )
    allowed_regions: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Where alone it is sold: countries (`US`) and provinces (`US-CA`), up to 1,000.",
    )
    forbidden_regions: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Where it is not sold, written likewise."
    )

    def given(self) -> TermsGiven:
        values = given_fields(self)
        if self.customizations:
            values["customizations"] = [one.given() for one in self.customizations]
        return cast(TermsGiven, values)


@strawberry.type
class TermsMutations:
    @mutation(
        access=STAFF(Permission.PRODUCTS_WRITE),
        description="Set on which terms a product is sold: what is made to order, in which quantities, to whom and "
        "where to. Carts that hold it say what cannot be ordered any more, and go by the new prices.",
    )
    async def product_terms_update(
        self,
        info: Info,
        product_id: Annotated[strawberry.ID, strawberry.argument(description="Which product.")],
        input: Annotated[ProductTermsInput, strawberry.argument(description="What is to change.")],
    ) -> ProductPayload:
        product = ids.decode("prod", product_id, ["productId"])
        await service.set_terms(product, input.given())
        selection = Selection.of(info).below("product")
        found = await queries.product(selection, product_id=product, sees_hidden=True)
        return ProductPayload(product=reading.product_of(info, found, selection))
