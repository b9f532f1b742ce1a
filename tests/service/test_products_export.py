"""What goes out comes back: an export is the same catalogue in an empty shop, and no change where it came from."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from app import db, invariants
from app.catalogue import service
from app.catalogue.editing.given import ProductGiven
from app.catalogue.exporting import reading
from app.catalogue.exporting.selecting import ExportFilters
from app.catalogue.exporting.service import export_file
from app.catalogue.importing.service import import_file
from app.catalogue.models import ProductKind, ProductStatus
from benchmarks.catalogue.generating import write
from tests.factories import catalogue, comparing
from tests.factories import shop as shop_factory

FIXTURES = Path(__file__).parent.parent / "fixtures" / "shopify"


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop_factory.shop()


async def exported(**filters: Any) -> bytes:
    target = io.BytesIO()
    await export_file(target, ExportFilters(**filters))
    return target.getvalue()


async def imported(content: bytes) -> None:
    report = await import_file(io.BytesIO(content))
    assert report.problems == []


async def empty_the_catalogue() -> None:
    for table in ("stock_movements", "stock_levels", "products", "collections"):
        await db.execute(f"DELETE FROM {table}")


async def check_round_trip() -> bytes:
    """The shop's catalogue, out and in again: here, and in an empty shop. The file."""
    before = await comparing.everything(), await comparing.content()
    file = await exported()
    await imported(file)
    assert (await comparing.everything(), await comparing.content()) == before, "into the same shop: no row is touched"
    await empty_the_catalogue()
    await imported(file)
    assert await comparing.content() == before[1], "into an empty shop: the same"
    assert await exported() == file
    assert await invariants.check() == []
    return file


@pytest.mark.parametrize("name", ["apparel", "jewelery"])
async def test_shopify_s_samples_come_back(name: str) -> None:
    await imported((FIXTURES / f"{name}.csv").read_bytes())
    await check_round_trip()


async def test_a_large_catalogue_comes_back() -> None:
    text = io.StringIO(newline="")
    made = write(text, variants=400, body_words=(5, 40))
    await imported(text.getvalue().encode())
    assert await db.fetchval("SELECT count(*) FROM products") == made.products
    await check_round_trip()


FORMULAS = ["=1+1", "+49 30", "-5", "@home", "'quoted'", "'=x", "''", "'Tis", "\uff1dwide", "plain"]


async def test_texts_that_begin_a_formula_are_disarmed_and_come_back() -> None:
    made = []
    for number, text in enumerate(FORMULAS):
        product = await catalogue.product(
            slug=f"f{number}",
            name=text,
            vendor=text,
            product_type=text,
            tags=[text, "x"],
            description=text,
            options={text: [text, "b"]},
            images=["https://c.example/1.jpg"],
            sku=text,
            barcode=text,
        )
        metadata = {text: text, "category": text, f"own.{number}": text}
        await db.execute(
            "UPDATE products SET seo_title = $2::text, seo_description = $2::text, metadata = $3::jsonb WHERE id = $1",
            product.id,
            text,
            orjson.dumps(metadata).decode(),
        )
        await db.execute("UPDATE product_images SET alt_text = $2 WHERE product_id = $1", product.id, text)
        made.append(product)
    await catalogue.collection(name="=Sum", products=made)
    file = await check_round_trip()
    cells = [cell for row in csv.reader(io.StringIO(file.decode(), newline="")) for cell in row]
    assert "'=1+1" in cells
    assert "''=x" in cells
    assert [cell for cell in cells if cell[:1] in {*"=+-@\t\r\n", "\uff1d"}] == []


