"""Truths about money, in SQL; see `app.invariants`."""

TRUTHS = [
    (
        "order_is_charged_what_is_due",
        "Where something is due there is one payment of the checkout, of that amount until the order changes; and "
        "never is more taken than is due, what goes back deducted.",
        """
        SELECT o.id, o.amount_due_minor, p.payments, p.asked, p.captured, given.back
        FROM orders o
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE attempt_id = o.attempt_id) AS payments,
                   coalesce(sum(amount_minor) FILTER (WHERE attempt_id = o.attempt_id), 0) AS asked,
                   coalesce(bool_or(currency_code <> o.currency_code), false) AS foreign_money,
                   coalesce(sum(captured_minor), 0) AS captured
            FROM payments WHERE order_id = o.id
        ) p
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(part.amount_minor), 0) AS back, count(*) AS parts
            FROM refunds r JOIN refund_parts part ON part.refund_id = r.id
            WHERE r.order_id = o.id AND part.state <> 'FAILED'
              AND (part.payment_id IS NOT NULL OR r.target = 'STORE_CREDIT')
        ) given
        WHERE p.foreign_money OR p.payments > 1
           OR p.captured - given.back > coalesce(o.amount_due_minor, o.total_minor)
           OR o.source = 'CHECKOUT' AND p.asked <> coalesce(o.amount_due_minor, o.total_minor) AND given.parts = 0
              AND NOT EXISTS (SELECT FROM payment_requests WHERE order_id = o.id)
              AND NOT EXISTS (SELECT FROM order_edits WHERE order_id = o.id)
              AND NOT EXISTS (SELECT FROM payments WHERE order_id = o.id AND gateway = 'by_hand')
        """,
    ),
    (
        "money_has_its_order",
        "Nothing is authorised, captured or to be captured but for an order, or it is on its way back.",
        """
        SELECT p.id, p.state, p.order_id FROM payments p LEFT JOIN orders o ON o.id = p.order_id
        WHERE p.state IN ('AUTHORIZED', 'CAPTURING', 'PARTIALLY_CAPTURED', 'CAPTURED') AND o.id IS NULL
          AND p.captured_minor - p.refunded_minor > (
              SELECT coalesce(sum(amount_minor), 0) FROM refund_parts WHERE payment_id = p.id AND state = 'PENDING'
          )
           OR p.state IN ('AUTHORIZED', 'CAPTURING', 'PARTIALLY_CAPTURED') AND o.id IS NULL
        """,
    ),
    (
        "refused_money_is_given_back",
        "An attempt that was refused has no payment that may still be taken, or is kept.",
        """
        SELECT p.id, p.state, a.state AS attempt FROM payments p JOIN checkout_attempts a ON a.id = p.attempt_id
        WHERE a.state = 'REFUSED' AND p.state NOT IN ('FAILED', 'VOIDING', 'VOIDED')
          AND NOT (p.state = 'CAPTURED' AND EXISTS (SELECT FROM refund_parts WHERE payment_id = p.id))
        """,
    ),
    (
        "order_and_money_go_together",
        "An order that stands has its money, or waits for it; one that is cancelled has nothing set aside, and the "
        "checkout of an order was paid for.",
        """
        SELECT o.id, o.status, p.state FROM orders o JOIN payments p ON p.order_id = o.id
        WHERE o.status = 'CANCELLED' AND p.state NOT IN ('VOIDING', 'VOIDED', 'CAPTURED', 'FAILED')
           OR o.status <> 'CANCELLED' AND p.attempt_id IS NOT NULL AND p.state IN ('VOIDING', 'VOIDED')
              AND p.failure_code IS NULL
           OR p.attempt_id IS NOT NULL AND p.state IN ('REQUIRES_ACTION', 'FAILED')
        """,
    ),
    (
        "gateway_agrees",
        "The test gateway has the money that the shop counts on, and none that it has called off or does not know of.",
        """
        SELECT g.id, p.id AS payment_id, g.state, p.state AS payment
        FROM test_gateway_payments g
        FULL JOIN (
            SELECT *, (
                SELECT coalesce(sum(amount_minor), 0) FROM refund_parts
                WHERE payment_id = payments.id AND state = 'PENDING'
            ) AS going_back
            FROM payments WHERE gateway = 'test'
        ) p ON p.id::text = g.idempotency_key
        WHERE (g.state = 'CAPTURED' OR g.state = 'AUTHORIZED' AND g.authorized_until > business_now())
              AND coalesce(p.state, 'FAILED') IN ('FAILED', 'VOIDED')
           OR p.state = 'CAPTURED' AND g.captured_minor IS DISTINCT FROM p.captured_minor
           OR p.state IN ('AUTHORIZED', 'CAPTURING', 'PARTIALLY_CAPTURED')
              AND (coalesce(g.state, '') NOT IN ('AUTHORIZED', 'CAPTURED') OR g.captured_minor < p.captured_minor)
           OR coalesce(g.refunded_minor, 0) NOT BETWEEN p.refunded_minor AND p.refunded_minor + p.going_back
           OR g.state IN ('AUTHORIZED', 'CAPTURED')
              AND (g.amount_minor, g.currency_code) <> (p.amount_minor, p.currency_code)
        """,
    ),
    (
        "payment_status_is_true",
        "What an order says of its payment is where its money is.",
        """
        SELECT o.id, o.status, o.payment_status, paid.captured, paid.set_aside, given.back, given.overpaid
        FROM orders o
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(captured_minor), 0) AS captured, count(*) FILTER (WHERE state <> 'FAILED') AS payments,
                   coalesce(sum(amount_minor - captured_minor)
                            FILTER (WHERE state IN ('AUTHORIZED', 'CAPTURING', 'PARTIALLY_CAPTURED')
                                          OR state = 'VOIDING' AND o.status = 'CANCELLED'), 0) AS set_aside,
                   count(*) FILTER (WHERE state = 'VOIDED') AS voided
            FROM payments WHERE order_id = o.id
        ) paid
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(part.amount_minor) FILTER (WHERE part.state = 'SUCCEEDED'), 0) AS back,
                   coalesce(sum(part.amount_minor) FILTER (WHERE r.source = 'EDIT'), 0) AS overpaid
            FROM refunds r JOIN refund_parts part ON part.refund_id = r.id AND part.state <> 'FAILED'
            WHERE r.order_id = o.id AND (r.source <> 'EDIT' OR part.payment_id IS NOT NULL)
        ) given
        WHERE o.payment_status <> CASE
            WHEN o.status <> 'CANCELLED'
                 AND paid.captured - given.overpaid < coalesce(o.amount_due_minor, o.total_minor)
                THEN CASE WHEN paid.captured > given.overpaid THEN 'PARTIALLY_PAID'
                          WHEN paid.set_aside > 0 THEN 'AUTHORIZED' ELSE 'PENDING' END
            WHEN given.back > 0 AND given.back < paid.captured + o.gift_card_minor + o.store_credit_minor
                THEN 'PARTIALLY_REFUNDED'
            WHEN given.back > 0 THEN 'REFUNDED'
            WHEN paid.captured >= coalesce(o.amount_due_minor, o.total_minor) THEN 'PAID'
            WHEN paid.captured > 0 THEN 'PARTIALLY_PAID'
            WHEN paid.set_aside > 0 THEN 'AUTHORIZED'
            WHEN paid.payments > 0 AND paid.payments = paid.voided THEN 'VOIDED'
            ELSE 'PENDING' END
        """,
    ),
    (
        "payment_ledger_adds_up",
        "What was captured and refunded, and what a gateway has set aside, is what the ledger of transactions says.",
        """
        SELECT p.id, p.state, p.captured_minor, p.refunded_minor, t.captured, t.refunded, t.set_aside
        FROM payments p
        LEFT JOIN (
            SELECT payment_id, sum(amount_minor) FILTER (WHERE kind = 'CAPTURE') AS captured,
                   sum(amount_minor) FILTER (WHERE kind = 'REFUND') AS refunded,
                   sum(amount_minor) FILTER (WHERE kind = 'AUTHORIZE') AS set_aside
            FROM payment_transactions WHERE succeeded GROUP BY 1
        ) t ON t.payment_id = p.id
        WHERE p.captured_minor <> coalesce(t.captured, 0) OR p.refunded_minor <> coalesce(t.refunded, 0)
           OR p.state = 'CAPTURED' AND p.captured_minor = 0
           OR p.state = 'PARTIALLY_CAPTURED' AND p.captured_minor NOT BETWEEN 1 AND p.amount_minor - 1
           OR p.state IN ('PENDING', 'REQUIRES_ACTION', 'AUTHORIZED', 'FAILED', 'VOIDED') AND p.captured_minor > 0
           OR p.state IN ('AUTHORIZED', 'CAPTURING', 'PARTIALLY_CAPTURED')
              AND coalesce(t.set_aside, 0) <> p.amount_minor
        """,
    ),
    (
        "refund_is_of_money_that_was_taken",
        "Nobody gets back more than was taken: of a payment, and of an order; what is on its way back counts as gone.",
        """
        SELECT p.id, p.captured_minor AS paid, sum(part.amount_minor) AS given_back
        FROM payments p JOIN refund_parts part ON part.payment_id = p.id AND part.state <> 'FAILED'
        GROUP BY p.id
        HAVING sum(part.amount_minor) > p.captured_minor
            OR p.refunded_minor <> coalesce(sum(part.amount_minor) FILTER (WHERE part.state = 'SUCCEEDED'), 0)
        UNION ALL
        SELECT o.id, paid.minor, sum(part.amount_minor)
        FROM orders o JOIN refunds r ON r.order_id = o.id
        JOIN refund_parts part ON part.refund_id = r.id AND part.state <> 'FAILED'
             AND (r.source <> 'EDIT' OR part.payment_id IS NOT NULL)
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(captured_minor), 0) + o.gift_card_minor + o.store_credit_minor AS minor
            FROM payments WHERE order_id = o.id
        ) paid
        GROUP BY o.id, paid.minor HAVING sum(part.amount_minor) > paid.minor
        """,
    ),
    (
        "refund_is_the_sum_of_its_parts",
        "A refund's parts add up to it, and it stands as they do.",
        """
        SELECT r.id, r.state, r.amount_minor, sum(part.amount_minor) AS parts
        FROM refunds r LEFT JOIN refund_parts part ON part.refund_id = r.id
        GROUP BY r.id
        HAVING r.amount_minor IS DISTINCT FROM sum(part.amount_minor)
            OR r.state <> CASE
                WHEN bool_or(part.state = 'PENDING') THEN 'PENDING' WHEN bool_or(part.state = 'FAILED') THEN 'FAILED'
                ELSE 'SUCCEEDED' END
        """,
    ),
    (
        "payment_asked_in_time",
        "No gateway has been silent about a capture or a void for over a day.",
        """
        SELECT id, state, updated_at FROM payments
        WHERE state IN ('CAPTURING', 'VOIDING') AND updated_at < business_now() - interval '1 day'
        """,
    ),
    (
        "disputes_are_in_the_books",
        "What a lost dispute took is given back in the books, once; one that is not lost has taken nothing.",
        """
        SELECT d.id, d.state, d.amount_minor, r.amount_minor AS in_books, r.state AS refund
        FROM payment_disputes d JOIN payments p ON p.id = d.payment_id
        LEFT JOIN refunds r ON r.id = d.refund_id AND r.state <> 'FAILED'
        WHERE CASE WHEN d.state <> 'LOST' THEN d.refund_id IS NOT NULL
                   ELSE r.id IS NULL AND d.amount_minor > 0 AND p.refunded_minor < p.captured_minor END
           OR r.amount_minor > d.amount_minor
        """,
    ),
]
