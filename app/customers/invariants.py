"""Truths about people, for `app.invariants`: name, description, and the rows that break it."""

from app.orders.shop_currency import sql_of_shop_total

TRUTHS = [
    (
        "order_has_its_buyer",
        "An order with an email or a phone number is somebody's.",
        "SELECT id, number FROM orders WHERE profile_id IS NULL AND coalesce(email, phone) IS NOT NULL",
    ),
    (
        "merged_profile_leads_to_a_living_one",
        "A profile that was merged has no address, and names one that was not.",
        """
        SELECT g.id, g.merged_into_id FROM profiles g LEFT JOIN profiles p ON p.id = g.merged_into_id
        WHERE g.merged_into_id IS NOT NULL
          AND (p.id IS NULL OR p.merged_into_id IS NOT NULL OR coalesce(g.email, g.phone) IS NOT NULL)
        """,
    ),
    (
        "merged_profile_has_nothing_left",
        "What a merged profile had is the living one's; what others held meanwhile follows with an event.",
        """
        SELECT had.kind, had.id, had.profile_id
        FROM (
            SELECT 'visitor' AS kind, id, profile_id FROM visitors
            UNION ALL SELECT 'timeline', id, profile_id FROM profile_events
            UNION ALL SELECT 'cart', id, profile_id FROM carts
            UNION ALL SELECT 'order', id, profile_id FROM orders
            UNION ALL SELECT 'run', id, profile_id FROM flow_runs
            UNION ALL SELECT 'alert', id, profile_id FROM product_alerts
            UNION ALL SELECT 'code', id, profile_id FROM discount_codes
            UNION ALL SELECT 'message', id, profile_id FROM messages
        ) had JOIN profiles g ON g.id = had.profile_id
        WHERE g.merged_into_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM events e
            WHERE e.type = 'profile.merged' AND e.subject_id = g.id AND e.acknowledged_at IS NULL
        )
        """,
    ),
    (
        "figures_are_those_of_the_orders",
        "A profile's figures are its orders without the cancelled ones, unless the news of one is on its way.",
        f"""
        SELECT p.id, p.order_count, count(o.id) AS orders, p.total_spent_minor, p.last_order_at
        FROM profiles p LEFT JOIN orders o ON o.profile_id = p.id AND o.status <> 'CANCELLED'
        WHERE p.merged_into_id IS NULL AND NOT EXISTS (
            SELECT FROM events e
            WHERE e.acknowledged_at IS NULL
              AND e.type IN ('order.placed', 'order.edited', 'order.cancelled', 'profile.merged')
              AND e.payload ->> 'profileId' = p.id::text
        )
        GROUP BY p.id
        HAVING p.order_count <> count(o.id) OR p.last_order_at IS DISTINCT FROM max(o.placed_at)
            OR p.first_order_at IS DISTINCT FROM min(o.placed_at)
            OR p.total_spent_minor <> least(9223372036854775807, coalesce(sum({sql_of_shop_total("o")}), 0))
        """,
    ),
    (
        "every_customer_is_counted",
        "Customers are counted in the bucket of their number of orders, and once by what they spent.",
        """
        SELECT figure, bucket, sum(counted) AS counted, sum(there) AS there
        FROM (
            SELECT figure, CASE figure WHEN 'FREQUENCY' THEN bucket ELSE 0 END AS bucket, profiles AS counted,
                   0 AS there
            FROM figure_counts
            UNION ALL SELECT 'FREQUENCY', least(order_count, 32000), 0, 1 FROM profiles WHERE order_count > 0
            UNION ALL SELECT 'MONETARY', 0, 0, 1 FROM profiles WHERE order_count > 0
        ) n
        GROUP BY figure, bucket HAVING sum(counted) <> sum(there)
        """,
    ),
    (
        "time_will_tell",
        "A customer whose stage or recency time alone will change has a timer for it.",
        """
        SELECT p.id, p.last_order_at, p.lapses_at FROM profiles p
        WHERE p.merged_into_id IS NULL AND business_now() < p.last_order_at + 2 * (p.lapses_at - p.last_order_at)
          AND NOT EXISTS (SELECT FROM timers t WHERE t.kind = 'profile.stage_due' AND t.subject_id = p.id)
          AND NOT EXISTS (
              SELECT FROM events e
              WHERE e.type = 'profile.stage_due' AND e.subject_id = p.id AND e.acknowledged_at IS NULL
          )
        """,
    ),
    (
        "checkout_starts_once",
        "A checkout is told to have started at most once.",
        """
        SELECT data ->> 'checkoutId' AS checkout, count(*) FROM profile_events WHERE type = 'checkout.started'
        GROUP BY 1 HAVING count(*) > 1
        """,
    ),
]
