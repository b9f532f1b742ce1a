"""Truths about discounts and their uses, in SQL; see `app.invariants`."""

TRUTHS = [
    (
        "discount_uses_are_counted",
        "A discount and a code count the uses that are held or redeemed, and no more than are allowed.",
        """
        SELECT d.id, d.used_count, d.usage_limit, coalesce(r.uses, 0) AS uses
        FROM discounts d
        LEFT JOIN (
            SELECT discount_id, count(*) AS uses FROM discount_redemptions WHERE state <> 'RELEASED' GROUP BY 1
        ) r ON r.discount_id = d.id
        WHERE d.used_count <> coalesce(r.uses, 0) OR d.used_count > d.usage_limit
        UNION ALL
        SELECT k.id, k.used_count, k.usage_limit, coalesce(r.uses, 0)
        FROM discount_codes k
        LEFT JOIN (
            SELECT code_id, count(*) AS uses FROM discount_redemptions WHERE state <> 'RELEASED' GROUP BY 1
        ) r ON r.code_id = k.id
        WHERE k.used_count <> coalesce(r.uses, 0) OR k.used_count > k.usage_limit
        """,
    ),
    (
        "discount_held_for_the_living",
        "Uses are held for attempts that are under way and redeemed by orders that stand; the others are given back.",
        """
        SELECT r.id, r.state, a.state AS attempt, o.status AS "order"
        FROM discount_redemptions r
        LEFT JOIN checkout_attempts a ON a.id = r.attempt_id
        LEFT JOIN orders o ON o.id = r.order_id
        WHERE r.state = 'HELD' AND coalesce(a.state, '') NOT IN ('PROCESSING', 'REQUIRES_ACTION')
           OR r.state = 'REDEEMED' AND (o.attempt_id IS DISTINCT FROM r.attempt_id OR o.status = 'CANCELLED')
           OR r.state = 'RELEASED' AND coalesce(o.status, 'CANCELLED') <> 'CANCELLED'
        """,
    ),
    (
        "discounts_are_the_orders",
        "What an order has off is what its discounts took off its goods; each but staff's own, on shipping too, is a "
        "use.",
        """
        SELECT o.id, o.discount_minor, t.off_goods, t.taken, r.redeemed
        FROM orders o
        JOIN LATERAL (
            -- What a draft has off bears its id, which is its order's cart.
            SELECT coalesce(sum((d ->> 'amount_minor')::bigint) FILTER (
                       WHERE d -> 'by_staff' IS NULL AND d ->> 'id' <> o.cart_id::text
                   ), 0) AS taken,
                   coalesce(sum((d ->> 'amount_minor')::bigint) FILTER (
                       WHERE d ->> 'target' IS DISTINCT FROM 'SHIPPING'
                   ), 0) AS off_goods
            FROM jsonb_array_elements(o.discounts) d
        ) t ON true
        JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS redeemed FROM discount_redemptions
            WHERE order_id = o.id AND (state = 'REDEEMED' OR o.status = 'CANCELLED')
        ) r ON true
        WHERE o.discount_minor <> t.off_goods OR t.taken <> r.redeemed
        """,
    ),
]
