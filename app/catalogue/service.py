"""Creating and changing products, as staff do. Imports have their own way to the same rows."""

import uuid
from collections.abc import Sequence
from typing import TypeVar

import asyncpg

from app import db
from app.alerts import watching
from app.catalogue import collections
from app.catalogue.editing.given import ProductGiven
from app.catalogue.editing.product import EditedProduct, edited, prepared
from app.catalogue.errors import CatalogueErrorCode
from app.catalogue.rows import ImageRow, OptionRow, StoredProduct, VariantRow
from app.catalogue.tables import IMAGES, OPTIONS, PRODUCTS, VARIANTS, ChangedMeanwhile, load_by_id, take_off_sale
from app.errors import DomainError, not_found
from app.inventory import receiving
from app.shop import queries as shop

STOCK_REASON = "Set with the product"

Row = TypeVar("Row", OptionRow, ImageRow, VariantRow)


async def create_product(given: ProductGiven, *, staff_id: uuid.UUID | None = None) -> uuid.UUID:
    """Make a product, a draft unless its status says otherwise; without variants, it gets one that costs nothing.

    Raises:
        DomainErrors: whatever is wrong with the input, all of it.
        DomainError: SLUG_TAKEN; NOT_FOUND for a collection or the tax class.
    """
    ready = prepared(given)
    try:
        async with db.unit_of_work():
            currency = (await shop.current(locked=True)).currency_code
            change = edited(None, ready, currency)
            await _insert(change)
            await _store_parts(change, StoredProduct(change.product))
            await _follow_up(change, given, staff_id)
    except asyncpg.ForeignKeyViolationError as error:
        raise _without_class(error) from None
    return change.product.id


async def update_product(product_id: uuid.UUID, given: ProductGiven, *, staff_id: uuid.UUID | None = None) -> None:
    """Change what is given; the rest stays. Lists are given whole: a variant that its list lacks leaves the product.

    Raises:
        DomainErrors: whatever is wrong with the input, all of it.
        DomainError: NOT_FOUND, also for the tax class; SLUG_TAKEN.
    """
    ready = prepared(given)
    try:
        async with db.unit_of_work():
            currency = (await shop.current(locked=True)).currency_code
            stored = await load_by_id(product_id)
            if stored is None:
                raise not_found("product", ["id"])
            change = edited(stored, ready, currency)
            parts_changed = await _store_parts(change, stored)
            if parts_changed or change.product != stored.product:
                await PRODUCTS.write([change.product], {product_id})
            if change.product.status != stored.product.status:
                await watching.changed(row.id for row in stored.variants)
            await _follow_up(change, given, staff_id)
    except asyncpg.UniqueViolationError as error:
        if error.table_name == "products":
            raise _slug_taken() from error
        raise
    except asyncpg.ForeignKeyViolationError as error:
        raise _without_class(error) from None


def _without_class(error: Exception) -> Exception:
    """Its class is named by its constraint."""
    if getattr(error, "constraint_name", None) == "products_tax_class":
        return not_found("tax class", ["input", "taxClassId"])
    return error


def _slug_taken() -> DomainError:
    return DomainError(CatalogueErrorCode.SLUG_TAKEN, "Another product has this slug.", ["input", "slug"])


async def _insert(change: EditedProduct) -> None:
    """Raises DomainError(SLUG_TAKEN) for a slug that staff chose; one made from the name gets a number instead."""
    base = change.product.slug
    while True:
        try:
            await PRODUCTS.write([change.product], set())
        except ChangedMeanwhile:
            if not change.made_slug:
                raise _slug_taken() from None
            change.product.slug = await _free_slug(base)
        else:
            return


async def _free_slug(base: str) -> str:
    rows = await db.fetch("SELECT slug FROM products WHERE starts_with(slug, $1)", base)
    taken = {row["slug"] for row in rows}
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


async def _store_parts(change: EditedProduct, stored: StoredProduct) -> bool:
    """Options, images and variants; whether any of them changed."""
    before = {row.id: row for row in stored.variants}
    kept = {row.id for row in change.variants}
    leaving = [row.id for row in stored.variants if row.removed_at is None and row.id not in kept]
    variants = _changed(change.variants, stored.variants)
    moving = [row.id for row in variants if row.id in before and row.option_values != before[row.id].option_values]
    images = _changed(change.images, stored.images)
    dropped = [row.id for row in stored.images if row.id not in {image.id for image in change.images}]
    options_changed = _changed(change.options, stored.options) or len(change.options) != len(stored.options)
    if leaving or moving:
        # Those that only exchange their options leave for a moment: no two may have the same at once.
        await take_off_sale([*leaving, *moving])
    if options_changed:
        # Anew under the same ids, since two that exchange places would meet half way.
        await db.execute("DELETE FROM product_options WHERE product_id = $1", change.product.id)
        await OPTIONS.write(change.options, set())
    await IMAGES.write(images, {row.id for row in stored.images})
    await VARIANTS.write(variants, set(before))
    await watching.changed(row.id for row in variants if row.id in before)
    if dropped:
        await db.execute("DELETE FROM product_images WHERE id = ANY($1)", dropped)
    return bool(leaving or variants or images or dropped or options_changed)


def _changed(rows: Sequence[Row], stored: Sequence[Row]) -> list[Row]:
    before = {row.id: row for row in stored}
    return [row for row in rows if row != before.get(row.id)]


async def _follow_up(change: EditedProduct, given: ProductGiven, staff_id: uuid.UUID | None) -> None:
    if change.stock:
        await receiving.restate_levels(change.stock, reason=STOCK_REASON, reference_id=staff_id)
    collection_ids = given.get("collection_ids")
    if collection_ids is not None:
        await collections.put_product_into(change.product.id, collection_ids)
