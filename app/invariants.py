"""Truths about the shop, in SQL. Each statement returns the rows that break its truth: an empty answer is a good one.

Tests ask after everything that can go wrong; `tradewind invariants` asks in production. They are read from a consistent
snapshot, so that a shop at work does not look broken.
"""

from dataclasses import dataclass
from typing import Any

from app import db
from app.customers import invariants as people
from app.flows import invariants as flows
from app.promotions import invariants as promotions
from app.segments import invariants as segments

MAX_ROWS = 20
"""Offending rows that are shown of each truth."""


@dataclass(frozen=True, slots=True)
class Invariant:
    name: str
    description: str
    sql: str
    """Columns that help to find the rows: ids and numbers, no personal data."""


@dataclass(frozen=True, slots=True)
class Violation:
    name: str
    description: str
    rows: list[dict[str, Any]]

    def __str__(self) -> str:
        return f"{self.name}: {self.description} {self.rows}"


async def check() -> list[Violation]:
    """Everything that is not as it has to be; empty when all is well."""
    violations: list[Violation] = []
    async with db.unit_of_work():
        await db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for invariant in INVARIANTS:
            rows = await db.fetch(f"SELECT * FROM ({invariant.sql}) broken LIMIT {MAX_ROWS}")
            if rows:
                violations.append(Violation(invariant.name, invariant.description, [dict(row) for row in rows]))
    return violations


_STOCK = [
    Invariant(
        "stock_not_negative",
        "No level has fewer than no units.",
        """
        SELECT id, available, reserved, backordered FROM stock_levels WHERE least(available, reserved, backordered) < 0
        """,
    ),
    Invariant(
        "stock_reserved_by_somebody",
        "What a level has reserved and owes is what live reservations hold of it.",
        """
        SELECT s.id, s.reserved, s.backordered, coalesce(r.reserved, 0) AS held, coalesce(r.owed, 0) AS owed
        FROM stock_levels s
        LEFT JOIN (
            SELECT stock_level_id, sum(greatest(quantity - shipped_quantity, 0)) AS reserved,
                   sum(backordered - greatest(shipped_quantity - quantity, 0)) AS owed
            FROM stock_reservations WHERE state IN ('HELD', 'COMMITTED') GROUP BY stock_level_id
        ) r ON r.stock_level_id = s.id
        WHERE (s.reserved, s.backordered) <> (coalesce(r.reserved, 0), coalesce(r.owed, 0))
        """,
    ),
    Invariant(
        "stock_accounted_for",
        "What came in is what can be sold, is held or went out: a level's movements add up.",
        """
        SELECT s.id, s.available, coalesce(h.held, 0) AS held, coalesce(m.moved, 0) AS moved
        FROM stock_levels s
        LEFT JOIN (
            SELECT stock_level_id, sum(quantity) AS held FROM stock_reservations WHERE state = 'HELD' GROUP BY 1
        ) h ON h.stock_level_id = s.id
        LEFT JOIN (
            SELECT stock_level_id, sum(available_delta) AS moved FROM stock_movements GROUP BY 1
        ) m ON m.stock_level_id = s.id
        WHERE s.available + coalesce(h.held, 0) <> coalesce(m.moved, 0)
        """,
    ),
    Invariant(
        "stock_held_for_the_living",
        "Units are held for attempts that are under way, and promised to orders that are open; none were given back.",
        """
        SELECT r.id, r.state, a.state AS attempt, o.status AS "order"
        FROM stock_reservations r
        LEFT JOIN checkout_attempts a ON a.id = r.attempt_id
        LEFT JOIN orders o ON o.attempt_id = r.attempt_id
        WHERE r.state = 'HELD' AND coalesce(a.state, '') NOT IN ('PROCESSING', 'REQUIRES_ACTION')
           OR r.state = 'COMMITTED' AND coalesce(o.status, '') <> 'OPEN'
           OR r.state = 'SHIPPED' AND coalesce(o.status, 'CANCELLED') = 'CANCELLED'
           OR r.state = 'RELEASED' AND coalesce(o.status, 'CANCELLED') <> 'CANCELLED'
        """,
    ),
    Invariant(
        "stock_sold_as_ordered",
        "An order has taken exactly the units of its counted lines.",
        """
        SELECT o.id, l.variant_id, l.ordered, coalesce(r.promised, 0) AS promised
        FROM orders o
        JOIN LATERAL (
            SELECT variant_id, coalesce(sum(quantity) FILTER (WHERE track_inventory), 0) AS ordered
            FROM order_lines WHERE order_id = o.id GROUP BY variant_id
        ) l ON true
        JOIN LATERAL (
            SELECT sum(quantity + backordered) AS promised FROM stock_reservations
            WHERE attempt_id = o.attempt_id AND variant_id = l.variant_id
        ) r ON true
        WHERE coalesce(r.promised, 0) <> l.ordered
        UNION ALL
        SELECT o.id, r.variant_id, 0, r.quantity + r.backordered
        FROM orders o JOIN stock_reservations r ON r.attempt_id = o.attempt_id
        WHERE NOT EXISTS (SELECT FROM order_lines WHERE order_id = o.id AND variant_id = r.variant_id)
        """,
    ),
]

