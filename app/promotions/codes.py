"""More codes of a discount: those that staff choose, and switching single ones off and on."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from app import db
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.promotions.entering import MAX_CODE_CHARS
from app.promotions.errors import PromotionErrorCode
from app.promotions.models import DiscountStatus
from app.promotions.terms import same

MAX_AT_ONCE = 250
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

_ADD = """
    INSERT INTO discount_codes (id, discount_id, code, usage_limit, used_count, created_at)
    SELECT new.id, $1, new.code, $4, 0, business_now() FROM unnest($2::uuid[], $3::text[]) AS new (id, code)
    ON CONFLICT DO NOTHING
    RETURNING upper(code) AS spelling
"""
_LOCK_DISCOUNTS = """
    SELECT id FROM discounts WHERE id IN (SELECT discount_id FROM discount_codes WHERE id = ANY($1))
    ORDER BY id FOR NO KEY UPDATE
"""
_SWITCH = """
    UPDATE discount_codes SET disabled_at = CASE WHEN $2 THEN NULL ELSE coalesce(disabled_at, business_now()) END
    WHERE id = ANY($1)
"""


def checked_code(code: str, problems: Problems, *at: str | int) -> str | None:
    """Trimmed, and fit to be typed from paper."""
    trimmed = problems.line(code, *at, max_chars=MAX_CODE_CHARS)
    if not code.strip():
        problems.add(CommonErrorCode.REQUIRED, "The code is empty.", *at)
    elif trimmed is not None and not _CODE.fullmatch(trimmed):
        message = "A code is made of letters A to Z, digits, hyphens, dots and underscores, without spaces."
        problems.add(CommonErrorCode.INVALID, message, *at)
    return trimmed


async def add_codes(discount_id: uuid.UUID, codes: Sequence[str], usage_limit: int | None) -> list[uuid.UUID]:
    """All of them, or none. Their ids, in their order.

    Raises:
        DomainErrors: NOT_FOUND, CONFLICT for a discount that applies by itself and for codes that exist, at their
            places; what `checked_code` finds.
    """
    if not 1 <= len(codes) <= MAX_AT_ONCE:
        message = f"From one to {MAX_AT_ONCE} codes at once; `discountCodesGenerate` draws more."
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, message, ["input", "codes"])
    problems = Problems()
    checked = [checked_code(code, problems, "codes", place) or "" for place, code in enumerate(codes)]
    first: dict[str, int] = {}
    for place, code in enumerate(checked):
        if first.setdefault(same(code), place) != place and code:
            problems.add(CommonErrorCode.CONFLICT, "This code is given twice.", "codes", place)
    if usage_limit is not None and usage_limit < 1:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "A limit is one use at least.", "usageLimit")
    problems.raise_if_any()
    code_ids = [new_id() for _ in checked]
    async with db.unit_of_work():
        await takes_codes(discount_id)
        added = {row["spelling"] for row in await db.fetch(_ADD, discount_id, code_ids, checked, usage_limit)}
        taken = [
            DomainError(CommonErrorCode.CONFLICT, "There is a discount with this code already.", ["input", "codes", at])
            for at, code in enumerate(checked)
            if same(code) not in added
        ]
        if taken:
            raise DomainErrors(taken)
    return code_ids


async def takes_codes(discount_id: uuid.UUID) -> Mapping[str, Any]:
    """The discount, locked in the open unit of work. Raises DomainError(NOT_FOUND | CONFLICT | DISCOUNT_DISABLED)."""
    row = await db.fetchrow("SELECT * FROM discounts WHERE id = $1 FOR NO KEY UPDATE", discount_id)
    at = ["input", "discountId"]
    if row is None:
        raise not_found("discount", at)
    if row["automatic"]:
        message = "It applies by itself, so it takes no codes; make a discount with `automatic: false`."
        raise DomainError(CommonErrorCode.CONFLICT, message, at)
    if row["status"] == DiscountStatus.DISABLED:
        raise DomainError(PromotionErrorCode.DISCOUNT_DISABLED, "It is switched off; enable it first.", at)
    return row


async def switch_codes(code_ids: Sequence[uuid.UUID], *, on: bool) -> None:
    """All of them, or none. Attempts that are being paid keep theirs.

    Raises:
        DomainErrors: NOT_FOUND, at the places of those that do not exist.
    """
    if not 1 <= len(code_ids) <= MAX_AT_ONCE:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, f"From one to {MAX_AT_ONCE} codes at once.", ["ids"])
    async with db.unit_of_work():
        await db.execute(_LOCK_DISCOUNTS, list(code_ids))
        rows = await db.fetch("SELECT id FROM discount_codes WHERE id = ANY($1)", list(code_ids))
        known = {row["id"] for row in rows}
        missing = [not_found("code", ["ids", place]) for place, one in enumerate(code_ids) if one not in known]
        if missing:
            raise DomainErrors(missing)
        await db.execute(_SWITCH, list(code_ids), on)
