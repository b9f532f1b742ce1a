"""Coupons: codes for one person and one use, made by flows, surveys and referrals."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from app import db
from app.customers import timeline
from app.errors import DomainError
from app.kit.ids import new_id
from app.promotions.errors import PromotionErrorCode
from app.promotions.models import DiscountStatus

ALPHABET = "BCDFGHJKMNPQRTVWXY34679"
"""Of what is mistaken for each other at most one (0 O, 1 I L, 2 Z, 5 S, 8 B, U V), and no vowels, so that no code
is a word."""
CODE_CHARS = 10
"""23^10 codes, 45 bits: a million guesses against a million living coupons find one in forty times."""
MAX_TRIES = 10

_DISCOUNT = "SELECT id, status FROM discounts WHERE source_key = $1"
_NEW_DISCOUNT = """
    INSERT INTO discounts (id, name, status, automatic, percentage, amount_minor, currency_code, used_count, source_key,
                           created_at, updated_at)
    SELECT $1, $2, 'ACTIVE', false, $3, $4, CASE WHEN $4::bigint IS NOT NULL THEN shop.currency_code END, 0, $5,
           business_now(), business_now()
    FROM shop WHERE shop.id = 1
    ON CONFLICT (source_key) DO NOTHING
"""
_NEW_CODE = """
    INSERT INTO discount_codes (id, discount_id, code, profile_id, usage_limit, used_count, issued_by, ends_at,
                                created_at)
    VALUES ($1, $2, $3, $4, 1, 0, $5, business_now() + $6::interval, business_now())
    ON CONFLICT DO NOTHING
    RETURNING ends_at
"""


@dataclass(frozen=True, slots=True)
class Coupon:
    """`ends_at` is business time; None for a coupon that does not end."""

    code: str
    ends_at: datetime | None
    code_id: uuid.UUID


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS))


async def issue_coupon(
    *,
    issued_by: str,
    profile_id: uuid.UUID,
    name: str,
    percentage: Decimal | None = None,
    amount_minor: int | None = None,
    valid_for: timedelta,
    source_key: str,
) -> Coupon:
    """Make a single-use code for one person in the open unit of work, and note `coupon.issued` on their timeline.

    Calls with the same `issued_by` give the same coupon, however many of them run at once.

    Args:
        issued_by: the one reason to give out this coupon, such as `run:<run>:<step>`.
        name: what the shopper sees beside the amount, the same for all coupons of a source.
        percentage: of 100; or else
        amount_minor: in the shop's currency.
        valid_for: business time from now.
        source_key: what gives out coupons of this kind, such as a flow's step. All coupons of one source and worth
            hang on one discount, so that they are counted and switched off together.

    Raises:
        DomainError: DISCOUNT_DISABLED when staff have switched off the discount of this source.
    """
    db.current_unit_of_work()
    if known := await _issued(issued_by):
        return known
    discount_id = await _discount(f"{source_key}|{_worth(percentage, amount_minor)}", name, percentage, amount_minor)
    for _ in range(MAX_TRIES):
        code, code_id = new_code(), new_id()
        row = await db.fetchrow(_NEW_CODE, code_id, discount_id, code, profile_id, issued_by, valid_for)
        if row is not None:
            data = {"code": code, "endsAt": row["ends_at"].isoformat(), "source": source_key}
            await timeline.record("coupon.issued", profile_id=profile_id, subject_id=code_id, data=data)
            return Coupon(code, row["ends_at"], code_id)
        # Either somebody else has just issued it, or somebody has this code already.
        if known := await _issued(issued_by):
            return known
    raise RuntimeError("no free code was found")


async def _issued(issued_by: str) -> Coupon | None:
    row = await db.fetchrow("SELECT id, code, ends_at FROM discount_codes WHERE issued_by = $1", issued_by)
    return Coupon(row["code"], row["ends_at"], row["id"]) if row else None


async def _discount(source_key: str, name: str, percentage: Decimal | None, amount_minor: int | None) -> uuid.UUID:
    row = await db.fetchrow(_DISCOUNT, source_key)
    if row is None:
        await db.execute(_NEW_DISCOUNT, new_id(), name, percentage, amount_minor, source_key)
        row = await db.fetchrow(_DISCOUNT, source_key)
    if row is None:
        raise RuntimeError("the discount of this source was not written")
    if row["status"] == DiscountStatus.DISABLED:
        raise DomainError(PromotionErrorCode.DISCOUNT_DISABLED, "The discount of these coupons is switched off.")
    discount_id: uuid.UUID = row["id"]
    return discount_id


def _worth(percentage: Decimal | None, amount_minor: int | None) -> str:
    return f"{percentage.normalize():f}%" if percentage is not None else f"{amount_minor}"
