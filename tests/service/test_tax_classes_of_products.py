"""A product's tax class travels in product files, by its code."""

from typing import Any

import pytest

from app import db
from tests.factories import shop, taxes
from tests.service.test_products_export import exported, imported
from tests.service.test_products_import import imported as reported

HEADER = "Handle,Title,Variant Price,Tax Class (tradewind)\n"


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop.shop()
    await taxes.tax_class()
    await taxes.tax_class("reduced")


async def classes() -> dict[str, Any]:
    rows = await db.fetch(
        "SELECT p.slug, k.code FROM products p LEFT JOIN tax_classes k ON k.id = p.tax_class_id ORDER BY p.slug"
    )
    return {row["slug"]: row["code"] for row in rows}


async def test_the_class_comes_and_goes_with_the_file() -> None:
    await imported(f"{HEADER}book,Book,9.99,Reduced\nmug,Mug,9.99,\n".encode())
    assert await classes() == {"book": "reduced", "mug": None}
    again = await exported()
    await db.execute("UPDATE products SET tax_class_id = NULL")
    await imported(again)
    assert await classes() == {"book": "reduced", "mug": None}
    # A file that has no such column leaves it; an empty cell takes it out.
    await imported(b"Handle,Title,Variant Price\nbook,Book,8.99\n")
    assert await classes() == {"book": "reduced", "mug": None}
    await imported(f"{HEADER}book,Book,8.99,\n".encode())
    assert await classes() == {"book": None, "mug": None}


async def test_a_class_that_is_not_there_costs_its_product_alone() -> None:
    report = await reported(f"{HEADER}book,Book,9.99,lowered\nmug,Mug,9.99,reduced\n")
    assert [(problem.row, problem.column) for problem in report.problems] == [(2, "Tax Class (tradewind)")]
    assert "lowered" in report.problems[0].message
    assert (report.counts.products_left_out, report.counts.products_created) == (1, 1)
    assert await classes() == {"mug": "reduced"}
