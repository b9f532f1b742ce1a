"""What an import does to the database: in few statements, once, resumable, and alongside others."""

import asyncio
import io
from pathlib import Path
from typing import Any

import orjson
import pytest

from app import db, invariants
from app.catalogue import service
from app.catalogue.importing.service import ImportReport, import_file
from app.catalogue.shopify_csv import FileRefused
from tests.factories import catalogue
from tests.factories import shop as shop_factory

FIXTURES = Path(__file__).parent.parent / "fixtures" / "shopify"


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop_factory.shop()


async def imported(content: str | bytes, **more: Any) -> ImportReport:
    return await import_file(io.BytesIO(content.encode() if isinstance(content, str) else content), **more)


async def snapshot() -> dict[str, list[dict[str, Any]]]:
    """Every row that an import may write."""
    tables = (
        "products",
        "product_options",
        "product_images",
        "product_variants",
        "collections",
        "collection_products",
        "stock_levels",
        "stock_movements",
        "events",
    )
    return {table: [dict(row) for row in await db.fetch(f"SELECT * FROM {table} ORDER BY id")] for table in tables}


@pytest.mark.parametrize("name", ["apparel", "jewelery"])
async def test_the_same_file_twice_changes_nothing(name: str) -> None:
    content = (FIXTURES / f"{name}.csv").read_bytes()
    first = await imported(content)
    assert first.problems == []
    assert (first.counts.products_created, first.counts.products_left_out) == (20, 0)
    before = await snapshot()
    second = await imported(content)
    assert await snapshot() == before
    assert await invariants.check() == []
    assert (second.counts.products_unchanged, second.counts.products_updated) == (20, 0)
    assert second.counts.variants_unchanged == first.counts.variants_created


HEADER = "Handle,Title,Option1 Name,Option1 Value,Variant Inventory Tracker,Variant Inventory Qty,Variant Price\n"
SHIRT = HEADER + "shirt,Shirt,Size,S,shopify,5,20\nshirt,,,M,shopify,7,20\n"


async def variants(slug: str = "shirt") -> list[dict[str, Any]]:
    rows = await db.fetch(
        """
        SELECT v.*, (SELECT sum(available) FROM stock_levels s WHERE s.variant_id = v.id) AS stock
        FROM product_variants v JOIN products p ON p.id = v.product_id
        WHERE p.slug = $1 ORDER BY v.removed_at NULLS FIRST, v.position
        """,
        slug,
    )
    return [dict(row) for row in rows]


async def product(slug: str = "shirt") -> dict[str, Any]:
    row = await db.fetchrow("SELECT * FROM products WHERE slug = $1", slug)
    assert row is not None
    return dict(row)


async def options(slug: str = "shirt") -> list[tuple[str, list[str]]]:
    rows = await db.fetch(
        """
        SELECT o.name, o.values FROM product_options o JOIN products p ON p.id = o.product_id
        WHERE p.slug = $1 ORDER BY o.position
        """,
        slug,
    )
    return [(row["name"], row["values"]) for row in rows]


async def test_every_column_arrives() -> None:
    await imported(
        "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Status,Option1 Name,Option1 Value,"
        "Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,"
        "Variant Price,Variant Compare At Price,Variant Requires Shipping,Variant Taxable,Variant Barcode,Image Src,"
        "Image Position,Image Alt Text,Gift Card,SEO Title,SEO Description,Variant Image,Cost per item,"
        "Fabric (product.metafields.custom.fabric)\n"
        'lamp,Lamp,"<h2>Light</h2><script>x()</script><p onclick=""x()"">Warm &amp; soft</p>",Acme,'
        "Home > Lamps,Lighting,"
        '"desk, brass",true,active,Colour,Brass,L-1,1200,shopify,4,continue,"1,299.00",1500,true,false,400638,'
        "https://c.example/1.jpg,1,A lamp,false,Lamp for desks,Warm light,https://c.example/2.jpg,600,Linen\n"
    )
    lamp = await product("lamp")
    assert lamp["description_html"] == "<h2>Light</h2><p>Warm &amp; soft</p>"
    assert lamp["description"] == "Light\n\nWarm & soft"
    assert (lamp["vendor"], lamp["product_type"], lamp["tags"]) == ("Acme", "Lighting", ["desk", "brass"])
    assert (lamp["seo_title"], lamp["seo_description"]) == ("Lamp for desks", "Warm light")
    assert (lamp["status"], lamp["kind"]) == ("ACTIVE", "PHYSICAL")
    assert orjson.loads(lamp["metadata"]) == {"category": "Home > Lamps", "custom.fabric": "Linen"}
    assert (lamp["min_price_minor"], lamp["max_price_minor"]) == (129900, 129900)
    assert await options("lamp") == [("Colour", ["Brass"])]
    (variant,) = await variants("lamp")
    assert (variant["name"], variant["sku"], variant["barcode"]) == ("Brass", "L-1", "400638")
    assert (variant["price_minor"], variant["compare_at_price_minor"], variant["cost_minor"]) == (129900, 150000, 60000)
    assert (variant["weight_grams"], variant["requires_shipping"], variant["taxable"]) == (1200, True, False)
    assert (variant["track_inventory"], variant["inventory_policy"], variant["stock"]) == (True, "CONTINUE", 4)
    images = await db.fetch("SELECT id, url, alt_text FROM product_images ORDER BY position")
    assert [(row["url"], row["alt_text"]) for row in images] == [
        ("https://c.example/1.jpg", "A lamp"),
        ("https://c.example/2.jpg", None),
    ]
    assert variant["image_id"] == images[1]["id"]


