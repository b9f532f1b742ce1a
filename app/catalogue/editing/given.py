"""A product as staff describe it. What is left out of a dictionary stays as it is; None empties it."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus


class OptionGiven(TypedDict, total=False):
    id: uuid.UUID | None
    """Without one, the option is known by its name."""
    name: str | None
    values: list[str] | None


class ImageGiven(TypedDict, total=False):
    url: str
    alt_text: str | None
    width: int | None
    height: int | None


class VariantGiven(TypedDict, total=False):
    id: uuid.UUID | None
    """Without one, the variant is known by its options."""
    selected_options: list[tuple[str, str]] | None
    """Names and values."""
    sku: str | None
    barcode: str | None
    price: Decimal | None
    compare_at_price: Decimal | None
    cost: Decimal | None
    stock: int | None
    """Units that can be sold, at the default warehouse."""
    weight_grams: int | None
    requires_shipping: bool | None
    taxable: bool | None
    track_inventory: bool | None
    inventory_policy: InventoryPolicy | None
    available_from: datetime | None
    restock_expected_at: datetime | None
    image_url: str | None


class ProductGiven(TypedDict, total=False):
    name: str | None
    slug: str | None
    description: str | None
    description_html: str | None
    status: ProductStatus | None
    kind: ProductKind | None
    vendor: str | None
    product_type: str | None
    tax_class_id: uuid.UUID | None
    tags: list[str] | None
    seo_title: str | None
    seo_description: str | None
    metadata: object
    options: list[OptionGiven] | None
    variants: list[VariantGiven] | None
    images: list[ImageGiven] | None
    collection_ids: list[uuid.UUID] | None
