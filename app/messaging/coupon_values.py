"""The coupon that a message speaks of."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app import db


@dataclass(frozen=True, slots=True)
class IssuedCoupon:
    code: str
    name: str
    """Of its discount, for what is neither a percentage nor an amount."""
    percentage: Decimal | None
    amount_minor: int | None
    """In the shop's currency."""
    ends_at: datetime | None


_COLUMNS = """
    c.code, d.name, c.ends_at, coalesce(d.percentage, (d.rule->'worth'->>'percentage')::numeric) AS percentage,
    CASE WHEN d.rule IS NULL THEN d.amount_minor ELSE (d.rule->'worth'->>'amount_minor')::bigint END AS amount_minor
"""
_BY_CODE = f"""
    SELECT {_COLUMNS} FROM discount_codes c JOIN discounts d ON d.id = c.discount_id WHERE upper(c.code) = upper($1)
"""
_OF_RUN = f"""
    SELECT {_COLUMNS} FROM discount_codes c JOIN discounts d ON d.id = c.discount_id
    WHERE c.issued_by LIKE 'run:' || $1 || ':%' OR c.issued_by LIKE 'run:' || $2 || ':%'
    ORDER BY c.created_at DESC, c.id DESC LIMIT 1
"""


async def find(code: object, run_id: uuid.UUID | None) -> IssuedCoupon | None:
    """The one that was named, or else the last one that the run has issued."""
    row = None
    if isinstance(code, str) and code:
        row = await db.fetchrow(_BY_CODE, code)
    elif run_id is not None:
        row = await db.fetchrow(_OF_RUN, str(run_id), run_id.hex)
    if row is None:
        return None
    return IssuedCoupon(row["code"], row["name"], row["percentage"], row["amount_minor"], row["ends_at"])
