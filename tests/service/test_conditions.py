"""Conditions asked about people, as flows and segments ask them."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from app import clock, db
from app.conditions.checking import check
from app.conditions.evaluation import answer_all, evaluate, holds, select
from app.conditions.errors import ConditionFailed
from app.customers import timeline
from app.messaging.models import MessageChannel
from tests.factories import cart as carts
from tests.factories import catalogue, customers
from tests.factories.shop import shop


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop()


async def asked(source: str, profile_id: uuid.UUID, **data: Any) -> bool:
    """The answer to a condition about somebody, without event and run."""
    return await evaluate(check(source), profile_id=profile_id)


async def change(profile_id: uuid.UUID, **columns: Any) -> None:
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 2))
    await db.execute(f"UPDATE profiles SET {sets} WHERE id = $1", profile_id, *columns.values())


async def happens(profile_id: uuid.UUID, event_type: str, ago: timedelta = timedelta(0), **ids: Any) -> None:
    async with db.unit_of_work():
        event_id = await timeline.record(event_type, profile_id=profile_id, **ids)
    await db.execute("UPDATE profile_events SET occurred_at = occurred_at - $2::interval WHERE id = $1", event_id, ago)


async def test_smoke() -> None:
    ada = await customers.profile(email="Ada@example.com", phone="+491701234567", consents=[MessageChannel.EMAIL])
    tea = await catalogue.product(slug="tea", product_type="Tea", stock=3)
    await customers.past_order(ada, (tea.variant_id, 2), ago=timedelta(days=3))
    for _ in range(3):
        await customers.viewed(ada, tea.id)
    await happens(ada, "coupon.issued", timedelta(days=10))
    cart = await carts.cart((tea.variant_id, 2), email="ada@example.com")
    await db.execute("UPDATE carts SET profile_id = $2 WHERE id = $1", cart.id, ada)
    for source in [
        "customer.known && customer.email.endsWith('@example.com')",
        "customer.orderedSince(now - duration('P4D')) && !customer.orderedSince(now - duration('P2D'))",
        "customer.spentIn(duration('P4D')) == 39.98",
        "customer.spentIn(duration('P2D')) == 0",
        "customer.bought('tea') && customer.boughtType('TEA') && !customer.bought('coffee')",
        f"customer.bought('{tea.gid}') && customer.bought('{tea.id}')",
        "customer.viewCount('tea', duration('P7D')) == 3 && customer.viewCount('tea') == 3",
        "customer.eventCount('product.viewed', duration('P7D')) == 3",
        "customer.eventSince('product.viewed', now - duration('PT1H'))",
        "customer.lastEventAt('product.viewed') <= now",
        "customer.couponIssuedSince(now - duration('P11D')) && !customer.couponIssuedSince(now - duration('P9D'))",
        "customer.consented('EMAIL') && !customer.consented('SMS')",
        "customer.hasOpenCart() && !customer.hasOpenCheckout()",
        "!customer.inSegment('vip')",
    ]:
        assert await asked(source, ada), source
    event = {"cartId": str(cart.id), "productId": str(tea.id)}
    types = ["cart.updated", "product.viewed"]
    source = (
        "cart.total == 39.98 && cart.totalMinor == 3998 && cart.inStock && cart.itemCount == 2 && cart.isOpen"
        " && 'Tea' in cart.productTypes && product.inStock && product.slug == 'tea' && checkout.startedAt == null"
        " && customer.viewCount(event.productId, duration('168h')) >= 3 && product.type == 'Tea' && !checkout.inStock"
    )
    assert await holds(check(source, event_types=types), profile_id=ada, event=event)