_CHECKOUT = [
    Invariant(
        "attempt_has_its_order",
        "Every attempt that succeeded has exactly one order, every order one attempt, one completed cart.",
        """
        SELECT a.id AS attempt_id, a.state, a.order_id, o.id AS found, c.state AS cart
        FROM checkout_attempts a
        FULL JOIN orders o ON o.attempt_id = a.id
        LEFT JOIN carts c ON c.id = coalesce(o.cart_id, a.cart_id)
        WHERE a.state IS DISTINCT FROM 'SUCCEEDED' AND o.id IS NOT NULL
           OR a.state = 'SUCCEEDED' AND (o.id IS DISTINCT FROM a.order_id OR c.state IS DISTINCT FROM 'COMPLETED')
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, c.state FROM carts c
        WHERE c.state = 'COMPLETED' AND NOT EXISTS (SELECT FROM orders o WHERE o.cart_id = c.id)
        """,
    ),
    Invariant(
        "attempt_comes_to_an_end",
        "No attempt is without an answer after its lease and its hold are over.",
        """
        SELECT id, state, leased_until, hold_until FROM checkout_attempts
        WHERE state IN ('PROCESSING', 'REQUIRES_ACTION')
          AND coalesce(leased_until, created_at) < clock_timestamp()
          AND hold_until < business_now() - interval '2 minutes'
        """,
    ),
    Invariant(
        "attempt_keeps_its_answer",
        "A refusal is kept word for word, and nothing else of what was entered.",
        """
        SELECT id, state FROM checkout_attempts
        WHERE state = 'REFUSED' AND coalesce(jsonb_array_length(refusal), 0) = 0
           OR state IN ('REFUSED', 'SUCCEEDED') AND (draft IS NOT NULL OR finished_at IS NULL)
        """,
    ),
]

