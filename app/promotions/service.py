"""Discounts as staff make and change them."""

import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from app import db
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id
from app.kit.money import Money
from app.kit.problems import MAX_INT, Problems
from app.promotions.entering import MAX_CODE_CHARS
from app.promotions.models import DiscountStatus
from app.shop import queries as shop

MAX_NAME_CHARS = 120
PERCENTAGE_PLACES = 4
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class DiscountChange(TypedDict, total=False):
    """What is given changes; None takes it away. `percentage` is of 100; one of it and `amount` is needed."""

    name: str | None
    percentage: Decimal | None
    amount: Money | None
    minimum_subtotal: Money | None
    usage_limit: int | None
    usage_limit_per_customer: int | None
    starts_at: datetime | None
    ends_at: datetime | None


_NEW: dict[str, Any] = dict.fromkeys(DiscountChange.__annotations__)


async def create_discount(change: DiscountChange, code: str | None) -> uuid.UUID:
    """Make a discount; without a code it applies by itself. Returns its id.

    Raises:
        DomainErrors: all that is wrong, below `input`; CONFLICT at `code` when another discount has it.
    """
    async with db.unit_of_work():
        currency = (await shop.current(locked=True)).currency_code
        problems = Problems()
        checked = _checked({**_NEW, **change}, currency, problems)
        checked_code = _checked_code(code, problems)
        problems.raise_if_any()
        discount_id = new_id()
        await db.execute(
            """
            INSERT INTO discounts (id, name, percentage, amount_minor, currency_code, minimum_subtotal_minor,
                                   usage_limit, usage_limit_per_customer, starts_at, ends_at, status, automatic,
                                   used_count, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'ACTIVE', $11, 0, business_now(), business_now())
            """,
            discount_id,
            *checked,
            checked_code is None,
        )
        if checked_code is not None:
            await _add_code(discount_id, checked_code)
    return discount_id


async def _add_code(discount_id: uuid.UUID, code: str) -> None:
    added = await db.execute(
        """
        INSERT INTO discount_codes (id, discount_id, code, used_count, created_at)
        VALUES ($1, $2, $3, 0, business_now()) ON CONFLICT DO NOTHING
        """,
        new_id(),
        discount_id,
        code,
    )
    if not added:
        raise DomainError(CommonErrorCode.CONFLICT, "There is a discount with this code already.", ["input", "code"])


async def update_discount(discount_id: uuid.UUID, change: DiscountChange) -> None:
    """Change what is given. Orders keep what they were placed with; open carts get the new terms.

    Raises:
        DomainErrors: NOT_FOUND; all that is wrong, below `input`; CONFLICT for another worth of coupons that a flow
            or a referral has promised already.
    """
    async with db.unit_of_work():
        currency = (await shop.current(locked=True)).currency_code
        row = await db.fetchrow("SELECT * FROM discounts WHERE id = $1 FOR NO KEY UPDATE", discount_id)
        if row is None:
            raise not_found("discount", ["id"])
        problems = Problems()
        checked = _checked(_merged(row, change), currency, problems)
        if row["source_key"] and (checked[1], checked[2]) != (row["percentage"], row["amount_minor"]):
            message = "Coupons of this worth have been given out by themselves; change what gives them out instead."
            problems.add(CommonErrorCode.CONFLICT, message, "percentage" if "percentage" in change else "amount")
        limit = change.get("usage_limit")
        if limit is not None and 0 < limit < row["used_count"]:
            message = f"It has been used {row['used_count']:,} times already."
            problems.add(CommonErrorCode.OUT_OF_RANGE, message, "usageLimit")
        problems.raise_if_any()
        await db.execute(
            """
            UPDATE discounts
            SET name = $2, percentage = $3, amount_minor = $4, currency_code = $5, minimum_subtotal_minor = $6,
                usage_limit = $7, usage_limit_per_customer = $8, starts_at = $9, ends_at = $10,
                updated_at = business_now()
            WHERE id = $1
            """,
            discount_id,
            *checked,
        )


