"""Writing a batch of products: a handful of statements whatever the number of products in it."""

from collections.abc import Mapping, Sequence

from app import db
from app.alerts import watching
from app.catalogue.importing.merging import ProductChange
from app.catalogue.rows import StoredProduct
from app.catalogue.tables import IMAGES, OPTIONS, PRODUCTS, VARIANTS, ChangedMeanwhile, load_by_slug, take_off_sale

__all__ = ["ChangedMeanwhile", "load_by_slug", "write"]


async def write(changes: Sequence[ProductChange], stored: Mapping[str, StoredProduct]) -> None:
    """Everything that differs. A product whose variants or images change counts as changed too.

    Raises:
        ChangedMeanwhile: another transaction made one of the products first; do the batch again.
    """
    known = list(stored.values())
    dropped = [option_id for change in changes for option_id in change.dropped_options]
    removed = [variant_id for change in changes for variant_id in change.removed_variants]
    if dropped:
        await db.execute("DELETE FROM product_options WHERE id = ANY($1)", dropped)
    if removed:
        await take_off_sale(removed)
    products = [change.product for change in changes if change.touches_product]
    await PRODUCTS.write(products, {entry.product.id for entry in known})
    await OPTIONS.write(
        [row for change in changes for row in change.options], {row.id for entry in known for row in entry.options}
    )
    await IMAGES.write(
        [row for change in changes for row in change.images], {row.id for entry in known for row in entry.images}
    )
    variants_before = {row.id for entry in known for row in entry.variants}
    await VARIANTS.write([row for change in changes for row in change.variants], variants_before)
    await watching.changed(row.id for change in changes for row in change.variants if row.id in variants_before)