async def test_what_staff_made_by_hand_comes_back_too() -> None:
    await catalogue.product(slug="first")
    given: ProductGiven = {
        "name": "Odd",
        "slug": "odd_one.2",
        "description": "Plain   text\n\n\nwith < signs & so on  \n end",
        "status": ProductStatus.ACTIVE,
        "kind": ProductKind.SERVICE,
        "tags": ["a, b", "back\\slash", "c\\, d"],
        "seo_title": "Title",
        "seo_description": "Two\nlines",
        "metadata": {
            "nested": {"a": [1, None]},
            "number": 5,
            "empty": "",
            "blank": " x ",
            "Title": "a column's name",
            "custom.fabric": "Linen",
            "Own note": "kept in a column",
            "\ufeffmark": "cannot be a column",
        },
        "images": [
            {"url": "https://c.example/1.jpg", "alt_text": "Two\nlines", "width": 800, "height": 600},
            {"url": "/media/2.jpg", "alt_text": None, "width": 10, "height": None},
            {"url": "https://c.example/3.jpg"},
        ],
        "options": [{"name": "Size", "values": ["L", "S", "unused, so far", "M"]}, {"name": "Title", "values": ["x"]}],
        "variants": [
            {
                "selected_options": [("Size", size), ("Title", "x")],
                "price": Decimal(price),
                "sku": "'0012",
                "image_url": image,
                "requires_shipping": False,
            }
            for size, price, image in (("M", "0", "https://c.example/3.jpg"), ("S", "1234.50", None), ("L", "5", None))
        ],
    }
    product_id = await service.create_product(given)
    await service.create_product({"name": "Nothing but a name"})
    await service.create_product({"name": "Gift", "kind": ProductKind.GIFT_CARD, "status": ProductStatus.ARCHIVED})
    odd = catalogue.MadeProduct(product_id, "odd_one.2")
    other = await catalogue.product(slug="other", options={"Size": ["S"]}, stock=None)
    await catalogue.collection(name="Kitchen, Table", slug="other-than-its-name", products=[other, odd], position=2)
    await catalogue.collection(name="Living", slug="living", products=[odd, other], position=1)
    await db.execute("UPDATE collection_products SET position = position * 7")
    file = await check_round_trip()
    header = file.decode().splitlines()[0].split(",")
    assert "custom.fabric (product.metafields.custom.fabric)" in header
    assert "Own note" in header


async def test_a_former_price_of_nothing_is_none_and_stays_as_it_is() -> None:
    await catalogue.product(slug="mug", compare_at_price_minor=0)
    before = await comparing.everything()
    await imported(await exported())
    assert await comparing.everything() == before


async def test_only_what_is_asked_for_goes_out() -> None:
    mug = await catalogue.product(slug="mug", name="Blue mug")
    await catalogue.product(slug="cup", name="Blue cup", status="DRAFT", sku="C-1")
    await catalogue.product(slug="pen", name="Pen", status="ARCHIVED")
    collection_id = await catalogue.collection(products=[mug])
    await db.execute("UPDATE products SET updated_at = '2020-01-01Z' WHERE slug = 'pen'")

    async def slugs(**filters: Any) -> list[str]:
        rows = csv.DictReader(io.StringIO((await exported(**filters)).decode(), newline=""))
        return [row["Handle"] for row in rows]

    assert await slugs() == ["mug", "cup", "pen"]
    assert await slugs(query="BLUE") == ["mug", "cup"]
    assert await slugs(query="C-1") == ["cup"]
    assert await slugs(statuses=(ProductStatus.ACTIVE, ProductStatus.ARCHIVED)) == ["mug", "pen"]
    assert await slugs(collection_id=collection_id) == ["mug"]
    assert await slugs(updated_since=datetime(2021, 1, 1, tzinfo=UTC)) == ["mug", "cup"]
    assert await slugs(query="blue", statuses=(ProductStatus.DRAFT,)) == ["cup"]
    assert await slugs(query="nothing") == []


async def test_a_batch_has_a_bound_and_a_product_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    await catalogue.product_with_many_variants(300)
    for _ in range(5):
        await catalogue.product(options={"Size": ["S", "M"]})
    monkeypatch.setattr(reading, "MAX_BATCH_WEIGHT", 2_000)
    overview = await reading.overview(ExportFilters())
    batches, after = [], reading.FIRST_ID
    while (batch := await reading.batch_after(after, overview.last_id, ExportFilters())) is not None:
        batches.append([len(product.variants) for product in batch.products])
        after = batch.last_id
    assert batches == [[300], [2, 2], [2, 2], [2]]


async def test_products_that_come_meanwhile_are_not_in_the_file() -> None:
    await catalogue.product(slug="mug")
    overview = await reading.overview(ExportFilters())
    await catalogue.product(slug="late")
    batch = await reading.batch_after(reading.FIRST_ID, overview.last_id, ExportFilters())
    assert batch is not None
    assert [product.handle for product in batch.products] == ["mug"]
