"""The columns of documents that are prices: the shop's own ones as they stand in its rows, or those of price lists."""

from app.catalogue.statements import Statement
from app.kit.wanted import Wanted
from app.markets.prices import sql_of_adjusted, sql_of_listed

_OF_VARIANT = ("price", "compareAtPrice")
_REDUCED = "{prices}.compare_at_price_minor > {prices}.price_minor"


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
            # Few variants have them, and looking for them takes less than working them out.
            breaks = f"""CASE WHEN EXISTS (
                SELECT FROM price_list_prices tier
                WHERE tier.variant_id = {row}.id AND tier.min_quantity > 1
            ) THEN price_breaks({row}.id, {row}.price_minor, {s.price_lists()}) ELSE '[]' END"""
        columns.append(f"{breaks} AS quantity_price_breaks")
    return columns, joins


def ranges(s: Statement, row: str, wanted: Wanted) -> tuple[list[str], str]:
    """Columns of a product under an alias, over all of its variants, and the joins that they need."""
    names = [name for name in ("priceRange", "compareAtPriceRange") if name in wanted]
    if not names:
        return [], ""
    if s.has_own_prices:
        bounds, reduced = s.alias("bounds"), _REDUCED.format(prices="listed")
        columns = {
            "priceRange": f"json_build_array({bounds}.lowest, {bounds}.highest) AS price_range",
            "compareAtPriceRange": f"""json_build_array({bounds}.reduced_min, {bounds}.reduced_max)
                AS compare_at_price_range""",
        }
        # Both in one go over the variants, whose prices are looked up one by one.
        joins = f""" CROSS JOIN LATERAL (
            SELECT coalesce(min(listed.price_minor), 0) AS lowest, coalesce(max(listed.price_minor), 0) AS highest,
                   min(listed.compare_at_price_minor) FILTER (WHERE {reduced}) AS reduced_min,
                   max(listed.compare_at_price_minor) FILTER (WHERE {reduced}) AS reduced_max
            FROM product_variants v CROSS JOIN LATERAL {_listed(s, "v")} listed
            WHERE v.product_id = {row}.id AND v.removed_at IS NULL
        ) {bounds}"""
        return [columns[name] for name in names], joins
    columns = {
        "priceRange": f"json_build_array({row}.min_price_minor, {row}.max_price_minor) AS price_range",
        "compareAtPriceRange": f"""(
            SELECT json_build_array(min(v.compare_at_price_minor), max(v.compare_at_price_minor))
            FROM product_variants v
            WHERE v.product_id = {row}.id AND v.removed_at IS NULL AND {_REDUCED.format(prices="v")}
        ) AS compare_at_price_range""",
    }
    return [columns[name] for name in names], ""


def _listed(s: Statement, row: str) -> str:
    """A subquery of one row: the lowest price of one unit among the lists that apply. An own price has its own price
    before reduction, or none."""
    if (only := s.only_price_list()) is not None:
        return f"""(
            SELECT coalesce(own.price_minor, {sql_of_adjusted(f"{row}.price_minor")}) AS price_minor,
                   CASE WHEN own.id IS NOT NULL THEN own.compare_at_price_minor
                        ELSE {sql_of_adjusted(f"{row}.compare_at_price_minor")} END AS compare_at_price_minor
            FROM price_lists l
            LEFT JOIN price_list_prices own
                ON own.price_list_id = {only} AND own.variant_id = {row}.id AND own.min_quantity = 1
            WHERE l.id = {only}
        )"""
    return sql_of_listed(row, s.price_lists())
