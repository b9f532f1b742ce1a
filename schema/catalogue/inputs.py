"""What staff send about products and collections.

In updates, what is left out stays and null empties; null for what cannot be empty is refused, or is as if left out.
"""

import datetime as dt
from decimal import Decimal
from typing import Any, cast

import strawberry

from app.catalogue.collections import CollectionGiven
from app.catalogue.editing.given import ImageGiven, OptionGiven, ProductGiven, VariantGiven
from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus
from app.kit import ids
from schema.catalogue.types import SelectedOptionInput
from schema.inputs import given_fields
from schema.scalars import JSON


@strawberry.input(description="How search engines and shared links present something.")
class SeoInput:
    title: str | None = strawberry.field(default=strawberry.UNSET, description="Title, up to 255 characters.")
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description="Description, up to 5,000 characters."
    )


@strawberry.input(description="A picture of a product; known by its address.")
class ProductImageInput:
    url: str = strawberry.field(description="Address with https:// or http://, or a path below this API's own.")
    alt_text: str | None = strawberry.field(
        default=strawberry.UNSET, description="What it shows, for those who cannot see it."
    )
    width: int | None = strawberry.field(default=strawberry.UNSET, description="In pixels.")
    height: int | None = strawberry.field(default=strawberry.UNSET, description="In pixels.")


@strawberry.input(description="A picture of a collection.")
class CollectionImageInput:
    url: str = strawberry.field(description="Address with https:// or http://, or a path below this API's own.")
    alt_text: str | None = strawberry.field(
        default=strawberry.UNSET, description="What it shows, for those who cannot see it."
    )


@strawberry.input(
    description="In what the variants differ. An option that the product has already is known by its id or its name; "
    "the id allows another name."
)
class ProductOptionInput:
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Of an option that the product has."
    )
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Such as `Size`.")
    values: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All of its values, in the order to show them in. Needed for a new option.",
    )

    def given(self) -> OptionGiven:
        values = given_fields(self)
        if values.get("id"):
            values["id"] = ids.decode("opt", values["id"], ["input", "options"])
        return cast(OptionGiven, values)


@strawberry.input(
    description="One form of the product. A variant that the product has already is known by its id or its options; "
    "the id allows other options."
)
class ProductVariantInput:
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Of a variant that the product has."
    )
    selected_options: list[SelectedOptionInput] | None = strawberry.field(
        default=strawberry.UNSET, description="A value for each of the product's options."
    )
    sku: str | None = strawberry.field(default=strawberry.UNSET, description="The merchant's own article number.")
    barcode: str | None = strawberry.field(default=strawberry.UNSET, description="GTIN, EAN, UPC or ISBN.")
    price: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="In the shop's currency. Needed for a new variant."
    )
    compare_at_price: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="What it cost before, where it is reduced."
    )
    cost: Decimal | None = strawberry.field(default=strawberry.UNSET, description="What it costs the merchant.")
    stock: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Units that can be sold at the default warehouse, whatever was there before; those that are "
        "promised to orders are not among them. A new variant has none unless said.",
    )
    weight_grams: int | None = strawberry.field(
        default=strawberry.UNSET, description="Weight of one unit, packed; 0 where unknown."
    )
    requires_shipping: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether it has to be sent; for new variants of PHYSICAL products it does.",
    )
    taxable: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether tax is charged on it; it is unless said."
    )
    track_inventory: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether its stock is counted; it is for new variants of PHYSICAL products, and where `stock` is "
        "given.",
    )
    inventory_policy: InventoryPolicy | None = strawberry.field(
        default=strawberry.UNSET, description="What happens when its stock is used up; DENY unless said."
    )
    available_from: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="From when on it is delivered. Until then it can be ordered ahead: as many as there is stock, or "
        "any number where its policy is CONTINUE.",
    )
    restock_expected_at: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When the next units come in, for who orders beyond the stock."
    )
    image_url: str | None = strawberry.field(
        default=strawberry.UNSET, description="Its own picture; one that the product lacks is added to its images."
    )

    def given(self, index: int) -> VariantGiven:
        values = given_fields(self)
        if values.get("id"):
            values["id"] = ids.decode("var", values["id"], ["input", "variants", index, "id"])
        if self.selected_options:
            values["selected_options"] = [(option.name, option.value) for option in self.selected_options]
        return cast(VariantGiven, values)


