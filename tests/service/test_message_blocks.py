"""The blocks of products in a message: what can be bought, was not bought yet, and is not shown twice."""

import uuid
from datetime import timedelta
from itertools import chain

import pytest
from babel import Locale

from app import db
from app.kit.ids import new_id
from app.markets import current as markets
from app.messaging import blocks
from app.messaging.recipients import Reader
from app.settings import get_settings
from tests.factories import cart as carts
from tests.factories import catalogue, customers, orders, shop
from tests.factories.catalogue import MadeProduct

pytestmark = pytest.mark.usefixtures("clean_database")

SUGGESTING = ("recommended", "viewed", "bought_together")


@pytest.fixture
async def ada(clean_database: None) -> uuid.UUID:
    await shop.shop()
    return await customers.profile()


async def product(name: str) -> MadeProduct:
    return await catalogue.product(name=name, stock=5)


async def bought(profile_id: uuid.UUID, *products: MadeProduct, ago: timedelta = timedelta(0)) -> uuid.UUID:
    return await customers.past_order(profile_id, *((one.variant_id, 1) for one in products), ago=ago)


async def bought_by_others(*products: MadeProduct) -> None:
    await bought(await customers.profile(), *products)


async def printed(
    profile_id: uuid.UUID,
    *names: str,
    cart_id: uuid.UUID | None = None,
    order_id: uuid.UUID | None = None,
    product_id: uuid.UUID | None = None,
) -> dict[str, list[str]]:
    """Names of the products, by block."""
    around = blocks.Around(profile_id=profile_id, cart_id=cart_id, order_id=order_id, product_id=product_id)
    reader = Reader((await markets.now()).default)
    built = await blocks.build(names, around, Locale("en"), get_settings(), reader)
    return {name: [one["name"] for one in found] for name, found in built.items()}


async def test_what_somebody_looked_at_comes_latest_first_and_once(ada: uuid.UUID) -> None:
    sweater, hat = await product("Sweater"), await product("Hat")
    for seen in (sweater, hat, sweater):
        await customers.viewed(ada, seen.id)
    assert await printed(ada, "viewed") == {"viewed": ["Sweater", "Hat"]}
    assert await printed(new_id(), "viewed") == {"viewed": []}


async def test_no_product_stands_in_two_blocks(ada: uuid.UUID) -> None:
    names = ["Sweater", "Hat", "Scarf", "Socks", "Gloves", "Boots", "Belt", "Cap"]
    made = [await product(name) for name in names]
    sweater, hat, scarf = made[:3]
    for seen in (sweater, hat):
        await customers.viewed(ada, seen.id)
    for _ in range(3):
        await bought_by_others(sweater, hat, scarf)
    cart = await carts.cart((sweater.variant_id, 1))
    shown = await printed(ada, *blocks.BLOCKS, cart_id=cart.id, product_id=sweater.id)
    assert shown["left_in_cart"] == ["Sweater"]
    assert shown["viewed"] == ["Hat"]
    assert shown["bought_together"] == ["Scarf"]
    assert len(shown["recommended"]) == blocks.SUGGESTED
    everything = list(chain.from_iterable(shown.values()))
    assert sorted(everything) == sorted(set(everything))
    # Each of them alone shows what the others left to it.
    assert await printed(ada, "bought_together", cart_id=cart.id) == {"bought_together": ["Scarf", "Hat"]}


async def test_what_was_just_bought_is_in_no_block(ada: uuid.UUID) -> None:
    sweater, hat, scarf, socks = [await product(name) for name in ("Sweater", "Hat", "Scarf", "Socks")]
    for seen in (sweater, hat, scarf, socks):
        await customers.viewed(ada, seen.id)
    await bought_by_others(sweater, hat, scarf, socks)
    latest_but_one = await bought(ada, sweater, ago=timedelta(days=3))
    await bought(ada, hat, ago=timedelta(days=2))
    for order_id in (None, latest_but_one):
        shown = await printed(ada, *SUGGESTING, order_id=order_id)
        assert {"Sweater", "Hat"}.isdisjoint(chain.from_iterable(shown.values()))
        assert shown["viewed"] == ["Socks", "Scarf"]
    assert (await printed(ada, "bought_together", order_id=latest_but_one))["bought_together"] == ["Socks", "Scarf"]


async def test_a_cancelled_or_old_order_does_not_count_as_just_bought(ada: uuid.UUID) -> None:
    sweater, hat, scarf = [await product(name) for name in ("Sweater", "Hat", "Scarf")]
    for seen in (sweater, hat, scarf):
        await customers.viewed(ada, seen.id)
    await bought(ada, sweater, ago=timedelta(days=40))
    cancelled = await bought(ada, hat, ago=timedelta(days=1))
    await orders.rewrite("UPDATE orders SET status = 'CANCELLED' WHERE id = $1", cancelled)
    await bought(ada, scarf, ago=timedelta(days=35))
    # The latest order is left out however long ago it was.
    assert await printed(ada, "viewed") == {"viewed": ["Hat", "Sweater"]}


@pytest.mark.parametrize(
    "off_sale",
    [
        "UPDATE stock_levels SET available = 0 WHERE variant_id = $1",
        "UPDATE product_variants SET removed_at = now() WHERE id = $1",
        "UPDATE products SET status = 'ARCHIVED' WHERE id = (SELECT product_id FROM product_variants WHERE id = $1)",
    ],
    ids=["out of stock", "removed", "not for sale"],
)
async def test_what_cannot_be_bought_is_in_no_block(ada: uuid.UUID, off_sale: str) -> None:
    sweater, hat, scarf = [await product(name) for name in ("Sweater", "Hat", "Scarf")]
    await customers.viewed(ada, hat.id)
    await bought_by_others(sweater, hat, scarf)
    cart = await carts.cart((sweater.variant_id, 1), (hat.variant_id, 1))
    offered = await printed(ada, *blocks.BLOCKS, product_id=sweater.id)
    assert "Hat" in chain.from_iterable(offered.values())
    await db.execute(off_sale, hat.variant_id)
    for around in ({"product_id": sweater.id}, {"cart_id": cart.id}):
        shown = await printed(ada, *blocks.BLOCKS, **around)
        assert "Hat" not in chain.from_iterable(shown.values())
        assert "Scarf" in chain.from_iterable(shown.values())
