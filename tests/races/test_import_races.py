"""Somebody else writes a product between an import's reading and its writing."""

import asyncio
import contextvars
import io
from typing import Any

import pytest

from app import db, invariants
from app.catalogue.importing import running
from app.catalogue.importing.service import import_file
from tests.factories import catalogue
from tests.factories import shop as shop_factory

CSV = "Handle,Title,Option1 Name,Option1 Value,Variant Price\nmug,Imported,Size,S,5\nmug,,,M,6\ncup,Cup,Size,S,7\n"


async def test_a_product_made_meanwhile_is_updated_instead(
    clean_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop_factory.shop()
    real, calls = running.storing.load_by_slug, 0

    async def load_and_let_another_in(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        loaded = await real(*args, **kwargs)
        if calls == 1:
            # A task of its own context has a connection of its own: it is another request.
            await asyncio.create_task(
                catalogue.product(slug="mug", name="By hand", options={"Size": ["S", "XL"]}),  # type: ignore[arg-type]
                context=contextvars.Context(),
            )
        return loaded

    monkeypatch.setattr(running.storing, "load_by_slug", load_and_let_another_in)
    report = await import_file(io.BytesIO(CSV.encode()))
    assert calls == 2
    assert report.problems == []
    assert (report.counts.products_created, report.counts.products_updated) == (1, 1)
    assert await db.fetchval("SELECT name FROM products WHERE slug = 'mug'") == "Imported"
    rows = await db.fetch(
        "SELECT v.name FROM product_variants v JOIN products p ON p.id = v.product_id WHERE slug = 'mug'"
    )
    assert sorted(row["name"] for row in rows) == ["M", "S", "XL"]
    assert await invariants.check() == []