async def switch_discount(discount_id: uuid.UUID, *, on: bool) -> None:
    """With all its codes. Attempts that are being paid keep it. Raises DomainError(NOT_FOUND)."""
    status = DiscountStatus.ACTIVE if on else DiscountStatus.DISABLED
    changed = await db.execute(
        "UPDATE discounts SET status = $2, updated_at = business_now() WHERE id = $1", discount_id, status.value
    )
    if not changed:
        raise not_found("discount", ["id"])


def _merged(row: Mapping[str, Any], change: DiscountChange) -> dict[str, Any]:
    currency = row["currency_code"]
    stored = {name: row.get(name) for name in DiscountChange.__annotations__}
    for name in ("amount", "minimum_subtotal"):
        minor = row[f"{name}_minor"]
        stored[name] = None if minor is None else Money(minor, currency)
    return {**stored, **change}


def _checked(terms: Mapping[str, Any], currency: str, problems: Problems) -> tuple[Any, ...]:
    """Name, percentage, amount, currency, minimum, both limits, beginning and end, as the columns have them."""
    name = problems.required_line(terms["name"], "A name", "name", max_chars=MAX_NAME_CHARS)
    percentage, amount = terms["percentage"], terms["amount"]
    if (percentage is None) == (amount is None):
        problems.add(CommonErrorCode.INVALID, "Give a percentage or an amount, one of the two.", "percentage")
    if percentage is not None:
        _check_percentage(percentage, problems)
    for field, money in (("amount", amount), ("minimumSubtotal", terms["minimum_subtotal"])):
        if money is not None and money.currency != currency:
            problems.add(CommonErrorCode.INVALID, f"The shop sells in {currency}.", field)
        elif money is not None and money.amount_minor == 0:
            problems.add(CommonErrorCode.OUT_OF_RANGE, "The amount has to be above zero.", field)
    for field, limit in (
        ("usageLimit", terms["usage_limit"]),
        ("usageLimitPerCustomer", terms["usage_limit_per_customer"]),
    ):
        if limit is not None and not 1 <= limit <= MAX_INT:
            problems.add(CommonErrorCode.OUT_OF_RANGE, "A limit is one use at least.", field)
    starts_at, ends_at = terms["starts_at"], terms["ends_at"]
    if starts_at and ends_at and ends_at <= starts_at:
        problems.add(CommonErrorCode.INVALID, "The end has to come after the beginning.", "endsAt")
    in_currency = amount or terms["minimum_subtotal"]
    return (
        name,
        percentage,
        amount.amount_minor if amount else None,
        currency if in_currency else None,
        terms["minimum_subtotal"].amount_minor if terms["minimum_subtotal"] else None,
        terms["usage_limit"],
        terms["usage_limit_per_customer"],
        starts_at,
        ends_at,
    )


def _check_percentage(percentage: Decimal, problems: Problems) -> None:
    exponent = percentage.normalize().as_tuple().exponent
    if not 0 < percentage <= 100:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "A percentage is above 0 and at most 100.", "percentage")
    elif isinstance(exponent, int) and -exponent > PERCENTAGE_PLACES:
        message = f"A percentage has {PERCENTAGE_PLACES} digits after the point at most."
        problems.add(CommonErrorCode.INVALID, message, "percentage")


def _checked_code(code: str | None, problems: Problems) -> str | None:
    if code is None:
        return None
    trimmed = problems.line(code, "code", max_chars=MAX_CODE_CHARS)
    if trimmed is not None and not _CODE.fullmatch(trimmed):
        message = "A code is made of letters A to Z, digits, hyphens, dots and underscores, without spaces."
        problems.add(CommonErrorCode.INVALID, message, "code")
    elif not code.strip():
        problems.add(CommonErrorCode.REQUIRED, "Leave the code out for a discount that applies by itself.", "code")
    return trimmed