_MONEY = [
    Invariant(
        "order_is_the_sum_of_its_lines",
        "An order's subtotal, discount and tax are those of its lines, and shipping's tax on top.",
        """
        SELECT o.id, o.subtotal_minor, o.discount_minor, o.tax_minor, l.subtotal, l.discount, l.tax
        FROM orders o
        JOIN LATERAL (
            SELECT sum(subtotal_minor) AS subtotal, sum(discount_minor) AS discount, sum(tax_minor) AS tax,
                   bool_and(total_minor = subtotal_minor - discount_minor) AS adds_up
            FROM order_lines WHERE order_id = o.id
        ) l ON true
        WHERE (o.subtotal_minor, o.discount_minor) IS DISTINCT FROM (l.subtotal, l.discount)
           OR o.tax_minor < l.tax OR l.adds_up IS NOT TRUE
        """,
    ),
    Invariant(
        "order_is_charged_its_total",
        "Where something is due there is one payment, of the order's total and currency.",
        """
        SELECT o.id, o.total_minor, count(p.id) AS payments, sum(p.amount_minor) AS amount
        FROM orders o LEFT JOIN payments p ON p.order_id = o.id AND p.attempt_id = o.attempt_id
        GROUP BY o.id
        HAVING count(p.id) <> CASE WHEN o.total_minor > 0 THEN 1 ELSE 0 END
            OR coalesce(sum(p.amount_minor), 0) <> o.total_minor
            OR bool_or(p.currency_code <> o.currency_code)
        """,
    ),
    Invariant(
        "money_has_its_order",
        "Nothing is authorised, captured or to be captured but for an order.",
        """
        SELECT p.id, p.state, p.order_id FROM payments p LEFT JOIN orders o ON o.id = p.order_id
        WHERE p.state IN ('AUTHORIZED', 'CAPTURING', 'CAPTURED') AND o.id IS NULL
        """,
    ),
    Invariant(
        "refused_money_is_given_back",
        "An attempt that was refused has no payment that may still be taken.",
        """
        SELECT p.id, p.state, a.state AS attempt FROM payments p JOIN checkout_attempts a ON a.id = p.attempt_id
        WHERE a.state = 'REFUSED' AND p.state NOT IN ('FAILED', 'VOIDING', 'VOIDED')
        """,
    ),
    Invariant(
        "order_and_money_go_together",
        "An order that stands has its money, or is to be paid on delivery; one that is cancelled gives it back.",
        """
        SELECT o.id, o.status, p.state FROM orders o JOIN payments p ON p.order_id = o.id
        WHERE (o.status = 'CANCELLED') <> (p.state IN ('VOIDING', 'VOIDED'))
           OR p.state IN ('REQUIRES_ACTION', 'FAILED')
        """,
    ),
    Invariant(
        "gateway_agrees",
        "The test gateway has the money that the shop counts on, and none that it has called off or does not know of.",
        """
        SELECT g.id, p.id AS payment_id, g.state, p.state AS payment
        FROM test_gateway_payments g
        FULL JOIN (SELECT * FROM payments WHERE gateway = 'test') p ON p.id::text = g.idempotency_key
        WHERE g.state IN ('AUTHORIZED', 'CAPTURED') AND coalesce(p.state, 'FAILED') IN ('FAILED', 'VOIDED')
           OR p.state = 'CAPTURED' AND g.state IS DISTINCT FROM 'CAPTURED'
           OR p.state IN ('AUTHORIZED', 'CAPTURING') AND coalesce(g.state, '') NOT IN ('AUTHORIZED', 'CAPTURED')
           OR g.state IN ('AUTHORIZED', 'CAPTURED')
              AND (g.amount_minor, g.currency_code) <> (p.amount_minor, p.currency_code)
        """,
    ),
    Invariant(
        "payment_status_is_true",
        "What an order says of its payment is where the payment is.",
        """
        SELECT o.id, o.payment_status, p.state
        FROM orders o LEFT JOIN payments p ON p.order_id = o.id
        WHERE o.payment_status <> CASE
            WHEN p.id IS NULL OR p.state = 'CAPTURED' THEN 'PAID'
            WHEN p.state IN ('AUTHORIZED', 'CAPTURING', 'VOIDING') THEN 'AUTHORIZED'
            WHEN p.state = 'VOIDED' THEN 'VOIDED'
            ELSE 'PENDING' END
        """,
    ),
    Invariant(
        "payment_ledger_adds_up",
        "What was captured, and what a gateway has set aside, is what the ledger of transactions says.",
        """
        SELECT p.id, p.state, p.captured_minor, t.captured, t.set_aside
        FROM payments p
        LEFT JOIN (
            SELECT payment_id, sum(amount_minor) FILTER (WHERE kind = 'CAPTURE') AS captured,
                   sum(amount_minor) FILTER (WHERE kind = 'AUTHORIZE') AS set_aside
            FROM payment_transactions WHERE succeeded GROUP BY 1
        ) t ON t.payment_id = p.id
        WHERE p.captured_minor <> coalesce(t.captured, 0)
           OR (p.state = 'CAPTURED') <> (p.captured_minor = p.amount_minor AND p.amount_minor > 0)
           OR p.state IN ('AUTHORIZED', 'CAPTURING') AND coalesce(t.set_aside, 0) <> p.amount_minor
        """,
    ),
    Invariant(
        "payment_asked_in_time",
        "No gateway has been silent about a capture or a void for over a day.",
        """
        SELECT id, state, updated_at FROM payments
        WHERE state IN ('CAPTURING', 'VOIDING') AND updated_at < business_now() - interval '1 day'
        """,
    ),
]

