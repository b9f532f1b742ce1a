"""Collections by hand: staff name them and arrange their products.

Every change locks the collection's row; several are locked in the order of their ids.
"""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

import asyncpg

from app import db
from app.catalogue.editing.descriptions import both_forms
from app.catalogue.editing.problems import CatalogueProblems
from app.catalogue.errors import CatalogueErrorCode
from app.catalogue.rows import CollectionRow
from app.catalogue.rules import moved, slug_of
from app.catalogue.tables import COLLECTIONS, ChangedMeanwhile
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id

MAX_SEO_DESCRIPTION_CHARS = 5_000
MAX_ALT_TEXT_CHARS = 1_000
MAX_PRODUCTS_AT_ONCE = 250


class CollectionGiven(TypedDict, total=False):
    """What is left out stays as it is; None empties it."""

    name: str | None
    slug: str | None
    description: str | None
    description_html: str | None
    image_url: str | None
    image_alt_text: str | None
    seo_title: str | None
    seo_description: str | None
    is_published: bool | None
    position: int | None


async def create_collection(given: CollectionGiven, product_ids: Sequence[uuid.UUID] = ()) -> uuid.UUID:
    """Make a collection, published unless it says otherwise, with these products in their order.

    Raises:
        DomainErrors: whatever is wrong with the input, all of it.
        DomainError: SLUG_TAKEN; NOT_FOUND or TOO_MANY for the products.
    """
    row = _edited(CollectionRow(new_id(), "", ""), given, is_new=True)
    base = row.slug or slug_of(row.name) or f"collection-{row.id.hex[-8:]}"
    async with db.unit_of_work():
        if given.get("position") is None:
            row.position = await db.fetchval("SELECT coalesce(max(position), 0) + 1 FROM collections")
        number = 1
        while not await _inserted(replace(row, slug=base if number == 1 else f"{base}-{number}")):
            if row.slug:
                raise _slug_taken()
            number += 1
        await _append(row.id, product_ids, ["input", "productIds"])
    return row.id


async def _inserted(row: CollectionRow) -> bool:
    try:
        await COLLECTIONS.write([row], set())
    except ChangedMeanwhile:
        return False
    return True


def _slug_taken() -> DomainError:
    return DomainError(CatalogueErrorCode.SLUG_TAKEN, "Another collection has this slug.", ["input", "slug"])


async def update_collection(collection_id: uuid.UUID, given: CollectionGiven) -> None:
    """Change what is given; the rest stays.

    Raises:
        DomainErrors: whatever is wrong with the input, all of it.
        DomainError: NOT_FOUND, SLUG_TAKEN.
    """
    try:
        async with db.unit_of_work():
            found = await db.fetchrow(f"{COLLECTIONS.select} WHERE id = $1 FOR NO KEY UPDATE", collection_id)
            if found is None:
                raise not_found("collection", ["id"])
            before = CollectionRow(**found)
            row = _edited(before, given, is_new=False)
            if row != before:
                await COLLECTIONS.write([row], {row.id})
    except asyncpg.UniqueViolationError as error:
        raise _slug_taken() from error


async def delete_collection(collection_id: uuid.UUID) -> None:
    """Its products stay. Raises DomainError(NOT_FOUND)."""
    if not await db.execute("DELETE FROM collections WHERE id = $1", collection_id):
        raise not_found("collection", ["id"])


def _edited(before: CollectionRow, given: CollectionGiven, *, is_new: bool) -> CollectionRow:
    """Raises DomainErrors."""
    problems = CatalogueProblems()
    row = replace(before)
    if "name" in given or is_new:
        row.name = problems.required_line(given.get("name"), "A name", "name")
    if "slug" in given and not (is_new and given["slug"] is None):
        row.slug = problems.slug(given["slug"], "slug")
    if "description" in given or "description_html" in given:
        text, markup = given.get("description"), given.get("description_html")
        row.description, row.description_html = both_forms(problems, text, markup)
    if "image_url" in given:
        row.image_url = problems.url(given["image_url"], "image", "url")
    if "image_alt_text" in given:
        row.image_alt_text = problems.text(given["image_alt_text"], MAX_ALT_TEXT_CHARS, "image", "altText")
    if "seo_title" in given:
        row.seo_title = problems.line(given["seo_title"], "seo", "title")
    if "seo_description" in given:
        description = problems.text(given["seo_description"], MAX_SEO_DESCRIPTION_CHARS, "seo", "description")
        row.seo_description = description
    if (is_published := given.get("is_published")) is not None:
        row.is_published = is_published
    if (position := given.get("position")) is not None:
        row.position = problems.count(position, "position")
    problems.raise_if_any()
    return row


# --- what stands in them ----------------------------------------------------------------------------------------------


async def add_products(collection_id: uuid.UUID, product_ids: Sequence[uuid.UUID]) -> None:
    """Put them at the end; those that stand in it already stay where they are.

    Raises:
        DomainError: NOT_FOUND for the collection or a product, TOO_MANY.
    """
    async with db.unit_of_work():
        await _lock(collection_id)
        await _append(collection_id, product_ids, ["productIds"])


