"""Truths about money, in SQL; see `app.invariants`."""

TRUTHS = [
    (
        "order_is_charged_what_is_due",
        "Where something is due there is one payment, of that amount and the order's currency.",
        """
        SELECT o.id, o.total_minor, o.amount_due_minor, count(p.id) AS payments, sum(p.amount_minor) AS amount
        FROM orders o LEFT JOIN payments p ON p.order_id = o.id AND p.attempt_id = o.attempt_id
        GROUP BY o.id
        HAVING count(p.id) <> CASE WHEN coalesce(o.amount_due_minor, o.total_minor) > 0 THEN 1 ELSE 0 END
            OR coalesce(sum(p.amount_minor), 0) <> coalesce(o.amount_due_minor, o.total_minor)
            OR bool_or(p.currency_code <> o.currency_code)
        """,
    ),
    (
        "money_has_its_order",
        "Nothing is authorised, captured or to be captured but for an order.",
        """
        SELECT p.id, p.state, p.order_id FROM payments p LEFT JOIN orders o ON o.id = p.order_id
        WHERE p.state IN ('AUTHORIZED', 'CAPTURING', 'CAPTURED') AND o.id IS NULL
        """,
    ),
    (
        "refused_money_is_given_back",
        "An attempt that was refused has no payment that may still be taken.",
        """
        SELECT p.id, p.state, a.state AS attempt FROM payments p JOIN checkout_attempts a ON a.id = p.attempt_id
        WHERE a.state = 'REFUSED' AND p.state NOT IN ('FAILED', 'VOIDING', 'VOIDED')
        """,
    ),
    (
        "order_and_money_go_together",
        "An order that stands has its money, or is to be paid on delivery; one that is cancelled gives it back.",
        """
        SELECT o.id, o.status, p.state FROM orders o JOIN payments p ON p.order_id = o.id
        WHERE (o.status = 'CANCELLED') <> (p.state IN ('VOIDING', 'VOIDED'))
           OR p.state IN ('REQUIRES_ACTION', 'FAILED')
        """,
    ),
    (
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
    (
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
    (
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
    (
        "payment_asked_in_time",
        "No gateway has been silent about a capture or a void for over a day.",
        """
        SELECT id, state, updated_at FROM payments
        WHERE state IN ('CAPTURING', 'VOIDING') AND updated_at < business_now() - interval '1 day'
        """,
    ),
]
