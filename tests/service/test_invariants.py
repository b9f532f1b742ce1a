"""Every truth can be broken by hand, and is then reported: a check that cannot fail would hide what it is for."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.invariants import INVARIANTS
from app.payments import refunding
from app.payments.refunding import RefundRequested
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, discounts, flows, segments
from tests.factories.fulfillments import fulfill

pytestmark = pytest.mark.long

Drain = Callable[[], Awaitable[None]]

AUTHORIZED, IN_CASH, PARTLY_SHIPPED, SHIPPED, CANCELLED, SEATS, REFUNDED = range(1001, 1008)
"""Numbers of the orders that `busy_shop` has."""

CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id) { userErrors { code } } }"


@pytest.fixture
async def busy_shop(api: Api, staff_token: str, drain: Drain) -> None:
    """Orders in every state, a checkout that was refused and one that waits for its shopper; all is well."""
    await segments.segment("buyers", "customer.known")
    await checkout.shop_that_ships()
    await discounts.discount()
    coupon = {"kind": "issue_coupon", "percentage": 5, "validFor": "P9D"}
    wait = {"kind": "delay", "period": "P1D"}
    await flows.publish("thanks", coupon, flows.MAIL, wait, trigger={"event": "order.placed"})
    lantern = await catalogue.product(stock=50)
    seat = await catalogue.product(stock=20, kind="SERVICE", requires_shipping=False)
    cash: dict[str, Any] = {"payment": checkout.CASH}
    orders = [(await checkout.placed(api, (lantern, 2), **more))["order"]["id"] for more in ({}, cash, {}, {}, {})]
    await checkout.placed(api, (seat, 2), shippingQuoteId=None, shippingAddress=None)
    line_id = await db.fetchval(f"SELECT id FROM order_lines WHERE order_id = {of(PARTLY_SHIPPED)}")
    await fulfill(api, staff_token, orders[2], lines=[{"orderLineId": f"oline_{line_id.hex}", "quantity": 1}])
    await fulfill(api, staff_token, orders[3])
    await api.ok(CANCEL, {"id": orders[4]}, token=staff_token)
    refunded = (await checkout.placed(api, (seat, 1), shippingQuoteId=None, shippingAddress=None))["order"]["id"]
    await refund_all(refunded)
    for token in ("tok_declined", "tok_requires_action"):
        given = await checkout.ready_input(api, (lantern, 3), payment={**checkout.CARD, "token": token})
        assert not (await checkout.complete(api, given))["order"]
    await carts.cart((lantern.variant_id, 1))
    await drain()
    assert await invariants.check() == []


async def refund_all(order_gid: str) -> None:
    wanted = RefundRequested(order_id=uuid.UUID(hex=order_gid.removeprefix("ord_")), everything=True)
    assert await refunding.request(wanted)


def of(number: int) -> str:
    return f"(SELECT id FROM orders WHERE number = {number})"


def taken_for(number: int) -> str:
    return f"attempt_id = (SELECT attempt_id FROM orders WHERE number = {number})"


MERGED_PROFILE = """
    INSERT INTO profiles (id, properties, stage, order_count, total_spent_minor, created_at, updated_at, merged_into_id)
    VALUES (gen_random_uuid(), '{}', 'VISITOR', 0, 0, now(), now(),
"""
GIFT_CARD = """
    INSERT INTO stored_values (id, kind, status, currency_code, created_at, updated_at, balance_minor)
    VALUES (gen_random_uuid(), 'GIFT_CARD', 'ACTIVE', 'USD', now(), now(),
"""
# Five cents that were given, and a line about them.
PART = f"""
    {GIFT_CARD} 0);
    INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, created_at)
    SELECT id, 'ISSUE', 5, now() FROM stored_values;
    INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, part_id, created_at)
    SELECT {{balance}}, '{{kind}}', {{minor}}, id, now() FROM stored_value_entries
"""

ANY_REFUND = "(SELECT id FROM refunds WHERE state <> 'FAILED' LIMIT 1)"
DISPUTE = f"""
    INSERT INTO payment_disputes (id, payment_id, gateway, reference, state, amount_minor, currency_code, refund_id,
                                  opened_at, created_at, updated_at)
    SELECT gen_random_uuid(), p.id, p.gateway, 'du_1', '{{state}}', {{amount}}, 'USD', {{refund}}, now(), now(), now()
    FROM payments p WHERE p.order_id = {of(SHIPPED)}
