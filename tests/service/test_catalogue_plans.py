"""Lists of a large catalogue go by indexes, whoever asks and by whatever they are sorted.

A small table is read whole in any case, so that is forbidden here: what then still reads or sorts it whole has no index
to use.
"""

import pytest

from app import db
from app.catalogue import queries
from app.catalogue.queries import Found
from app.catalogue.statements import Statement
from tests.client import Api
from tests.factories import catalogue, markets
from tests.factories import shop as shop_factory

LIST = """
    query($sort: ProductSortKey, $search: String) {
        products(first: 2, sortKey: $sort, query: $search) { nodes { id } }
    }
"""


def explaining(monkeypatch: pytest.MonkeyPatch, *forbidden: str) -> list[str]:
    """Collects the plans of the catalogue's reads, made without these ways to go."""
    collected: list[str] = []
    read = queries._read

    async def explained(s: Statement, expression: str) -> Found:
        async with db.unit_of_work():
            for way in forbidden:
                await db.execute(f"SET LOCAL enable_{way} = off")
            rows = await db.fetch(f"EXPLAIN (COSTS OFF) SELECT {expression}", *s.parameters)
        collected.append("\n".join(row["QUERY PLAN"] for row in rows))
        return await read(s, expression)

    monkeypatch.setattr(queries, "_read", explained)
    return collected


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop_factory.shop()
    for _ in range(5):
        await catalogue.product(name="Copper kettle")
    await db.execute("ANALYZE products")


@pytest.mark.parametrize("sort", ["CREATED_AT", "UPDATED_AT", "NAME", "PRICE"])
@pytest.mark.parametrize("for_staff", [False, True])
async def test_a_page_is_read_from_an_index_in_its_order(
    api: Api, staff_token: str, monkeypatch: pytest.MonkeyPatch, sort: str, for_staff: bool
) -> None:
    plans = explaining(monkeypatch, "seqscan", "sort")
    data = await api.ok(LIST, {"sort": sort}, token=staff_token if for_staff else None)
    assert len(data["products"]["nodes"]) == 2
    (plan,) = plans
    page = plan.partition("Limit")[2]
    assert "Index" in page, plan
    assert "Sort" not in page, plan


async def test_a_page_in_a_market_with_a_list_of_its_own_looks_prices_up_one_by_one(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    euros = await markets.price_list("EUR")
    await markets.market("eu", ("DE",), euros)
    await db.execute(
        """
        INSERT INTO price_list_prices (price_list_id, variant_id, min_quantity, price_minor, updated_at)
        SELECT $1, id, 1, 4711, now() FROM product_variants
        """,
        euros,
    )
    await db.execute("ANALYZE price_list_prices")
    plans = explaining(monkeypatch, "seqscan", "sort")
    shown = "priceRange { min { amount } } variants(first: 5) { nodes { price { amount } } }"
    data = await api.ok(f"query @inContext(country: DE) {{ products(first: 2) {{ nodes {{ {shown} }} }} }}")
    prices = [(one["priceRange"]["min"]["amount"], one["variants"]["nodes"]) for one in data["products"]["nodes"]]
    assert prices == [("47.11", [{"price": {"amount": "47.11"}}])] * 2
    (plan,) = plans
    assert "Index Scan using price_list_prices_" in plan, plan
    # Where only one list can apply, there is nothing to choose the lowest of.
    assert "Sort" not in plan, plan


async def test_what_a_quantity_costs_is_planned_once() -> None:
    """A plan for the very lists would be made at each call, and takes ten times as long as running it."""
    kept = await db.fetchval("SELECT proconfig FROM pg_proc WHERE proname = 'price_breaks'")
    assert kept == ["plan_cache_mode=force_generic_plan"]


async def test_a_search_goes_by_the_indexes_of_names_and_skus(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    # What other tests have deleted is still in the files of the indexes: another one might be shorter to read.
    await db.execute("VACUUM (FULL, ANALYZE) products, product_variants")
    plans = explaining(monkeypatch, "seqscan", "indexscan", "indexonlyscan")
    data = await api.ok(LIST, {"search": "KETTLE cop"})
    assert len(data["products"]["nodes"]) == 2
    (plan,) = plans
    assert "Bitmap Index Scan on products_name_trigram" in plan, plan
    assert "product_variants_sku" in plan, plan
    assert "Seq Scan" not in plan, plan
