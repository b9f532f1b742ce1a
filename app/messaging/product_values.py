"""Products as templates print them."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import quote

from babel import Locale

from app import db
from app.messaging import formats
from app.settings import Settings


class ProductValues(TypedDict):
    name: str
    url: str | None
    """The storefront's page of it; its start page where STOREFRONT_PRODUCT_URL is not set."""
    image_url: str | None
    image_alt: str
    price: str
    """`from $12.00` where variants differ."""
    compare_at_price: str | None
    description: str
    """Plain text, its beginning."""
    vendor: str | None


_PRODUCTS = """
    SELECT p.id, p.name, p.slug, p.vendor, p.description, p.min_price_minor, p.max_price_minor, s.currency_code,
           i.url AS image_url, coalesce(i.alt_text, p.name) AS image_alt,
           (SELECT max(v.compare_at_price_minor) FROM product_variants v
            WHERE v.product_id = p.id AND v.removed_at IS NULL AND v.price_minor = p.min_price_minor
              AND v.compare_at_price_minor > v.price_minor) AS compare_at_minor
    FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (id, position)
    JOIN products p ON p.id = wanted.id JOIN shop s ON s.id = 1
    LEFT JOIN LATERAL (
        SELECT url, alt_text FROM product_images WHERE product_id = p.id ORDER BY position, id LIMIT 1
    ) i ON true
    ORDER BY wanted.position
"""
MAX_DESCRIPTION_CHARS = 200
COLLECTION_PRODUCTS = 4


async def products(product_ids: Sequence[uuid.UUID], locale: Locale, settings: Settings) -> list[ProductValues]:
    """In the order of the ids; what is gone is left out."""
    if not product_ids:
        return []
    return [_product(row, locale, settings) for row in await db.fetch(_PRODUCTS, list(product_ids))]


async def slugs(product_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    rows = await db.fetch("SELECT id, slug FROM products WHERE id = ANY($1::uuid[])", list(product_ids))
    return {row["id"]: row["slug"] for row in rows}


def product_url(slug: str, settings: Settings) -> str:
    """The storefront's page of a product, or the next best that exists."""
    pattern = settings.storefront_product_url
    if pattern and "{slug}" in pattern and slug:
        url = formats.web_url(pattern.replace("{slug}", quote(slug, safe="")), pattern)
        if url:
            return url
    return shop_url(settings)


def shop_url(settings: Settings) -> str:
    """The storefront's start page; the API's own where no storefront is set up."""
    for known in (settings.storefront_url, settings.storefront_product_url, settings.storefront_cart_url):
        if known and (url := formats.web_url("/", known)):
            return url
    return f"{settings.public_url}/"


def _product(row: db.Record, locale: Locale, settings: Settings) -> ProductValues:
    lowest = formats.money_text(row["min_price_minor"], row["currency_code"], locale)
    compare_at = row["compare_at_minor"]
    text = " ".join(row["description"].split())
    return ProductValues(
        name=row["name"],
        url=product_url(row["slug"], settings),
        image_url=formats.web_url(row["image_url"], settings.public_url),
        image_alt=row["image_alt"],
        price=lowest if row["min_price_minor"] == row["max_price_minor"] else f"from {lowest}",
        compare_at_price=formats.money_text(compare_at, row["currency_code"], locale) if compare_at else None,
        description=text if len(text) <= MAX_DESCRIPTION_CHARS else f"{text[: MAX_DESCRIPTION_CHARS - 1].rstrip()}…",
        vendor=row["vendor"],
    )


async def about(
    context: Mapping[str, Any], wanted: Iterable[str], locale: Locale, settings: Settings
) -> dict[str, object]:
    """`product`, `alert` and `collection`, as the trigger's data names them. Those that are gone are left out."""
    values: dict[str, object] = {}
    if "product" in wanted and (product_id := _id(context.get("productId"))):
        for product in await products([product_id], locale, settings):
            values["product"] = product
    if "alert" in wanted and (variant_id := _id(context.get("variantId"))):
        values |= await _alert(variant_id, context, locale)
    if "collection" in wanted and (collection_id := _id(context.get("collectionId"))):
        values |= await _collection(collection_id, locale, settings)
    return values


async def _alert(variant_id: uuid.UUID, context: Mapping[str, Any], locale: Locale) -> dict[str, object]:
    row = await db.fetchrow(
        """
        SELECT v.name, v.price_minor, s.currency_code FROM product_variants v JOIN shop s ON s.id = 1 WHERE v.id = $1
        """,
        variant_id,
    )
    if row is None:
        return {}
    old, new = context.get("oldPriceMinor"), context.get("newPriceMinor")
    return {
        "alert": {
            "variant": row["name"],
            "old_price": formats.money_text(int(old), row["currency_code"], locale) if old else None,
            "new_price": formats.money_text(int(new or row["price_minor"]), row["currency_code"], locale),
        }
    }


async def _collection(collection_id: uuid.UUID, locale: Locale, settings: Settings) -> dict[str, object]:
    name = await db.fetchval("SELECT name FROM collections WHERE id = $1", collection_id)
    if name is None:
        return {}
    rows = await db.fetch(
        """
        SELECT p.id FROM collection_products c JOIN products p ON p.id = c.product_id AND p.status = 'ACTIVE'
        WHERE c.collection_id = $1 ORDER BY c.position, c.id LIMIT $2
        """,
        collection_id,
        COLLECTION_PRODUCTS,
    )
    return {"collection": {"name": name, "products": await products([row["id"] for row in rows], locale, settings)}}


def _id(text: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