"""
BREAKS = {
    "stock_not_negative": [
        "ALTER TABLE stock_levels DROP CONSTRAINT stock_available; UPDATE stock_levels SET available = -1",
    ],
    "stock_reserved_by_somebody": [
        "UPDATE stock_levels SET reserved = reserved + 1",
        "UPDATE stock_levels SET backordered = 1",
    ],
    "stock_accounted_for": [
        "UPDATE stock_levels SET available = available + 1",
        "DELETE FROM stock_movements WHERE reason = 'order'",
    ],
    "checkout_lets_go_of_stock": [
        "UPDATE stock_reservations SET checkout_id = gen_random_uuid(), attempt_id = NULL WHERE state = 'HELD'",
    ],
    "stock_held_for_the_living": [
        "UPDATE checkout_attempts SET state = 'REFUSED' WHERE state = 'REQUIRES_ACTION'",
        f"UPDATE stock_reservations SET state = 'HELD' WHERE {taken_for(AUTHORIZED)}",
        # Sold to an order, and on sale again.
        f"""
        UPDATE stock_levels SET reserved = reserved - 2, available = available + 2
        WHERE id = (SELECT stock_level_id FROM stock_reservations WHERE {taken_for(AUTHORIZED)});
        UPDATE stock_reservations SET state = 'RELEASED' WHERE {taken_for(AUTHORIZED)}
        """,
        f"UPDATE orders SET status = 'CANCELLED' WHERE number = {IN_CASH}",
        f"UPDATE orders SET status = 'OPEN' WHERE number = {CANCELLED}",
        f"UPDATE orders SET status = 'COMPLETED' WHERE number = {PARTLY_SHIPPED}",
    ],
    "stock_sold_as_ordered": [
        f"DELETE FROM stock_reservations WHERE {taken_for(AUTHORIZED)}",
        f"UPDATE stock_reservations SET quantity = 3 WHERE {taken_for(AUTHORIZED)}",
        f"UPDATE stock_reservations SET variant_id = gen_random_uuid() WHERE {taken_for(AUTHORIZED)}",
        f"""
        INSERT INTO stock_reservations (id, attempt_id, stock_level_id, variant_id, quantity, backordered,
                                        shipped_quantity, state, created_at)
        SELECT gen_random_uuid(), (SELECT attempt_id FROM orders WHERE number = {SEATS}), stock_level_id, variant_id,
               1, 0, 0, 'COMMITTED', now()
        FROM stock_reservations WHERE {taken_for(AUTHORIZED)}
        """,
    ],
    "stock_left_with_the_goods": [
        f"UPDATE stock_reservations SET shipped_quantity = 0 WHERE {taken_for(PARTLY_SHIPPED)}",
        f"UPDATE stock_reservations SET shipped_quantity = 0 WHERE {taken_for(SEATS)}",
    ],
    "attempt_has_its_order": [
        f"UPDATE checkout_attempts SET state = 'REFUSED' WHERE order_id = {of(AUTHORIZED)}",
        f"UPDATE checkout_attempts SET order_id = {of(IN_CASH)} WHERE order_id = {of(AUTHORIZED)}",
        f"UPDATE orders SET attempt_id = gen_random_uuid() WHERE number = {AUTHORIZED}",
        "UPDATE carts SET state = 'OPEN'",
        "UPDATE carts SET state = 'COMPLETED'",
    ],
    "attempt_comes_to_an_end": [
        "UPDATE checkout_attempts SET hold_until = now() - interval '1 day' WHERE state = 'REQUIRES_ACTION'",
    ],
    "attempt_keeps_its_answer": [
        "UPDATE checkout_attempts SET refusal = '[]' WHERE state = 'REFUSED'",
        "UPDATE checkout_attempts SET refusal = NULL WHERE state = 'REFUSED'",
        "UPDATE checkout_attempts SET draft = '{}' WHERE state = 'SUCCEEDED'",
        "UPDATE checkout_attempts SET finished_at = NULL",
    ],
    "order_is_the_sum_of_its_lines": [
        f"DELETE FROM order_lines WHERE order_id = {of(AUTHORIZED)}",
        f"UPDATE order_lines SET total_minor = 1 WHERE order_id = {of(AUTHORIZED)}",
        f"UPDATE order_lines SET tax_minor = 1 WHERE order_id = {of(AUTHORIZED)}",
        f"UPDATE order_lines SET gift_wrap_minor = 1 WHERE order_id = {of(AUTHORIZED)}",
        f"UPDATE order_lines SET quantity = quantity + 1 WHERE order_id = {of(AUTHORIZED)}",
        "UPDATE orders SET subtotal_minor = subtotal_minor - 1, shipping_minor = shipping_minor + 1",
    ],
    "order_total_adds_up": [
        f"UPDATE orders SET shipping_minor = shipping_minor + 1 WHERE number = {AUTHORIZED}",
        f"UPDATE orders SET rounding_minor = 1 WHERE number = {AUTHORIZED}",
        f"UPDATE orders SET gift_card_minor = 1 WHERE number = {AUTHORIZED}",
        f"UPDATE orders SET amount_due_minor = NULL, store_credit_minor = 1 WHERE number = {AUTHORIZED}",
    ],
    "order_is_itemised": [
        f"""UPDATE orders SET tax_lines = '[{{"amount_minor": 1}}]' WHERE number = {AUTHORIZED}""",
        f"""UPDATE orders SET shipping_tax_lines = '[{{"amount_minor": 1}}]' WHERE number = {AUTHORIZED}""",
        f"""UPDATE orders SET stored_value = '[{{"amount_minor": 1}}]' WHERE number = {AUTHORIZED}""",
        f"""UPDATE orders SET discounts = '[{{"amount_minor": 1}}]' WHERE number = {AUTHORIZED}""",
        f"""UPDATE order_lines SET tax_lines = '[{{"amount_minor": 1}}]' WHERE order_id = {of(AUTHORIZED)}""",
        f"""UPDATE order_lines SET discounts = '[{{"amount_minor": 1}}]' WHERE order_id = {of(AUTHORIZED)}""",
    ],
    "stored_value_adds_up": [f"{GIFT_CARD} 500)"],
    "store_credit_parts": [
        PART.format(balance="stored_value_id", kind="WITHHOLD", minor=-6),
        PART.format(balance="stored_value_id", kind="RESTORE", minor=1),
        PART.format(balance="gen_random_uuid()", kind="EXPIRE", minor=-5),
    ],
    "stored_value_held_for_the_living": [
        f"""
        {GIFT_CARD} 0);
        INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, attempt_id, created_at)
        SELECT v.id, 'HOLD', -1, a.id, now() FROM stored_values v, checkout_attempts a
        WHERE a.state = 'SUCCEEDED'
        """
    ],
    "stored_value_is_the_orders": [f"UPDATE orders SET gift_card_minor = 1 WHERE number = {AUTHORIZED}"],
    "gift_cards_sold_once": [
        f"""
        {GIFT_CARD} 0);
        INSERT INTO gift_cards (id, code_hash, last_characters, initial_minor, order_id, order_line_id, unit_number,
                                created_at)
        SELECT v.id, '', 'ABCD', 1, l.order_id, l.id, 1, now() FROM stored_values v, order_lines l
        WHERE l.order_id = {of(AUTHORIZED)} LIMIT 1
        """
    ],
    "order_is_charged_what_is_due": [
        f"UPDATE payments SET amount_minor = amount_minor - 1 WHERE order_id = {of(AUTHORIZED)}",
        f"UPDATE payments SET order_id = NULL WHERE order_id = {of(IN_CASH)}",
        f"UPDATE payments SET currency_code = 'EUR' WHERE order_id = {of(IN_CASH)}",
    ],
    "money_has_its_order": [f"UPDATE payments SET order_id = NULL WHERE order_id = {of(AUTHORIZED)}"],
    "refused_money_is_given_back": ["UPDATE payments SET state = 'AUTHORIZED' WHERE state = 'FAILED'"],
    "order_and_money_go_together": [
        f"UPDATE payments SET state = 'VOIDED' WHERE order_id = {of(AUTHORIZED)}",
        f"UPDATE payments SET state = 'FAILED' WHERE order_id = {of(AUTHORIZED)}",
        f"UPDATE payments SET state = 'AUTHORIZED' WHERE order_id = {of(CANCELLED)}",
    ],
    "gateway_agrees": [
        "DELETE FROM test_gateway_payments WHERE state = 'AUTHORIZED'",
        "UPDATE test_gateway_payments SET state = 'AUTHORIZED' WHERE state = 'VOIDED'",
        "UPDATE test_gateway_payments SET captured_minor = 0 WHERE state = 'CAPTURED'",
        "UPDATE test_gateway_payments SET refunded_minor = 1 WHERE captured_minor > 0",
        "UPDATE test_gateway_payments SET amount_minor = 1 WHERE state = 'AUTHORIZED'",
        "UPDATE test_gateway_payments SET idempotency_key = id::text WHERE state = 'CAPTURED'",
    ],
    "payment_status_is_true": [
        f"UPDATE orders SET payment_status = 'PAID' WHERE number = {AUTHORIZED}",
        f"UPDATE payments SET state = 'PENDING' WHERE order_id = {of(AUTHORIZED)}",
        f"UPDATE orders SET payment_status = 'PAID' WHERE number = {REFUNDED}",
    ],
    "payment_ledger_adds_up": [
        "DELETE FROM payment_transactions WHERE kind = 'CAPTURE'",
        "DELETE FROM payment_transactions WHERE kind = 'AUTHORIZE'",
        f"UPDATE payments SET state = 'CAPTURED' WHERE order_id = {of(AUTHORIZED)}",
        f"UPDATE payments SET captured_minor = 0 WHERE order_id = {of(SHIPPED)}",
    ],
    "refund_is_of_money_that_was_taken": [
        "UPDATE refund_parts SET amount_minor = amount_minor + 1000000",
        "UPDATE payments SET refunded_minor = 0 WHERE refunded_minor > 0",
    ],
    "refund_is_the_sum_of_its_parts": [
        "UPDATE refunds SET amount_minor = amount_minor + 1",
        "UPDATE refunds SET state = 'PENDING'",
        "DELETE FROM refund_parts",
    ],
    "disputes_are_in_the_books": [
        # Lost, and nobody has taken it off the books; not lost, and taken off; more than the buyer got.
        DISPUTE.format(state="LOST", refund="NULL", amount=100),
        DISPUTE.format(state="WON", refund=ANY_REFUND, amount=10_000_000),
        DISPUTE.format(state="LOST", refund=ANY_REFUND, amount=0),
    ],
    "payment_asked_in_time": ["UPDATE payments SET state = 'VOIDING', updated_at = now() - interval '2 days'"],
    "order_shipped_as_recorded": [
        f"UPDATE order_lines SET fulfilled_quantity = 1 WHERE order_id = {of(AUTHORIZED)}",
        "DELETE FROM fulfillment_lines",
    ],
    "order_states_are_true": [
        f"UPDATE orders SET fulfillment_status = 'FULFILLED' WHERE number = {PARTLY_SHIPPED}",
        f"UPDATE orders SET status = 'OPEN' WHERE number = {SHIPPED}",
        f"UPDATE orders SET status = 'COMPLETED' WHERE number = {AUTHORIZED}",
    ],
    "order_said_once": [
        "DELETE FROM events WHERE type = 'order.placed'",
        f"UPDATE events SET subject_id = {of(AUTHORIZED)} WHERE type = 'order.placed'",
    ],
    "order_confirmed": ["DELETE FROM messages WHERE template = 'order_confirmation'"],
    "message_sent_once": [
        "ALTER TABLE messages DROP CONSTRAINT messages_dedupe_key_key; UPDATE messages SET dedupe_key = 'x'",
    ],
    "event_is_handled": ["UPDATE events SET acknowledged_at = NULL, visible_at = now() - interval '1 hour'"],
    "product_price_range": ["UPDATE products SET min_price_minor = 0"],
    "products_begin_at_their_own_prices": [
        "INSERT INTO price_list_products (price_list_id, product_id, lowest_minor, shop_minor) "
        "SELECT gen_random_uuid(), id, 1, 1 FROM products",
    ],
    "discount_uses_are_counted": [
        "UPDATE discounts SET used_count = used_count + 1",
        "DELETE FROM discount_redemptions WHERE state = 'HELD'",
    ],
    "discount_held_for_the_living": [
        "UPDATE checkout_attempts SET state = 'REFUSED' WHERE state = 'REQUIRES_ACTION'",
        "UPDATE discount_redemptions SET state = 'REDEEMED' WHERE state = 'HELD'",
        f"UPDATE orders SET status = 'CANCELLED' WHERE number = {IN_CASH}",
        f"UPDATE orders SET status = 'OPEN' WHERE number = {CANCELLED}",
    ],
    "discounts_are_the_orders": [
        f"UPDATE orders SET discounts = '[]' WHERE number = {AUTHORIZED}",
        f"UPDATE discount_redemptions SET amount_minor = 1 WHERE order_id = {of(AUTHORIZED)}",
    ],
    "segments_are_counted": [
        "UPDATE segment_counts SET members = members + 1",
        "UPDATE segment_memberships SET member = false WHERE id = (SELECT min(id) FROM segment_memberships)",
    ],
    "segments_have_the_living": [
        "UPDATE profiles SET merged_into_id = gen_random_uuid(), email = NULL, phone = NULL"
        " WHERE id = (SELECT profile_id FROM segment_memberships LIMIT 1)",
    ],
    "variant_has_its_options": ["UPDATE product_variants SET option_values = ARRAY['XXL']"],
    "order_has_its_buyer": [f"UPDATE orders SET profile_id = NULL WHERE number = {AUTHORIZED}"],
    "merged_profile_leads_to_a_living_one": [
        f"{MERGED_PROFILE} gen_random_uuid())",
        f"{MERGED_PROFILE} (SELECT id FROM profiles LIMIT 1));"
        " UPDATE profiles SET merged_into_id = id WHERE email IS NULL",
    ],
    "merged_profile_has_nothing_left": [
        f"""
        {MERGED_PROFILE} (SELECT id FROM profiles LIMIT 1));
        UPDATE {table} SET profile_id = (SELECT id FROM profiles WHERE merged_into_id IS NOT NULL)
        """
        for table in ("orders", "carts", "profile_events")
    ],
    "figures_are_those_of_the_orders": [
        "UPDATE profiles SET order_count = order_count + 1",
        "UPDATE profiles SET total_spent_minor = total_spent_minor - 1",
        "UPDATE profiles SET last_order_at = NULL",
    ],
    "every_customer_is_counted": [
        "UPDATE figure_counts SET profiles = profiles + 1 WHERE figure = 'FREQUENCY'",
        "DELETE FROM figure_counts WHERE figure = 'MONETARY'",
    ],
    "time_will_tell": ["DELETE FROM timers WHERE kind = 'profile.stage_due'"],
    "run_goes_on": ["DELETE FROM timers WHERE kind = 'flow.run_due'"],
    "finished_run_rests": ["UPDATE flow_runs SET status = 'EXITED', finished_at = now()"],
    "run_writes_once_a_step": [
        """
        DROP INDEX messages_step;
        UPDATE messages SET run_id = (SELECT id FROM flow_runs LIMIT 1), step_key = 'step-2', channel = 'EMAIL'
        """
    ],
    "run_gives_one_coupon_a_step": [
        """
        ALTER TABLE discount_codes DROP CONSTRAINT discount_codes_issued_by_key;
        UPDATE discount_codes SET issued_by = 'run:1:code' WHERE issued_by LIKE 'run:%'
        """
    ],
    "flow_has_its_version": [
        "UPDATE flows SET published_version_id = NULL",
        "UPDATE flow_versions SET published_at = NULL",
        "UPDATE flows SET status = 'DRAFT'",
    ],
    "checkout_starts_once": [
        """
        INSERT INTO profile_events (id, profile_id, type, occurred_at, data)
        SELECT gen_random_uuid(), p.id, 'checkout.started', now(), '{"checkoutId": "x"}'
        FROM profiles p, generate_series(1, 2)
        """
    ],
}


class _TakeItBack(Exception):  # noqa: N818 - no error
    pass


async def _reported_after(breaking: str) -> set[str]:
    """Names of all that is reported once `breaking` has run, which is taken back then."""
    reported = set()
    try:
        async with db.unit_of_work():
            # Some of it the database itself would refuse.
            await db.execute("SET LOCAL session_replication_role = replica")
            await db.execute(
                """
                ALTER TABLE orders DROP CONSTRAINT orders_total, DROP CONSTRAINT orders_amount_due;
                ALTER TABLE order_lines DROP CONSTRAINT order_lines_subtotal;
                """
            )
            assert await db.execute(breaking) > 0, f"this broke nothing: {breaking}"
            for invariant in INVARIANTS:
                if await db.fetch(f"SELECT * FROM ({invariant.sql}) broken LIMIT 1"):
                    reported.add(invariant.name)
            raise _TakeItBack
    except _TakeItBack:
        return reported


async def test_whatever_is_broken_by_hand_is_reported(busy_shop: None) -> None:
    unnoticed = [
        (name, breaking)
        for name, statements in BREAKS.items()
        for breaking in statements
        if name not in await _reported_after(breaking)
    ]
    assert unnoticed == []
    assert set(BREAKS) == {invariant.name for invariant in INVARIANTS}
    assert await invariants.check() == []


async def test_what_is_reported_names_the_rows(busy_shop: None) -> None:
    await db.execute(f"UPDATE orders SET payment_status = 'VOIDED' WHERE number = {AUTHORIZED}")
    (violation,) = await invariants.check()
    assert violation.name == "payment_status_is_true"
    assert [row["id"] for row in violation.rows] == [await db.fetchval(f"SELECT {of(AUTHORIZED)}")]
