"""Staff make price lists, and say what variants cost in them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypedDict

import asyncpg
import orjson

from app import db
from app.alerts import watching
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id
from app.kit.money import Money
from app.kit.problems import MAX_INT, Problems
from app.markets.checking import checked_number, minor_units
from app.markets.errors import MarketErrorCode
from app.markets.prices import price_factor
from app.shop import queries as shop

MAX_LISTS = 500
MAX_NAME_CHARS = 120
MAX_BATCH = 250
MAX_ROUND_TO_MINOR = 10**12
_LEAST_PERCENTAGE, _MOST_PERCENTAGE, _PERCENTAGE_PLACES = Decimal(-100), Decimal(1000), 4
_MOST_RATE, _RATE_PLACES = Decimal(1_000_000), 12


class RoundingGiven(TypedDict):
    to: Decimal
    ending: Decimal | None


class PriceListGiven(TypedDict, total=False):
    """What is left out stays as it is, or is as usual for a new one."""

    name: str | None
    currency_code: str
    """Only of a new one."""
    adjustment_percentage: Decimal | None
    exchange_rate: Decimal | None
    rounding: RoundingGiven | None


@dataclass(frozen=True, slots=True)
class PriceGiven:
    variant_id: uuid.UUID
    min_quantity: int
    price: Money
    compare_at_price: Money | None


@dataclass(frozen=True, slots=True)
class PriceKey:
    variant_id: uuid.UUID
    min_quantity: int


@dataclass(frozen=True, slots=True)
class _List:
    currency_code: str
    name: str = ""
    adjustment_percentage: Decimal = Decimal(0)
    exchange_rate: Decimal = Decimal(1)
    round_to_minor: int = 1
    ending_minor: int = 0


async def create_price_list(given: PriceListGiven) -> uuid.UUID:
    """Raises DomainErrors, each with its field below `input`: REQUIRED, INVALID, TOO_LONG, OUT_OF_RANGE, TOO_MANY,
    EXCHANGE_RATE_REQUIRED for a currency that is not the shop's."""
    problems, list_id = Problems(), new_id()
    async with db.unit_of_work():
        currency = (await shop.current(locked=True)).currency_code
        if await db.fetchval("SELECT count(*) FROM price_lists") >= MAX_LISTS:
            raise DomainError(CommonErrorCode.TOO_MANY, f"A shop has at most {MAX_LISTS} price lists.", ["input"])
        new = _List(given["currency_code"])
        if new.currency_code != currency and given.get("exchange_rate") is None:
            message = f"Say how many {new.currency_code} one {currency} is."
            problems.add(MarketErrorCode.EXCHANGE_RATE_REQUIRED, message, "exchangeRate")
        made = _edited(problems, new, {"name": None, **given}, currency)
        problems.raise_if_any()
        await db.execute(
            """
            INSERT INTO price_lists (id, name, currency_code, adjustment_percentage, exchange_rate, round_to_minor,
                                     ending_minor, factor, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, business_now(), business_now())
            """,
            list_id,
            made.name,
            made.currency_code,
            *_terms(made, currency),
        )
    return list_id


async def update_price_list(list_id: uuid.UUID, given: PriceListGiven) -> None:
    """As `create_price_list`; and NOT_FOUND at `id`."""
    problems = Problems()
    async with db.unit_of_work():
        currency = (await shop.current(locked=True)).currency_code
        row = await db.fetchrow(
            """
            SELECT currency_code, name, adjustment_percentage, exchange_rate, round_to_minor, ending_minor
            FROM price_lists WHERE id = $1 FOR UPDATE
            """,
            list_id,
        )
        if row is None:
            raise not_found("price list", ["id"])
        before = _List(**row)
        after = _edited(problems, before, given, currency)
        problems.raise_if_any()
        if after != before:
            await db.execute(
                """
                UPDATE price_lists
                SET name = $2, adjustment_percentage = $3, exchange_rate = $4, round_to_minor = $5, ending_minor = $6,
                    factor = $7, updated_at = business_now()
                WHERE id = $1
                """,
                list_id,
                after.name,
                *_terms(after, currency),
            )
            await watching.repriced(list_id)


