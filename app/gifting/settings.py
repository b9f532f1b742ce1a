"""Gift wrapping as staff set it."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from app import db
from app.errors import CommonErrorCode
from app.kit.money import Money
from app.kit.problems import Problems

MAX_LABEL_CHARS = 80
MAX_PRICES = 50
DEFAULT_LABEL = "Gift wrapping"

_SETTINGS = """
    INSERT INTO gift_settings (id, wrapping_enabled, wrapping_label, updated_at)
    VALUES (1, $1, $2, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET wrapping_enabled = EXCLUDED.wrapping_enabled, updated_at = EXCLUDED.updated_at,
        wrapping_label = EXCLUDED.wrapping_label
"""
_PRICES = """
    INSERT INTO gift_wrap_prices (currency_code, order_minor, unit_minor, updated_at)
    SELECT p.currency, p.order_minor, p.unit_minor, clock_timestamp()
    FROM jsonb_to_recordset($1::jsonb) AS p (currency text, order_minor bigint, unit_minor bigint) ORDER BY p.currency
    ON CONFLICT (currency_code) DO UPDATE SET order_minor = EXCLUDED.order_minor, unit_minor = EXCLUDED.unit_minor,
        updated_at = EXCLUDED.updated_at
"""


@dataclass(frozen=True, slots=True)
class WrapPrice:
    """Of a whole order in one wrap, and of a unit in its own; one currency."""

    order: Money
    unit: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftSettings:
    """
    Attributes:
        prices: by currency; other currencies convert the shop's own.
    """

    wrapping_enabled: bool = False
    wrapping_label: str = DEFAULT_LABEL
    prices: Sequence[WrapPrice] = ()


async def current() -> GiftSettings:
    row = await db.fetchrow("SELECT * FROM gift_settings WHERE id = 1")
    prices = await db.fetch("SELECT * FROM gift_wrap_prices ORDER BY currency_code")
    return GiftSettings(
        wrapping_enabled=row["wrapping_enabled"] if row else False,
        wrapping_label=row["wrapping_label"] if row else DEFAULT_LABEL,
        prices=[
            WrapPrice(Money(one["order_minor"], one["currency_code"]), Money(one["unit_minor"], one["currency_code"]))
            for one in prices
        ],
    )


async def update(wanted: GiftSettings) -> None:
    """Set all of it; prices that are not given are taken away. Open carts get the new ones, orders keep theirs.

    Raises:
        DomainErrors: REQUIRED or TOO_LONG at `label`; INVALID for a price in two currencies or a currency given twice,
            TOO_MANY; REQUIRED at `prices` for wrapping without a price in the shop's
            currency, which others are converted from.
    """
    problems = Problems()
    label = problems.required_line(wanted.wrapping_label, "A name", "label", max_chars=MAX_LABEL_CHARS)
    if len(wanted.prices) > MAX_PRICES:
        problems.add(CommonErrorCode.TOO_MANY, f"At most {MAX_PRICES} currencies.", "prices")
    seen: set[str] = set()
    for place, price in enumerate(wanted.prices):
        if price.order.currency != price.unit.currency or price.order.currency in seen:
            problems.add(CommonErrorCode.INVALID, "Each currency once, with both prices in it.", "prices", place)
        seen.add(price.order.currency)
    problems.raise_if_any()
    async with db.unit_of_work():
        own = await db.fetchval("SELECT currency_code FROM shop WHERE id = 1 FOR SHARE")
        if wanted.wrapping_enabled and own not in seen:
            message = f"Say what wrapping costs in {own}; other currencies are converted from it."
            problems.add(CommonErrorCode.REQUIRED, message, "prices")
        problems.raise_if_any()
        await db.execute(_SETTINGS, wanted.wrapping_enabled, label)
        await db.execute("DELETE FROM gift_wrap_prices WHERE currency_code <> ALL($1)", sorted(seen))
        stored = [
            {"currency": one.order.currency, "order_minor": one.order.amount_minor, "unit_minor": one.unit.amount_minor}
            for one in wanted.prices
        ]
        await db.execute(_PRICES, orjson.dumps(stored).decode())
