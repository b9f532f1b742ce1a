"""What a variant costs somebody: SQL over the functions that migration 0033 makes, and their arithmetic.

A price list has own prices of variants, from some quantity on, or else the shop's price times a factor, rounded to the
nearest multiple and ending, half up. Of the market's list (or the shop's prices where it has none), the lists of the
customer's groups and those of a company, the lowest price wins, at each quantity.
"""

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, localcontext

from app.kit.money import MAX_AMOUNT_MINOR, exponent

_EXACT = Context(prec=80)
"""More digits than an amount times a factor has."""


def sql_of_price_breaks(
    variant: str, cart: str = "", *, market: str = "", customer: str = "null::uuid", company: str = "null::uuid"
) -> str:
    """SQL of `[{"min_quantity": 1, "unit_price_minor": 1990}, …]`, ascending, from 1 on, in the market's currency; null
    while the shop has no price lists, where the variant's own price holds everywhere and for any quantity.

    Args:
        variant: alias of a row of `product_variants`.
        cart: alias of a row of `carts`, whose buyer it is for; or else the ids as SQL:
        market: null for the default one.
        customer: an account's id, or null.
        company: the company's that it buys for, or null.
    """
    if cart:
        market, customer, company = f"{cart}.market_id", f"{cart}.customer_id", f"{cart}.company_id"
    lists = f"price_lists_for({market}, {customer}, {company})"
    # The condition is about no row, so that it is asked once.
    return f"""CASE WHEN (SELECT EXISTS (SELECT FROM price_lists))
        THEN price_breaks({variant}.id, {variant}.price_minor, {lists}) END"""


def sql_of_listed(variant: str, lists: str) -> str:
    """SQL of a subquery of one row: the lowest price of one unit among these lists as `price_minor`, and the one before
    a reduction as `compare_at_price_minor`. An own price has its own one before reduction, or none.

    Args:
        variant, lists: as for `sql_of_unit_price`.
    """
    return f"""(
        SELECT coalesce(own.price_minor, CASE WHEN l.id IS NULL THEN {variant}.price_minor
                   ELSE {sql_of_adjusted(f"{variant}.price_minor")} END) AS price_minor,
               CASE WHEN own.id IS NOT NULL THEN own.compare_at_price_minor
                    WHEN l.id IS NULL THEN {variant}.compare_at_price_minor
                    ELSE {sql_of_adjusted(f"{variant}.compare_at_price_minor")} END AS compare_at_price_minor
        FROM unnest({lists}) AS applied (id)
        LEFT JOIN price_lists l ON l.id = applied.id
        LEFT JOIN price_list_prices own
            ON own.price_list_id = applied.id AND own.variant_id = {variant}.id AND own.min_quantity = 1
        ORDER BY 1 LIMIT 1
    )"""


def sql_of_adjusted(price: str) -> str:
    """A price of the shop in the list `l`."""
    return f"list_price({price}, l.factor, l.round_to_minor, l.ending_minor)"


def sql_of_unit_price(variant: str, lists: str) -> str:
    """SQL of what one unit costs whoever has only these lists, in their currency.

    Args:
        variant: alias of a row of `product_variants`.
        lists: SQL of an array, as `price_lists_for` makes it.
    """
    return f"""CASE WHEN (SELECT EXISTS (SELECT FROM price_lists))
        THEN (price_breaks({variant}.id, {variant}.price_minor, {lists}) -> 0 ->> 'unit_price_minor')::bigint
        ELSE {variant}.price_minor END"""


def sql_of_hidden(product: str, market: str) -> str:
    """SQL of whether the market hides the product with this id."""
    return (
        f"EXISTS (SELECT FROM market_hidden_products hidden "
        f"WHERE hidden.market_id = {market} AND hidden.product_id = {product})"
    )


def price_factor(exchange_rate: Decimal, adjustment_percentage: Decimal, shop_currency: str, currency: str) -> Decimal:
    """From minor units of the shop's currency to minor units of the list's, exactly."""
    digits = exponent(currency) - exponent(shop_currency)
    with localcontext(_EXACT):
        return (exchange_rate * (100 + adjustment_percentage) / 100).scaleb(digits)


def list_price(base_minor: int, factor: Decimal, round_to_minor: int, ending_minor: int) -> int:
    """As the SQL function of this name: half up, and never nothing out of something."""
    if base_minor == 0:
        return 0
    with localcontext(_EXACT):
        steps = (2 * (base_minor * factor - ending_minor) + round_to_minor) / (2 * round_to_minor)
        nearest = int(steps.to_integral_value(ROUND_FLOOR)) * round_to_minor + ending_minor
    return min(max(nearest, ending_minor or round_to_minor), MAX_AMOUNT_MINOR)


def converted(amount_minor: int, exchange_rate: Decimal, shop_currency: str, currency: str) -> int:
    """An amount of the shop's currency in another one, rounded half up to its minor unit: for what no price list says,
    such as shipping."""
    digits = exponent(currency) - exponent(shop_currency)
    with localcontext(_EXACT):
        exact = (amount_minor * exchange_rate).scaleb(digits)
        return min(int(exact.to_integral_value(ROUND_HALF_UP)), MAX_AMOUNT_MINOR)


def exchanged_back(exchange_rate: Decimal, shop_currency: str, currency: str) -> Decimal:
    """Minor units of the shop's currency for one of another one, to 22 digits after the point."""
    digits = exponent(shop_currency) - exponent(currency)
    with localcontext(_EXACT):
        return (1 / exchange_rate).scaleb(digits).quantize(Decimal(1).scaleb(-22))
