"""Conditions asked about people, as flows and segments ask them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from app import db
from app.conditions.checking import check
from app.conditions.errors import ConditionFailed
from app.conditions.evaluation import answer_all, evaluate, holds, select
from app.customers import timeline
from app.customers.models import ConsentAction
from app.messaging.models import MessageChannel
from tests.factories import cart as carts
from tests.factories import catalogue, customers, inventory, orders
from tests.factories.shop import shop

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop()


async def ask(source: str, profile_id: uuid.UUID) -> bool:
    """The answer to a condition about somebody, without event and run."""
    return await evaluate(check(source), profile_id=profile_id)


async def answers(profile_id: uuid.UUID, *sources: str) -> dict[str, bool]:
    given = (await answer_all([check(source) for source in sources], [profile_id]))[profile_id]
    return {source: answer.holds for source, answer in zip(sources, given, strict=True)}


async def all_hold(profile_id: uuid.UUID, *sources: str) -> None:
    found = await answers(profile_id, *sources)
    assert [source for source, answer in found.items() if not answer] == []


async def change(profile_id: uuid.UUID, **columns: Any) -> None:
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 2))
    await db.execute(f"UPDATE profiles SET {sets} WHERE id = $1", profile_id, *columns.values())


async def properties(profile_id: uuid.UUID, **values: Any) -> None:
    await change(profile_id, properties=orjson.dumps(values).decode())


async def happens(profile_id: uuid.UUID, event_type: str, ago: timedelta = timedelta(0), **ids: Any) -> None:
    async with db.unit_of_work():
        event_id = await timeline.record(event_type, profile_id=profile_id, **ids)
    await db.execute("UPDATE profile_events SET occurred_at = occurred_at - $2::interval WHERE id = $1", event_id, ago)


async def test_a_person_is_known_by_their_columns() -> None:
    ada = await customers.profile(email="Ada@example.com", phone="+491701234567", country_code="DE", first_name="Ada")
    await change(ada, total_spent_minor=1990, order_count=2, median_interval_seconds=86_400 * 7)
    await all_hold(
        ada,
        "customer.known && customer.email == 'ada@example.com' && customer.email.endsWith('@example.com')",
        "customer.phone.startsWith('+49') && customer.firstName.lower() == 'ada'",
        "customer.countryCode in ['DE', 'AT', 'CH'] && customer.stage == 'LEAD'",
        "customer.totalSpent == 19.9 && customer.totalSpentMinor == 1990",
        "customer.medianIntervalDays == 7 && customer.createdAt <= now",
        f"customer.id == '{ada}'",
    )


async def test_whole_numbers_and_doubles_go_together() -> None:
    ada = await customers.profile()
    await change(ada, total_spent_minor=4500, order_count=2)
    await all_hold(
        ada,
        "customer.orderCount * 1.5 == 3.0",
        "customer.totalSpent / customer.orderCount > 20",
        "customer.totalSpent - customer.orderCount == 43",
        "customer.orderCount > 1.5 && 1 < 1.5 && 7 / 2 == 3 && 7 % 2 == 1 && -7 / 2 == -3",
        "[1, 2.5].exists(x, x > 2)",
        "(customer.known ? 1 : 2.5) == 1",
    )


async def test_what_is_missing_is_null_and_no_fault() -> None:
    nobody = await customers.profile(email="a@example.com")
    await all_hold(
        nobody,
        "customer.phone == null && !has(customer.phone) && has(customer.email)",
        "!(customer.phone == 'a') && customer.phone != 'a'",
        "!customer.phone.startsWith('+') && !customer.phone.contains('') && size(customer.phone) == 0",
        # Missing text is empty text.
        "customer.phone == '' && !(customer.phone != '') && customer.email != ''",
        "!(customer.lastOrderAt < now) && !(customer.lastOrderAt > now) && customer.lastOrderAt == null",
        "!(customer.recencyScore > 3) && !(customer.recencyScore <= 3)",
        "!(customer.recencyScore + 1 > 0) && !(customer.medianIntervalDays * 2 < 5)",
        "!(now - customer.lastOrderAt > duration('P1D')) && !customer.orderedSince(customer.lastOrderAt)",
        "customer.lastOrderAt.getMonth() == null",
        "customer.properties.vip == null && !customer.properties.vip && !has(customer.properties['vip'])",
        "!(customer.properties.age > 18) && !(customer.properties.birthday < now)",
        "customer.lastEventAt('order.placed') == null && customer.eventCount('order.placed') == 0",
        "(customer.phone == null ? customer.email : customer.phone) == 'a@example.com'",
    )


async def test_properties_are_read_as_what_they_meet() -> None:
    ada = await customers.profile()
    await properties(ada, vip=True, age=36, size="M", birthday="1990-05-10", odd=[1], score=4.5)
    await all_hold(
        ada,
        "customer.properties.vip && customer.properties['vip'] == true",
        "customer.properties.age > 18 && customer.properties.age + 1 == 37 && customer.properties.score * 2 == 9",
        "customer.properties.size == 'M' && customer.properties.size.lower() == 'm'",
        "customer.properties.birthday < now && customer.properties.birthday.getMonth() == 4",
        "customer.properties.birthday + duration('P1D') == timestamp('1990-05-11')",
        # A value of another type than the one that is asked for is missing.
        "!(customer.properties.size > 3) && !(customer.properties.age == 'M') && !customer.properties.size",
        "customer.properties.odd == null",
        "int(customer.properties.age) == 36 && string(customer.properties.vip) == 'true'",
        "double('2.5') == 2.5 && int('x') == null",
    )


async def test_text_is_counted_in_characters() -> None:
    ada = await customers.profile(first_name="Zoë")
    await all_hold(ada, "customer.firstName.size() == 3", "size('äöü') == 3", "'\\u00e4' == 'ä' && r'a\\b' == 'a\\\\b'")


async def test_moments_have_parts_on_every_clock() -> None:
    ada = await customers.profile()
    await change(ada, last_order_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    await all_hold(
        ada,
        "customer.lastOrderAt.getHours() == 23 && customer.lastOrderAt.getHours('Europe/Berlin') == 0",
        "customer.lastOrderAt.getDate() == 1 && customer.lastOrderAt.getDayOfMonth() == 0",
        "customer.lastOrderAt.getDate('Europe/Berlin') == 2",
        "customer.lastOrderAt.getDayOfWeek() == 0 && customer.lastOrderAt.getDayOfWeek('Asia/Tokyo') == 1",
        "customer.lastOrderAt.getMonth() == 2 && customer.lastOrderAt.getFullYear() == 2026",
        "customer.lastOrderAt.getDayOfYear() == 59 && customer.lastOrderAt.getMinutes() == 30",
        "timestamp('2026-03-02T00:30:00+01:00') == customer.lastOrderAt",
        "(customer.lastOrderAt - timestamp('2026-03-01')).getHours() == 23",
    )


async def test_orders_are_asked_about() -> None:
    ada, bob = await customers.profile(), await customers.profile()
    tea = await catalogue.product(slug="tea", product_type="Tea")
    cup = await catalogue.product(slug="cup", product_type="Cups")
    await customers.past_order(ada, (tea.variant_id, 2), ago=3 * DAY)
    cancelled = await customers.past_order(ada, (cup.variant_id, 1), ago=DAY)
    await orders.rewrite("UPDATE orders SET status = 'CANCELLED', cancelled_at = placed_at WHERE id = $1", cancelled)
    await all_hold(
        ada,
        # Who ordered has ordered, also when it was cancelled later; but nothing was bought or spent.
        "customer.orderedSince(now - duration('PT36H')) && !customer.orderedSince(now - duration('PT12H'))",
        "customer.spentIn(duration('P4D')) == 39.98 && customer.spentIn(duration('PT36H')) == 0",
        "customer.bought('tea') && !customer.bought('cup') && !customer.bought('nothing')",
        f"customer.bought('{tea.gid}') && customer.bought('{tea.id}')",
        "customer.boughtType('TEA') && !customer.boughtType('Cups')",
    )
    assert await answers(bob, "customer.orderedSince(now - duration('P9D'))", "customer.bought('tea')") == {
        "customer.orderedSince(now - duration('P9D'))": False,
        "customer.bought('tea')": False,
    }


async def test_what_they_did_is_counted_within_a_while() -> None:
    ada, bob = await customers.profile(announced=False), await customers.profile(announced=False)
    tea, cup = await catalogue.product(slug="tea"), await catalogue.product(slug="cup")
    for days in (0, 2, 6, 9):
        await happens(ada, "product.viewed", days * DAY, product_id=tea.id)
    await happens(ada, "product.viewed", DAY, product_id=cup.id)
    await happens(bob, "product.viewed", DAY, product_id=tea.id)
    await happens(ada, "coupon.issued", 59 * DAY)
    await all_hold(
        ada,
        "customer.viewCount('tea', duration('168h')) == 3 && customer.viewCount('tea') == 4",
        "customer.viewCount('cup', duration('P7D')) == 1 && customer.viewCount('none') == 0",
        "customer.eventCount('product.viewed', duration('P7D')) == 4 && customer.eventCount('product.viewed') == 5",
        "customer.eventSince('product.viewed', now - duration('PT1H')) && !customer.eventSince('product.viewed', now)",
        "customer.lastEventAt('coupon.issued') < now - duration('P58D')",
        "customer.couponIssuedSince(now - duration('P60D')) && !customer.couponIssuedSince(now - duration('P58D'))",
    )
    assert await ask("customer.viewCount('tea', duration('P7D')) == 1", bob)


async def test_counting_stops_at_a_thousand() -> None:
    ada = await customers.profile(announced=False)
    await db.execute(
        """
        INSERT INTO profile_events (id, profile_id, type, occurred_at, data)
        SELECT gen_random_uuid(), $1, 'search.performed', business_now() - n * interval '1 second', '{}'
        FROM generate_series(1, 1200) n
        """,
        ada,
    )
    assert await ask("customer.eventCount('search.performed', duration('P1D')) == 1000", ada)


async def test_open_carts_and_checkouts() -> None:
    ada = await customers.profile(email="ada@example.com")
    tea = await catalogue.product()
    empty, full = await carts.cart(), await carts.cart((tea.variant_id, 1))
    open_cart, open_checkout = "customer.hasOpenCart()", "customer.hasOpenCheckout()"
    await db.execute("UPDATE carts SET profile_id = $2 WHERE id = $1", empty.id, ada)
    assert await answers(ada, open_cart, open_checkout) == {open_cart: False, open_checkout: False}
    await db.execute("UPDATE carts SET profile_id = $2 WHERE id = $1", full.id, ada)
    assert await answers(ada, open_cart, open_checkout) == {open_cart: True, open_checkout: False}
    await db.execute(
        """
        INSERT INTO checkouts (id, cart_id, started_event_at, created_at, updated_at)
        VALUES (gen_random_uuid(), $1, business_now(), business_now(), business_now())
        """,
        full.id,
    )
    assert await answers(ada, open_cart, open_checkout) == {open_cart: True, open_checkout: True}
    await carts.complete(full.id)
    assert await answers(ada, open_cart, open_checkout) == {open_cart: False, open_checkout: False}


async def test_consent_is_the_latest_word_about_the_address() -> None:
    ada = await customers.profile(email="ada@example.com", phone="+491701234567")
    consented = "customer.consented('EMAIL')"
    assert not await ask(consented, ada)
    await customers.consent(ada, MessageChannel.EMAIL, "ada@example.com", ConsentAction.REQUESTED)
    assert not await ask(consented, ada)
    await customers.consent(ada, MessageChannel.EMAIL, "ada@example.com", ConsentAction.GRANTED)
    await all_hold(ada, consented, "!customer.consented('SMS')")
    # Somebody else with the same number has a say over that number.
    family = await customers.profile(email="bob@example.com", phone="+491701234567")
    await customers.consent(family, MessageChannel.SMS, "+491701234567", ConsentAction.GRANTED)
    assert await ask("customer.consented('SMS')", ada)
    await customers.consent(ada, MessageChannel.EMAIL, "ada@example.com", ConsentAction.REVOKED)
    assert not await ask(consented, ada)
    await customers.consent(ada, MessageChannel.EMAIL, "ada@example.com", ConsentAction.GRANTED)
    await change(ada, email="other@example.com")
    assert not await ask(consented, ada)


async def test_the_cart_that_an_event_names() -> None:
    ada = await customers.profile()
    tea = await catalogue.product(slug="tea", product_type="Tea", price_minor=1999, stock=3)
    cup = await catalogue.product(slug="cup", product_type="Cups", price_minor=500, stock=1)
    cart = await carts.cart((tea.variant_id, 2), (cup.variant_id, 1), email="ada@example.com")
    named = {"cartId": str(cart.id)}

    async def holds_now(source: str) -> bool:
        return await evaluate(check(source, event_types=["cart.updated"]), profile_id=ada, event=named)

    assert await holds_now(
        "cart.total == 44.98 && cart.totalMinor == 4498 && cart.currencyCode == 'USD' && cart.itemCount == 3"
        " && cart.isOpen && cart.hasContact && 'Tea' in cart.productTypes && size(cart.productIds) == 2"
        f" && cart.id == '{cart.id}' && cart.createdAt <= now && cart.productTypes.all(t, t in ['Tea', 'Cups'])"
    )
    assert await holds_now("checkout.startedAt == null && checkout.total == 0 && !checkout.inStock")
    # In stock as long as one line can be bought.
    await db.execute("UPDATE stock_levels SET available = 0 WHERE variant_id = $1", tea.variant_id)
    assert await holds_now("cart.inStock")
    await db.execute("UPDATE stock_levels SET available = 0")
    assert not await holds_now("cart.inStock")
    await db.execute("UPDATE product_variants SET inventory_policy = 'CONTINUE' WHERE id = $1", cup.variant_id)
    assert await holds_now("cart.inStock")
    await db.execute("UPDATE products SET status = 'ARCHIVED' WHERE id = $1", cup.id)
    assert not await holds_now("cart.inStock")
    await carts.complete(cart.id)
    assert await holds_now("!cart.isOpen")
    # One that is gone has nothing.
    gone = {"event_types": ["cart.updated"]}
    condition = check("cart.total == 0 && !cart.inStock && cart.id == null && cart.productIds.size() == 0", **gone)  # type: ignore[arg-type]
    for data in ({"cartId": str(uuid.uuid4())}, {"cartId": "nonsense"}, {}):
        assert await evaluate(condition, profile_id=ada, event=data)


async def test_the_event_names_before_the_run_does() -> None:
    ada = await customers.profile()
    tea = await catalogue.product()
    small, large = await carts.cart((tea.variant_id, 1)), await carts.cart((tea.variant_id, 4))
    condition = check("cart.itemCount == 4", event_types=["cart.updated"], in_run=True)
    run = {"cartId": str(small.id), "key": str(small.id), "enteredAt": "2026-01-01T00:00:00Z"}
    assert await evaluate(condition, profile_id=ada, event={"cartId": str(large.id)}, run=run)
    assert not await evaluate(condition, profile_id=ada, run=run)
    exit_rule = check("event.cartId != run.cartId && run.enteredAt < now", event_types=["cart.updated"], in_run=True)
    assert await evaluate(exit_rule, profile_id=ada, event={"cartId": str(large.id)}, run=run)
    assert not await evaluate(exit_rule, profile_id=ada, event={"cartId": str(small.id)}, run=run)


async def test_the_order_and_product_that_an_event_names() -> None:
    ada = await customers.profile()
    tea = await catalogue.product(slug="tea", name="Tea", product_type="Tea", tags=["green"], price_minor=1500, stock=0)
    first = await customers.past_order(ada, (tea.variant_id, 2), ago=5 * DAY)
    second = await customers.past_order(ada, (tea.variant_id, 1), ago=DAY)
    condition = check(
        "order.isFirst && order.total == 39.98 && order.itemCount == 2 && order.status == 'COMPLETED'"
        " && order.paymentStatus == 'PAID' && 'Tea' in order.productTypes && order.placedAt < now",
        event_types=["order.placed"],
    )
    assert await evaluate(condition, profile_id=ada, event={"orderId": str(first)})
    assert not await evaluate(condition, profile_id=ada, event={"orderId": str(second)})
    await orders.rewrite("UPDATE orders SET status = 'CANCELLED', cancelled_at = placed_at WHERE id = $1", first)
    returning = check("!order.isFirst", event_types=["order.placed"])
    assert not await evaluate(returning, profile_id=ada, event={"orderId": str(second)})
    for _ in range(3):
        await customers.viewed(ada, tea.id)
    browsing = check(
        "customer.viewCount(event.productId, duration('168h')) >= 3 && product.slug == 'tea' && product.name == 'Tea'"
        " && 'green' in product.tags && product.price == 15 && !product.inStock && customer.bought(product.slug)",
        event_types=["product.viewed"],
    )
    assert await evaluate(browsing, profile_id=ada, event={"productId": str(tea.id)})
    await inventory.stock(tea.variant_id, 5)
    in_stock = check("product.inStock", event_types=["product.viewed"])
    assert await evaluate(in_stock, profile_id=ada, event={"productId": str(tea.id)})


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("10 / customer.orderCount > 1", "It divides by zero."),
        ("10 % customer.orderCount > 1", "It divides by zero."),
        ("9223372036854775807 + customer.orderCount + 1 > 1", "A number or moment becomes too large."),
    ],
)
async def test_without_an_answer_there_is_a_cause_and_no_fault(source: str, cause: str) -> None:
    ada = await customers.profile()
    with pytest.raises(ConditionFailed) as caught:
        await ask(source, ada)
    assert caught.value.cause == cause
    assert await holds(check(source), profile_id=ada) is False
    (answer,) = (await answer_all([check(source)], [ada]))[ada]
    assert (answer.holds, answer.failure and answer.failure.cause) == (False, cause)


async def test_who_does_not_exist_or_was_merged_fulfils_nothing() -> None:
    ada, gone = await customers.profile(), await customers.profile()
    await change(gone, merged_into_id=ada, email=None)
    assert await select(check("true"), [ada, gone, uuid.uuid4()]) == {ada}
    assert not await holds(check("true"), profile_id=gone)
    assert await select(check("true"), []) == set()


async def test_a_batch_costs_as_many_statements_as_one_person() -> None:
    source = (
        "customer.orderedSince(now - duration('P9D')) || customer.spentIn(duration('P9D')) > 5"
        " || customer.bought('tea')"
        " || customer.eventCount('order.placed', duration('P9D')) > 1 || customer.viewCount('tea') > 2"
        " || customer.eventSince('cart.updated', now) || customer.hasOpenCart() || customer.consented('EMAIL')"
        " || customer.inSegment('vip') || customer.known"
    )
    people = [await customers.profile(announced=False) for _ in range(20)]
    with db.counted_statements() as one:
        await select(check(source), people[:1])
    with db.counted_statements() as many:
        assert await select(check(source), people) == set(people)
    assert len(one) == len(many) <= 12
    with db.counted_statements() as least:
        await select(check("customer.known"), people)
    assert len(least) == 1


@pytest.mark.parametrize(
    ("source", "turns"),
    [
        ("customer.lastOrderAt < now - duration('P10D')", 7 * DAY),
        ("now - customer.lastOrderAt > duration('P10D')", 7 * DAY),
        ("now > customer.lastOrderAt + duration('P10D')", 7 * DAY),
        ("customer.orderedSince(now - duration('P4D'))", DAY),
        ("customer.spentIn(duration('P5D')) > 0", 2 * DAY),
        ("customer.eventCount('product.viewed', duration('P3D')) > 0", 2 * DAY),
        ("customer.eventSince('product.viewed', now - duration('P3D'))", 2 * DAY),
        # The earliest of several moments; what is not asked because of what comes before it does not count.
        ("customer.lastOrderAt < now - duration('P10D') || customer.orderedSince(now - duration('P4D'))", DAY),
        ("customer.firstName == 'Bob' && customer.orderedSince(now - duration('P4D'))", None),
        ("customer.lastOrderAt < now - duration('P2D')", None),
        ("!customer.orderedSince(now - duration('P2D'))", None),
        ("customer.orderedSince(customer.createdAt)", None),
        ("customer.phone == null && now > timestamp('2020-01-01')", None),
    ],
)
async def test_when_time_alone_can_change_an_answer(source: str, turns: timedelta | None) -> None:
    ada = await customers.profile(first_name="Ada", announced=False)
    tea = await catalogue.product()
    await customers.past_order(ada, (tea.variant_id, 1), ago=3 * DAY)
    await change(ada, last_order_at=await db.fetchval("SELECT placed_at FROM orders"))
    await happens(ada, "product.viewed", DAY, product_id=tea.id)
    (answer,) = (await answer_all([check(source)], [ada]))[ada]
    if turns is None:
        assert answer.changes_at is None
        return
    assert answer.changes_at is not None
    expected = await db.fetchval("SELECT business_now()") + turns
    assert abs(answer.changes_at - expected) < timedelta(minutes=1)
    # Then it has changed.
    await db.execute(
        "INSERT INTO business_clock (id, skew_microseconds) VALUES (1, extract(epoch FROM $1::interval) * 1000000)",
        answer.changes_at - await db.fetchval("SELECT business_now()"),
    )
    assert await ask(source, ada) is not answer.holds
