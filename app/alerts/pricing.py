"""At which price somebody would buy what they wait for: in the market where they asked, by the groups of their account,
and at a company's prices where they asked for it in a cart of the company's and still are its member."""

from app.markets.prices import sql_of_unit_price

_NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"

# Most accounts are in no group with prices, and buy as everybody does.
_IN_GROUP = """EXISTS (
    SELECT FROM customer_group_members g JOIN customer_group_price_lists gl ON gl.group_id = g.group_id
    WHERE g.customer_id = k.id
)"""


def _account(profile: str) -> str:
    return f"(SELECT k.id FROM customers k WHERE k.profile_id = {profile} AND {_IN_GROUP})"


def _company(profile: str, company: str) -> str:
    return f"""CASE WHEN {company} IS NOT NULL THEN (
        SELECT m.company_id FROM company_members m JOIN customers k ON k.id = m.customer_id
        WHERE m.company_id = {company} AND k.profile_id = {profile}
    ) END"""


def sql_of_price(variant: str, *, market: str, profile: str, company: str) -> str:
    """SQL of what one unit costs this person now.

    Args:
        variant: alias of a row of `product_variants`.
        market, profile, company: ids as SQL; a company, or null, that they say they buy for.
    """
    lists = f"price_lists_for({market}, {_account(profile)}, {_company(profile, company)})"
    return sql_of_unit_price(variant, lists)


def sql_of_waiting(which: str = "true") -> str:
    """WITH queries of which `priced` has a row for each open alert of the variant $1: `id, kind, profile_id, market_id,
    company_id, price_minor` and `asked_in` (the currency) as it was asked for, `price` and `currency_code` of today.

    What a unit costs is worked out once for all whom the same lists apply to.

    Args:
        which: more that is true of the alert `a`.
    """
    return f"""
        waiting AS (
            SELECT a.id, a.kind, a.profile_id, a.market_id, a.price_minor, a.currency_code AS asked_in,
                   coalesce(a.market_id, {_NOBODY}) AS market,
                   coalesce({_account("a.profile_id")}, {_NOBODY}) AS account,
                   coalesce({_company("a.profile_id", "a.company_id")}, {_NOBODY}) AS company
            FROM product_alerts a
            WHERE a.variant_id = $1 AND a.triggered_at IS NULL AND a.cancelled_at IS NULL AND {which}
        ), buyers AS MATERIALIZED (
            SELECT b.*, price_lists_for(b.market, nullif(b.account, {_NOBODY}), nullif(b.company, {_NOBODY})) AS lists
            FROM (SELECT DISTINCT market, account, company FROM waiting) b
        ), prices AS MATERIALIZED (
            SELECT l.lists, {sql_of_unit_price("v", "l.lists")} AS price,
                   coalesce((SELECT p.currency_code FROM price_lists p WHERE p.id = l.lists[1]), s.currency_code)
                       AS currency_code
            FROM (SELECT DISTINCT lists FROM buyers) l, product_variants v, shop s WHERE v.id = $1 AND s.id = 1
        ), priced AS (
            SELECT w.id, w.kind, w.profile_id, w.market_id, nullif(w.company, {_NOBODY}) AS company_id, w.price_minor,
                   w.asked_in, p.price, p.currency_code
            FROM waiting w JOIN buyers b USING (market, account, company) JOIN prices p USING (lists)
        )
    """
