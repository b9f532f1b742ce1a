"""Every use of a discount: held while its order is paid for, redeemed with the order, given back otherwise.

All of it joins the open unit of work. Discounts are locked in the order of their ids and after everything else that a
checkout locks, their codes under them: whoever changes a code's count has its discount locked. So limits hold exactly,
however many check out at once.
"""

import uuid
from collections.abc import Sequence

import orjson

from app import db
from app.customers import timeline
from app.orders.draft import DiscountDraft
from app.promotions.buyers import FOR_FIRST_ORDERS, contact_hashes

LOCK_OF_FIRST_ORDERS = 1_904_551
"""Sets these advisory locks apart from others; any number does."""
# A statement that waits for a row goes on to see all others as they were before it waited, so that locking and counting
# are statements of their own. Two discounts for a first order are two rows: their buyer is what both wait for.
_LOCK = f"""
    WITH locked AS MATERIALIZED (
        SELECT {FOR_FIRST_ORDERS} AS for_first_orders FROM discounts WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE
    )
    SELECT CASE WHEN (SELECT bool_or(for_first_orders) FROM locked) THEN (
        SELECT count(pg_advisory_xact_lock(hashtextextended(encode(one, 'hex'), {LOCK_OF_FIRST_ORDERS})))
        FROM unnest($2::bytea[]) AS one
    ) END
"""
_HOLD = f"""
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset($1::jsonb) AS w (id uuid, code_id uuid, amount_minor bigint)
    ), counted AS (
        UPDATE discounts d SET used_count = used_count + 1
        FROM wanted
        WHERE d.id = wanted.id AND d.status = 'ACTIVE' AND (d.usage_limit IS NULL OR d.used_count < d.usage_limit)
          AND coalesce(d.usage_limit_per_customer > (
                SELECT count(*) FROM discount_redemptions r
                WHERE r.discount_id = d.id AND r.contact_hash = ANY($4) AND r.state <> 'RELEASED'
          ), true)
          AND NOT (coalesce(d.{FOR_FIRST_ORDERS}, false) AND EXISTS (
                SELECT FROM discounts f JOIN discount_redemptions r ON r.discount_id = f.id
                WHERE f.{FOR_FIRST_ORDERS} AND r.contact_hash = ANY($4) AND r.state <> 'RELEASED'
          ))
        RETURNING d.id
    ), counted_codes AS (
        UPDATE discount_codes k SET used_count = used_count + 1
        FROM wanted
        WHERE k.id = wanted.code_id AND k.disabled_at IS NULL
          AND (k.usage_limit IS NULL OR k.used_count < k.usage_limit)
        RETURNING k.id
    ), held AS (
        INSERT INTO discount_redemptions (id, discount_id, code_id, attempt_id, contact_hash, amount_minor, state,
                                          created_at)
        SELECT gen_random_uuid(), id, code_id, $2, $3, amount_minor, 'HELD', business_now() FROM wanted
    )
    SELECT (SELECT count(*) FROM counted) + (SELECT count(*) FROM counted_codes)
"""
_REDEEM = """
    WITH redeemed AS (
        UPDATE discount_redemptions r
        SET state = 'REDEEMED', order_id = $2, profile_id = (SELECT o.profile_id FROM orders o WHERE o.id = $2)
        WHERE r.attempt_id = $1 AND r.state = 'HELD'
        RETURNING r.code_id
    )
    SELECT k.id, k.code, coalesce(p.merged_into_id, k.profile_id) AS owner_id
    FROM redeemed JOIN discount_codes k ON k.id = redeemed.code_id LEFT JOIN profiles p ON p.id = k.profile_id
    WHERE k.profile_id IS NOT NULL
"""
_LOCK_OF_ATTEMPT = """
    SELECT id FROM discounts
    WHERE id IN (SELECT discount_id FROM discount_redemptions WHERE attempt_id = $1 AND state <> 'RELEASED')
    ORDER BY id FOR NO KEY UPDATE
"""
_RELEASE = """
    WITH released AS (
        UPDATE discount_redemptions SET state = 'RELEASED' WHERE attempt_id = $1 AND state <> 'RELEASED'
        RETURNING discount_id, code_id
    ), counted AS (
        UPDATE discounts d SET used_count = used_count - 1
        FROM released WHERE d.id = released.discount_id
    )
    UPDATE discount_codes k SET used_count = used_count - 1 FROM released WHERE k.id = released.code_id
"""


class TakenMeanwhile(Exception):  # noqa: N818 - takes the transaction back, and is no error
    """A discount was used up, or switched off, after the order was priced."""


async def hold(attempt_id: uuid.UUID, discounts: Sequence[DiscountDraft], email: str | None, phone: str | None) -> None:
    """Count these uses for an attempt that has just begun.

    Raises:
        TakenMeanwhile: when any of them cannot be had any more; the unit of work has to be rolled back.
    """
    if not discounts:
        return
    hashes = contact_hashes(email, phone)
    await db.fetchval(_LOCK, [use.id for use in discounts], hashes)
    wanted = [{"id": use.id, "code_id": use.code_id, "amount_minor": use.amount_minor} for use in discounts]
    counted = await db.fetchval(_HOLD, orjson.dumps(wanted).decode(), attempt_id, hashes[0] if hashes else None, hashes)
    if counted != len(discounts) + sum(1 for use in discounts if use.code_id):
        raise TakenMeanwhile


async def redeem(attempt_id: uuid.UUID, order_id: uuid.UUID) -> None:
    """The attempt's order is placed: its uses are the order's. Notes `coupon.redeemed` for personal codes."""
    for row in await db.fetch(_REDEEM, attempt_id, order_id):
        await timeline.record(
            "coupon.redeemed",
            profile_id=row["owner_id"],
            subject_id=row["id"],
            order_id=order_id,
            data={"code": row["code"]},
        )


async def release(attempt_id: uuid.UUID) -> None:
    """The checkout came to nothing, or its order is cancelled: these uses do not count. Repeating changes nothing."""
    await db.execute(_LOCK_OF_ATTEMPT, attempt_id)
    await db.execute(_RELEASE, attempt_id)
