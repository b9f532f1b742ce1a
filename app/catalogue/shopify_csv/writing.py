"""Products as rows of a file that `read_products` reads back as they were, and that Shopify can read as well."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import zip_longest

import orjson

from app.catalogue.shopify_csv.columns import CATEGORY_KEY, metadata_header, read_back, standard_header
from app.catalogue.shopify_csv.drafts import CollectionDraft, ImageDraft, ProductDraft, VariantDraft
from app.catalogue.shopify_csv.guarding import guarded
from app.catalogue.shopify_csv.values import joined
from app.kit.money import exponent

_BEFORE_METADATA = (
    *("handle", "title", "body_html", "vendor", "category", "product_type", "tags", "published"),
    *("option1_name", "option1_value", "option2_name", "option2_value", "option3_name", "option3_value"),
    *("sku", "weight_grams", "inventory_tracker", "inventory_quantity", "inventory_policy"),
    *("price", "compare_at_price", "requires_shipping", "taxable", "barcode"),
    *("image_src", "image_position", "image_alt", "gift_card", "seo_title", "seo_description"),
)
_BEHIND_METADATA = (
    *("variant_image", "cost", "collection", "status", "plain_text", "kind", "tax_class"),
    *("option1_values", "option2_values", "option3_values", "image_size"),
    *("collection_handle", "collection_position", "other_metadata"),
)
_TRACKER = "shopify"
"""What Shopify calls its own counting of stock; any text in the cell means that somebody counts."""


class Writer:
    """Rows for one shop's currency, as text with CRLF at its ends (RFC 4180).

    Args:
        metadata_keys: keys that get a column of their own. Those that no column can be named after do not, and are
            kept in the last column, as JSON, together with all others and with what is no text.
    """

    def __init__(self, currency: str, metadata_keys: Sequence[str] = ()) -> None:
        self._digits = exponent(currency)
        headers = {key: header for key in metadata_keys if (header := metadata_header(key)) is not None}
        self._keys = set(headers)
        self._order = (*_BEFORE_METADATA, *map(_in_metadata, headers), *_BEHIND_METADATA)
        self._headers = (
            *map(standard_header, _BEFORE_METADATA),
            *headers.values(),
            *map(standard_header, _BEHIND_METADATA),
        )

    def header(self) -> str:
        return _csv([self._headers])

    def rows(self, products: Iterable[ProductDraft]) -> tuple[str, int]:
        """The products' rows, and their number."""
        lines = [line for product in products for line in self._lines(product)]
        return _csv(lines), len(lines)

    def _lines(self, product: ProductDraft) -> Iterator[list[str]]:
        images = [self._image(place, image) for place, image in enumerate(product.images, start=1)]
        nothing: dict[str, str] = {}
        parts = zip_longest(
            [self._product(product)],
            [self._variant(variant) for variant in product.variants],
            images,
            [self._collection(collection) for collection in product.collections],
            fillvalue=nothing,
        )
        for cells in parts:
            row: dict[str, str] = {"handle": product.handle}
            for some in cells:
                row |= some
            yield [row.get(field, "") for field in self._order]

    def _product(self, product: ProductDraft) -> dict[str, str]:
        cells = {
            "title": product.title,
            "body_html": product.body_html,
            "vendor": product.vendor or "",
            "product_type": product.product_type or "",
            "tags": joined(product.tags),
            "published": _boolean(product.status == "ACTIVE"),
            "plain_text": product.plain_text or "",
            "status": product.status.lower(),
            "gift_card": _boolean(product.kind == "GIFT_CARD"),
            "kind": product.kind or "",
            "tax_class": product.tax_class or "",
            "seo_title": product.seo_title or "",
            "seo_description": product.seo_description or "",
        }
        for number, name in enumerate(product.option_names or ["Title"], start=1):
            cells[f"option{number}_name"] = name
        for number, values in enumerate(product.option_values, start=1):
            cells[f"option{number}_values"] = joined(values)
        other = {}
        for key, value in product.metadata.items():
            if not (isinstance(value, str) and value and read_back(value) == value):
                other[key] = value
            elif key == CATEGORY_KEY:
                cells["category"] = value
            elif key in self._keys:
                cells[_in_metadata(key)] = value
            else:
                other[key] = value
        if other:
            cells["other_metadata"] = orjson.dumps(other).decode()
        return cells

    def _variant(self, variant: VariantDraft) -> dict[str, str]:
        cells = {
            f"option{number}_value": value
            for number, value in enumerate(variant.option_values or ["Default Title"], start=1)
        }
        return cells | {
            "sku": variant.sku or "",
            "barcode": variant.barcode or "",
            "weight_grams": str(variant.weight_grams),
            "inventory_tracker": _TRACKER if variant.tracked else "",
            "inventory_quantity": "" if variant.quantity is None else str(variant.quantity),
            "inventory_policy": "continue" if variant.continue_selling else "deny",
            "price": self._price(variant.price_minor),
            "compare_at_price": self._price(variant.compare_at_price_minor),
            "cost": self._price(variant.cost_minor),
            "requires_shipping": _boolean(variant.requires_shipping),
            "taxable": _boolean(variant.taxable),
            "variant_image": variant.image_url or "",
        }

    def _image(self, place: int, image: ImageDraft) -> dict[str, str]:
        size = "" if image.width is None and image.height is None else f"{image.width or ''}x{image.height or ''}"
        return {
            "image_src": image.url,
            "image_position": str(place),
            "image_alt": image.alt_text or "",
            "image_size": size,
        }

    def _collection(self, collection: CollectionDraft) -> dict[str, str]:
        return {
            "collection": collection.name,
            "collection_handle": collection.handle or "",
            "collection_position": "" if collection.position is None else str(collection.position),
        }

    def _price(self, minor: int | None) -> str:
        return "" if minor is None else f"{Decimal(minor).scaleb(-self._digits):f}"


def _in_metadata(key: str) -> str:
    return f"metadata {key}"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _csv(lines: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([guarded(cell) for cell in line] for line in lines)
    return text.getvalue()
