"""What is in the tables that imports write, as one digest for each."""

from app import db

TABLES = (
    *("products", "product_options", "product_images", "product_variants", "collections", "collection_products"),
    *("stock_levels", "stock_movements"),
)


async def digests() -> dict[str, str]:
    """Over every column of every row, times included: equal when nothing at all was written."""
    return {
        table: await db.fetchval(
            f"SELECT md5(coalesce(string_agg(md5(row::text), '' ORDER BY id), '')) FROM {table} row"
        )
        for table in TABLES
    }