async def delete_price_list(list_id: uuid.UUID) -> None:
    """With its prices. Raises DomainError: NOT_FOUND, PRICE_LIST_IN_USE."""
    try:
        if not await db.execute("DELETE FROM price_lists WHERE id = $1", list_id):
            raise not_found("price list", ["id"])
    except asyncpg.ForeignKeyViolationError:
        message = "Something sells by this price list; give it another one first."
        raise DomainError(MarketErrorCode.PRICE_LIST_IN_USE, message, ["id"]) from None


async def set_prices(list_id: uuid.UUID, given: Sequence[PriceGiven], gone: Sequence[PriceKey]) -> None:
    """Set own prices, and take others out: all of it or nothing. What has no own price costs what the list makes of
    the shop's.

    Raises:
        DomainErrors: NOT_FOUND for the list (at `id`) or a variant, TOO_MANY, INVALID for a price in another currency
            or the same price twice, OUT_OF_RANGE for quantities; paths begin with `set` or `delete` and the place.
    """
    if len(given) + len(gone) > MAX_BATCH:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_BATCH} prices at once.", ["set"])
    async with db.unit_of_work():
        row = await db.fetchrow("SELECT currency_code FROM price_lists WHERE id = $1 FOR SHARE", list_id)
        if row is None:
            raise not_found("price list", ["id"])
        # Triggers keep what products begin at, under the products' locks: taken in one order, before any price's.
        await db.execute(
            """
            SELECT FROM products WHERE id IN (SELECT product_id FROM product_variants WHERE id = ANY($1::uuid[]))
            ORDER BY id FOR NO KEY UPDATE
            """,
            [*(one.variant_id for one in given), *(one.variant_id for one in gone)],
        )
        await _check_prices(given, gone, row["currency_code"])
        if gone:
            await db.execute(
                """
                DELETE FROM price_list_prices p
                USING jsonb_to_recordset($2::jsonb) AS gone (variant_id uuid, min_quantity int)
                WHERE p.price_list_id = $1 AND p.variant_id = gone.variant_id AND p.min_quantity = gone.min_quantity
                """,
                list_id,
                _json([{"variant_id": one.variant_id, "min_quantity": one.min_quantity} for one in gone]),
            )
        if given:
            await db.execute(_UPSERT, list_id, _json([_row(one) for one in given]))
        await watching.changed({one.variant_id for one in given} | {one.variant_id for one in gone})


# In one order always: two batches at once wait for each other, and never both.
_UPSERT = """
    INSERT INTO price_list_prices (price_list_id, variant_id, min_quantity, price_minor, compare_at_price_minor,
                                   updated_at)
    SELECT $1, one.variant_id, one.min_quantity, one.price_minor, one.compare_at_price_minor, business_now()
    FROM jsonb_to_recordset($2::jsonb) AS one (
        variant_id uuid, min_quantity int, price_minor bigint, compare_at_price_minor bigint
    )
    ORDER BY one.variant_id, one.min_quantity
    ON CONFLICT ON CONSTRAINT price_list_prices_once DO UPDATE
    SET price_minor = EXCLUDED.price_minor, compare_at_price_minor = EXCLUDED.compare_at_price_minor,
        updated_at = EXCLUDED.updated_at
"""


def _row(given: PriceGiven) -> dict[str, object]:
    before = given.compare_at_price
    return {
        "variant_id": given.variant_id,
        "min_quantity": given.min_quantity,
        "price_minor": given.price.amount_minor,
        "compare_at_price_minor": before and before.amount_minor,
    }


def _json(rows: Sequence[dict[str, object]]) -> str:
    return orjson.dumps(rows).decode()