@strawberry.input(
    description="A product. Lists are given whole: a variant, option, image or collection that its list lacks leaves "
    "the product. A variant that leaves can no longer be bought; orders keep it, and carts that hold it say so. "
    "Without options and variants: one variant with the product's name, at a price of zero. A variant without options "
    "is allowed when it is the only one."
)
class ProductInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Its name. Needed for a new product.")
    slug: str | None = strawberry.field(
        default=strawberry.UNSET, description="Its name in URLs; a new product gets one from its name."
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description="As plain text; or give `descriptionHtml`."
    )
    description_html: str | None = strawberry.field(
        default=strawberry.UNSET, description="As HTML, which is sanitised; or give `description`."
    )
    vendor: str | None = strawberry.field(default=strawberry.UNSET, description="Who makes or supplies it.")
    product_type: str | None = strawberry.field(
        default=strawberry.UNSET, description="The merchant's own sort of it, such as `Sofa`."
    )
    tags: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Words to file it under, up to 250; a word in two spellings is one."
    )
    status: ProductStatus | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it is on sale; a new product is a DRAFT unless said."
    )
    kind: ProductKind | None = strawberry.field(
        default=strawberry.UNSET, description="What it is by nature; PHYSICAL unless said."
    )
    options: list[ProductOptionInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="In what its variants differ, up to 3. Left out for a new product, they come from the variants. A "
        "new option without new variants gives all of them its first value.",
    )
    variants: list[ProductVariantInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Its forms, up to 2,048, in the order to show them in."
    )
    images: list[ProductImageInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Its pictures, up to 250, in the order to show them in."
    )
    seo: SeoInput | None = strawberry.field(
        default=strawberry.UNSET, description="How search engines and shared links present it."
    )
    collection_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The collections that it stands in; at the end of those that are new to it.",
    )
    metadata: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="An object of what else to keep with it. Everybody can read it."
    )
    tax_class_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Its tax class; null for the default one."
    )

    def given(self) -> ProductGiven:
        values = given_fields(self)
        if values.get("tax_class_id"):
            values["tax_class_id"] = ids.decode("tclass", values["tax_class_id"], ["input", "taxClassId"])
        _flatten_seo(values)
        if self.options:
            values["options"] = [option.given() for option in self.options]
        if self.variants:
            values["variants"] = [variant.given(index) for index, variant in enumerate(self.variants)]
        if "images" in values:
            values["images"] = [cast(ImageGiven, given_fields(image)) for image in self.images or ()]
        if "collection_ids" in values:
            values["collection_ids"] = [
                ids.decode("coll", text, ["input", "collectionIds", index])
                for index, text in enumerate(self.collection_ids or ())
            ]
        return cast(ProductGiven, values)


@strawberry.input(description="A collection.")
class CollectionInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Its name. Needed for a new collection.")
    slug: str | None = strawberry.field(
        default=strawberry.UNSET, description="Its name in URLs; a new collection gets one from its name."
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description="As plain text; or give `descriptionHtml`."
    )
    description_html: str | None = strawberry.field(
        default=strawberry.UNSET, description="As HTML, which is sanitised; or give `description`."
    )
    image: CollectionImageInput | None = strawberry.field(default=strawberry.UNSET, description="Its picture.")
    seo: SeoInput | None = strawberry.field(
        default=strawberry.UNSET, description="How search engines and shared links present it."
    )
    is_published: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether shoppers see it; they do unless said."
    )
    position: int | None = strawberry.field(
        default=strawberry.UNSET, description="Collections are listed from the lowest up; a new one is the last."
    )

    def given(self) -> CollectionGiven:
        values = given_fields(self)
        _flatten_seo(values)
        if "image" in values:
            image = values.pop("image")
            given = given_fields(image) if image else {"url": None, "alt_text": None}
            values |= {f"image_{name}": value for name, value in given.items()}
        return cast(CollectionGiven, values)


@strawberry.input(description="Where a product is to stand in a collection.")
class CollectionMoveInput:
    product_id: strawberry.ID = strawberry.field(description="Which product.")
    position: int = strawberry.field(description="Its place from 1 on; beyond the end is the end.")


def _flatten_seo(values: dict[str, Any]) -> None:
    if "seo" in values:
        seo = values.pop("seo")
        given = given_fields(seo) if seo else {"title": None, "description": None}
        values |= {f"seo_{name}": value for name, value in given.items()}
