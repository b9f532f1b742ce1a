"""The catalogue in the order of the products' ids, a batch at a time. Each product is read by one statement, whole."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app import db
from app.catalogue import html
from app.catalogue.exporting.selecting import ExportFilters
from app.catalogue.shopify_csv import CollectionDraft, ImageDraft, ProductDraft, VariantDraft
from app.catalogue.statements import Statement

FIRST_ID = uuid.UUID(int=0)
MAX_BATCH_PRODUCTS = 200
MAX_BATCH_WEIGHT = 400_000
"""Roughly the characters of a batch's rows; one product alone may have more."""
_VARIANT_WEIGHT = 400
_PRODUCT_WEIGHT = 600
_LOOKED_AT_TOGETHER = 2_000
_MAX_KEYS_COUNTED = 2_000
MAX_METADATA_COLUMNS = 200


@dataclass(frozen=True, slots=True)
class Batch:
    last_id: uuid.UUID
    products: list[ProductDraft]


@dataclass(frozen=True, slots=True)
class Overview:
    products: int
    last_id: uuid.UUID
    """Products that come later are not part of the export."""
    metadata_keys: list[str]
    """Those with texts, that most products have; in the order of the alphabet."""


async def overview(filters: ExportFilters) -> Overview:
    """In pages, so that no statement takes long."""
    products, last_id = 0, FIRST_ID
    keys: Counter[str] = Counter()
    while True:
        s = Statement(sees_hidden=True)
        after = s.bind(last_id, "uuid")
        row = await db.fetchrow(
            f"""
            WITH page AS (
                SELECT p.id, p.metadata FROM products p WHERE p.id > {after}{filters.condition(s)}
                ORDER BY p.id LIMIT {_LOOKED_AT_TOGETHER}
            )
            SELECT (SELECT count(*) FROM page) AS products, (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last_id,
                   (SELECT json_object_agg(k.key, k.times) FROM (
                       SELECT one.key, count(*) AS times FROM page, jsonb_each(page.metadata) AS one
                       WHERE jsonb_typeof(one.value) = 'string' GROUP BY one.key
                   ) k) AS keys
            """,
            *s.parameters,
        )
        if row is None or not row["products"]:
            break
        products, last_id = products + row["products"], row["last_id"]
        for key, times in orjson.loads(row["keys"] or "{}").items():
            if key in keys or len(keys) < _MAX_KEYS_COUNTED:
                keys[key] += times
    return Overview(products, last_id, sorted(key for key, _ in keys.most_common(MAX_METADATA_COLUMNS)))


_OPTIONS = """(
    SELECT json_agg(json_build_array(o.name, o.values) ORDER BY o.position)
    FROM product_options o WHERE o.product_id = p.id
)"""
_IMAGES = """(
    SELECT json_agg(json_build_array(i.url, i.alt_text, i.width, i.height) ORDER BY i.position, i.id)
    FROM product_images i WHERE i.product_id = p.id
)"""
_COLLECTIONS = """(
    SELECT json_agg(json_build_array(c.name, c.slug, e.position) ORDER BY c.position, c.id)
    FROM collection_products e JOIN collections c ON c.id = e.collection_id WHERE e.product_id = p.id
)"""
_VARIANTS = """(
    SELECT json_agg(json_build_object(
        'option_values', v.option_values, 'sku', v.sku, 'barcode', v.barcode, 'price_minor', v.price_minor,
        'compare_at_price_minor', v.compare_at_price_minor, 'cost_minor', v.cost_minor,
        'weight_grams', v.weight_grams, 'tracked', v.track_inventory, 'quantity', s.available,
        'continue_selling', v.inventory_policy = 'CONTINUE', 'requires_shipping', v.requires_shipping,
        'taxable', v.taxable, 'image_url', i.url
    ) ORDER BY v.position, v.id)
    FROM product_variants v
    LEFT JOIN product_images i ON i.id = v.image_id
    LEFT JOIN stock_levels s ON s.variant_id = v.id AND s.warehouse_id = (SELECT id FROM warehouses WHERE is_default)
    WHERE v.product_id = p.id AND v.removed_at IS NULL
)"""


