"""Figures, stages and expectations follow orders and the time, one person at a time."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import db, invariants
from app.customers import lifecycle
from app.orders.cancellation import cancel_order
from app.orders.collecting import mark_as_paid
from tests.client import Api
from tests.factories import catalogue, checkout, customers
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]


async def row_of(profile_id: uuid.UUID) -> dict[str, Any]:
    return dict(await db.fetchrow("SELECT * FROM profiles WHERE id = $1", profile_id) or {})


async def buyer() -> dict[str, Any]:
    return dict(await db.fetchrow("SELECT * FROM profiles WHERE email = $1", checkout.EMAIL) or {})


async def told(profile_id: uuid.UUID) -> list[str]:
    """What `profile.updated` named, event by event."""
    rows = await db.fetch(
        "SELECT data->>'changed' AS changed FROM profile_events WHERE profile_id = $1 AND type = 'profile.updated' "
        "ORDER BY id",
        profile_id,
    )
    return [row["changed"] for row in rows]


@pytest.fixture
async def product(clean_database: None) -> MadeProduct:
    await checkout.shop_that_ships()
    return await catalogue.product(price_minor=2000)


async def test_an_order_makes_a_lead_a_customer(api: Api, product: MadeProduct, drain: Drain) -> None:
    lead = await customers.profile(email=checkout.EMAIL)
    assert (await row_of(lead))["stage"] == "LEAD"
    await checkout.placed(api, (product, 1))
    await drain()
    after = await row_of(lead)
    assert (after["stage"], after["order_count"], after["total_spent_minor"]) == ("FIRST_TIME", 1, 2599)
    assert after["lapses_at"] == after["last_order_at"] + timedelta(days=60)
    assert (after["recency_score"], after["frequency_score"], after["monetary_score"]) == (5, 1, 1)
    assert "stage" in (await told(lead))[-1].split(",")
    assert await invariants.check() == []


async def test_a_cancelled_order_takes_its_figures_back(api: Api, product: MadeProduct, drain: Drain) -> None:
    await checkout.placed(api, (product, 1))
    await drain()
    order = await db.fetchrow("SELECT id, profile_id FROM orders")
    assert order
    await cancel_order(order["id"], None)
    await drain()
    after = await row_of(order["profile_id"])
    assert (after["stage"], after["order_count"], after["total_spent_minor"]) == ("LEAD", 0, 0)
    assert (after["last_order_at"], after["lapses_at"], after["recency_score"]) == (None, None, None)
    assert await db.fetchval("SELECT sum(profiles) FROM figure_counts") == 0
    assert await db.fetchval("SELECT count(*) FROM timers WHERE kind = 'profile.stage_due'") == 0
    assert await invariants.check() == []


async def test_orders_of_more_than_64_bits_together_are_counted(api: Api, product: MadeProduct, drain: Drain) -> None:
    dear = await catalogue.product(price_minor=10**15, stock=None)
    for _ in range(2):
        await checkout.placed(api, (dear, 9000), payment=checkout.CASH)
    await drain()
    after = await buyer()
    assert (after["stage"], after["order_count"], after["total_spent_minor"]) == ("ACTIVE", 2, 2**63 - 1)
    assert await invariants.check() == []


async def test_time_alone_makes_somebody_lapse(api: Api, product: MadeProduct, drain: Drain, advance: Advance) -> None:
    await checkout.placed(api, (product, 1))
    await drain()
    await advance("P59D")
    assert (await buyer())["stage"] == "FIRST_TIME"
    await advance("P2D")
    after = await buyer()
    assert (after["stage"], after["recency_score"]) == ("LAPSED", 2)
    assert (await told(after["id"]))[-1] == "stage,recencyScore"
    await checkout.placed(api, (product, 1))
    await drain()
    assert (await buyer())["stage"] == "ACTIVE"


async def test_who_buys_regularly_is_at_risk_when_their_own_time_is_over(product: MadeProduct, drain: Drain) -> None:
    regular = await customers.profile(email="ada@example.com")
    for ago in (34, 24, 14):
        await customers.past_order(regular, (product.variant_id, 1), ago=timedelta(days=ago))
    after = await row_of(regular)
    assert (after["stage"], after["order_count"]) == ("AT_RISK", 3)
    assert after["median_interval_seconds"] == pytest.approx(timedelta(days=10).total_seconds(), abs=60)
    assert after["next_order_expected_at"] == pytest.approx(
        after["last_order_at"] + timedelta(days=10), abs=timedelta(minutes=1)
    )
    assert after["lapses_at"] == pytest.approx(after["last_order_at"] + timedelta(days=15), abs=timedelta(minutes=1))


async def test_two_orders_of_one_day_are_one_occasion(product: MadeProduct) -> None:
    somebody = await customers.profile(email="ada@example.com")
    for ago in (timedelta(hours=3), timedelta(hours=1)):
        await customers.past_order(somebody, (product.variant_id, 1), ago=ago)
    after = await row_of(somebody)
    assert (after["stage"], after["order_count"], after["median_interval_seconds"]) == ("ACTIVE", 2, None)
    assert after["lapses_at"] == after["last_order_at"] + timedelta(days=60)


async def test_a_first_buyer_is_expected_when_others_bought_the_product_again(
    api: Api, product: MadeProduct, drain: Drain, advance: Advance
) -> None:
    for number in range(3):
        other = await customers.profile(email=f"other-{number}@example.com")
        for ago in (60, 30):
            order_id = await customers.past_order(other, (product.variant_id, 1), ago=timedelta(days=ago))
            await lifecycle.note_reorders(order_id)
    await checkout.placed(api, (product, 1))
    await drain()
    after = await buyer()
    assert after["next_order_expected_at"] == pytest.approx(
        after["last_order_at"] + timedelta(days=30), abs=timedelta(minutes=1)
    )
    await advance("P31D")
    assert (await buyer())["stage"] == "AT_RISK"


async def test_dormant_ends_with_an_order(api: Api, product: MadeProduct, drain: Drain, advance: Advance) -> None:
    await checkout.placed(api, (product, 1))
    await drain()
    profile_id = (await buyer())["id"]

    async def mark() -> bool:
        async with db.unit_of_work():
            return await lifecycle.mark_dormant(profile_id)

    assert not await mark(), "who has not lapsed is not given up"
    await advance("P61D")
    assert await mark()
    await advance("P90D")
    assert (await row_of(profile_id))["stage"] == "DORMANT"
    await checkout.placed(api, (product, 1))
    await drain()
    assert (await row_of(profile_id))["stage"] == "ACTIVE"


async def test_scores_stand_against_all_customers(product: MadeProduct) -> None:
    people = [await customers.profile(email=f"customer-{number}@example.com") for number in range(10)]
    for number, profile_id in enumerate(people):
        await customers.past_order(profile_id, (product.variant_id, 1), price_minor=1000 * 2**number)
    for profile_id in people:
        async with db.unit_of_work():
            await lifecycle.refresh(profile_id)
    scores = [(await row_of(profile_id))["monetary_score"] for profile_id in people]
    assert scores == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert await db.fetchval("SELECT sum(profiles) FROM figure_counts WHERE figure = 'MONETARY'") == 10


async def test_the_cost_is_that_of_one_person(product: MadeProduct) -> None:
    """However many others there are, and however many orders they have."""

    async def cost(profile_id: uuid.UUID) -> int:
        with db.counted_statements() as statements:
            async with db.unit_of_work():
                await lifecycle.refresh(profile_id)
        return len(statements)

    somebody = await customers.profile(email="ada@example.com")
    await customers.past_order(somebody, (product.variant_id, 1))
    before = await cost(somebody)
    for number in range(20):
        other = await customers.profile(email=f"other-{number}@example.com")
        await customers.past_order(other, (product.variant_id, 1))
    assert await cost(somebody) <= before + 1, "the score may have moved, nothing else"


async def test_who_pays_replaces_their_number(api: Api, product: MadeProduct, drain: Drain) -> None:
    lead = await customers.profile(email=checkout.EMAIL, phone="+14155550100")
    await checkout.placed(api, (product, 1), phone="+14155550199", payment=checkout.CASH)
    await drain()
    assert (await row_of(lead))["phone"] == "+14155550100", "typing it is not enough"
    order_id = await db.fetchval("SELECT id FROM orders")
    await mark_as_paid(order_id)
    await drain()
    assert (await row_of(lead))["phone"] == "+14155550199"
    assert (await told(lead))[-1] == "phone"