_ORDERS = [
    Invariant(
        "order_shipped_as_recorded",
        "Units that a line counts as shipped are those in its fulfilments.",
        """
        SELECT l.id, l.fulfilled_quantity, coalesce(f.shipped, 0) AS shipped
        FROM order_lines l
        LEFT JOIN (SELECT order_line_id, sum(quantity) AS shipped FROM fulfillment_lines GROUP BY 1) f
            ON f.order_line_id = l.id
        WHERE l.fulfilled_quantity <> coalesce(f.shipped, 0)
        """,
    ),
    Invariant(
        "order_states_are_true",
        "What an order says of its goods is what its lines say, and it is complete once all has left and is paid for.",
        """
        SELECT o.id, o.status, o.payment_status, o.fulfillment_status, l.to_ship, l.shipped
        FROM orders o
        JOIN LATERAL (
            SELECT coalesce(sum(quantity) FILTER (WHERE requires_shipping), 0) AS to_ship,
                   sum(fulfilled_quantity) AS shipped
            FROM order_lines WHERE order_id = o.id
        ) l ON true
        WHERE o.fulfillment_status <> CASE
                WHEN l.to_ship = 0 THEN 'NOT_REQUIRED' WHEN l.shipped = 0 THEN 'UNFULFILLED'
                WHEN l.shipped < l.to_ship THEN 'PARTIALLY_FULFILLED' ELSE 'FULFILLED' END
           OR o.status = 'CANCELLED' AND l.shipped > 0
           OR o.status <> 'CANCELLED' AND (o.status = 'COMPLETED') <> (
                o.payment_status = 'PAID' AND o.fulfillment_status IN ('FULFILLED', 'NOT_REQUIRED'))
        """,
    ),
    Invariant(
        "stock_left_with_the_goods",
        "Units of counted lines that have shipped, or went with the complete order, have left what was reserved.",
        """
        SELECT o.id, l.variant_id, l.shipped, coalesce(r.left_the_shelf, 0) AS left_the_shelf
        FROM orders o
        JOIN LATERAL (
            SELECT variant_id, sum(CASE
                WHEN requires_shipping THEN fulfilled_quantity WHEN o.status = 'COMPLETED' THEN quantity ELSE 0 END
            ) FILTER (WHERE track_inventory) AS shipped
            FROM order_lines WHERE order_id = o.id GROUP BY variant_id
        ) l ON true
        JOIN LATERAL (
            SELECT sum(shipped_quantity) AS left_the_shelf FROM stock_reservations
            WHERE attempt_id = o.attempt_id AND variant_id = l.variant_id
        ) r ON true
        WHERE coalesce(l.shipped, 0) <> coalesce(r.left_the_shelf, 0)
        """,
    ),
    Invariant(
        "order_said_once",
        "Every order of the last weeks was announced by exactly one event.",
        """
        SELECT o.id, count(e.id) AS events
        FROM orders o LEFT JOIN events e ON e.subject_id = o.id AND e.type = 'order.placed'
        WHERE o.placed_at > business_now() - interval '20 days'
        GROUP BY o.id HAVING count(e.id) <> 1
        """,
    ),
    Invariant(
        "order_confirmed",
        "An order whose event is done with has its confirmation in the ledger, unless that was given up on.",
        """
        SELECT o.id, e.id AS event_id
        FROM orders o JOIN events e ON e.subject_id = o.id AND e.type = 'order.placed'
        WHERE e.acknowledged_at IS NOT NULL AND o.email IS NOT NULL
          AND NOT EXISTS (SELECT FROM messages m WHERE m.order_id = o.id AND m.template = 'order_confirmation')
          AND NOT EXISTS (SELECT FROM dead_letters d WHERE d.event_id = e.id)
        """,
    ),
    Invariant(
        "message_sent_once",
        "The ledger has one row for each order, template, channel and parcel.",
        "SELECT dedupe_key, count(*) FROM messages GROUP BY dedupe_key HAVING count(*) > 1",
    ),
    Invariant(
        "event_is_handled",
        "No event has been due for over ten minutes without a worker having taken it.",
        """
        SELECT id, type, visible_at, attempts FROM events
        WHERE acknowledged_at IS NULL AND visible_at < clock_timestamp() - interval '10 minutes'
        """,
    ),
]

_CATALOGUE = [
    Invariant(
        "product_price_range",
        "A product's price range is that of the variants that it has, and it has one at least.",
        """
        SELECT p.id, p.min_price_minor, p.max_price_minor, v.lowest, v.highest
        FROM products p
        LEFT JOIN (
            SELECT product_id, min(price_minor) AS lowest, max(price_minor) AS highest
            FROM product_variants WHERE removed_at IS NULL GROUP BY product_id
        ) v ON v.product_id = p.id
        WHERE (p.min_price_minor, p.max_price_minor) IS DISTINCT FROM (v.lowest, v.highest)
        """,
    ),
    Invariant(
        "variant_has_its_options",
        "A variant has one value of each of its product's options, out of that option's values.",
        """
        SELECT v.id, v.option_values FROM product_variants v
        WHERE v.removed_at IS NULL AND (
            cardinality(v.option_values) <> (SELECT count(*) FROM product_options o WHERE o.product_id = v.product_id)
            OR EXISTS (
                SELECT FROM product_options o
                WHERE o.product_id = v.product_id AND v.option_values[o.position] <> ALL (o.values)
            )
        )
        """,
    ),
]

_PROMOTIONS = [Invariant(*truth) for truth in promotions.TRUTHS]
_PEOPLE = [Invariant(*truth) for truth in people.TRUTHS]
_FLOWS = [Invariant(*truth) for truth in flows.TRUTHS]
_SEGMENTS = [Invariant(*truth) for truth in segments.TRUTHS]

INVARIANTS = [*_STOCK, *_CHECKOUT, *_MONEY, *_ORDERS, *_CATALOGUE, *_PROMOTIONS, *_FLOWS, *_PEOPLE, *_SEGMENTS]
