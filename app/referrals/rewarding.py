"""What becomes of an order that came by a referral: asked after each thing that happens to it, in any order."""

import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from app import db
from app.customers import identification, timeline
from app.kit.ids import new_id
from app.promotions.coupons import issue_coupon
from app.referrals import service
from app.referrals.models import ReferralState
from app.referrals.rules import ReferralRefusal, Traits, same_home, same_mailbox

REWARD_NAME = "Thank you for recommending us"
REWARD_SOURCE = "referral reward"

_REFERRED = """
    SELECT o.id, o.profile_id, o.status, o.payment_status, o.placed_at, o.email, c.id AS code_id,
           c.profile_id AS referrer_id
    FROM orders o
    JOIN discount_redemptions r ON r.order_id = o.id
    JOIN referral_codes c ON c.discount_code_id = r.code_id
    WHERE o.id = $1
"""
_EARLIER = """
    SELECT EXISTS (
        SELECT FROM orders o
        WHERE (o.placed_at, o.id) < ($2, $1) AND o.status <> 'CANCELLED'
          AND (o.profile_id = $3 OR lower(o.email) = lower($4))
    )
"""
_REFERRED_BEFORE = """
    SELECT EXISTS (
        SELECT FROM referrals WHERE friend_profile_id = $1 AND order_id <> $2 AND state IN ('PENDING', 'REWARDED')
    )
"""
_TRAITS = """
    SELECT p.email, p.phone, NULL::jsonb AS shipping_address, NULL::jsonb AS billing_address
    FROM profiles p WHERE p.id = $1
    UNION ALL
    SELECT o.email, o.phone, o.shipping_address, o.billing_address FROM orders o WHERE o.profile_id = $1
"""


async def consider(order_id: uuid.UUID) -> None:
    """Note whose friend bought, and reward them once the order is paid; in the open unit of work.

    An order without a referral code, or one that is settled, stays as it is. Both people are locked, so that what is
    decided of them is decided by one at a time.
    """
    order = await db.fetchrow(_REFERRED, order_id)
    if order is None or order["profile_id"] is None:
        return
    await _lock(order["referrer_id"], order["profile_id"])
    referral = await _noted(order)
    if referral["state"] != ReferralState.PENDING:
        return
    # Read again: it may have been paid, or cancelled, while we waited. The order is not locked (who changes it locks it
    # before its buyer): what happens to it from now on is an event of its own.
    order = await db.fetchrow(_REFERRED, order_id)
    if order is None:
        return
    if order["status"] == "CANCELLED":
        await _settle(referral["id"], ReferralState.REFUSED, ReferralRefusal.ORDER_CANCELLED)
    elif order["payment_status"] == "PAID":
        await _reward(referral["id"], order)


async def _lock(referrer_id: uuid.UUID, friend_id: uuid.UUID) -> None:
    for profile_id in sorted({referrer_id, friend_id}):
        await identification.lock(profile_id, or_erased=True)


async def _noted(order: Mapping[str, Any]) -> db.Record:
    known = await db.fetchrow("SELECT id, state FROM referrals WHERE order_id = $1", order["id"])
    if known is not None:
        return known
    refusal = await _refusal(order)
    row = await db.fetchrow(
        """
        INSERT INTO referrals (id, referral_code_id, friend_profile_id, order_id, state, reason, created_at, settled_at)
        VALUES ($1, $2, $3, $4, $5::text, $6, business_now(), CASE WHEN $5::text <> 'PENDING' THEN business_now() END)
        ON CONFLICT (order_id) DO UPDATE SET order_id = EXCLUDED.order_id
        RETURNING id, state
        """,
        new_id(),
        order["code_id"],
        order["profile_id"],
        order["id"],
        (ReferralState.REFUSED if refusal else ReferralState.PENDING).value,
        refusal.value if refusal else None,
    )
    if row is None:
        raise RuntimeError("the referral was not written")
    return row


async def _refusal(order: Mapping[str, Any]) -> ReferralRefusal | None:
    """The cart has refused the plain cases; this also sees phones and addresses."""
    friend, referrer = await _traits(order["profile_id"]), await _traits(order["referrer_id"])
    if friend.meets(referrer):
        return ReferralRefusal.SELF_REFERRAL
    if await db.fetchval(_EARLIER, order["id"], order["placed_at"], order["profile_id"], order["email"]):
        return ReferralRefusal.EXISTING_CUSTOMER
    if await db.fetchval(_REFERRED_BEFORE, order["profile_id"], order["id"]):
        return ReferralRefusal.ALREADY_REFERRED
    return None


async def _traits(profile_id: uuid.UUID) -> Traits:
    rows = await db.fetch(_TRAITS, profile_id)
    stored = [text for row in rows for text in (row["shipping_address"], row["billing_address"]) if text]
    return Traits(
        profile_ids=frozenset({profile_id.hex}),
        mailboxes=frozenset(same_mailbox(row["email"]) for row in rows if row["email"]),
        phones=frozenset(row["phone"] for row in rows if row["phone"]),
        homes=frozenset(filter(None, (same_home(orjson.loads(text) or {}) for text in stored))),
    )


async def _reward(referral_id: uuid.UUID, order: Mapping[str, Any]) -> None:
    running = await service.program(locked=True)
    if not running.enabled or running.reward is None:
        await _settle(referral_id, ReferralState.REFUSED, ReferralRefusal.PROGRAM_ENDED)
        return
    coupon = await issue_coupon(
        issued_by=f"referral:{referral_id}",
        profile_id=order["referrer_id"],
        name=REWARD_NAME,
        percentage=running.reward.percentage,
        amount_minor=running.reward.amount_minor,
        valid_for=service.reward_validity(running),
        source_key=REWARD_SOURCE,
    )
    await _settle(referral_id, ReferralState.REWARDED, None, coupon.code_id)
    await timeline.record(
        "referral.rewarded",
        profile_id=order["referrer_id"],
        subject_id=referral_id,
        data={"referralId": str(referral_id), "code": coupon.code},
    )


async def _settle(
    referral_id: uuid.UUID,
    state: ReferralState,
    reason: ReferralRefusal | None,
    reward_code_id: uuid.UUID | None = None,
) -> None:
    await db.execute(
        """
        UPDATE referrals SET state = $2, reason = $3, reward_code_id = $4, settled_at = business_now()
        WHERE id = $1 AND state = 'PENDING'
        """,
        referral_id,
        state.value,
        reason.value if reason else None,
        reward_code_id,
    )