@pytest.mark.parametrize(
    ("columns", "cells", "kind"),
    [
        ("Gift Card", "true", "GIFT_CARD"),
        ("Variant Requires Shipping", "false", "DIGITAL"),
        ("Variant Requires Shipping,Type", "false,Repair service", "SERVICE"),
        ("Variant Requires Shipping", "true", "PHYSICAL"),
    ],
)
async def test_the_kind_of_a_product(columns: str, cells: str, kind: str) -> None:
    await imported(f"Handle,Title,Variant Price,{columns}\nthing,Thing,5,{cells}\n")
    assert (await product("thing"))["kind"] == kind


async def test_what_is_not_counted_has_no_stock_level() -> None:
    await imported("Handle,Title,Variant Price,Variant Inventory Tracker,Variant Inventory Qty\nmug,Mug,5,,1\n")
    (variant,) = await variants("mug")
    assert (variant["track_inventory"], variant["stock"]) == (False, None)


# --- importing again -----------------------------------------------------------------------------------------------


async def test_a_column_changes_what_it_holds_and_a_missing_one_nothing() -> None:
    await imported(
        "Handle,Title,Vendor,Tags,Status,Variant Price,Variant SKU,Variant Grams\nmug,Mug,Acme,blue,draft,5,M-1,300\n"
    )
    report = await imported("Handle,Title,Tags,Variant Price\nmug,Big mug,,6\n")
    mug, (variant,) = await product("mug"), await variants("mug")
    assert (mug["name"], mug["tags"], mug["vendor"], mug["status"]) == ("Big mug", [], "Acme", "DRAFT")
    assert (variant["price_minor"], variant["sku"], variant["weight_grams"]) == (600, "M-1", 300)
    assert variant["name"] == "Big mug"
    assert (report.counts.products_updated, report.counts.variants_updated) == (1, 1)


async def test_only_products_that_differ_are_written() -> None:
    both = "Handle,Title,Variant Price\nmug,Mug,5\ncup,Cup,5\n"
    await imported(both)
    before = {slug: (await product(slug))["updated_at"] for slug in ("mug", "cup")}
    await imported(both.replace("cup,Cup,5", "cup,Cup,6"))
    assert (await product("mug"))["updated_at"] == before["mug"]
    assert (await product("cup"))["updated_at"] > before["cup"]


async def test_variants_and_images_that_the_file_does_not_name_stay() -> None:
    made = await catalogue.product(
        slug="shirt", options={"Size": ["S", "XL"]}, images=["https://c.example/old.jpg"], stock=3, price_minor=900
    )
    await imported(
        HEADER.strip() + ",Image Src\nshirt,Shirt,Size,S,shopify,5,20,https://c.example/new.jpg\n"
        "shirt,,,M,shopify,7,20,\n"
    )
    rows = await variants()
    assert [row["option_values"] for row in rows] == [["S"], ["M"], ["XL"]]
    assert rows[0]["id"] == made.variant_ids[0]
    assert await options() == [("Size", ["S", "M", "XL"])]
    images = await db.fetch("SELECT url FROM product_images ORDER BY position")
    assert [row["url"][-7:] for row in images] == ["new.jpg", "old.jpg"]
    shirt = await product()
    assert (shirt["min_price_minor"], shirt["max_price_minor"]) == (900, 2000)


async def test_sold_units_do_not_come_back_with_the_next_import() -> None:
    await imported(SHIRT)
    await db.execute("UPDATE stock_levels SET available = available - 2")
    await imported(SHIRT)
    assert [row["stock"] for row in await variants()] == [3, 5]


