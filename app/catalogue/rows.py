"""The catalogue's rows as writers compare and store them: equal when nothing has to be written."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class ProductRow:
    id: uuid.UUID
    slug: str
    name: str
    status: str = "DRAFT"
    kind: str = "PHYSICAL"
    description: str = ""
    description_html: str = ""
    vendor: str | None = None
    product_type: str | None = None
    tags: list[str] = field(default_factory=list)
    seo_title: str | None = None
    seo_description: str | None = None
    metadata: dict[str, object] = field(default_factory=dict)
    tax_class_id: uuid.UUID | None = None
    min_price_minor: int = 0
    max_price_minor: int = 0


@dataclass(slots=True)
class OptionRow:
    id: uuid.UUID
    product_id: uuid.UUID
    position: int
    name: str
    values: list[str]


@dataclass(slots=True)
class ImageRow:
    id: uuid.UUID
    product_id: uuid.UUID
    position: int
    url: str
    alt_text: str | None = None
    width: int | None = None
    """In pixels; height too."""
    height: int | None = None


@dataclass(slots=True)
class VariantRow:
    id: uuid.UUID
    product_id: uuid.UUID
    position: int
    name: str
    option_values: list[str]
    price_minor: int
    sku: str | None = None
    barcode: str | None = None
    compare_at_price_minor: int | None = None
    cost_minor: int | None = None
    weight_grams: int = 0
    requires_shipping: bool = True
    taxable: bool = True
    track_inventory: bool = True
    inventory_policy: str = "DENY"
    image_id: uuid.UUID | None = None
    removed_at: datetime | None = None
    available_from: datetime | None = None
    restock_expected_at: datetime | None = None


@dataclass(slots=True)
class StoredProduct:
    """A product as the database has it, with everything that an import or staff may change."""

    product: ProductRow
    options: list[OptionRow] = field(default_factory=list)
    images: list[ImageRow] = field(default_factory=list)
    variants: list[VariantRow] = field(default_factory=list)
    """Those on sale, and those that were removed and can come back."""
    stocked: set[uuid.UUID] = field(default_factory=set)
    """Variants that have a stock level anywhere."""


@dataclass(slots=True)
class CollectionRow:
    id: uuid.UUID
    slug: str
    name: str
    description: str = ""
    description_html: str = ""
    image_url: str | None = None
    image_alt_text: str | None = None
    seo_title: str | None = None
    seo_description: str | None = None
    is_published: bool = True
    position: int = 0
