"""What orders of several currencies come to together, in the currency of the shop."""


def sql_of_shop_total(order: str, less: str = "0") -> str:
    """SQL of an order's total in minor units of the shop's currency, at the rate of the moment it was placed.

    It follows edits of the order. NULL, which sums leave out, where nobody knows the rate: of orders in another
    currency that were placed before orders kept it.

    Args:
        order: alias of a row of `orders`.
        less: SQL of what does not count of it, in minor units of the order's currency; never below zero in the end.
    """
    # About no row of the query, so that it is asked once.
    shop = "(SELECT shop.currency_code FROM shop WHERE shop.id = 1)"
    amount = f"{order}.total_minor" if less == "0" else f"greatest(0, {order}.total_minor - {less})"
    exchanged = f"least(9223372036854775807, round({amount} * {order}.shop_rate))::bigint"
    return f"""CASE WHEN {order}.shop_rate IS NOT NULL THEN {exchanged}
        WHEN {order}.currency_code = {shop} THEN {amount} END"""