async def _check_prices(given: Sequence[PriceGiven], gone: Sequence[PriceKey], currency: str) -> None:
    problems = Problems()
    asked = [*(one.variant_id for one in given), *(one.variant_id for one in gone)]
    rows = await db.fetch("SELECT id, removed_at FROM product_variants WHERE id = ANY($1::uuid[]) FOR KEY SHARE", asked)
    known, sold = {row["id"] for row in rows}, {row["id"] for row in rows if row["removed_at"] is None}
    seen: set[tuple[uuid.UUID, int]] = set()
    keys = [PriceKey(one.variant_id, one.min_quantity) for one in given]
    for at, named in (("set", keys), ("delete", gone)):
        for place, one in enumerate(named):
            if (one.variant_id, one.min_quantity) in seen:
                message = "This price is named twice."
                problems.note(DomainError(CommonErrorCode.INVALID, message, [at, place]))
            seen.add((one.variant_id, one.min_quantity))
            if not 1 <= one.min_quantity <= MAX_INT:
                message = "A quantity is one or more."
                problems.note(DomainError(CommonErrorCode.OUT_OF_RANGE, message, [at, place, "minimumQuantity"]))
    for place, price in enumerate(given):
        if price.variant_id not in sold:
            problems.note(not_found("product variant", ["set", place, "variantId"]))
        for name, money in (("price", price.price), ("compareAtPrice", price.compare_at_price)):
            if money is not None and money.currency != currency:
                message = f"The prices of this list are in {currency}."
                problems.note(DomainError(CommonErrorCode.INVALID, message, ["set", place, name, "currencyCode"]))
    for place, key in enumerate(gone):
        if key.variant_id not in known:
            problems.note(not_found("product variant", ["delete", place, "variantId"]))
    problems.raise_if_any()


def _terms(price_list: _List, shop_currency: str) -> tuple[object, ...]:
    percentage, rate = price_list.adjustment_percentage, price_list.exchange_rate
    factor = price_factor(rate, percentage, shop_currency, price_list.currency_code)
    return percentage, rate, price_list.round_to_minor, price_list.ending_minor, factor


def _edited(problems: Problems, before: _List, given: PriceListGiven, shop_currency: str) -> _List:
    after = before
    if "name" in given:
        name = problems.required_line(given["name"], "A name", "name", max_chars=MAX_NAME_CHARS)
        after = replace(after, name=name)
    if (percentage := given.get("adjustment_percentage")) is not None:
        bounds = (_LEAST_PERCENTAGE, _MOST_PERCENTAGE, _PERCENTAGE_PLACES)
        after = replace(
            after, adjustment_percentage=checked_number(problems, percentage, *bounds, "adjustmentPercentage")
        )
    if (rate := given.get("exchange_rate")) is not None:
        rate = checked_number(problems, rate, Decimal(0), _MOST_RATE, _RATE_PLACES, "exchangeRate")
        if after.currency_code == shop_currency and rate != 1:
            problems.add(CommonErrorCode.INVALID, "The list is in the shop's own currency.", "exchangeRate")
        after = replace(after, exchange_rate=rate)
    if "rounding" in given:
        after = _rounded(problems, after, given["rounding"])
    return after


def _rounded(problems: Problems, price_list: _List, rounding: RoundingGiven | None) -> _List:
    if rounding is None:
        return replace(price_list, round_to_minor=1, ending_minor=0)
    currency = price_list.currency_code
    to = minor_units(problems, rounding["to"], currency, "rounding", "to", least=1, most=MAX_ROUND_TO_MINOR)
    ending = minor_units(problems, rounding["ending"] or Decimal(0), currency, "rounding", "ending")
    if ending >= to:
        message = "An ending is smaller than what prices are rounded to: 0.99 of 1.00."
        problems.add(CommonErrorCode.OUT_OF_RANGE, message, "rounding", "ending")
        return price_list
    return replace(price_list, round_to_minor=to, ending_minor=ending)
