"""Discounts as staff make and change them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic.alias_generators import to_camel

from app import db
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id
from app.kit.problems import MAX_INT, Problems
from app.promotions import stored
from app.promotions.checking import PERCENTAGE_PLACES, RuleCheck
from app.promotions.codes import checked_code
from app.promotions.definition import Rule
from app.promotions.models import DiscountStatus
from app.promotions.requests import EMPTY, WORTHS, DiscountChange
from app.shop import queries as shop

__all__ = ["PERCENTAGE_PLACES", "DiscountChange", "create_discount", "switch_discount", "update_discount"]

MAX_NAME_CHARS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """As the columns have them. A rule that is no more than a percentage or an amount off needs no document."""

    name: str
    rule: Rule
    currency_code: str | None
    minimum_subtotal_minor: int | None
    usage_limit: int | None
    usage_limit_per_customer: int | None
    starts_at: datetime | None
    ends_at: datetime | None

    def columns(self) -> Sequence[Any]:
        plain = self.rule.worth if self.rule.is_plain else None
        return (
            self.name,
            plain.percentage if plain else None,
            plain.amount_minor if plain else 0,
            None if plain else self.rule.to_json(),
            self.rule.reads_products,
            self.currency_code,
            self.minimum_subtotal_minor,
            self.usage_limit,
            self.usage_limit_per_customer,
            self.starts_at,
            self.ends_at,
        )


_INSERT = """
    INSERT INTO discounts (id, name, percentage, amount_minor, rule, reads_products, currency_code,
                           minimum_subtotal_minor, usage_limit, usage_limit_per_customer, starts_at, ends_at, automatic,
                           status, used_count, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9, $10, $11, $12, $13, 'ACTIVE', 0, business_now(), business_now())
"""
_UPDATE = """
    UPDATE discounts
    SET name = $2, percentage = $3, amount_minor = $4, rule = $5::jsonb, reads_products = $6, currency_code = $7,
        minimum_subtotal_minor = $8, usage_limit = $9, usage_limit_per_customer = $10, starts_at = $11, ends_at = $12,
        updated_at = business_now()
    WHERE id = $1
"""


async def create_discount(change: DiscountChange, code: str | None, *, automatic: bool | None = None) -> uuid.UUID:
    """Make a discount. Returns its id.

    Args:
        code: its first one.
        automatic: whether it applies by itself; where nobody says so, a discount without a code does.

    Raises:
        DomainErrors: all that is wrong, below `input`; CONFLICT at `code` when another discount has it.
    """
    async with db.unit_of_work():
        currency = (await shop.current(locked=True)).currency_code
        problems = Problems()
        checked = await _checked({**EMPTY, **change}, currency, problems)
        first_code = None if code is None else checked_code(code, problems, "code")
        if automatic and code is not None:
            problems.add(CommonErrorCode.INVALID, "What applies by itself takes no code.", "automatic")
        problems.raise_if_any()
        discount_id = new_id()
        applies = first_code is None if automatic is None else automatic
        await db.execute(_INSERT, discount_id, *checked.columns(), applies)
        if first_code is not None:
            await _add_code(discount_id, first_code)
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
        checked = await _checked(stored.changed(row, change), currency, problems)
        if row["source_key"] and not problems and checked.rule != stored.rule_of_row(row):
            message = "Coupons of this worth have been given out by themselves; change what gives them out instead."
            changed = next((name for name in (*WORTHS, *change) if name in change), "percentage")
            problems.add(CommonErrorCode.CONFLICT, message, to_camel(changed))
        limit = change.get("usage_limit")
        if limit is not None and 0 < limit < row["used_count"]:
            message = f"It has been used {row['used_count']:,} times already."
            problems.add(CommonErrorCode.OUT_OF_RANGE, message, "usageLimit")
        problems.raise_if_any()
        await db.execute(_UPDATE, discount_id, *checked.columns())


async def switch_discount(discount_id: uuid.UUID, *, on: bool) -> None:
    """With all its codes. Attempts that are being paid keep it. Raises DomainError(NOT_FOUND)."""
    status = DiscountStatus.ACTIVE if on else DiscountStatus.DISABLED
    changed = await db.execute(
        "UPDATE discounts SET status = $2, updated_at = business_now() WHERE id = $1", discount_id, status.value
    )
    if not changed:
        raise not_found("discount", ["id"])


async def _checked(terms: DiscountChange, currency: str, problems: Problems) -> _Terms:
    """All of it, in the open unit of work: what it names is there when it is written."""
    name = problems.required_line(terms["name"], "A name", "name", max_chars=MAX_NAME_CHARS)
    check = RuleCheck(problems, currency)
    rule = check.rule(terms)
    minimum = terms["minimum_subtotal"]
    if minimum is not None:
        check.amount(minimum, "minimumSubtotal")
    await check.named()
    for field, limit in (
        ("usageLimit", terms["usage_limit"]),
        ("usageLimitPerCustomer", terms["usage_limit_per_customer"]),
    ):
        if limit is not None and not 1 <= limit <= MAX_INT:
            problems.add(CommonErrorCode.OUT_OF_RANGE, "A limit is one use at least.", field)
    starts_at, ends_at = terms["starts_at"], terms["ends_at"]
    if starts_at and ends_at and ends_at <= starts_at:
        problems.add(CommonErrorCode.INVALID, "The end has to come after the beginning.", "endsAt")
    return _Terms(
        name=name,
        rule=rule,
        currency_code=currency if minimum or rule.is_in_money else None,
        minimum_subtotal_minor=minimum.amount_minor if minimum else None,
        usage_limit=terms["usage_limit"],
        usage_limit_per_customer=terms["usage_limit_per_customer"],
        starts_at=starts_at,
        ends_at=ends_at,
    )
