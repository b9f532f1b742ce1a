"""Two profiles that are one person: everything of one becomes the other's.

Who may be merged is decided in `identification`. The merged row stays, without addresses, so that ids given out before
lead to the living profile.
"""

import uuid

from app import db, events
from app.events import timers

MERGED = "profile.merged"
"""Its handler brings after what somebody else held while the profiles were merged."""

STAGE_DUE = "profile.stage_due"
"""Timer: the profile's stage or recency changes by the mere passing of time, see `lifecycle`."""

# Whoever writes a timeline holds its profile's row (`timeline`), and this comes after we have locked that: nothing can
# be missed. Rows that others may hold while they wait for the profile (carts, orders: those are locked first) are left
# to the handler of MERGED; until then `merged_into_id` leads from them.
_MOVE = """
    WITH moved_visitors AS (
        UPDATE visitors SET profile_id = $2 WHERE profile_id = $1
    ), moved_events AS (
        UPDATE profile_events SET profile_id = $2 WHERE profile_id = $1
    ), moved_runs AS (
        UPDATE flow_runs SET profile_id = $2 WHERE profile_id = $1
    ), moved_dates AS (
        UPDATE flow_dates d SET profile_id = $2 WHERE d.profile_id = $1 AND NOT EXISTS (
            SELECT FROM flow_dates o
            WHERE o.flow_id = d.flow_id AND o.trigger_index = d.trigger_index AND o.profile_id = $2
        )
    ), moved_memberships AS (
        UPDATE segment_memberships m SET profile_id = $2 WHERE m.profile_id = $1 AND NOT EXISTS (
            SELECT FROM segment_memberships o WHERE o.segment_id = m.segment_id AND o.profile_id = $2
        )
    ), moved_alerts AS (
        UPDATE product_alerts a
        SET profile_id = $2,
            cancelled_at = CASE WHEN a.triggered_at IS NULL AND EXISTS (
                SELECT FROM product_alerts o
                WHERE o.profile_id = $2 AND o.kind = a.kind AND o.variant_id = a.variant_id
                  AND o.triggered_at IS NULL AND o.cancelled_at IS NULL
            ) THEN coalesce(a.cancelled_at, business_now()) ELSE a.cancelled_at END
        WHERE a.profile_id = $1
    ), moved_recipients AS (
        UPDATE campaign_recipients r SET profile_id = $2 WHERE r.profile_id = $1 AND NOT EXISTS (
            SELECT FROM campaign_recipients o WHERE o.campaign_id = r.campaign_id AND o.profile_id = $2
        )
    ), moved_contacts AS (
        UPDATE crm_contacts c SET profile_id = $2, wanted_revision = wanted_revision + 1
        WHERE c.profile_id = $1 AND NOT EXISTS (
            SELECT FROM crm_contacts o WHERE o.connection_id = c.connection_id AND o.profile_id = $2
        )
    ), moved_referral_code AS (
        UPDATE referral_codes SET profile_id = $2
        WHERE profile_id = $1 AND NOT EXISTS (SELECT FROM referral_codes WHERE profile_id = $2)
    ), moved_friend AS (
        UPDATE referrals SET friend_profile_id = $2 WHERE friend_profile_id = $1
    )
    SELECT 1
"""

# Where both have what one person has once, the living profile's stays.
_DROP_DOUBLES = """
    WITH dates AS (
        DELETE FROM flow_dates WHERE profile_id = $1
    ), memberships AS (
        DELETE FROM segment_memberships WHERE profile_id = $1 RETURNING segment_id, member
    ), recipients AS (
        DELETE FROM campaign_recipients WHERE profile_id = $1
    ), contacts AS (
        DELETE FROM crm_contacts WHERE profile_id = $1
    )
    INSERT INTO segment_counts AS c (segment_id, shard, members)
    SELECT segment_id, 0, -1 FROM memberships WHERE member
    ON CONFLICT (segment_id, shard) DO UPDATE SET members = c.members + EXCLUDED.members
"""

# One living run for each flow, person and key: the one that began first goes on.
_END_DOUBLE_RUNS = """
    WITH ended AS (
        UPDATE flow_runs r
        SET status = 'EXITED', exit_reason = 'MERGED', finished_at = business_now(), due_at = NULL, waiting_for = NULL,
            revision = r.revision + 1
        FROM flow_runs o
        WHERE r.status IN ('PENDING', 'ACTIVE') AND o.status IN ('PENDING', 'ACTIVE')
          AND r.flow_id = o.flow_id AND r.key = o.key AND (r.entered_at, r.id) > (o.entered_at, o.id)
          AND r.profile_id IN ($1, $2) AND o.profile_id IN ($1, $2) AND r.profile_id <> o.profile_id
        RETURNING r.id
    )
    DELETE FROM timers USING ended WHERE timers.kind = 'flow.run_due' AND timers.subject_id = ended.id
"""

# Also those that were merged into it before lead to the living one from now on.
_MARK = """
    WITH held AS (
        SELECT id FROM profiles WHERE id = $1 OR merged_into_id = $1 ORDER BY id FOR UPDATE
    ), gone AS (
        UPDATE profiles SET merged_into_id = $2, email = NULL, phone = NULL, updated_at = business_now()
        FROM held WHERE profiles.id = held.id
        RETURNING profiles.id, created_at, last_seen_at, properties
    )
    UPDATE profiles p
    SET created_at = least(p.created_at, gone.created_at), updated_at = business_now(),
        last_seen_at = greatest(p.last_seen_at, gone.last_seen_at), properties = gone.properties || p.properties
    FROM gone WHERE p.id = $2 AND gone.id = $1
"""

_HELD_BY_OTHERS = (
    "carts", "orders", "messages", "discount_codes", "discount_redemptions", "survey_responses", "inbound_sms",
)  # fmt: skip


async def merge(gone_id: uuid.UUID, living_id: uuid.UUID) -> None:
    """Everything of one profile becomes another's, in the open unit of work, which has both rows locked."""
    await db.execute(_MARK, gone_id, living_id)
    await db.execute(_END_DOUBLE_RUNS, gone_id, living_id)
    await db.execute(_MOVE, gone_id, living_id)
    await db.execute(_DROP_DOUBLES, gone_id)
    for table in _HELD_BY_OTHERS:
        await db.execute(
            f"""
            UPDATE {table} SET profile_id = $2
            WHERE id IN (SELECT id FROM {table} WHERE profile_id = $1 FOR NO KEY UPDATE SKIP LOCKED)
            """,
            gone_id,
            living_id,
        )
    await timers.cancel(STAGE_DUE, subject_id=gone_id)
    await events.record(MERGED, subject_id=gone_id, payload={"profileId": str(living_id), "mergedId": str(gone_id)})


async def move_the_rest(gone_id: uuid.UUID, living_id: uuid.UUID) -> None:
    """What somebody else held during the merge; waits for whoever still does."""
    for table in _HELD_BY_OTHERS:
        await db.execute(
            f"""
            UPDATE {table} SET profile_id = $2
            WHERE id IN (SELECT id FROM {table} WHERE profile_id = $1 ORDER BY id FOR NO KEY UPDATE)
            """,
            gone_id,
            living_id,
        )