async def test_stock_is_overwritten_where_that_is_asked_for() -> None:
    await imported(SHIRT)
    await db.execute("UPDATE stock_levels SET available = available - 2")
    await imported(SHIRT, overwrite_stock=True)
    assert [row["stock"] for row in await variants()] == [5, 7]
    moved = await db.fetch("SELECT available_delta FROM stock_movements ORDER BY id")
    assert [row["available_delta"] for row in moved] == [5, 7, 2, 2]
    before = await snapshot()
    await imported(SHIRT, overwrite_stock=True)
    assert await snapshot() == before


async def test_renamed_and_reordered_options_keep_their_variants() -> None:
    two = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant Price\n"
    await imported(two + "shirt,Shirt,Size,S,Colour,Red,20\n")
    (before,) = await variants()
    await imported(two + "shirt,Shirt,colour,red,Size,S,21\n")
    (after,) = await variants()
    assert after["id"] == before["id"]
    assert (after["option_values"], after["price_minor"]) == (["S", "red"], 2100)
    await imported(two + "shirt,Shirt,Grösse,S,Farbe,red,21\n")
    (renamed,) = await variants()
    assert renamed["id"] == before["id"]
    assert await options() == [("Grösse", ["S"]), ("Farbe", ["red"])]


async def test_one_option_more_replaces_the_variants_and_one_less_brings_them_back() -> None:
    await imported(SHIRT)
    ids = [row["id"] for row in await variants()]
    wider = SHIRT.replace("\n", ",Option2 Name,Option2 Value\n", 1)
    wider = wider.replace(",5,20\n", ",5,20,Colour,Red\n").replace(",7,20\n", ",7,20,,Red\n")
    await imported(wider)
    rows = await variants()
    assert [(row["option_values"], row["removed_at"] is None) for row in rows] == [
        (["S", "Red"], True),
        (["M", "Red"], True),
        (["S"], False),
        (["M"], False),
    ]
    assert await options() == [("Size", ["S", "M"]), ("Colour", ["Red"])]
    await imported(SHIRT)
    assert [row["id"] for row in await variants() if row["removed_at"] is None] == ids
    assert await options() == [("Size", ["S", "M"])]
    assert await invariants.check() == []


async def test_a_price_list_without_options_leaves_a_product_s_variants_alone() -> None:
    await imported(SHIRT)
    before = await variants()
    report = await imported("Handle,Title,Variant Price\nshirt,Shirt,99\n")
    assert await variants() == before
    assert [(problem.row, problem.column) for problem in report.problems] == [(2, "Option1 Name")]


async def test_a_new_product_without_a_price_is_reported() -> None:
    report = await imported("Handle,Title,Vendor\nmug,Mug,Acme\n")
    assert [(problem.row, problem.column) for problem in report.problems] == [(2, "Title")]
    assert report.counts.products_left_out == 1
    assert await db.fetchval("SELECT count(*) FROM products") == 0


async def test_the_collection_column_makes_collections_and_fills_them_in_order() -> None:
    content = (
        "Handle,Title,Variant Price,Collection\nmug,Mug,5,Kitchen & Table\ncup,Cup,5,Kitchen & Table\npen,Pen,1,\n"
    )
    await imported(content)
    before = await snapshot()
    await imported(content)
    assert await snapshot() == before
    rows = await db.fetch(
        """
        SELECT c.slug, c.name, p.slug AS product FROM collection_products e
        JOIN collections c ON c.id = e.collection_id JOIN products p ON p.id = e.product_id ORDER BY e.position
        """
    )
    assert [(row["slug"], row["name"], row["product"]) for row in rows] == [
        ("kitchen-table", "Kitchen & Table", "mug"),
        ("kitchen-table", "Kitchen & Table", "cup"),
    ]


# --- how it is done ------------------------------------------------------------------------------------------------


async def test_the_number_of_statements_does_not_grow_with_the_batch() -> None:
    def file(products: int, price: int) -> str:
        return HEADER + "".join(f"p{n},P,Size,S,shopify,5,{price}\n" for n in range(products))

    async def statements(content: str) -> int:
        with db.counted_statements() as sent:
            await imported(content)
        return len(sent)

    await imported(file(1, 1))
    assert await statements(file(1, 2)) == await statements(file(1, 3))
    created = await statements(file(150, 3))
    assert created <= 20
    assert await statements(file(150, 4)) <= 16
    assert await statements(file(150, 4)) <= 10


