"""The columns of documents that are prices: the shop's own ones as they stand in its rows, or those of price lists."""

from app.catalogue.statements import Statement
from app.kit.wanted import Wanted

_OF_VARIANT = ("price", "compareAtPrice")


def of_variant(s: Statement, row: str, wanted: Wanted) -> tuple[list[str], str]:
    """Columns of a variant under an alias, and the joins that they need."""
    columns, joins = [], ""
    own_prices = s.has_own_prices and any(name in wanted for name in _OF_VARIANT)
    prices = row
    if own_prices:
        prices = s.alias("listed")
        joins = f" CROSS JOIN LATERAL {_listed(s, row)} {prices}"
    if "price" in wanted:
        columns.append(f"{prices}.price_minor AS price")
    if "compareAtPrice" in wanted:
        columns.append(f"{prices}.compare_at_price_minor AS compare_at_price")
    if "quantityPriceBreaks" in wanted:
        breaks = "'[]'::json"
        if s.has_own_prices:
            breaks = f"price_breaks({row}.id, {row}.price_minor, {s.price_lists()})"
        columns.append(f"{breaks} AS quantity_price_breaks")
    return columns, joins


def ranges(s: Statement, row: str, wanted: Wanted) -> list[str]:
    """Columns of a product under an alias: over all of its variants."""
    columns = []
    if "priceRange" in wanted:
        bounds = f"json_build_array({row}.min_price_minor, {row}.max_price_minor)"
        if s.has_own_prices:
            bounds = f"""(
                SELECT json_build_array(coalesce(min(listed.price_minor), 0), coalesce(max(listed.price_minor), 0))
                FROM product_variants v CROSS JOIN LATERAL {_listed(s, "v")} listed
                WHERE v.product_id = {row}.id AND v.removed_at IS NULL
            )"""
        columns.append(f"{bounds} AS price_range")
    if "compareAtPriceRange" in wanted:
        prices, join = ("v", "") if not s.has_own_prices else ("listed", f"CROSS JOIN LATERAL {_listed(s, 'v')} listed")
        columns.append(f"""(
            SELECT json_build_array(min({prices}.compare_at_price_minor), max({prices}.compare_at_price_minor))
            FROM product_variants v {join}
            WHERE v.product_id = {row}.id AND v.removed_at IS NULL
              AND {prices}.compare_at_price_minor > {prices}.price_minor
        ) AS compare_at_price_range""")
    return columns


def _listed(s: Statement, row: str) -> str:
    """A subquery of one row: the lowest price of one unit among the lists that apply. An own price has its own price
    before reduction, or none."""
    return f"""(
        SELECT coalesce(own.price_minor, CASE WHEN l.id IS NULL THEN {row}.price_minor
                   ELSE list_price({row}.price_minor, l.factor, l.round_to_minor, l.ending_minor) END) AS price_minor,
               CASE WHEN own.id IS NOT NULL THEN own.compare_at_price_minor
                    WHEN l.id IS NULL THEN {row}.compare_at_price_minor
                    ELSE list_price({row}.compare_at_price_minor, l.factor, l.round_to_minor, l.ending_minor)
               END AS compare_at_price_minor
        FROM unnest({s.price_lists()}) AS applied (id)
        LEFT JOIN price_lists l ON l.id = applied.id
        LEFT JOIN price_list_prices own
            ON own.price_list_id = applied.id AND own.variant_id = {row}.id AND own.min_quantity = 1
        ORDER BY 1 LIMIT 1
    )"""
