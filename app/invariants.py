"""Truths about the shop, in SQL. Each statement returns the rows that break its truth: an empty answer is a good one.

Tests ask after everything that can go wrong; `tradewind invariants` asks in production. They are read from a consistent
snapshot, so that a shop at work does not look broken.
"""

from dataclasses import dataclass
from typing import Any

import asyncpg

from app import db
from app.customers import invariants as people
from app.flows import invariants as flows
from app.gift_cards import invariants as gift_cards
from app.orders import invariants as orders
from app.payments import invariants as payments
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


@dataclass(frozen=True, slots=True)
class Checked:
    violations: list[Violation]
    unanswered: list[str]
    """Truths whose statement ran out of time."""


async def check() -> list[Violation]:
    """Everything that is not as it has to be; empty when all is well."""
    async with db.unit_of_work():
        await db.execute(_SNAPSHOT)
        found = [
            Violation(invariant.name, invariant.description, [dict(row) for row in await db.fetch(_rows_of(invariant))])
            for invariant in INVARIANTS
        ]
    return [violation for violation in found if violation.rows]


async def check_on(connection: asyncpg.Connection) -> Checked:
    """As `check`, over a connection whose `statement_timeout` a truth may run into; the others are checked, too."""
    checked = Checked([], [])
    async with connection.transaction():
        await connection.execute(_SNAPSHOT)
        for invariant in INVARIANTS:
            try:
                # A savepoint: what runs out of time breaks off no more than itself.
                async with connection.transaction():
                    rows = await connection.fetch(_rows_of(invariant))
            except asyncpg.QueryCanceledError:
                checked.unanswered.append(invariant.name)
                continue
            if rows:
                checked.violations.append(Violation(invariant.name, invariant.description, [dict(row) for row in rows]))
    return checked


_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def _rows_of(invariant: Invariant) -> str:
    return f"SELECT * FROM ({invariant.sql}) broken LIMIT {MAX_ROWS}"


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
        "checkout_lets_go_of_stock",
        "What a checkout keeps for its shopper has an end, and something that lets go of it then.",
        """
        SELECT r.id, r.checkout_id, r.state, r.expires_at FROM stock_reservations r
        WHERE r.checkout_id IS NOT NULL AND (
            r.state <> 'HELD' OR r.backordered <> 0 OR r.expires_at IS NULL
            OR NOT EXISTS (
                SELECT FROM timers t WHERE t.kind = 'inventory.reservation_ended' AND t.subject_id = r.checkout_id
            ) AND NOT EXISTS (
                SELECT FROM events e WHERE e.type = 'inventory.reservation_ended' AND e.subject_id = r.checkout_id
                AND e.acknowledged_at IS NULL
            )
        )
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
        WHERE r.state = 'HELD' AND r.checkout_id IS NULL
              AND coalesce(a.state, '') NOT IN ('PROCESSING', 'REQUIRES_ACTION')
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
        "What an order says of its goods is what its lines say, and it is complete once all has left, is paid for and "
        "waits for no guarantee.",
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
           OR o.status <> 'CANCELLED' AND NOT 'GUARANTEE' = ANY(o.holds) AND (o.status = 'COMPLETED') <> (
                o.payment_status IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED')
                AND o.fulfillment_status IN ('FULFILLED', 'NOT_REQUIRED'))
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
        "products_begin_at_their_own_prices",
        "What a product with own prices in a list begins at there is the lowest price of its variants in that list.",
        """
        SELECT coalesce(k.price_list_id, f.price_list_id) AS price_list_id, coalesce(k.product_id, f.product_id) AS id,
               k.lowest_minor, k.shop_minor, f.lowest, f.shop
        FROM price_list_products k FULL JOIN (
            SELECT l.id AS price_list_id, v.product_id, min(v.price_minor) AS shop, min(coalesce(
                       own.price_minor, list_price(v.price_minor, l.factor, l.round_to_minor, l.ending_minor)
                   )) AS lowest
            FROM price_lists l CROSS JOIN product_variants v LEFT JOIN price_list_prices own
                ON own.price_list_id = l.id AND own.variant_id = v.id AND own.min_quantity = 1
            WHERE v.removed_at IS NULL GROUP BY l.id, v.product_id HAVING count(own.id) > 0
        ) f ON f.price_list_id = k.price_list_id AND f.product_id = k.product_id
        WHERE (k.lowest_minor, k.shop_minor) IS DISTINCT FROM (f.lowest, f.shop)
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

_MONEY = [Invariant(*truth) for truth in (*orders.TRUTHS, *payments.TRUTHS)]
_PROMOTIONS = [Invariant(*truth) for truth in promotions.TRUTHS]
_VALUE = [Invariant(*truth) for truth in gift_cards.TRUTHS]
_PEOPLE = [Invariant(*truth) for truth in people.TRUTHS]
_FLOWS = [Invariant(*truth) for truth in flows.TRUTHS]
_SEGMENTS = [Invariant(*truth) for truth in segments.TRUTHS]

INVARIANTS = [*_STOCK, *_CHECKOUT, *_MONEY, *_ORDERS, *_CATALOGUE, *_PROMOTIONS, *_VALUE, *_FLOWS, *_PEOPLE, *_SEGMENTS]
