"""Which column holds what: both generations of Shopify's header, whatever its order and capitals."""

import re
from dataclasses import dataclass

from app.catalogue.shopify_csv.text import FileRefused

# Field: the names that columns have had, oldest first. Comparison ignores case and doubled spaces.
_NAMES: dict[str, tuple[str, ...]] = {
    "handle": ("Handle", "URL handle"),
    "title": ("Title",),
    "body_html": ("Body (HTML)", "Body HTML", "Description"),
    "vendor": ("Vendor",),
    "category": ("Product Category", "Standard Product Type"),
    "product_type": ("Type", "Custom Product Type"),
    "tags": ("Tags",),
    "published": ("Published", "Published on online store"),
    "status": ("Status",),
    "collection": ("Collection",),
    "option1_name": ("Option1 Name",),
    "option1_value": ("Option1 Value",),
    "option2_name": ("Option2 Name",),
    "option2_value": ("Option2 Value",),
    "option3_name": ("Option3 Name",),
    "option3_value": ("Option3 Value",),
    "sku": ("Variant SKU", "SKU"),
    "barcode": ("Variant Barcode", "Barcode"),
    "weight_grams": ("Variant Grams", "Weight value (grams)"),
    "inventory_tracker": ("Variant Inventory Tracker", "Inventory tracker"),
    "inventory_quantity": ("Variant Inventory Qty", "Inventory quantity"),
    "inventory_policy": ("Variant Inventory Policy", "Continue selling when out of stock"),
    "price": ("Variant Price", "Price"),
    "compare_at_price": ("Variant Compare At Price", "Compare-at price"),
    "cost": ("Cost per item",),
    "requires_shipping": ("Variant Requires Shipping", "Requires shipping"),
    "taxable": ("Variant Taxable", "Charge tax"),
    "image_src": ("Image Src", "Product image URL"),
    "image_position": ("Image Position",),
    "image_alt": ("Image Alt Text",),
    "variant_image": ("Variant Image", "Variant image URL"),
    "gift_card": ("Gift Card",),
    "seo_title": ("SEO Title",),
    "seo_description": ("SEO Description",),
}
CATEGORY_KEY = "category"
"""Shopify's product taxonomy, kept beside the product."""
_METAFIELD = re.compile(r"\(product\.metafields\.([^.()\s]+)\.([^()\s]+)\)\s*$", re.IGNORECASE)
_NOT_METADATA = re.compile(
    # One group of columns for each market, per-variant columns, and what Shopify needs for itself.
    r"^(included|price|compare[ -]at price) / |\(variant\.metafields\.|^option[123] linked to$|fulfillment service$"
    r"|weight unit|^unit price |^variant tax code$|^tax code$",
    re.IGNORECASE,
)
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def _plain(header: str) -> str:
    return " ".join(header.replace("\ufeff", "").split()).casefold()


_FIELD_OF = {_plain(name): field for field, names in _NAMES.items() for name in names}


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands in a row, and what happens to the other columns."""

    headers: list[str]
    index_of: dict[str, int]
    metadata: list[tuple[int, str]]
    """Position and key of the columns that are kept beside the product: metafields as `namespace.key`."""
    ignored: list[str]

    @property
    def metadata_keys(self) -> list[str]:
        """Every key that a product of this file may have in its metadata."""
        keys = [key for _, key in self.metadata]
        return [*keys, CATEGORY_KEY] if "category" in self.index_of else keys

    def __contains__(self, field: str) -> bool:
        return field in self.index_of

    def header(self, field: str) -> str:
        """The column's name as this file writes it, or as Shopify does where the file lacks it."""
        index = self.index_of.get(field)
        return _NAMES[field][0] if index is None else self.headers[index]


def read_header(cells: list[str]) -> Columns:
    """Raises FileRefused for another delimiter than the comma, and for a file without its two needed columns."""
    headers = [cell.replace("\ufeff", "").strip() for cell in cells]
    index_of: dict[str, int] = {}
    metadata: list[tuple[int, str]] = []
    ignored: list[str] = []
    for index, header in enumerate(headers):
        field = _FIELD_OF.get(_plain(header))
        if field is not None and field not in index_of:
            index_of[field] = index
        elif field is not None or _NOT_METADATA.search(header):
            ignored.append(header)
        elif metafield := _METAFIELD.search(header):
            metadata.append((index, f"{metafield[1]}.{metafield[2]}"))
        elif header:
            metadata.append((index, header))
    missing = [_NAMES[field][0] for field in ("handle", "title") if field not in index_of]
    if missing:
        raise _not_products(headers, missing)
    return Columns(headers, index_of, metadata, ignored)


def refuse_other_delimiters(first_line: str) -> None:
    """Raises FileRefused for a header that would be one if another character than the comma came between its names."""
    for delimiter, name in _DELIMITERS.items():
        names = {_plain(part.strip(' "\r\n')) for part in first_line.split(delimiter)}
        if len(names) > 1 and names & {"handle", "url handle", "title"}:
            raise FileRefused(
                f"The columns are separated by {name}; commas are needed. "
                f"Export the file again with a comma as its delimiter (prices with a point).",
                row=1,
            )


def _not_products(headers: list[str], missing: list[str]) -> FileRefused:
    refuse_other_delimiters(",".join(headers))
    columns = " and ".join(f"“{name}”" for name in missing)
    found = ", ".join(f"“{header[:40]}”" for header in headers[:6] if header) or "nothing"
    return FileRefused(
        f"The header lacks {columns}; it begins with {found}. "
        f"The first row must be the header of a Shopify product export.",
        row=1,
        column=missing[0],
    )
