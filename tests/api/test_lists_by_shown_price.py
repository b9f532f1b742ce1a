"""Lists by price go by the prices that are shown: in markets with own prices, and where somebody's groups have some."""

import asyncio
import contextvars
import uuid
from decimal import Decimal
from typing import Any

import pytest

from app import db, invariants
from app.markets import price_lists
from tests.client import Api
from tests.factories import accounts, catalogue, markets, shop
from tests.factories.catalogue import MadeProduct

LIST = """query ($first: Int, $after: String, $last: Int, $before: String, $reverse: Boolean, $search: String) %s {
    products(first: $first, after: $after, last: $last, before: $before, sortKey: PRICE, reverse: $reverse,
             query: $search) {
        nodes { name priceRange { min { amount } } }
        pageInfo { endCursor startCursor hasNextPage hasPreviousPage } totalCount
    }
}"""
IN_GERMANY = LIST % "@inContext(country: DE)"


@pytest.fixture
async def shop_with_euros(api: Api) -> tuple[Any, list[MadeProduct]]:
    """Prices of 10 to 39 in the shop, in euros to whole ones; every other one has an own price somewhere else."""
    await shop.shop()
    euros = await markets.price_list("EUR", rate="0.9", to="2.00")
    await markets.market("eu", ("DE",), euros)
    made = [
        await catalogue.product(
            name=f"Thing {number}", price_minor=10_00 + number // 2 * 200, options={"Size": ["S", "L"]}
        )
        for number in range(20)
    ]
    for number, product in enumerate(made[::2]):
        # Of both variants, which may cost more than what the list makes; or of one of them, then less at most.
        dear = number % 3 == 0
        own = {1: (f"{(22 - number) if dear else 8 + number // 4 * 2}.00", "EUR"), 5: ("1.00", "EUR")}
        for variant_id in product.variant_ids if dear else product.variant_ids[:1]:
            await markets.prices(euros, variant_id, own)
    return euros, made


async def pages(
    api: Api, document: str, size: int, token: str | None = None, **given: Any
) -> list[tuple[Decimal, str]]:
    """All that there is, page by page: the price that is shown, and the name."""
    found: list[tuple[Decimal, str]] = []
    backward = given.pop("backward", False)
    cursor = None
    for _ in range(60):
        place = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        page = (await api.ok(document, {**given, **place}, token=token))["products"]
        nodes = [(Decimal(node["priceRange"]["min"]["amount"]), node["name"]) for node in page["nodes"]]
        found = nodes + found if backward else found + nodes
        info = page["pageInfo"]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            assert page["totalCount"] == len(found)
            return found
        cursor = info["startCursor" if backward else "endCursor"]
    raise AssertionError("the pages do not end")


async def check(api: Api, document: str, token: str | None = None) -> list[tuple[Decimal, str]]:
    """Sorted by what is shown, the same in any size of page and direction, each product once."""
    whole = await pages(api, document, 100, token)
    assert [price for price, _ in whole] == sorted(price for price, _ in whole)
    for size in (1, 3):
        assert await pages(api, document, size, token) == whole
    assert await pages(api, document, 3, token, backward=True) == whole
    assert await pages(api, document, 3, token, reverse=True) == whole[::-1]
    return whole


async def kept() -> None:
    """What the triggers keep is true."""
    assert [broken for broken in await invariants.check() if "begin" in str(broken)] == []


async def test_a_market_is_sorted_by_its_own_prices(api: Api, shop_with_euros: Any) -> None:
    whole = await check(api, IN_GERMANY)
    assert len(whole) == 20
    at_home = await pages(api, LIST % "", 100)
    assert [name for _, name in whole] != [name for _, name in at_home]
    assert len({price for price, _ in whole}) < 15, "there are equal prices, so that ties are tried"
    found = await pages(api, IN_GERMANY, 2, search="thing 1")
    assert found == [one for one in whole if one[1].startswith("Thing 1")]
    await kept()


