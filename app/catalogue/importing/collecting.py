"""The `Collection` column: products join a collection by its name, which is made where there is none."""

import uuid
from collections.abc import Sequence

from app import db
from app.catalogue.shopify_csv.values import handle
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
        try:
            slug = handle(name.replace(",", " "))
        except ValueError:
            continue
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
        ORDER BY c.place
        ON CONFLICT (slug) DO NOTHING
        """,
        [new_id() for _ in names],
        list(names),
        list(names.values()),
    )
    return await db.execute(
        """
        INSERT INTO collection_products (id, collection_id, product_id, position)
        SELECT e.id, c.id, e.product_id, e.place + coalesce(
                   (SELECT max(position) FROM collection_products p WHERE p.collection_id = c.id), 0)
        FROM unnest($1::uuid[], $2::uuid[], $3::text[]) WITH ORDINALITY AS e (id, product_id, slug, place)
        JOIN collections c ON c.slug = e.slug
        ORDER BY e.place
        ON CONFLICT (collection_id, product_id) DO NOTHING
        """,
        [new_id() for _ in wanted],
        [product_id for product_id, _ in wanted],
        [slug for _, slug in wanted],
    )