async def test_a_product_that_the_database_refuses_is_reported_and_the_others_are_stored() -> None:
    await db.execute("ALTER TABLE products ADD CONSTRAINT no_cups CHECK (slug <> 'cup') NOT VALID")
    try:
        report = await imported("Handle,Title,Variant Price\nmug,Mug,5\ncup,Cup,5\npen,Pen,1\n")
    finally:
        await db.execute("ALTER TABLE products DROP CONSTRAINT no_cups")
    assert [row["slug"] for row in await db.fetch("SELECT slug FROM products ORDER BY slug")] == ["mug", "pen"]
    assert [problem.row for problem in report.problems] == [3]
    assert (report.counts.products_created, report.counts.products_left_out) == (2, 1)


async def test_a_description_that_no_export_could_hold_is_reported() -> None:
    endless = "&" * 250_000
    report = await imported(f"Handle,Title,Body (HTML),Variant Price\nmug,Mug,{endless},5\npen,Pen,Short,1\n")
    assert [(problem.row, problem.column) for problem in report.problems] == [(2, "Body (HTML)")]
    assert [row["slug"] for row in await db.fetch("SELECT slug FROM products")] == ["pen"]
    assert report.counts.products_left_out == 1


async def test_an_empty_stock_cell_states_no_stock() -> None:
    await imported(SHIRT.replace("shopify,5", "shopify,").replace("shopify,7", "shopify,0"))
    assert [(row["track_inventory"], row["stock"]) for row in await variants()] == [(True, None), (True, 0)]
    await imported(SHIRT, overwrite_stock=True)
    assert [row["stock"] for row in await variants()] == [5, 7]
    await imported(SHIRT.replace("shopify,5", "shopify,"), overwrite_stock=True)
    assert [row["stock"] for row in await variants()] == [5, 7]


async def test_a_spreadsheet_s_apostrophe_before_a_number_goes() -> None:
    await imported(
        "Handle,Title,Variant Price,Variant SKU,Variant Barcode\nmug,'Mug,5,'0042,'400\ncup,'-cup,5,''7,'=8\n"
    )
    rows = await db.fetch("SELECT p.name, sku, barcode FROM product_variants v JOIN products p ON p.id = product_id")
    assert sorted(tuple(row.values()) for row in rows) == [("'Mug", "0042", "400"), ("-cup", "'7", "=8")]


async def test_plain_text_that_staff_gave_stays_while_the_html_is_the_same() -> None:
    await service.create_product({"name": "Mug", "slug": "mug", "description": "Odd   blanks"})
    (html,) = [row["description_html"] for row in await db.fetch("SELECT description_html FROM products")]
    await imported(f"Handle,Title,Body (HTML)\nmug,Mug,{html}\n")
    assert (await product("mug"))["description"] == "Odd   blanks"
    await imported("Handle,Title,Body (HTML)\nmug,Mug,<p>Other</p>\n")
    assert (await product("mug"))["description"] == "Other"


async def test_a_product_joins_every_collection_that_its_rows_name() -> None:
    content = (
        "Handle,Title,Variant Price,Image Src,Collection,"
        "Collection Handle (tradewind),Collection Position (tradewind)\n"
        'mug,Mug,5,,"Kitchen, Table",kitchen,7\nmug,,,https://c.example/1.jpg,Gifts,,\nmug,,,,Gifts,,\n'
        "cup,Cup,5,,Kitchen,kitchen,2\n"
    )
    report = await imported(content)
    assert report.problems == []
    before = await snapshot()
    await imported(content)
    assert await snapshot() == before
    await imported(content.replace("kitchen,2", "kitchen,9"))
    rows = await db.fetch(
        """
        SELECT c.slug, c.name, array_agg(p.slug ORDER BY e.position) AS products FROM collection_products e
        JOIN collections c ON c.id = e.collection_id JOIN products p ON p.id = e.product_id
        GROUP BY c.slug, c.name ORDER BY c.slug
        """
    )
    assert [tuple(row.values()) for row in rows] == [
        ("gifts", "Gifts", ["mug"]),
        ("kitchen", "Kitchen, Table", ["mug", "cup"]),
    ]


async def test_a_refused_file_changes_nothing() -> None:
    with pytest.raises(FileRefused):
        await imported(b"Handle,Title,Variant Price\nmug,Mug,5\n" + "café,Café,5\n".encode("cp1252"))
    assert await db.fetchval("SELECT count(*) FROM products") == 0


async def test_two_imports_of_one_file_at_once_make_each_product_once() -> None:
    content = HEADER + "".join(f"p{n},P{n},Size,{size},shopify,5,20\n" for n in range(40) for size in "SML")
    reports = await asyncio.gather(*(imported(content) for _ in range(4)))
    assert sum(report.counts.products_created for report in reports) == 40
    assert await db.fetchval("SELECT count(*) FROM product_variants") == 120
    assert await db.fetchval("SELECT sum(available) FROM stock_levels") == 600
