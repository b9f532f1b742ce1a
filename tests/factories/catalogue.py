"""Products and collections, as rows: what a merchant would have made through the API or an import."""

import itertools
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app import db
from app.kit import ids
from app.kit.ids import new_id
from tests.factories import inventory

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class MadeProduct:
    id: uuid.UUID
    slug: str
    variant_ids: list[uuid.UUID] = field(default_factory=list)

    @property
    def gid(self) -> str:
        """As the API shows it: prod_…"""
        return ids.encode("prod", self.id)

    @property
    def variant_id(self) -> uuid.UUID:
        """The first variant's."""
        return self.variant_ids[0]

    @property
    def variant_gid(self) -> str:
        return ids.encode("var", self.variant_ids[0])

    @property
    def variant_gids(self) -> list[str]:
        return [ids.encode("var", variant_id) for variant_id in self.variant_ids]


async def product(
    *,
    name: str | None = None,
    slug: str | None = None,
    price_minor: int = 1999,
    stock: int | None = 10,
    options: Mapping[str, Sequence[str]] | None = None,
    variants: Sequence[Mapping[str, Any]] | None = None,
    status: str = "ACTIVE",
    kind: str = "PHYSICAL",
    images: Sequence[str] = (),
    vendor: str | None = None,
    product_type: str | None = None,
    tags: Sequence[str] = (),
    description: str = "",
    **of_each_variant: Any,
) -> MadeProduct:
    """A product on sale.

    Args:
        stock: units of each variant at the default warehouse; None for a product that is not counted.
        options: name to values. Without `variants`, every combination becomes one.
        variants: columns of each variant that differ: `option_values`, `price_minor`, `stock`, `sku` ….
        images: their URLs.
        of_each_variant: further columns for all variants, such as `weight_grams` or `inventory_policy`.
    """
    number = next(_numbers)
    name = name or f"Product {number}"
    product_id, options = new_id(), options or {}
    slug = slug or f"product-{number}-{product_id.hex[-6:]}"
    if variants is None:
        variants = [{"option_values": list(values)} for values in itertools.product(*options.values())]
    rows = [
        {"option_values": [], "price_minor": price_minor, "stock": stock, **of_each_variant, **variant}
        for variant in variants
    ]
    prices = [row["price_minor"] for row in rows]
    await db.execute(
        """
        INSERT INTO products (id, slug, name, status, kind, description, description_html, vendor, product_type, tags,
                              metadata, min_price_minor, max_price_minor, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, '<p>' || $6 || '</p>', $7, $8, $9, '{}', $10, $11,
                clock_timestamp(), clock_timestamp())
        """,
        product_id,
        slug,
        name,
        status,
        kind,
        description,
        vendor,
        product_type,
        list(tags),
        min(prices),
        max(prices),
    )
    for position, (option, values) in enumerate(options.items(), start=1):
        await db.execute(
            "INSERT INTO product_options (id, product_id, position, name, values) VALUES ($1, $2, $3, $4, $5)",
            new_id(),
            product_id,
            position,
            option,
            list(values),
        )
    for position, url in enumerate(images, start=1):
        await db.execute(
            "INSERT INTO product_images (id, product_id, position, url, alt_text) VALUES ($1, $2, $3, $4, $5)",
            new_id(),
            product_id,
            position,
            url,
            f"{name} {position}",
        )
    variant_ids = [await _variant(product_id, name, position, row) for position, row in enumerate(rows, start=1)]
    return MadeProduct(product_id, slug, variant_ids)


async def _variant(product_id: uuid.UUID, name: str, position: int, row: dict[str, Any]) -> uuid.UUID:
    variant_id, stock = new_id(), row.pop("stock")
    columns = {
        "id": variant_id,
        "product_id": product_id,
        "position": position,
        "name": " / ".join(row["option_values"]) or name,
        "sku": None,
        "weight_grams": 0,
        "requires_shipping": True,
        "taxable": True,
        "track_inventory": stock is not None,
        "inventory_policy": "DENY",
        "metadata": "{}",
        **row,
    }
    names = ", ".join(columns)
    marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    await db.execute(
        f"""
        INSERT INTO product_variants ({names}, created_at, updated_at)
        VALUES ({marks}, clock_timestamp(), clock_timestamp())
        """,
        *columns.values(),
    )
    if stock is not None:
        await inventory.stock(variant_id, stock)
    return variant_id


async def reprice(made: MadeProduct, price_minor: int) -> None:
    """What staff do while shoppers look."""
    await db.execute("UPDATE product_variants SET price_minor = $2 WHERE product_id = $1", made.id, price_minor)
    await db.execute(
        "UPDATE products SET min_price_minor = $2, max_price_minor = $2 WHERE id = $1", made.id, price_minor
    )


async def product_with_many_variants(count: int) -> MadeProduct:
    """A product whose variants number 1 to `count`, in two statements instead of thousands; one unit of each."""
    made = await product(options={"Number": [str(number) for number in range(1, count + 1)]}, variants=[_FIRST])
    await db.execute(
        """
        WITH more AS (
            INSERT INTO product_variants (id, product_id, position, name, option_values, price_minor, weight_grams,
                                          requires_shipping, taxable, track_inventory, inventory_policy, metadata,
                                          created_at, updated_at)
            SELECT gen_random_uuid(), $1, n, n::text, ARRAY[n::text], 1999, 0, true, true, true, 'DENY', '{}',
                   clock_timestamp(), clock_timestamp()
            FROM generate_series(2, $2::int) AS n
            RETURNING id
        ), levels AS (
            INSERT INTO stock_levels (id, variant_id, warehouse_id, available, reserved, backordered, updated_at)
            SELECT gen_random_uuid(), more.id, $3, 1, 0, 0, clock_timestamp() FROM more
            RETURNING id
        )
        INSERT INTO stock_movements (id, stock_level_id, available_delta, reason, created_at)
        SELECT gen_random_uuid(), levels.id, 1, 'made for a test', clock_timestamp() FROM levels
        """,
        made.id,
        count,
        await inventory.default_warehouse(),
    )
    return made


_FIRST = {"option_values": ["1"], "stock": 1}


async def collection(
    *,
    name: str | None = None,
    slug: str | None = None,
    products: Sequence[MadeProduct] = (),
    is_published: bool = True,
    position: int = 0,
) -> uuid.UUID:
    """A collection with these products, in their order."""
    collection_id, number = new_id(), next(_numbers)
    await db.execute(
        """
        INSERT INTO collections (id, slug, name, description, description_html, is_published, position,
                                 created_at, updated_at)
        VALUES ($1, $2, $3, '', '', $4, $5, clock_timestamp(), clock_timestamp())
        """,
        collection_id,
        slug or f"collection-{number}",
        name or f"Collection {number}",
        is_published,
        position,
    )
    for place, made in enumerate(products, start=1):
        await db.execute(
            "INSERT INTO collection_products (id, collection_id, product_id, position) VALUES ($1, $2, $3, $4)",
            new_id(),
            collection_id,
            made.id,
            place,
        )
    return collection_id
