"""What is suggested: counted from orders, and only what can be bought."""

import pytest

from app import db
from app.catalogue import recommendations
from tests.factories import catalogue, customers, orders, shop
from tests.factories.catalogue import MadeProduct

pytestmark = pytest.mark.usefixtures("clean_database")


@pytest.fixture(autouse=True)
async def shop_row(clean_database: None) -> None:
    await shop.shop()


async def order(*products: MadeProduct) -> None:
    buyer = await customers.profile()
    await customers.past_order(buyer, *((product.variant_id, 1) for product in products))


async def test_bought_together_is_what_stands_in_the_same_orders_most_often() -> None:
    sweater, hat, scarf, socks = [await catalogue.product(stock=5) for _ in range(4)]
    await order(sweater, hat)
    await order(sweater, hat, scarf)
    await order(scarf, socks)
    assert await recommendations.bought_together([sweater.id], first=4) == [hat.id, scarf.id]
    assert await recommendations.bought_together([sweater.id], exclude=[hat.id], first=4) == [scarf.id]
    assert await recommendations.bought_together([], first=4) == []


async def test_what_cannot_be_bought_now_and_what_was_cancelled_is_not_suggested() -> None:
    sweater, hat, scarf = [await catalogue.product(stock=5) for _ in range(3)]
    await order(sweater, hat)
    await order(sweater, scarf)
    await db.execute("UPDATE stock_levels SET available = 0 WHERE variant_id = $1", hat.variant_id)
    assert await recommendations.bought_together([sweater.id], first=4) == [scarf.id]
    await orders.rewrite("UPDATE orders SET status = 'CANCELLED'")
    assert await recommendations.bought_together([sweater.id], first=4) == []
    await db.execute("UPDATE products SET status = 'ARCHIVED' WHERE id = $1", scarf.id)
    assert await recommendations.popular(first=4) == [sweater.id]


async def test_suggestions_fill_up_with_what_is_related_and_popular() -> None:
    sweater, hat, scarf = [await catalogue.product(stock=5) for _ in range(3)]
    await order(sweater, hat)
    assert await recommendations.recommended([sweater.id], first=2) == [hat.id, scarf.id]


async def test_a_tag_that_nearly_everything_has_relates_nothing() -> None:
    await db.execute(
        """
        INSERT INTO products (id, slug, name, status, kind, description, description_html, tags, metadata,
                              min_price_minor, max_price_minor, created_at, updated_at)
        SELECT gen_random_uuid(), 'made-' || n, 'Made', 'ACTIVE', 'SERVICE', '', '', '{Assortment}', '{}', 0, 0,
               now(), now()
        FROM generate_series(1, 700) n
        """
    )
    hat = await catalogue.product(tags=["Assortment", "Rare"])
    scarf = await catalogue.product(tags=["Rare"])
    await catalogue.product(tags=["Assortment"])
    await db.execute("ANALYZE products")
    assert await recommendations.related([hat.id], first=4) == [scarf.id]
