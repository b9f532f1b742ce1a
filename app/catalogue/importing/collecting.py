"""Products join the collections that the file names, which are made where there are none."""

import uuid
from collections.abc import Sequence

from app import db
from app.catalogue.rules import slug_of
from app.catalogue.shopify_csv import CollectionDraft
from app.kit.ids import new_id


async def add_to_collections(entries: Sequence[tuple[uuid.UUID, CollectionDraft]]) -> int:
    """Put products into collections: at the place that the file states, else at the end.

    A product that is in one already keeps its place there unless the file states another.

    Args:
        entries: product ids with their collections. A name that holds no letter or digit is passed over.

    Returns:
        The number of products that joined one.
    """
    names: dict[str, str] = {}
    wanted: dict[tuple[uuid.UUID, str], int | None] = {}
    for product_id, draft in entries:
        if slug := draft.handle or slug_of(draft.name):
            names.setdefault(slug, draft.name)
            wanted.setdefault((product_id, slug), draft.position)
    if not wanted:
        return 0
    await db.execute(
        """
        INSERT INTO collections
            (id, slug, name, description, description_html, is_published, position, created_at, updated_at)
        SELECT c.id, c.slug, c.name, '', '', true, (SELECT coalesce(max(position), 0) FROM collections) + c.place,
               business_now(), business_now()
        FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS c (id, slug, name, place)
        ORDER BY c.slug
        ON CONFLICT (slug) DO NOTHING
        """,
        [new_id() for _ in names],
        list(names),
        list(names.values()),
    )
    locked = await db.fetch(
        "SELECT id, slug FROM collections WHERE slug = ANY($1) ORDER BY id FOR NO KEY UPDATE", list(names)
    )
    ids = {row["slug"]: row["id"] for row in locked}
    joined = await db.fetch(
        """
        INSERT INTO collection_products (id, collection_id, product_id, position)
        SELECT e.id, e.collection_id, e.product_id, coalesce(e.stated, e.place + coalesce(
                   (SELECT max(position) FROM collection_products p WHERE p.collection_id = e.collection_id), 0))
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[])
             WITH ORDINALITY AS e (id, collection_id, product_id, stated, place)
        ORDER BY e.place
        ON CONFLICT (collection_id, product_id) DO NOTHING
        RETURNING collection_id
        """,
        [new_id() for _ in wanted],
        [ids[slug] for _, slug in wanted],
        [product_id for product_id, _ in wanted],
        list(wanted.values()),
    )
    moved = await _move(
        [(ids[slug], product_id, place) for (product_id, slug), place in wanted.items() if place is not None]
    )
    changed = sorted({row["collection_id"] for row in joined} | moved)
    if changed:
        await db.execute("UPDATE collections SET updated_at = business_now() WHERE id = ANY($1)", changed)
    return len(joined)


async def _move(stated: Sequence[tuple[uuid.UUID, uuid.UUID, int]]) -> set[uuid.UUID]:
    """The collections in which a product stood at another place."""
    if not stated:
        return set()
    rows = await db.fetch(
        """
        UPDATE collection_products entry SET position = s.position
        FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS s (collection_id, product_id, position)
        WHERE entry.collection_id = s.collection_id AND entry.product_id = s.product_id
          AND entry.position <> s.position
        RETURNING entry.collection_id
        """,
        *(list(column) for column in zip(*stated, strict=True)),
    )
    return {row["collection_id"] for row in rows}
