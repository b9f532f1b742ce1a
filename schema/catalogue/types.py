"""Products, variants and collections as the API shows them.

Instances are made by `schema.catalogue.reading` out of documents that hold all that was selected: plain fields are
attributes, and fields with arguments find their answer under a key made from these.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias, cast

import strawberry

from app.catalogue.documents import key_in_document
from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus
from app.catalogue.orderings import ProductSortKey
from app.catalogue.queries import PageArguments
from app.catalogue.recommendations import RecommendationIntent
from schema.connections import Connection
from schema.enums import describe_enum
from schema.executor import READ_FROM
from schema.inventory.types import StockLevel
from schema.money import Money, MoneyRange
from schema.nodes import Node
from schema.scalars import JSON
from schema.terms.types import Availability, ProductCustomization, QuantityRule

describe_enum(
    ProductStatus,
    "Whether a product is on sale.",
    DRAFT="In the making: only staff see it.",
    ACTIVE="On sale.",
    ARCHIVED="Not sold any more: only staff see it, and orders still show what was bought.",
)
describe_enum(
    ProductKind,
    "What a product is by nature.",
    PHYSICAL="A thing; its variants say whether they are shipped.",
    DIGITAL="A download or a licence.",
    SERVICE="Something that is done.",
    GIFT_CARD="Credit for this shop.",
)
describe_enum(
    InventoryPolicy,
    "What happens when the stock of a variant is used up.",
    DENY="It cannot be bought.",
    CONTINUE="It can still be bought, and is delivered later.",
)
describe_enum(
    ProductSortKey,
    "What a list of products is sorted by. Products that are alike in it stand in the order of their ids.",
    CREATED_AT="When they were added, oldest first.",
    UPDATED_AT="When they last changed, longest ago first.",
    NAME="Name, from A to Z, in any case of letters.",
    PRICE="Lowest price among the variants as it is shown to you, cheapest first.",
)

describe_enum(
    RecommendationIntent,
    "What products are suggested for.",
    RELATED="Instead of it: they share collections, type and tags with it.",
    BOUGHT_TOGETHER="Beside it: they stand most often in the same orders; where these are few, related ones follow.",
)

First: TypeAlias = Annotated[
    int | None, strawberry.argument(description="Size of the page, up to 100; 20 unless said.")
]
After: TypeAlias = Annotated[str | None, strawberry.argument(description="Cursor that the page begins behind.")]
Last: TypeAlias = Annotated[
    int | None, strawberry.argument(description="Size of a page that is walked backward, up to 100.")
]
Before: TypeAlias = Annotated[str | None, strawberry.argument(description="Cursor that the page ends before.")]
SortKey: TypeAlias = Annotated[ProductSortKey | None, strawberry.argument(description="What to sort by.")]
Reverse: TypeAlias = Annotated[bool | None, strawberry.argument(description="Last to first.")]


def _prefetched(name: str, description: str) -> Callable[[Callable[..., Any]], Any]:
    """A field with arguments whose answers are in the object already, under a key made from these."""

    def key(arguments: Mapping[str, Any]) -> str:
        return key_in_document(name, PageArguments(arguments))

    decorator: Callable[[Callable[..., Any]], Any] = strawberry.field(
        description=description, metadata={READ_FROM: key}
    )
    return decorator


def _answer(source: Any, name: str, **arguments: Any) -> Any:
    """For whoever asks the resolver; the executor reads the same key."""
    given = {argument: value for argument, value in arguments.items() if value is not strawberry.UNSET}
    return source.__dict__[key_in_document(name, PageArguments(given))]


@strawberry.type(description="How search engines and shared links present something.")
class Seo:
    title: str | None = strawberry.field(description="Title; without one, take the name.")
    description: str | None = strawberry.field(description="Description; without one, take the beginning of the text.")


@strawberry.type(description="A picture.")
class Image:
    url: str = strawberry.field(description="Where it is, as an absolute URL.")
    alt_text: str | None = strawberry.field(description="What it shows, for those who cannot see it.")
    width: int | None = strawberry.field(description="In pixels, where known.")
    height: int | None = strawberry.field(description="In pixels, where known.")


@strawberry.type(description="In what a product's variants differ, such as size.")
class ProductOption:
    id: strawberry.ID = strawberry.field(description="Stays when the option is renamed.")
    name: str = strawberry.field(description="Such as `Size`.")
    values: list[str] = strawberry.field(description="Such as `S`, `M`, `L`, in the order to show them in.")


@strawberry.type(description="One option of a variant.")
class SelectedOption:
    name: str = strawberry.field(description="Such as `Size`.")
    value: str = strawberry.field(description="Such as `M`.")


@strawberry.input(description="One option of a variant.")
class SelectedOptionInput:
    name: str = strawberry.field(description="The option's name, such as `Size`.")
    value: str = strawberry.field(description="The option's value, such as `M`.")


@strawberry.type(description="A lower price, or another one, for more units.")
class QuantityPriceBreak:
    minimum_quantity: int = strawberry.field(description="From this many units of the variant on.")
    price: Money = strawberry.field(description="What each unit costs then.")


@strawberry.type(description="One form of a product, which can be put into a cart.")
class ProductVariant(Node):
    name: str = strawberry.field(
        description="Its option values, such as `M / Navy`; the product's name where it has no options."
    )
    sku: str | None = strawberry.field(description="The merchant's own article number.")
    barcode: str | None = strawberry.field(description="GTIN, EAN, UPC or ISBN.")
    price: Money = strawberry.field(
        description="What one unit costs in the market that the request is for, to whoever is signed in; whether tax "
        "lies in it, `localization` says. Staff who look after the products and ask for no market get the shop's own."
    )
    quantity_price_breaks: list[QuantityPriceBreak] = strawberry.field(
        description="What each unit costs in larger quantities, fewest first; empty when the price is always the same."
    )
    compare_at_price: Money | None = strawberry.field(
        description="What it cost before, to be shown struck through, where it is reduced."
    )
    available_for_sale: bool = strawberry.field(
        description="Whether at least one can be bought now: the product is on sale, and there is stock, or none is "
        "counted, or it may be sold beyond it."
    )
    available_quantity: int | None = strawberry.field(
        description="Units in stock over all warehouses: exact up to a limit that the shop sets, null above it. Exact "
        "for staff. Null where stock is not counted."
    )
    availability: Availability = strawberry.field(description="Whether it can be ordered now, and when it is there.")
    available_from: dt.datetime | None = strawberry.field(
        description="From when on it is delivered; until then it can be ordered ahead, as far as there is stock."
    )
    restock_expected_at: dt.datetime | None = strawberry.field(
        description="When the next units are expected to come in, where the shop says so."
    )
    selected_options: list[SelectedOption] = strawberry.field(description="Its value of each option, in their order.")
    image: Image | None = strawberry.field(description="Its own picture, or else the product's first.")
    product: "Product" = strawberry.field(description="What it is a form of.")
    weight_grams: int = strawberry.field(description="Weight of one unit, packed; 0 where unknown.")
    requires_shipping: bool = strawberry.field(description="Whether it has to be sent.")
    taxable: bool = strawberry.field(description="Whether tax is charged on it.")
    track_inventory: bool = strawberry.field(description="Whether its stock is counted; if not, it never runs out.")
    inventory_policy: InventoryPolicy = strawberry.field(description="What happens when its stock is used up.")
    created_at: dt.datetime = strawberry.field(description="When it was added.")
    updated_at: dt.datetime = strawberry.field(description="When it last changed; its stock aside.")
    cost: Money | None = strawberry.field(description="What it costs the merchant. Null for all but staff.")
    stock_levels: list[StockLevel] | None = strawberry.field(description="Stock by warehouse. Null for all but staff.")


@strawberry.type(description="Something that the shop sells, in one form or several.")
class Product(Node):
    slug: str = strawberry.field(description="Its name in URLs; unique.")
    name: str = strawberry.field(description="Its name.")
    status: ProductStatus = strawberry.field(description="Whether it is on sale.")
    kind: ProductKind = strawberry.field(description="What it is by nature.")
    description: str = strawberry.field(description="Plain text.")
    description_html: str = strawberry.field(description="Sanitised HTML.")
    vendor: str | None = strawberry.field(description="Who makes or supplies it.")
    product_type: str | None = strawberry.field(description="The merchant's own sort of it, such as `Sofa`.")
    tags: list[str] = strawberry.field(description="Words that the merchant files it under.")
    seo: Seo = strawberry.field(description="How search engines and shared links present it.")
    featured_image: Image | None = strawberry.field(description="The first image.")
    options: list[ProductOption] = strawberry.field(description="In what its variants differ; none when it has one.")
    price_range: MoneyRange = strawberry.field(description="Lowest and highest price among its variants.")
    compare_at_price_range: MoneyRange | None = strawberry.field(
        description="Lowest and highest price before reduction, among the variants that are reduced; null when none is."
    )
    available_for_sale: bool = strawberry.field(description="Whether any of its variants can be bought now.")
    customizations: list[ProductCustomization] = strawberry.field(
        description="What can be made to order, in the order to ask for it; given with a cart's line."
    )
    quantity_rule: QuantityRule | None = strawberry.field(
        description="In which quantities it is sold; null where any will do."
    )
    minimum_age: int | None = strawberry.field(description="Years that a buyer has to have; null where anybody may.")
    allowed_regions: list[str] = strawberry.field(
        description="Where alone it is sold: countries such as `US`, provinces such as `US-CA`; empty for everywhere."
    )
    forbidden_regions: list[str] = strawberry.field(description="Where it is not sold, written likewise.")
    metadata: JSON = strawberry.field(description="What the shop keeps with it, by name. Public.")
    tax_class_id: strawberry.ID | None = strawberry.field(description="Its tax class; null for the default one.")
    created_at: dt.datetime = strawberry.field(description="When it was added.")
    updated_at: dt.datetime = strawberry.field(description="When it, its variants or its images last changed.")

    @_prefetched("images", description="Its images, in the order to show them in.")
    def images(
        self,
        first: Annotated[
            int | None, strawberry.argument(description="How many at most, up to 250; all unless said.")
        ] = strawberry.UNSET,
    ) -> list[Image]:
        return cast("list[Image]", _answer(self, "images", first=first))

    @_prefetched("variants", description="Its variants, in the merchant's order.")
    def variants(
        self,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
    ) -> Connection[ProductVariant]:
        return cast(
            Connection[ProductVariant], _answer(self, "variants", first=first, after=after, last=last, before=before)
        )

    @_prefetched(
        "variantBySelectedOptions", description="The variant with exactly these options; null when there is none."
    )
    def variant_by_selected_options(
        self,
        options: Annotated[
            list[SelectedOptionInput], strawberry.argument(description="A value for each of the product's options.")
        ],
    ) -> ProductVariant | None:
        chosen = [{"name": option.name, "value": option.value} for option in options]
        return cast("ProductVariant | None", _answer(self, "variantBySelectedOptions", options=chosen))

    @_prefetched("collections", description="The collections that it stands in.")
    def collections(
        self,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
    ) -> Connection[Annotated["Collection", strawberry.lazy("schema.catalogue.types")]]:
        return cast(
            Connection["Collection"], _answer(self, "collections", first=first, after=after, last=last, before=before)
        )

    @_prefetched(
        "recommendations",
        description="Other products to suggest, the best first; only such as can be bought now. They have no "
        "recommendations of their own.",
    )
    def recommendations(
        self,
        intent: Annotated[
            RecommendationIntent | None, strawberry.argument(description="What for; RELATED unless said.")
        ] = strawberry.UNSET,
        first: Annotated[
            int | None, strawberry.argument(description="How many at most, up to 24; 10 unless said.")
        ] = strawberry.UNSET,
    ) -> list["Product"]:
        return cast("list[Product]", _answer(self, "recommendations", intent=intent, first=first))


@strawberry.type(description="Products that the merchant shows together.")
class Collection(Node):
    slug: str = strawberry.field(description="Its name in URLs; unique.")
    name: str = strawberry.field(description="Its name.")
    description: str = strawberry.field(description="Plain text.")
    description_html: str = strawberry.field(description="Sanitised HTML.")
    image: Image | None = strawberry.field(description="Its picture.")
    seo: Seo = strawberry.field(description="How search engines and shared links present it.")
    is_published: bool = strawberry.field(description="Whether shoppers see it.")
    created_at: dt.datetime = strawberry.field(description="When it was added.")
    updated_at: dt.datetime = strawberry.field(description="When it or its list of products last changed.")

    @_prefetched("products", description="Its products, in the merchant's order unless another is asked for.")
    def products(
        self,
        *,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
        sort_key: SortKey = strawberry.UNSET,
        reverse: Reverse = strawberry.UNSET,
    ) -> Connection[Product]:
        page = {"first": first, "after": after, "last": last, "before": before}
        return cast(Connection[Product], _answer(self, "products", **page, sortKey=sort_key, reverse=reverse))