async def test_who_has_a_groups_prices_sees_their_order(api: Api, shop_with_euros: Any) -> None:
    _, made = shop_with_euros
    buyer = await accounts.signed_in("ada@example.com")
    cheap, fixed = (
        await markets.price_list("USD", rate=None, percentage="-20"),
        await markets.price_list("USD", rate=None),
    )
    for product, price in ((made[19], "1.00"), (made[0], "90.00"), (made[4], "12.50")):
        for variant_id in product.variant_ids:
            await markets.prices(fixed, variant_id, {1: (price, "USD")})
    await markets.group([cheap, fixed], [buyer.id])
    whole = await check(api, LIST % "", buyer.token)
    assert whole[0] == (Decimal(1), "Thing 19")
    # The own price of 90 is not the lowest of the three: a fifth less than the shop's is.
    assert {name: price for price, name in whole}["Thing 0"] == Decimal(8)


async def test_nobodys_groups_are_asked_where_no_group_has_prices(api: Api, shop_with_euros: Any) -> None:
    buyer = await accounts.signed_in("ada@example.com")
    with db.counted_statements() as statements:
        assert await pages(api, IN_GERMANY, 100, buyer.token) == await pages(api, IN_GERMANY, 100)
    assert not any("price_lists_for" in statement for statement in statements)


async def test_a_cursor_of_another_order_is_refused(api: Api, shop_with_euros: Any) -> None:
    page = await api.ok(LIST % "", {"first": 1})
    answer = await api.query(IN_GERMANY, {"first": 1, "after": page["products"]["pageInfo"]["endCursor"]})
    assert [error["extensions"]["code"] for error in answer.errors or []] == ["INVALID"]


async def test_what_products_begin_at_follows_every_change(api: Api, shop_with_euros: Any) -> None:
    euros, made = shop_with_euros
    pen = made[0]
    await price_lists.update_price_list(euros, {"exchange_rate": Decimal("0.5")})
    await kept()
    await db.execute("UPDATE product_variants SET price_minor = price_minor * 3 WHERE product_id = $1", pen.id)
    await db.execute("UPDATE product_variants SET removed_at = now() WHERE id = $1", pen.variant_ids[1])
    await kept()
    await db.execute("DELETE FROM products WHERE id = $1", made[3].id)
    await kept()
    gone = await db.fetch("SELECT variant_id, min_quantity FROM price_list_prices WHERE price_list_id = $1", euros)
    keys = [price_lists.PriceKey(uuid.UUID(str(row["variant_id"])), row["min_quantity"]) for row in gone]
    await price_lists.set_prices(euros, [], keys[:4])
    await kept()
    await db.execute("UPDATE markets SET price_list_id = NULL")
    assert await db.fetchval("SELECT count(*) FROM price_list_products") > 0
    await price_lists.delete_price_list(euros)
    assert await db.fetchval("SELECT count(*) FROM price_list_products") == 0


async def test_own_prices_that_are_set_at_once_leave_the_lowest(api: Api) -> None:
    await shop.shop()
    euros = await markets.price_list("EUR", rate="0.9")
    pen = await catalogue.product(price_minor=100_00, options={"Size": ["S", "L"]})
    small, large = pen.variant_ids
    async with db.unit_of_work():
        await markets.prices(euros, small, {1: ("1.00", "EUR")})
        setting = markets.prices(euros, large, {1: ("5.00", "EUR")})
        other = asyncio.create_task(setting, context=contextvars.Context())
        while not await db.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            await asyncio.sleep(0.01)
    await other
    assert await db.fetchval("SELECT lowest_minor FROM price_list_products") == 1_00
    await kept()


async def test_a_list_that_changes_waits_for_variants_that_come_back(api: Api) -> None:
    await shop.shop()
    euros = await markets.price_list("EUR", rate="0.9")
    pen = await catalogue.product(price_minor=100_00, options={"Size": ["S", "L"]})
    small = pen.variant_ids[0]
    await markets.prices(euros, small, {1: ("95.00", "EUR")})
    await db.execute("UPDATE product_variants SET removed_at = now() WHERE id = $1", small)
    async with db.unit_of_work():
        await db.execute("UPDATE product_variants SET removed_at = NULL WHERE id = $1", small)
        changing = price_lists.update_price_list(euros, {"exchange_rate": Decimal("0.5")})
        other = asyncio.create_task(changing, context=contextvars.Context())
        while not other.done() and not await db.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            await asyncio.sleep(0.01)
    await other
    assert await db.fetchval("SELECT lowest_minor FROM price_list_products") == 50_00
    await kept()
