"""What is kept for how long: nothing that is too old, and everything that somebody still needs."""

from typing import Any

import pytest

from app import db, invariants
from app.events import timers
from app.kit.ids import new_id
from app.privacy import keeping, retention
from app.privacy.retention import PERIODS, RetentionKind
from app.privacy.sweeps import OWN_SWEEPERS, SWEEPS
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, orders
from tests.factories import cart as carts
from tests.service.test_cli import tradewind
from tests.stories.shopper import Drain

PERIOD = """mutation ($kind: RetentionKind!, $days: Int) {
    retentionPeriodUpdate(kind: $kind, days: $days) {
        retentionPeriod { days defaultDays updatedAt } userErrors { code field }
    }
}"""


async def older(table: str, days: int, *columns: str) -> None:
    moved = ", ".join(f"{column} = {column} - interval '{days} days'" for column in columns)
    async with db.unit_of_work():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute(f'UPDATE "{table}" SET {moved}')


def test_every_kind_is_enforced_and_says_why() -> None:
    assert {sweep.kind for sweep in SWEEPS} | OWN_SWEEPERS == set(RetentionKind) == set(PERIODS)
    for period in PERIODS.values():
        assert period.what
        assert period.why
        assert 0 <= period.least <= period.days


async def test_a_round_on_an_empty_shop_reaches_nothing(clean_database: None) -> None:
    assert await keeping.enforce() == {}
    assert all(count == 0 for _, count in await keeping.due())


async def test_a_cart_goes_when_nobody_came_back_and_stays_while_somebody_waits_for_it(api: Api) -> None:
    await checkout.shop_that_ships()
    product = await catalogue.product()
    abandoned = await carts.cart((product.variant_id, 1))
    paying = await carts.cart((product.variant_id, 1))
    await db.execute(
        """
        INSERT INTO checkout_attempts (id, cart_id, idempotency_key, fingerprint, state, created_at)
        VALUES ($1, $2, 'k', '', 'REQUIRES_ACTION', now())
        """,
        new_id(),
        paying.id,
    )
    await older("carts", 91, "updated_at")
    fresh = await carts.cart((product.variant_id, 1))
    assert {sweep.kind: count for sweep, count in await keeping.due() if count} == {RetentionKind.ABANDONED_CARTS: 1}
    assert await keeping.enforce() == {RetentionKind.ABANDONED_CARTS: 1}
    left = {row["id"] for row in await db.fetch("SELECT id FROM carts")}
    assert left == {paying.id, fresh.id}, abandoned.id
    assert await keeping.enforce() == {}


async def test_the_books_of_an_old_order_stay_and_its_person_goes(api: Api, staff_token: str) -> None:
    await checkout.shop_that_ships()
    await checkout.placed(api)
    await db.execute("UPDATE orders SET placed_at = placed_at - interval '3651 days'")
    assert RetentionKind.ORDERS not in await keeping.enforce(), "it is still open"
    await orders.rewrite(
        "UPDATE orders SET status = 'CANCELLED', payment_status = 'VOIDED', cancelled_at = now(), note = 'ring twice'"
    )
    gone = await keeping.enforce()
    assert gone[RetentionKind.ORDERS] >= 1
    order = await db.fetchrow("SELECT email, note, total_minor, shipping_address::text AS address FROM orders")
    assert order is not None
    assert (order["email"], order["note"]) == (None, None)
    assert order["total_minor"] > 0
    assert "Lovelace" not in order["address"]
    assert '"US"' in order["address"]
    assert RetentionKind.ORDERS not in await keeping.enforce()


async def test_visitors_whom_nobody_knows_go_with_what_they_did(api: Api) -> None:
    visitor = (await api.ok("mutation { visitorCreate { visitorId } }"))["visitorCreate"]["visitorId"]
    product = await catalogue.product()
    await api.ok(
        "mutation ($i: EventsTrackInput!) { eventsTrack(input: $i) { userErrors { code } } }",
        {"i": {"visitorId": visitor, "events": [{"type": "PRODUCT_VIEWED", "productId": product.gid}]}},
    )
    account = await accounts.signed_in()
    await older("profiles", 401, "created_at", "updated_at", "last_seen_at")
    await timers.schedule("profile.stage_due", subject_id=new_id(), due_at=await db.fetchval("SELECT now()"))
    assert await keeping.enforce() == {RetentionKind.ANONYMOUS_PROFILES: 1}
    assert [row["id"] for row in await db.fetch("SELECT id FROM profiles")] == [account.profile_id]
    assert await db.fetchval("SELECT count(*) FROM visitors") == 0
    assert await db.fetchval("SELECT count(*) FROM profile_events WHERE type = 'product.viewed'") == 0
    assert [str(violation) for violation in await invariants.check() if "stage" not in violation.name] == []