async def batch_after(after: uuid.UUID, last_id: uuid.UUID, filters: ExportFilters) -> Batch | None:
    """The products behind `after`, up to `last_id`, as many as make a batch; None at the end."""
    s = Statement(sees_hidden=True)
    bounds = f"p.id > {s.bind(after, 'uuid')} AND p.id <= {s.bind(last_id, 'uuid')}"
    rows = await db.fetch(
        f"""
        WITH weighed AS (
            SELECT page.id, page.place,
                   sum(page.weight) OVER (ORDER BY page.id ROWS UNBOUNDED PRECEDING) - page.weight AS before
            FROM (
                SELECT p.id, row_number() OVER (ORDER BY p.id) AS place,
                       {_PRODUCT_WEIGHT} + length(p.description_html) + {_VARIANT_WEIGHT} * (
                           SELECT count(*) FROM product_variants v WHERE v.product_id = p.id AND v.removed_at IS NULL
                       ) AS weight
                FROM products p WHERE {bounds}{filters.condition(s)}
                ORDER BY p.id LIMIT {MAX_BATCH_PRODUCTS}
            ) page
        )
        SELECT p.id, p.slug, p.name, p.description, p.description_html, p.vendor, p.product_type, p.tags, p.status,
               (SELECT k.code FROM tax_classes k WHERE k.id = p.tax_class_id) AS tax_class,
               p.kind, p.seo_title, p.seo_description, p.metadata, {_OPTIONS} AS options, {_IMAGES} AS images,
               {_COLLECTIONS} AS collections, {_VARIANTS} AS variants
        FROM weighed w JOIN products p ON p.id = w.id
        WHERE w.place = 1 OR w.before < {MAX_BATCH_WEIGHT}
        ORDER BY p.id
        """,
        *s.parameters,
    )
    return Batch(rows[-1]["id"], [_draft(row) for row in rows]) if rows else None


def _draft(row: Mapping[str, Any]) -> ProductDraft:
    options = orjson.loads(row["options"] or "[]")
    variants = [
        VariantDraft(0, **{**variant, "option_values": tuple(variant["option_values"])})
        for variant in orjson.loads(row["variants"] or "[]")
    ]
    return ProductDraft(
        row=0,
        handle=row["slug"],
        title=row["name"],
        body_html=row["description_html"],
        plain_text=_if_given(row["description"], row["description_html"]),
        vendor=row["vendor"],
        product_type=row["product_type"],
        tags=row["tags"],
        status=row["status"],
        kind=row["kind"],
        tax_class=row["tax_class"],
        seo_title=row["seo_title"],
        seo_description=row["seo_description"],
        collections=[CollectionDraft(*collection) for collection in orjson.loads(row["collections"] or "[]")],
        option_names=[name for name, _ in options],
        option_values=[_if_special(values, variants, place) for place, (_, values) in enumerate(options)],
        variants=variants,
        images=[
            ImageDraft(0, url, alt_text, width=width, height=height)
            for url, alt_text, width, height in orjson.loads(row["images"] or "[]")
        ],
        metadata=orjson.loads(row["metadata"]),
    )


def _if_given(text: str, markup: str) -> str | None:
    """The plain text, where staff gave it and the HTML was made from it: made back, it could differ in its blanks."""
    return text if html.from_plain_text(text) == markup and html.to_plain_text(markup) != text else None


def _if_special(values: list[str], variants: Sequence[VariantDraft], place: int) -> list[str]:
    """Nothing where the values are those of the variants, in their order: then that need not be said."""
    derived = list(dict.fromkeys(variant.option_values[place] for variant in variants))
    return [] if values == derived else values
