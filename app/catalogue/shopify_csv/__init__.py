"""Shopify's product CSV, read as a stream: bytes in, one product draft with its problems out at a time.

`check_file` looks at the whole file once and refuses what cannot be read as such (encoding, delimiter, missing
columns); `read_products` then yields the products. Nothing here knows the database.

The format: https://help.shopify.com/en/manual/products/import-export/using-csv (both generations of its column names).
"""

from app.catalogue.shopify_csv.columns import Columns
from app.catalogue.shopify_csv.drafts import CollectionDraft, ImageDraft, ProductDraft, RowProblem, VariantDraft
from app.catalogue.shopify_csv.reading import FileCheck, ProductRows, check_file, read_products
from app.catalogue.shopify_csv.text import FileRefused

__all__ = [
    "CollectionDraft",
    "Columns",
    "FileCheck",
    "FileRefused",
    "ImageDraft",
    "ProductDraft",
    "ProductRows",
    "RowProblem",
    "VariantDraft",
    "check_file",
    "read_products",
]