async def test_claims_of_addresses_and_their_sessions_go(clean_database: None) -> None:
    owner = await accounts.signed_in("anna@shopper.example")
    await accounts.signed_in("anna@shopper.example", verified=False)
    await older("customers", 31, "created_at")
    assert await keeping.enforce() == {RetentionKind.UNVERIFIED_ACCOUNTS: 1}
    assert [row["id"] for row in await db.fetch("SELECT id FROM customers")] == [owner.id]
    assert await db.fetchval("SELECT count(*) FROM sessions") == 1


async def test_what_a_lapsed_claim_did_is_a_guests_again(api: Api, drain: Drain) -> None:
    """Else its orders would be nobody's: no export would hold them, and no erasure reach them."""
    await checkout.shop_that_ships()
    claim = await accounts.signed_in("anna@shopper.example", verified=False)
    product = await catalogue.product()
    card = {"method": "CARD", "gateway": "test", "token": "tok_success", "save": True}
    given = await checkout.ready_input(api, (product, 1), payment=card)
    assert (await checkout.complete(api, given, token=claim.token))["order"]
    await carts.cart((product.variant_id, 1))
    await db.execute("UPDATE carts SET customer_id = $1 WHERE state = 'OPEN'", claim.id)
    assert await db.fetchval("SELECT count(*) FROM saved_payment_methods") == 1
    await older("customers", 31, "created_at")
    assert await keeping.enforce() == {RetentionKind.UNVERIFIED_ACCOUNTS: 1}
    await drain()
    for table in ("orders", "carts"):
        assert [row["customer_id"] for row in await db.fetch(f"SELECT customer_id FROM {table}")].count(claim.id) == 0
    assert await db.fetchval("SELECT count(*) FROM saved_payment_methods") == 0, "its gateway has forgotten it"
    assert [str(violation) for violation in await invariants.check()] == []


async def test_what_a_run_under_way_has_done_stays_until_it_ends(clean_database: None) -> None:
    flow_id, run_id = new_id(), new_id()
    async with db.unit_of_work():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute(
            """
            INSERT INTO flow_run_steps (id, run_id, flow_id, step_key, kind, outcome, detail, at)
            VALUES ($1, $2, $3, 'later', 'wait', 'DONE', '{"until": "x"}', business_now() - interval '10 years')
            """,
            new_id(),
            run_id,
            flow_id,
        )
    assert await keeping.enforce() == {}


async def test_the_audit_log_lets_go_of_what_is_old_and_of_nothing_else(clean_database: None) -> None:
    for days in (1, 731):
        await db.execute(
            """
            INSERT INTO audit_entries (id, occurred_at, actor_kind, actor_name, action, outcome)
            VALUES ($1, clock_timestamp() - $2 * interval '1 day', 'STAFF', 'Olive', 'productUpdate', 'DONE')
            """,
            new_id(),
            days,
        )
    await db.execute(
        "INSERT INTO audit_changes (entry_id, table_name, row_id, operation) SELECT id, 'products', 'x', 'UPDATE' "
        "FROM audit_entries"
    )
    assert await keeping.enforce() == {RetentionKind.AUDIT_LOG: 2}
    assert await db.fetchval("SELECT count(*) FROM audit_entries") == 1
    assert await db.fetchval("SELECT count(*) FROM audit_changes") == 1


async def test_staff_change_a_period_within_what_others_need(api: Api, staff_token: str) -> None:
    async def update(days: int | None) -> Any:
        answer = await api.query(PERIOD, {"kind": "EVENTS", "days": days}, token=staff_token)
        assert answer.data
        return answer.data["retentionPeriodUpdate"]

    assert (await update(45))["retentionPeriod"]["days"] == 45
    assert await retention.days_of(RetentionKind.EVENTS) == 45
    for wrong in (20, 0, -1, 36_501):
        refused = await update(wrong)
        assert refused["userErrors"] == [{"code": "INVALID", "field": ["days"]}], wrong
    assert await retention.days_of(RetentionKind.EVENTS) == 45
    back = await update(None)
    assert back["retentionPeriod"] == {"days": 30, "defaultDays": 30, "updatedAt": None}
    shown = await api.ok("{ retentionPeriods { kind days leastDays description reason } }", token=staff_token)
    assert len(shown["retentionPeriods"]) == len(RetentionKind)


async def test_the_command_counts_and_touches_nothing(clean_database: None) -> None:
    await accounts.signed_in("anna@shopper.example", verified=False)
    await older("customers", 31, "created_at")
    code, said = tradewind("retention")
    assert code == 0, said
    line = next(line for line in said.splitlines() if line.startswith("UNVERIFIED_ACCOUNTS"))
    assert line.split() == ["UNVERIFIED_ACCOUNTS", "30", "days", "customers", "1"]
    assert await db.fetchval("SELECT count(*) FROM customers") == 1


@pytest.mark.parametrize("place", range(len(SWEEPS)), ids=lambda place: f"{place}-{SWEEPS[place].step.table}")
async def test_every_sweep_can_be_made(clean_database: None, place: int) -> None:
    async with db.unit_of_work():
        await db.execute(SWEEPS[place].step.change, [])
