"""Truths about what orders cost, in SQL; see `app.invariants`."""

_OF_LINES = """
    LATERAL (
        SELECT sum(subtotal_minor) AS subtotal, sum(discount_minor) AS discount, sum(tax_minor) AS tax,
               sum(gift_wrap_minor) AS gift_wrap,
               bool_and(total_minor = subtotal_minor - discount_minor AND subtotal_minor = unit_price_minor * quantity
                        AND least(total_minor, discount_minor, tax_minor, gift_wrap_minor) >= 0) AS adds_up
        FROM order_lines WHERE order_id = o.id
    ) l
"""


def _sum(of: str) -> str:
    return f"(SELECT coalesce(sum((one ->> 'amount_minor')::bigint), 0) FROM jsonb_array_elements({of}) AS one)"


TRUTHS = [
    (
        "order_is_the_sum_of_its_lines",
        "An order's subtotal and discount are those of its lines, which are part of its wraps and taxes.",
        f"""
        SELECT o.id, o.subtotal_minor, o.discount_minor, o.gift_wrap_minor, o.tax_minor, l.subtotal, l.discount,
               l.gift_wrap, l.tax
        FROM orders o JOIN {_OF_LINES} ON true
        WHERE (o.subtotal_minor, o.discount_minor) IS DISTINCT FROM (l.subtotal, l.discount)
           OR o.tax_minor < l.tax OR o.gift_wrap_minor < l.gift_wrap OR l.adds_up IS NOT TRUE
        """,
    ),
    (
        "order_total_adds_up",
        "A total is what its parts come to, and what is due is what stored value leaves of it; neither below zero.",
        """
        SELECT id, total_minor, amount_due_minor FROM orders
        WHERE total_minor <> subtotal_minor - discount_minor + gift_wrap_minor + shipping_minor + rounding_minor
                             + CASE WHEN tax_included THEN 0 ELSE tax_minor END
           OR coalesce(amount_due_minor, total_minor) <> total_minor - gift_card_minor - store_credit_minor
           OR least(total_minor, coalesce(amount_due_minor, total_minor), gift_card_minor, store_credit_minor) < 0
        """,
    ),
    (
        "order_is_itemised",
        "Taxes, discounts and stored value of an order, and of its lines, are the sums of what they are made of.",
        f"""
        SELECT o.id, NULL::uuid AS line_id FROM orders o
        WHERE o.tax_minor <> {_sum("o.tax_lines")}
           OR o.gift_card_minor + o.store_credit_minor <> {_sum("o.stored_value")}
           OR o.discounts <> '[]' AND o.discount_minor <> (
                SELECT coalesce(sum((one ->> 'amount_minor')::bigint), 0) FROM jsonb_array_elements(o.discounts) AS one
                WHERE one ->> 'target' IS DISTINCT FROM 'SHIPPING')
           OR o.tax_minor <> {_sum("o.shipping_tax_lines")} + {_sum("o.gift_wrap_tax_lines")}
                             + (SELECT sum(tax_minor) FROM order_lines WHERE order_id = o.id)
        UNION ALL
        SELECT order_id, id FROM order_lines
        WHERE tax_minor <> {_sum("tax_lines")} OR discounts <> '[]' AND discount_minor <> {_sum("discounts")}
        """,
    ),
]
