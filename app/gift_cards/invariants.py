"""Truths about gift cards and store credit, in SQL; see `app.invariants`."""

TRUTHS = [
    (
        "stored_value_adds_up",
        "A balance is the sum of its entries in the ledger, and never below zero.",
        """
        SELECT s.id, s.kind, s.balance_minor, coalesce(e.moved, 0) AS moved
        FROM stored_values s
        LEFT JOIN (
            SELECT stored_value_id, sum(amount_minor) AS moved FROM stored_value_entries GROUP BY 1
        ) e ON e.stored_value_id = s.id
        WHERE s.balance_minor <> coalesce(e.moved, 0) OR s.balance_minor < 0
        """,
    ),
    (
        "store_credit_parts",
        "Of no amount of credit is more withheld, and over, than was given, nor more given back than was withheld; and "
        "it is of that balance.",
        """
        SELECT made.id, made.amount_minor, sum(moved.amount_minor) AS moved
        FROM stored_value_entries made JOIN stored_value_entries moved ON moved.part_id = made.id
        GROUP BY made.id
        HAVING made.amount_minor + sum(moved.amount_minor) < 0
            OR sum(moved.amount_minor) FILTER (WHERE moved.kind <> 'EXPIRE') > 0
            OR bool_or(moved.stored_value_id <> made.stored_value_id)
        """,
    ),
    (
        "stored_value_held_for_the_living",
        "Amounts are held for attempts that are under way, spent by their orders, and back from the others.",
        """
        SELECT h.id, h.attempt_id, a.state AS attempt, s.kind AS settled
        FROM stored_value_entries h
        LEFT JOIN stored_value_entries s
          ON s.attempt_id = h.attempt_id AND s.stored_value_id = h.stored_value_id AND s.kind IN ('REDEEM', 'RELEASE')
        LEFT JOIN checkout_attempts a ON a.id = h.attempt_id
        WHERE h.kind = 'HOLD' AND s.kind IS DISTINCT FROM CASE
            WHEN a.state IN ('PROCESSING', 'REQUIRES_ACTION') THEN NULL WHEN a.state = 'SUCCEEDED' THEN 'REDEEM'
            ELSE 'RELEASE' END
        """,
    ),
    (
        "stored_value_is_the_orders",
        "What an order is paid with is what its balances gave, less what edits of it put back; no more came back than "
        "they gave.",
        """
        SELECT o.id, o.gift_card_minor + o.store_credit_minor AS paid, coalesce(v.spent, 0) AS spent,
               coalesce(v.returned, 0) AS returned, coalesce(v.put_back, 0) AS put_back
        FROM orders o
        LEFT JOIN LATERAL (
            SELECT -sum(h.amount_minor) AS spent, (
                SELECT sum(b.amount_minor) FROM stored_value_entries b JOIN stored_value_entries p
                  ON p.order_id = b.order_id AND p.stored_value_id = b.stored_value_id AND p.kind = 'REDEEM'
                WHERE b.order_id = o.id AND b.kind = 'REFUND' AND b.source_key IS NULL
            ) AS returned, (
                SELECT sum(b.amount_minor) FROM stored_value_entries b JOIN refunds f ON f.id = b.refund_id
                WHERE b.order_id = o.id AND b.kind = 'REFUND' AND b.source_key IS NULL AND f.source = 'EDIT'
            ) AS put_back
            FROM stored_value_entries r
            JOIN stored_value_entries h
              ON h.attempt_id = r.attempt_id AND h.stored_value_id = r.stored_value_id AND h.kind = 'HOLD'
            WHERE r.order_id = o.id AND r.kind = 'REDEEM'
        ) v ON true
        WHERE o.gift_card_minor + o.store_credit_minor <> coalesce(v.spent, 0) - coalesce(v.put_back, 0)
           OR coalesce(v.returned, 0) > coalesce(v.spent, 0)
        """,
    ),
    (
        "gift_cards_sold_once",
        "Each unit of a gift card's line is at most one card, of the line's own price.",
        """
        SELECT g.id, g.order_line_id, g.unit_number, g.initial_minor, l.unit_price_minor, l.quantity
        FROM gift_cards g LEFT JOIN order_lines l ON l.id = g.order_line_id
        WHERE g.order_line_id IS NOT NULL
          AND (l.id IS NULL OR g.unit_number NOT BETWEEN 1 AND l.quantity OR g.initial_minor <> l.unit_price_minor)
        """,
    ),
]
