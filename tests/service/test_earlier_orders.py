"""An upgraded shop: orders of before there were profiles get their people, and start nothing."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import clock, db, invariants
from app.customers import earlier_orders
from app.customers.invariants import TRUTHS
from app.flows import recipes
from tests.factories import catalogue, customers, orders, shop
from tests.factories.catalogue import MadeProduct
from tests.service.test_cli import tradewind

Drain = Callable[[], Awaitable[None]]
ADDRESS = (
    '{"first_name": "Ada", "last_name": "Lovelace", "address1": "1 Market Street", "city": "San Francisco", '
    '"province_code": "CA", "postal_code": "94103", "country_code": "US"}'
)


@pytest.fixture
async def product(clean_database: None) -> MadeProduct:
    await shop.shop()
    return await catalogue.product(price_minor=2000)


async def old_order(
    product: MadeProduct, days: int, *, email: str | None, phone: str | None = None, cancelled: bool = False
) -> uuid.UUID:
    """An order as the release before profiles left it: nobody's, and on nobody's timeline."""
    somebody = await customers.profile()
    order_id = await customers.past_order(somebody, (product.variant_id, 1), ago=timedelta(days=days))
    await orders.rewrite(
        """
        UPDATE orders SET profile_id = NULL, email = $2, phone = $3, shipping_address = $4::jsonb,
            status = CASE WHEN $5 THEN 'CANCELLED' ELSE status END,
            cancelled_at = CASE WHEN $5 THEN placed_at + interval '1 hour' END
        WHERE id = $1
        """,
        order_id,
        email,
        phone,
        ADDRESS,
        cancelled,
    )
    await db.execute("UPDATE carts SET profile_id = NULL")
    for table in ("timers", "figure_counts", "profile_events", "events"):
        await db.execute(f"DELETE FROM {table} WHERE true")
    await db.execute("DELETE FROM profiles WHERE id = $1", somebody)
    return order_id


async def buyer_of(order_id: uuid.UUID) -> dict[str, Any]:
    row = await db.fetchrow("SELECT p.* FROM orders o JOIN profiles p ON p.id = o.profile_id WHERE o.id = $1", order_id)
    assert row
    return dict(row)


async def broken() -> list[str]:
    """What is not true of people; the orders here are rows that took no stock."""
    people = {name for name, *_ in TRUTHS}
    return [found.name for found in await invariants.check() if found.name in people]


async def test_old_orders_get_their_person_with_figures_stage_and_timeline(product: MadeProduct, drain: Drain) -> None:
    first = await old_order(product, 100, email="Ada@example.com")
    second = await old_order(product, 70, email="ada@example.com", phone="+14155550123")
    gone = await old_order(product, 10, email="ada@example.com", cancelled=True)
    assert await broken() == ["order_has_its_buyer"]
    await recipes.install(publish=True)
    await drain()

    assert await earlier_orders.request() is True
    assert await earlier_orders.request() is False, "it is on its way"
    await drain()

    after = await buyer_of(first)
    assert after["id"] == (await buyer_of(second))["id"] == (await buyer_of(gone))["id"]
    assert (after["first_name"], after["country_code"], after["postal_code"]) == ("Ada", "US", "94103")
    assert (after["stage"], after["order_count"], after["total_spent_minor"]) == ("LAPSED", 2, 3998)
    assert after["median_interval_seconds"] == pytest.approx(timedelta(days=30).total_seconds(), abs=60)
    assert after["lapses_at"] == pytest.approx(after["last_order_at"] + timedelta(days=45), abs=timedelta(minutes=1))
    assert after["created_at"] == after["first_order_at"]
    assert after["last_seen_at"] < await clock.now() - timedelta(days=9)
    told = await db.fetch(
        """
        SELECT e.type, e.order_id, e.occurred_at = coalesce(o.cancelled_at, o.placed_at) AS then
        FROM profile_events e JOIN orders o ON o.id = e.order_id WHERE e.profile_id = $1 ORDER BY e.occurred_at
        """,
        after["id"],
    )
    assert [(row["type"], row["order_id"]) for row in told] == [
        ("order.placed", first),
        ("order.placed", second),
        ("order.placed", gone),
        ("order.cancelled", gone),
    ]
    assert all(row["then"] for row in told if row["order_id"] != gone)
    assert await db.fetchval("SELECT count(*) FROM product_reorders") == 1
    assert await db.fetchval("SELECT count(*) FROM flow_runs") == 0
    assert await db.fetchval("SELECT count(*) FROM events WHERE type LIKE 'order.%'") == 0
    assert await broken() == []


async def test_a_person_who_is_known_already_gets_their_old_orders(product: MadeProduct, drain: Drain) -> None:
    old = await old_order(product, 20, email="ada@example.com")
    known = await customers.profile(email="ada@example.com", first_name="Augusta", announced=False)
    await earlier_orders.request()
    await drain()
    after = await buyer_of(old)
    assert (after["id"], after["first_name"], after["last_name"]) == (known, "Augusta", "Lovelace")
    assert (after["stage"], after["order_count"]) == ("FIRST_TIME", 1)
    assert after["last_seen_at"] > await clock.now() - timedelta(minutes=5), "they have been here since"
    assert await broken() == []


async def test_who_is_known_by_a_number_alone(product: MadeProduct, drain: Drain) -> None:
    orders = [await old_order(product, days, email=None, phone="+14155550123") for days in (40, 20)]
    nobody = await old_order(product, 10, email=None)
    await earlier_orders.request()
    await drain()
    people = {(await buyer_of(order))["id"] for order in orders}
    assert len(people) == 1
    assert (await buyer_of(orders[0]))["order_count"] == 2
    assert await db.fetchval("SELECT profile_id FROM orders WHERE id = $1", nobody) is None
    assert await broken() == []


async def test_it_goes_on_batch_by_batch_and_looks_again_later(
    product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(earlier_orders, "BATCH", 2)
    orders = [await old_order(product, days, email=f"buyer-{days}@example.com") for days in (50, 40, 30, 20, 10)]
    await earlier_orders.request()
    await drain()
    assert len({(await buyer_of(order))["id"] for order in orders}) == 5
    later = await db.fetch("SELECT payload, leased_until FROM events WHERE acknowledged_at IS NULL")
    assert len(later) == 1, "a server of the release before may have placed an order meanwhile"

    left = await old_order(product, 1, email="late@example.com")
    looked = await earlier_orders.look(None)
    assert (looked.adopted, looked.through) == (1, None)
    assert (await buyer_of(left))["email"] == "late@example.com"
    await earlier_orders.ask_on(await earlier_orders.look(None), 0)
    assert await db.fetchval("SELECT count(*) FROM events WHERE type = $1", earlier_orders.WANTED) == 0, "all is done"


async def test_migrating_asks_for_it(product: MadeProduct, drain: Drain) -> None:
    order = await old_order(product, 20, email="ada@example.com")
    code, said = tradewind("migrate")
    assert code == 0, said
    await drain()
    assert (await buyer_of(order))["email"] == "ada@example.com"
