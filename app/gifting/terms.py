"""What wrapping costs a cart: the shop's price in the cart's currency, or else its own price, converted."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import orjson

from app import db
from app.markets.prices import converted

# Nothing that a shopper sent; both statements below share it.
_TERMS = """
    SELECT json_build_object(
        'label', g.wrapping_label, 'shop_currency', s.currency_code,
        'exchange_rates', (
            SELECT json_object_agg(l.currency_code, l.exchange_rate::text)
            FROM markets m JOIN price_lists l ON l.id = m.price_list_id
        ),
        'prices', (
            SELECT json_object_agg(p.currency_code, json_build_array(p.order_minor, p.unit_minor))
            FROM gift_wrap_prices p
        )
    ) FROM gift_settings g, shop s WHERE g.id = 1 AND g.wrapping_enabled AND s.id = 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapTerms:
    """Prices in minor units, by currency: of wrapping an order, and of wrapping a unit by itself."""

    label: str
    shop_currency: str
    exchange_rates: Mapping[str, Decimal]
    prices: Mapping[str, tuple[int, int]]

    def in_currency(self, currency: str) -> tuple[int, int] | None:
        """For the order, and for a unit; None where the shop has set no price that could be converted."""
        if own := self.prices.get(currency):
            return own[0], own[1]
        base, rate = self.prices.get(self.shop_currency), self.exchange_rates.get(currency)
        if base is None or rate is None:
            return None
        order, unit = (converted(minor, rate, self.shop_currency, currency) for minor in base)
        return order, unit


def wraps_in(offered: WrapTerms | None, currency: str) -> bool:
    """Whether what is paid in this currency can be wrapped."""
    return offered is not None and offered.in_currency(currency) is not None


def sql_of_terms(cart: str) -> str:
    """SQL: the terms as JSON for `terms_of`, for a cart that is wrapped, or a line of it; NULL for all others.

    Args:
        cart: alias of its row.
    """
    wrapped = "(w.gift_options ->> 'wrap')::bool"
    return f"""CASE WHEN ({cart}.gift_options ->> 'wrap')::bool OR EXISTS (
        SELECT FROM cart_lines w WHERE w.cart_id = {cart}.id AND {wrapped}
    ) THEN ({_TERMS}) END"""


def terms_of(text: str | None) -> WrapTerms | None:
    if text is None:
        return None
    stored = orjson.loads(text)
    return WrapTerms(
        label=stored["label"],
        shop_currency=stored["shop_currency"],
        exchange_rates={code: Decimal(rate) for code, rate in (stored["exchange_rates"] or {}).items()},
        prices={currency: (pair[0], pair[1]) for currency, pair in (stored["prices"] or {}).items()},
    )


async def current() -> WrapTerms | None:
    """For a cart that is to be wrapped from now on; None where the shop does not wrap."""
    return terms_of(await db.fetchval(_TERMS))
