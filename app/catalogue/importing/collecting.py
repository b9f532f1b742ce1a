"""The `Collection` column: products join a collection by its name, which is made where there is none."""

import uuid
from collections.abc import Sequence

from app import db
from app.catalogue.rules import slug_of
from app.kit.ids import new_id


async def add_to_collections(entries: Sequence[tuple[uuid.UUID, str]]) -> int:
    """Put products at the end of collections; a product that is in one already keeps its place.

    Args:
        entries: product ids with the names of collections. A name that holds no letter or digit is passed over.

    Returns:
        The number of products that joined one.
    """
    names: dict[str, str] = {}
    wanted: list[tuple[uuid.UUID, str]] = []
    for product_id, name in entries:
        if slug := slug_of(name):
            names.setdefault(slug, name)
            wanted.append((product_id, slug))
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
        SELECT e.id, e.collection_id, e.product_id, e.place + coalesce(
                   (SELECT max(position) FROM collection_products p WHERE p.collection_id = e.collection_id), 0)
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[])
             WITH ORDINALITY AS e (id, collection_id, product_id, place)
        ORDER BY e.place
        ON CONFLICT (collection_id, product_id) DO NOTHING
        RETURNING collection_id
        """,
        [new_id() for _ in wanted],
        [ids[slug] for _, slug in wanted],
        [product_id for product_id, _ in wanted],
    )
    changed = sorted({row["collection_id"] for row in joined})
    if changed:
        await db.execute("UPDATE collections SET updated_at = business_now() WHERE id = ANY($1)", changed)
    return len(joined)
