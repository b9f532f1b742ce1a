"""Who somebody is, and what joins whom."""

import uuid

import pytest

from app import db
from app.customers import identification, timeline
from app.kit.ids import new_id
from tests.factories import cart as carts
from tests.factories import catalogue, customers
from tests.factories.shop import shop


@pytest.fixture(autouse=True)
async def _empty(clean_database: None) -> None:
    await shop()


async def living_profiles() -> int:
    count: int = await db.fetchval("SELECT count(*) FROM profiles WHERE merged_into_id IS NULL")
    return count


async def test_an_email_is_found_again_whatever_its_case() -> None:
    first = await customers.profile(email="ada@example.com")
    assert await customers.profile(email="Ada@Example.com", first_name="Ada") == first
    assert await db.fetchval("SELECT first_name FROM profiles") == "Ada"
    assert await living_profiles() == 1


async def test_a_phone_alone_finds_only_who_has_no_email() -> None:
    known = await customers.profile(email="ada@example.com", phone="+14155550100")
    by_phone = await customers.profile(phone="+14155550100")
    assert by_phone != known
    assert await customers.profile(phone="+14155550100") == by_phone


async def test_what_is_typed_replaces_nothing() -> None:
    profile_id = await customers.profile(email="ada@example.com", phone="+14155550100", first_name="Ada")
    await customers.profile(email="ada@example.com", phone="+14155550199", first_name="Eve", last_name="Lovelace")
    row = await db.fetchrow("SELECT phone, first_name, last_name FROM profiles WHERE id = $1", profile_id)
    assert dict(row or {}) == {"phone": "+14155550100", "first_name": "Ada", "last_name": "Lovelace"}


async def test_an_anonymous_visitor_becomes_known_with_all_that_it_did() -> None:
    product = await catalogue.product()
    visitor_id, before = await customers.visitor()
    await customers.viewed(before, product.id)
    async with db.unit_of_work():
        known = await identification.identify(email="ada@example.com", visitor_id=visitor_id, source="NEWSLETTER")
    assert await identification.living(before) == known
    assert await db.fetchval("SELECT profile_id FROM visitors WHERE id = $1", visitor_id) == known
    assert await db.fetchval("SELECT profile_id FROM profile_events WHERE type = 'product.viewed'") == known
    assert await living_profiles() == 1


async def test_a_shared_device_moves_the_visitor_and_no_history() -> None:
    product = await catalogue.product()
    visitor_id, _ = await customers.visitor()
    async with db.unit_of_work():
        ada = await identification.identify(email="ada@example.com", visitor_id=visitor_id, source="NEWSLETTER")
    await customers.viewed(ada, product.id)
    async with db.unit_of_work():
        bob = await identification.identify(email="bob@example.com", visitor_id=visitor_id, source="NEWSLETTER")
    assert bob != ada
    assert await db.fetchval("SELECT profile_id FROM visitors WHERE id = $1", visitor_id) == bob
    assert await db.fetchval("SELECT profile_id FROM profile_events WHERE type = 'product.viewed'") == ada


async def test_a_number_that_somebody_else_bought_with_is_not_taken_over_by_typing_it() -> None:
    product = await catalogue.product()
    theirs = await customers.profile(phone="+14155550100")
    order_id = await customers.past_order(theirs, (product.variant_id, 1))
    cart = await carts.cart((product.variant_id, 1))
    async with db.unit_of_work():
        await identification.identify(phone="+14155550100", cart_id=cart.id, source="CART")
    async with db.unit_of_work():
        eve = await identification.identify(
            email="eve@example.com", phone="+14155550100", cart_id=cart.id, cart_profile_id=theirs, source="CART"
        )
    assert eve != theirs
    assert await identification.living(theirs) == theirs
    assert await db.fetchval("SELECT profile_id FROM orders WHERE id = $1", order_id) == theirs
    assert await db.fetchval("SELECT profile_id FROM carts WHERE id = $1", cart.id) == eve


async def test_a_number_known_from_this_cart_alone_joins_the_email_given_later() -> None:
    product = await catalogue.product()
    cart = await carts.cart((product.variant_id, 1))
    async with db.unit_of_work():
        before = await identification.identify(phone="+14155550100", cart_id=cart.id, source="CART")
    async with db.unit_of_work():
        known = await identification.identify(
            email="ada@example.com", cart_id=cart.id, cart_profile_id=before, source="CART"
        )
    assert await identification.living(before) == known
    row = await db.fetchrow("SELECT email, phone FROM profiles WHERE id = $1", known)
    assert dict(row or {}) == {"email": "ada@example.com", "phone": "+14155550100"}


async def living_run(profile_id: uuid.UUID, flow_id: uuid.UUID, key: str) -> uuid.UUID:
    run_id = new_id()
    await db.execute(
        """
        INSERT INTO flow_runs (id, flow_id, version_id, profile_id, key, status, revision, in_holdout, trigger_type,
                               trigger_event_id, trigger, state, entered_at)
        VALUES ($1, $2, $2, $3, $4, 'ACTIVE', 0, false, 'product.viewed', $1, '{}', '{}', business_now())
        """,
        run_id,
        flow_id,
        profile_id,
        key,
    )
    return run_id


async def test_of_two_runs_of_one_flow_about_the_same_the_newer_ends() -> None:
    flow_id, visitor_id = new_id(), new_id()
    known = await customers.profile(email="ada@example.com")
    async with db.unit_of_work():
        before = await identification.anonymous(visitor_id)
    first = await living_run(known, flow_id, "mug")
    second = await living_run(before, flow_id, "mug")
    other = await living_run(before, flow_id, "plate")
    async with db.unit_of_work():
        await identification.identify(email="ada@example.com", visitor_id=visitor_id, source="NEWSLETTER")
    rows = await db.fetch("SELECT id, profile_id, status, exit_reason FROM flow_runs")
    assert {row["profile_id"] for row in rows} == {known}
    ended = {row["id"]: (row["status"], row["exit_reason"]) for row in rows}
    assert ended == {first: ("ACTIVE", None), second: ("EXITED", "MERGED"), other: ("ACTIVE", None)}


async def test_what_is_recorded_for_a_merged_profile_lands_on_the_living_one() -> None:
    visitor_id, before = await customers.visitor()
    async with db.unit_of_work():
        known = await identification.identify(email="ada@example.com", visitor_id=visitor_id, source="NEWSLETTER")
    async with db.unit_of_work():
        event_id = await timeline.record("search.performed", profile_id=before, data={"query": "mug"})
    assert await db.fetchval("SELECT profile_id FROM profile_events WHERE id = $1", event_id) == known
    async with db.unit_of_work():
        assert await identification.lock(before) == known