async def remove_products(collection_id: uuid.UUID, product_ids: Sequence[uuid.UUID]) -> None:
    """Those that do not stand in it are left alone.

    Raises:
        DomainError: NOT_FOUND for the collection, TOO_MANY.
    """
    _not_too_many(product_ids, ["productIds"])
    async with db.unit_of_work():
        await _lock(collection_id)
        await db.execute(
            "DELETE FROM collection_products WHERE collection_id = $1 AND product_id = ANY($2)",
            collection_id,
            list(product_ids),
        )
        await _touch([collection_id])


async def reorder_products(collection_id: uuid.UUID, moves: Sequence[tuple[uuid.UUID, int]]) -> None:
    """Move products to places, from 1 on, one after the other.

    Raises:
        DomainError: NOT_FOUND for the collection or for a product that does not stand in it; OUT_OF_RANGE; TOO_MANY.
    """
    _not_too_many(moves, ["moves"])
    async with db.unit_of_work():
        await _lock(collection_id)
        rows = await db.fetch(
            "SELECT product_id FROM collection_products WHERE collection_id = $1 ORDER BY position, product_id",
            collection_id,
        )
        order = [row["product_id"] for row in rows]
        present = set(order)
        for index, (product_id, place) in enumerate(moves):
            if product_id not in present:
                raise not_found("product in this collection", ["moves", index, "productId"])
            if place < 1:
                message = "Places count from 1."
                raise DomainError(CommonErrorCode.OUT_OF_RANGE, message, ["moves", index, "position"])
        order = moved(order, moves)
        await db.execute(
            """
            UPDATE collection_products e SET position = o.position
            FROM unnest($2::uuid[]) WITH ORDINALITY AS o (product_id, position)
            WHERE e.collection_id = $1 AND e.product_id = o.product_id AND e.position <> o.position
            """,
            collection_id,
            order,
        )
        await _touch([collection_id])


async def put_product_into(product_id: uuid.UUID, collection_ids: Sequence[uuid.UUID]) -> None:
    """Let the product stand in exactly these collections; joins the open unit of work.

    Raises:
        DomainError: NOT_FOUND for a collection, TOO_MANY.
    """
    field = ["input", "collectionIds"]
    _not_too_many(collection_ids, field)
    rows = await db.fetch("SELECT collection_id FROM collection_products WHERE product_id = $1", product_id)
    before, after = {row["collection_id"] for row in rows}, set(collection_ids)
    locked = await db.fetch(
        "SELECT id FROM collections WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", list(before | after)
    )
    found = {row["id"] for row in locked}
    for index, collection_id in enumerate(collection_ids):
        if collection_id not in found:
            raise not_found("collection", [*field, index])
    leaving, joining = before - after, after - before
    if leaving:
        await db.execute(
            "DELETE FROM collection_products WHERE product_id = $1 AND collection_id = ANY($2)",
            product_id,
            list(leaving),
        )
    for collection_id in sorted(joining):
        await _append(collection_id, [product_id], field)
    await _touch(list(leaving))


def _not_too_many(items: Sequence[object], field: Sequence[str | int]) -> None:
    if len(items) > MAX_PRODUCTS_AT_ONCE:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_PRODUCTS_AT_ONCE} at once.", field)


async def _lock(collection_id: uuid.UUID) -> None:
    """Raises DomainError(NOT_FOUND)."""
    if not await db.execute("SELECT FROM collections WHERE id = $1 FOR NO KEY UPDATE", collection_id):
        raise not_found("collection", ["id"])


async def _append(collection_id: uuid.UUID, product_ids: Sequence[uuid.UUID], field: Sequence[str | int]) -> None:
    _not_too_many(product_ids, field)
    if not product_ids:
        return
    # Their rows are kept from being deleted until the commit, as the foreign key would do a moment later.
    rows = await db.fetch("SELECT id FROM products WHERE id = ANY($1) ORDER BY id FOR KEY SHARE", list(product_ids))
    found = {row["id"] for row in rows}
    for index, product_id in enumerate(product_ids):
        if product_id not in found:
            raise not_found("product", [*field, index])
    unique = list(dict.fromkeys(product_ids))
    await db.execute(
        """
        INSERT INTO collection_products (id, collection_id, product_id, position)
        SELECT n.id, $1, n.product_id, last.position + n.place
        FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS n (id, product_id, place),
             (SELECT coalesce(max(position), 0) AS position FROM collection_products WHERE collection_id = $1) last
        ON CONFLICT (collection_id, product_id) DO NOTHING
        """,
        collection_id,
        [new_id() for _ in unique],
        unique,
    )
    await _touch([collection_id])


async def _touch(collection_ids: Sequence[uuid.UUID]) -> None:
    if collection_ids:
        await db.execute(
            "UPDATE collections SET updated_at = business_now() WHERE id = ANY($1)", sorted(collection_ids)
        )
