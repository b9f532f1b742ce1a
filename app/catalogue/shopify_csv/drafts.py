"""What one product of a file comes to, before the shop is asked about it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong in one place of the file.

    `row` is the row of the file as a spreadsheet counts it (the header is row 1), `column` the column's name in it.
    """

    row: int | None
    column: str | None
    message: str


@dataclass(slots=True)
class ImageDraft:
    row: int
    url: str
    alt_text: str | None = None
    position: int | None = None
    width: int | None = None
    """In pixels; height too."""
    height: int | None = None


@dataclass(frozen=True, slots=True)
class CollectionDraft:
    """A collection that the product stands in."""

    name: str
    handle: str | None = None
    """Its slug; without it, one made from the name."""
    position: int | None = None
    """The product's place in it; without it, the end."""


@dataclass(slots=True)
class VariantDraft:
    """One variant. Its identity within the product is `option_values`; an SKU may be missing or double.

    A value whose column the file does not have is what a new variant gets; an existing one keeps what it has.
    Prices are minor units of the shop's currency.
    """

    row: int
    option_values: tuple[str, ...] = ()
    sku: str | None = None
    barcode: str | None = None
    price_minor: int | None = None
    compare_at_price_minor: int | None = None
    cost_minor: int | None = None
    weight_grams: int = 0
    tracked: bool = False
    quantity: int | None = None
    """None where the file does not say: an empty cell states no stock."""
    continue_selling: bool = False
    requires_shipping: bool = True
    taxable: bool = True
    image_url: str | None = None


@dataclass(slots=True)
class ProductDraft:
    row: int
    """The row that holds the title."""
    handle: str
    title: str
    body_html: str = ""
    plain_text: str | None = None
    """Its description as plain text, where that is not simply what the HTML says."""
    vendor: str | None = None
    product_type: str | None = None
    category: str | None = None
    tags: list[str] = field(default_factory=list)
    status: str = "ACTIVE"
    """ACTIVE, DRAFT or ARCHIVED."""
    gift_card: bool = False
    seo_title: str | None = None
    seo_description: str | None = None
    kind: str | None = None
    """One of `ProductKind`'s names, where the file says it outright."""
    tax_class: str | None = None
    """The code of its tax class; None for the default one."""
    collections: list[CollectionDraft] = field(default_factory=list)
    option_names: list[str] = field(default_factory=list)
    """Empty for a product that comes in one form only."""
    option_values: list[list[str]] = field(default_factory=list)
    """By option, in the order to show them in; empty where that is the order of the variants."""
    states_options: bool = False
    """Whether the file says anything of options, be it that there are none (`Title`, `Default Title`)."""
    variants: list[VariantDraft] = field(default_factory=list)
    images: list[ImageDraft] = field(default_factory=list)
    """In the order in which they are shown."""
    metadata: dict[str, object] = field(default_factory=dict)
