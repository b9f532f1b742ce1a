"""Products by the lowest price that is shown to who looks, where that is not the shop's own.

What a price list makes of the shop's prices keeps their order, as rounding never turns it round; so products without
own prices come in the order of the index that the shop's prices have. Those with own prices come out of
`price_list_products`, and the two are merged. Equal prices go by the shop's own, then by id, which keeps either part in
its order. See docs/decisions/markets.md.
"""

import uuid
from dataclasses import dataclass

from app.catalogue.orderings import Bind, Page, foreign_cursor
from app.kit.pagination import PageRequest

_MAX_BIGINT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ShownPrice:
    """An order; see `orderings.Ordering` for what is common to them.

    Attributes:
        lists: SQL of an array of the price lists that apply.
        only: SQL of the one list's id, where no other one can apply: then its products come in an index's order.
        reverse: dearest first.
    """

    lists: str
    only: str | None
    reverse: bool = False

    @property
    def cursor_name(self) -> str:
        return "shown_price-" if self.reverse else "shown_price"

    def page(self, bind: Bind, row: str, source: str, request: PageRequest) -> Page:
        descending = self.reverse != request.backward
        way, beyond = ("DESC", "<") if descending else ("ASC", ">")
        place, after_shop, after_own = "", "", ""
        if request.cursor is not None:
            price, base, row_id = _position(request)
            at = f"{bind(price, 'bigint')}, {bind(base, 'bigint')}, {bind(row_id, 'uuid')}"
            place = f"WITH place AS MATERIALIZED (SELECT * FROM place_by_price({at}, {self.lists}))"
            after_shop = f"""AND ({row}.min_price_minor, {row}.id)
                {beyond} ((SELECT at_base FROM place), (SELECT at_id FROM place))"""
            after_own = f"AND (own.lowest_minor, own.shop_minor, own.product_id) {beyond} ({at})"
        of_list = (
            f"own.price_list_id = {self.only}"
            if self.only
            else f"own.price_list_id = ANY (ARRAY(SELECT unnest({self.lists})))"
        )
        # Each part is cut to the page before anything is merged.
        by_shop = f"""
            SELECT {row}.*, {self._made_of(f"{row}.min_price_minor")} AS "_key", {row}.min_price_minor AS "_base",
                   {row}.id AS "_tie"
            FROM {source} AND NOT EXISTS (
                SELECT FROM price_list_products own WHERE own.product_id = {row}.id AND {of_list}
            ) {after_shop}
            ORDER BY {row}.min_price_minor {way}, {row}.id {way} LIMIT {request.fetch_limit}
        """
        by_own = f"""
            SELECT {row}.*, own.lowest_minor AS "_key", own.shop_minor AS "_base", own.product_id AS "_tie"
            FROM {"price_list_products own" if self.only else self._of_any(of_list)}
            CROSS JOIN LATERAL (SELECT {row}.* FROM {source} AND {row}.id = own.product_id) {row}
            WHERE {of_list if self.only else "true"} {after_own}
            ORDER BY own.lowest_minor {way}, own.shop_minor {way}, own.product_id {way} LIMIT {request.fetch_limit}
        """
        rows = f"""(
            {place} SELECT {row}.* FROM (({by_shop}) UNION ALL ({by_own})) {row}
            ORDER BY {row}._key {way}, {row}._base {way}, {row}._tie {way} LIMIT {request.fetch_limit}
        ) {row}"""
        return Page(
            rows=rows,
            order=f"{row}._key {way}, {row}._base {way}, {row}._tie {way}",
            cursor=f"json_build_array({row}._key, {row}._base, replace({row}._tie::text, '-', ''))",
        )

    def _made_of(self, base: str) -> str:
        """The lowest price that the lists make of one of the shop's."""
        return f"""(
            SELECT min(CASE WHEN l.id IS NULL THEN {base}
                            ELSE list_price({base}, l.factor, l.round_to_minor, l.ending_minor) END)
            FROM unnest({self.lists}) AS applied (id) LEFT JOIN price_lists l ON l.id = applied.id
        )"""

    def _of_any(self, of_list: str) -> str:
        """Products with own prices in any of the lists: the lowest of what each list says, or makes of the shop's."""
        return f"""(
            SELECT special.product_id, special.shop_minor, min(coalesce(
                       known.lowest_minor,
                       CASE WHEN l.id IS NULL THEN special.shop_minor
                            ELSE list_price(special.shop_minor, l.factor, l.round_to_minor, l.ending_minor) END
                   )) AS lowest_minor
            FROM (SELECT DISTINCT own.product_id, own.shop_minor FROM price_list_products own WHERE {of_list}) special
            CROSS JOIN unnest({self.lists}) AS applied (id)
            LEFT JOIN price_lists l ON l.id = applied.id
            LEFT JOIN price_list_products known
                ON known.price_list_id = applied.id AND known.product_id = special.product_id
            GROUP BY special.product_id, special.shop_minor
        ) own"""


def _position(request: PageRequest) -> tuple[int, int, uuid.UUID]:
    """Raises DomainError(INVALID) for what this order never made."""
    try:
        price, base, row_id = request.cursor or ()
        for amount in (price, base):
            if not isinstance(amount, int) or not 0 <= amount < _MAX_BIGINT:
                raise ValueError("not an amount")
        return int(price or 0), int(base or 0), uuid.UUID(hex=str(row_id))
    except (ValueError, TypeError) as error:
        raise foreign_cursor("before" if request.backward else "after") from error
