"""Which column holds what: both generations of Shopify's header, whatever its order and capitals."""

import re
from dataclasses import dataclass

from app.catalogue.shopify_csv.guarding import unguarded
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
    # Tradewind's own, for what Shopify's columns cannot say.
    "plain_text": ("Plain Text (tradewind)",),
    "kind": ("Kind (tradewind)",),
    "tax_class": ("Tax Class (tradewind)",),
    "option1_values": ("Option1 Values (tradewind)",),
    "option2_values": ("Option2 Values (tradewind)",),
    "option3_values": ("Option3 Values (tradewind)",),
    "image_size": ("Image Size (tradewind)",),
    "collection_handle": ("Collection Handle (tradewind)",),
    "collection_position": ("Collection Position (tradewind)",),
    "other_metadata": ("Metadata (tradewind)",),
}
CATEGORY_KEY = "category"
"""Shopify's product taxonomy, kept beside the product."""
_METAFIELD_KEY = re.compile(r"[^.()\s]+\.[^()\s]+")
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
    headers = [unguarded(cell.replace("\ufeff", "").strip()) for cell in cells]
    index_of: dict[str, int] = {}
    metadata: list[tuple[int, str]] = []
    ignored: list[str] = []
    for index, header in enumerate(headers):
        field = _FIELD_OF.get(_plain(header))
        key = _metadata_key(header)
        if field is not None and field not in index_of:
            index_of[field] = index
        elif key is not None:
            metadata.append((index, key))
        elif header:
            ignored.append(header)
    missing = [_NAMES[field][0] for field in ("handle", "title") if field not in index_of]
    if missing:
        raise _not_products(headers, missing)
    return Columns(headers, index_of, metadata, ignored)


def _metadata_key(header: str) -> str | None:
    """The key that a column of this name is kept under; None for one that is not kept."""
    if not header or _plain(header) in _FIELD_OF or _NOT_METADATA.search(header):
        return None
    metafield = _METAFIELD.search(header)
    return f"{metafield[1]}.{metafield[2]}" if metafield else header


def metadata_header(key: str) -> str | None:
    """The name of a column whose cells are read into this key of the metadata; None where there is no such name."""
    header = f"{key} (product.metafields.{key})" if _METAFIELD_KEY.fullmatch(key) else key
    return header if _metadata_key(header) == key and read_back(header) == header and key != CATEGORY_KEY else None


def read_back(text: str) -> str:
    """What comes of a text that a cell held."""
    return text.replace("\x00", "").replace("\ufeff", "").strip()


def standard_header(field: str) -> str:
    """The name that Shopify's exports have for a field, or Tradewind's own."""
    return _NAMES[field][0]


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
