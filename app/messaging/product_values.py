"""Products as templates print them."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import quote

from babel import Locale

from app import db
from app.markets.prices import sql_of_hidden, sql_of_listed, sql_of_unit_price
from app.messaging import formats
from app.messaging.recipients import Reader, uuid_of
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


_LISTED = f"""
    product_variants v CROSS JOIN LATERAL {sql_of_listed("v", "lists.ids")} listed
    WHERE v.product_id = p.id AND v.removed_at IS NULL
"""
# Which market's lists apply is asked once for all of them.
_PRODUCTS = f"""
    SELECT p.id, p.name, p.slug, p.vendor, p.description, i.url AS image_url, coalesce(i.alt_text, p.name) AS image_alt,
           coalesce(prices.lowest, 0) AS lowest, coalesce(prices.highest, 0) AS highest, (
               SELECT max(listed.compare_at_price_minor) FROM {_LISTED}
                 AND listed.price_minor = prices.lowest AND listed.compare_at_price_minor > listed.price_minor
           ) AS compare_at_minor
    FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (id, position)
    JOIN products p ON p.id = wanted.id AND NOT {sql_of_hidden("p.id", "$2")}
    CROSS JOIN (SELECT price_lists_for($2, $3, $4) AS ids OFFSET 0) lists
    CROSS JOIN LATERAL (
        SELECT min(listed.price_minor) AS lowest, max(listed.price_minor) AS highest FROM {_LISTED}
    ) prices
    LEFT JOIN LATERAL (
        SELECT url, alt_text FROM product_images WHERE product_id = p.id ORDER BY position, id LIMIT 1
    ) i ON true
    ORDER BY wanted.position
"""
_VARIANT = f"""
    SELECT v.name, {sql_of_unit_price("v", "price_lists_for($2, $3, $4)")} AS price_minor
    FROM product_variants v WHERE v.id = $1
"""
MAX_DESCRIPTION_CHARS = 200
COLLECTION_PRODUCTS = 4


async def products(
    product_ids: Sequence[uuid.UUID], locale: Locale, settings: Settings, reader: Reader
) -> list[ProductValues]:
    """In the order of the ids; what is gone is left out, and what the reader's market does not show."""
    found = await by_id(product_ids, locale, settings, reader)
    return [found[product_id] for product_id in product_ids if product_id in found]


async def by_id(
    product_ids: Sequence[uuid.UUID], locale: Locale, settings: Settings, reader: Reader
) -> dict[uuid.UUID, ProductValues]:
    """The same by id: one statement, however many they are."""
    if not product_ids:
        return {}
    rows = await db.fetch(_PRODUCTS, list(product_ids), *reader.arguments)
    return {row["id"]: _product(row, reader.market.currency_code, locale, settings) for row in rows}


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


def _product(row: db.Record, currency: str, locale: Locale, settings: Settings) -> ProductValues:
    lowest = formats.money_text(row["lowest"], currency, locale)
    compare_at = row["compare_at_minor"]
    text = " ".join(row["description"].split())
    return ProductValues(
        name=row["name"],
        url=product_url(row["slug"], settings),
        image_url=formats.web_url(row["image_url"], settings.public_url),
        image_alt=row["image_alt"],
        price=lowest if row["lowest"] == row["highest"] else f"from {lowest}",
        compare_at_price=formats.money_text(compare_at, currency, locale) if compare_at else None,
        description=text if len(text) <= MAX_DESCRIPTION_CHARS else f"{text[: MAX_DESCRIPTION_CHARS - 1].rstrip()}…",
        vendor=row["vendor"],
    )


async def about(
    context: Mapping[str, Any], wanted: Iterable[str], locale: Locale, settings: Settings, reader: Reader
) -> dict[str, object]:
    """`product`, `alert` and `collection`, as the trigger's data names them. Those that are gone are left out.

    Args:
        reader: whose prices are shown.
    """
    values: dict[str, object] = {}
    if "product" in wanted and (product_id := uuid_of(context.get("productId"))):
        for product in await products([product_id], locale, settings, reader):
            values["product"] = product
    if "alert" in wanted and (variant_id := uuid_of(context.get("variantId"))):
        values |= await _alert(variant_id, context, locale, reader)
    if "collection" in wanted and (collection_id := uuid_of(context.get("collectionId"))):
        values |= await _collection(collection_id, locale, settings, reader)
    return values


async def _alert(
    variant_id: uuid.UUID, context: Mapping[str, Any], locale: Locale, reader: Reader
) -> dict[str, object]:
    row = await db.fetchrow(_VARIANT, variant_id, *reader.arguments)
    if row is None:
        return {}
    old, new = context.get("oldPriceMinor"), context.get("newPriceMinor")
    # What was told is in the currency that was told with it, whatever the market sells in by now.
    told = context.get("currencyCode") or reader.market.shop_currency_code
    return {
        "alert": {
            "variant": row["name"],
            "old_price": formats.money_text(int(old), told, locale) if old else None,
            "new_price": formats.money_text(int(new), told, locale)
            if new
            else formats.money_text(row["price_minor"], reader.market.currency_code, locale),
        }
    }


async def _collection(
    collection_id: uuid.UUID, locale: Locale, settings: Settings, reader: Reader
) -> dict[str, object]:
    name = await db.fetchval("SELECT name FROM collections WHERE id = $1", collection_id)
    if name is None:
        return {}
    rows = await db.fetch(
        f"""
        SELECT p.id FROM collection_products c JOIN products p ON p.id = c.product_id AND p.status = 'ACTIVE'
        WHERE c.collection_id = $1 AND NOT {sql_of_hidden("p.id", "$3")} ORDER BY c.position, c.id LIMIT $2
        """,
        collection_id,
        COLLECTION_PRODUCTS,
        reader.market.id,
    )
    shown = await products([row["id"] for row in rows], locale, settings, reader)
    return {"collection": {"name": name, "products": shown}}
