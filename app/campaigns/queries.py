"""Reading campaigns and what came of them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from app import db
from app.campaigns.models import CampaignStatus
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of
from app.messaging.models import MessageReason

CURSOR = "campaigns"
_COLUMNS = """
    id, name, status, channel, segment_id, template_key, scheduled_at, local_time, per_minute, audience, created_at,
    updated_at, started_at, finished_at
"""


@dataclass(slots=True)
class CampaignStatistics:
    recipients: int = 0
    """Settled so far."""
    handled: int = 0
    """Decided on: a message was reserved, or skipped with a reason."""
    waiting: int = 0
    """Reserved or being sent."""
    sent: int = 0
    failed: int = 0
    """Including those of unknown outcome."""
    skipped: dict[str, int] = field(default_factory=dict)
    """By reason, most frequent first; RETRIES_EXHAUSTED also for receivers whose decision kept failing."""
    delivered: int = 0
    bounced: int = 0
    complained: int = 0
    clicked: int = 0
    unsubscribed: int = 0
    orders: int = 0
    revenue_minor: int = 0


async def by_ids(campaign_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    rows = await db.fetch(f"SELECT {_COLUMNS} FROM campaigns WHERE id = ANY($1)", list(campaign_ids))
    return {row["id"]: row for row in rows}


async def page(request: PageRequest, status: CampaignStatus | None, *, count: bool) -> PageResult[db.Record]:
    """Newest first."""
    only = "($1::text IS NULL OR status = $1)"
    value = status.value if status else None
    compare, direction = (">", "ASC") if request.backward else ("<", "DESC")
    rows = await db.fetch(
        f"""
        SELECT {_COLUMNS} FROM campaigns WHERE {only} AND ($2::uuid IS NULL OR id {compare} $2)
        ORDER BY id {direction} LIMIT $3
        """,
        value,
        request.cursor_id(),
        request.fetch_limit,
    )
    total = await db.fetchval(f"SELECT count(*) FROM campaigns WHERE {only}", value) if count else None
    return page_of(rows, [encode_cursor([row["id"].hex], CURSOR) for row in rows], request, total)


async def statistics(campaign_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, CampaignStatistics]:
    """Of each, in four statements for all of them."""
    found = {campaign_id: CampaignStatistics() for campaign_id in campaign_ids}
    ids = list(campaign_ids)
    for row in await db.fetch(
        """
        SELECT campaign_id, count(*) AS recipients, count(handled_at) AS handled, count(failure) AS given_up
        FROM campaign_recipients
        WHERE campaign_id = ANY($1) GROUP BY campaign_id
        """,
        ids,
    ):
        found[row["campaign_id"]].recipients = row["recipients"]
        found[row["campaign_id"]].handled = row["handled"]
        if row["given_up"]:
            found[row["campaign_id"]].skipped[MessageReason.RETRIES_EXHAUSTED.value] = row["given_up"]
    for row in await db.fetch(
        """
        SELECT campaign_id,
               count(*) FILTER (WHERE state IN ('RESERVED', 'SENDING')) AS waiting,
               count(*) FILTER (WHERE state = 'SENT') AS sent,
               count(*) FILTER (WHERE state IN ('FAILED', 'UNKNOWN')) AS failed,
               count(delivered_at) AS delivered, count(bounced_at) AS bounced, count(complained_at) AS complained,
               count(clicked_at) AS clicked, count(unsubscribed_at) AS unsubscribed
        FROM messages WHERE campaign_id = ANY($1) AND resend_of IS NULL GROUP BY campaign_id
        """,
        ids,
    ):
        for name in row.keys():  # noqa: SIM118 - a record iterates over its values
            if name != "campaign_id":
                setattr(found[row["campaign_id"]], name, row[name])
    for row in await db.fetch(
        """
        SELECT campaign_id, reason, count(*) AS skipped FROM messages
        WHERE campaign_id = ANY($1) AND state = 'SKIPPED' GROUP BY campaign_id, reason ORDER BY 3 DESC, 2
        """,
        ids,
    ):
        skipped = found[row["campaign_id"]].skipped
        skipped[row["reason"]] = skipped.get(row["reason"], 0) + row["skipped"]
    for row in await db.fetch(
        """
        SELECT campaign_id, count(*) AS orders, sum(revenue_minor)::bigint AS revenue FROM attributions
        WHERE campaign_id = ANY($1) GROUP BY campaign_id
        """,
        ids,
    ):
        found[row["campaign_id"]].orders = row["orders"]
        found[row["campaign_id"]].revenue_minor = row["revenue"]
    for one in found.values():
        one.skipped = dict(sorted(one.skipped.items(), key=lambda pair: (-pair[1], pair[0])))
    return found
