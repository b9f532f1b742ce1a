"""The catalogue's tables as writers use them: many rows from one JSON parameter, products loaded whole and locked."""

import dataclasses
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from app import db
from app.catalogue.rows import CollectionRow, ImageRow, OptionRow, ProductRow, StoredProduct, VariantRow

_SQL_TYPES = {
    "id": "uuid",
    "product_id": "uuid",
    "image_id": "uuid",
    "tax_class_id": "uuid",
    "option_values": "text[]",
    "values": "text[]",
    "tags": "text[]",
    "metadata": "jsonb",
    "position": "int",
    "width": "int",
    "height": "int",
    "weight_grams": "int",
    "requires_shipping": "bool",
    "taxable": "bool",
    "track_inventory": "bool",
    "removed_at": "timestamptz",
    "available_from": "timestamptz",
    "restock_expected_at": "timestamptz",
    "is_published": "bool",
}
"""By column; a name that ends in `_minor` is bigint, everything else text."""


class Table:
    """Statements that write rows of one dataclass from one JSON parameter, so that arrays can differ in length."""

    def __init__(
        self,
        name: str,
        row: type,
        key: str = "id",
        *,
        stamped: bool = False,
        constants: Mapping[str, str] | None = None,
    ) -> None:
        """`key` orders the inserts; `stamped` tables have both times; `constants` fill columns of new rows with SQL."""
        columns = [field.name for field in dataclasses.fields(row)]
        quoted = ", ".join(f'"{column}"' for column in columns)
        types = ", ".join(f'"{column}" {self._type(column)}' for column in columns)
        source = f"jsonb_to_recordset($1::jsonb) AS r ({types})"
        values = ", ".join(f'r."{column}"' for column in columns)
        assignments = [f'"{column}" = r."{column}"' for column in columns if column not in ("id", "product_id")]
        extra = dict(constants or {})
        if stamped:
            extra |= {"created_at": "business_now()", "updated_at": "business_now()"}
            assignments.append("updated_at = business_now()")
        self.insert = f"""
            INSERT INTO {name} ({quoted}{"".join(f", {column}" for column in extra)})
            SELECT {values}{"".join(f", {value}" for value in extra.values())} FROM {source}
            ORDER BY r."{key}"
            ON CONFLICT DO NOTHING
        """
        self.update = f"UPDATE {name} t SET {', '.join(assignments)} FROM {source} WHERE t.id = r.id"
        self.select = f"SELECT {quoted} FROM {name}"

    @staticmethod
    def _type(column: str) -> str:
        return "bigint" if column.endswith("_minor") else _SQL_TYPES.get(column, "text")

    async def write(self, rows: Sequence[Any], stored: set[uuid.UUID]) -> None:
        """Raises ChangedMeanwhile where another transaction made a row of the same key first."""
        new = [row for row in rows if row.id not in stored]
        old = [row for row in rows if row.id in stored]
        if new and await db.execute(self.insert, _json(new)) != len(new):
            raise ChangedMeanwhile
        if old:
            await db.execute(self.update, _json(old))


class ChangedMeanwhile(Exception):  # noqa: N818 - a signal to do it again
    """Somebody else wrote the same product between reading and writing."""


PRODUCTS = Table("products", ProductRow, "slug", stamped=True)
OPTIONS = Table("product_options", OptionRow)
IMAGES = Table("product_images", ImageRow)
VARIANTS = Table("product_variants", VariantRow, stamped=True, constants={"metadata": "'{}'"})
COLLECTIONS = Table("collections", CollectionRow, "slug", stamped=True)


def _json(rows: Iterable[Any]) -> str:
    return orjson.dumps(list(rows), default=str).decode()  # asyncpg has a UUID class of its own


async def load_by_slug(slugs: Sequence[str]) -> dict[str, StoredProduct]:
    """The products of these slugs, locked against every other change until the transaction ends."""
    stored = await _load("slug = ANY($1)", list(slugs))
    return {entry.product.slug: entry for entry in stored.values()}


async def load_by_id(product_id: uuid.UUID) -> StoredProduct | None:
    """The product, locked against every other change until the transaction ends."""
    return (await _load("id = $1", product_id)).get(product_id)


async def _load(condition: str, parameter: object) -> dict[uuid.UUID, StoredProduct]:
    # In the order of their ids, as every writer locks products, so that none waits for another in a circle.
    rows = await db.fetch(f"{PRODUCTS.select} WHERE {condition} ORDER BY id FOR NO KEY UPDATE", parameter)
    if not rows:
        return {}
    by_id = {row["id"]: StoredProduct(_product(row)) for row in rows}
    ids = list(by_id)
    for row in await db.fetch(f"{OPTIONS.select} WHERE product_id = ANY($1)", ids):
        by_id[row["product_id"]].options.append(OptionRow(**row))
    for row in await db.fetch(f"{IMAGES.select} WHERE product_id = ANY($1)", ids):
        by_id[row["product_id"]].images.append(ImageRow(**row))
    for row in await db.fetch(f"{VARIANTS.select} WHERE product_id = ANY($1)", ids):
        by_id[row["product_id"]].variants.append(VariantRow(**row))
    stocked = await db.fetch(
        """
        SELECT DISTINCT v.product_id, v.id FROM product_variants v JOIN stock_levels s ON s.variant_id = v.id
        WHERE v.product_id = ANY($1)
        """,
        ids,
    )
    for row in stocked:
        by_id[row["product_id"]].stocked.add(row["id"])
    return by_id


def _product(row: Mapping[str, Any]) -> ProductRow:
    return ProductRow(**{**row, "metadata": orjson.loads(row["metadata"])})


async def take_off_sale(variant_ids: Sequence[uuid.UUID]) -> None:
    """Also what changes its options goes through this, so that two variants can exchange theirs."""
    await db.execute(
        "UPDATE product_variants SET removed_at = business_now(), updated_at = business_now() WHERE id = ANY($1)",
        list(variant_ids),
    )
