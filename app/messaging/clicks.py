"""Who follows a link in a message: people are counted; scanners, prefetchers and crawlers are noted and not counted.

Mail scanners open every link of a mail right after it was delivered, from ordinary looking browsers. So a click that
comes within seconds of the sending waits for its moment to pass; when more than one link was opened in it, nobody of
flesh and blood did that.
"""

import re
import uuid
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from app import db
from app.customers import identification, timeline
from app.events import timers
from app.messaging import ledger, message_events
from app.web import robots

SCAN_SECONDS = 10
"""After the sending: people have not read it yet."""
CLICKS_KEPT = 100
"""Of one link; more say nothing new."""
CLICKS_DUE = "message.clicks_due"

_SCANNERS = re.compile(
    r"barracuda|proofpoint|mimecast|cloudmark|symantec|messagelabs|trend ?micro|fireeye|trellix|fortinet|fortimail|"
    r"ironport|zscaler|bitdefender|sophos|kaspersky|avira|urldefense|safelinks|existence discovery|ms-?office|msoffice|"
    r"ggpht\.com|yahoomailproxy|headless|preview|prefetch|scanner|antivirus|spam",
    re.IGNORECASE,
)
_SECRET_PART = re.compile(r"(?=.*[A-Z])(?=.*[a-z])[A-Za-z0-9_.=-]{16,}")


def is_bot(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request says of itself that no person made it.

    Args:
        headers: with names in lower case, or without regard to case.
    """
    if method != "GET" or robots.is_fetched_ahead(headers):
        return True
    agent = headers.get("user-agent", "")[: robots.MAX_USER_AGENT_CHARS]
    return robots.is_automatic(agent) or _SCANNERS.search(agent) is not None


async def target_of(code: str) -> tuple[int, uuid.UUID, str] | None:
    """A link's id, its message and where it leads; None for a code that nobody was sent."""
    row = await db.fetchrow("SELECT id, message_id, url FROM message_links WHERE code = $1", code)
    return (row["id"], row["message_id"], row["url"]) if row else None


async def record(link_id: int, message_id: uuid.UUID, *, bot: bool) -> None:
    """Note a click, in a unit of work of its own."""
    async with db.unit_of_work():
        row = await _locked(message_id)
        noted = await db.execute(
            """
            INSERT INTO message_clicks (message_id, link_id, is_bot, clicked_at)
            SELECT $1, $2, $3, business_now()
            WHERE (SELECT count(*) FROM message_clicks WHERE message_id = $1 AND link_id = $2) < $4
            """,
            message_id,
            link_id,
            bot,
            CLICKS_KEPT,
        )
        if bot or not noted or row is None:
            return
        scanned_until = await db.fetchval(
            f"""
            SELECT coalesce(sent_at, business_now()) + interval '{SCAN_SECONDS} seconds' FROM messages WHERE id = $1
            """,
            message_id,
        )
        if await db.fetchval("SELECT business_now() < $1", scanned_until):
            await timers.schedule(CLICKS_DUE, subject_id=message_id, due_at=scanned_until)
            return
        await _count(row)


async def judge(message_id: uuid.UUID) -> None:
    """The moment of the scanners has passed: count the clicks in it, or find that they were a scanner's. Inside a unit
    of work."""
    row = await _locked(message_id)
    if row is None:
        return
    await db.execute(
        """
        WITH early AS (
            SELECT c.id, c.link_id FROM message_clicks c JOIN messages m ON m.id = c.message_id
            WHERE c.message_id = $1 AND NOT c.is_bot AND c.clicked_at < coalesce(m.sent_at, c.clicked_at) + $2::interval
        )
        UPDATE message_clicks SET is_bot = true
        WHERE id IN (SELECT id FROM early) AND (SELECT count(DISTINCT link_id) FROM early) > 1
        """,
        message_id,
        timedelta(seconds=SCAN_SECONDS),
    )
    await _count(row)


async def _locked(message_id: uuid.UUID) -> ledger.LedgerRow | None:
    """The message, its person locked before it."""
    profile_id = await db.fetchval("SELECT profile_id FROM messages WHERE id = $1", message_id)
    if profile_id is not None:
        await identification.lock(profile_id, or_erased=True)
    return await ledger.lock(message_id)


async def _count(row: ledger.LedgerRow) -> None:
    """Tell the timeline of the first click of a person on each message, once."""
    first = await db.fetchrow(
        """
        WITH first AS (
            SELECT c.clicked_at, l.url FROM message_clicks c JOIN message_links l ON l.id = c.link_id
            WHERE c.message_id = $1 AND NOT c.is_bot ORDER BY c.id LIMIT 1
        )
        UPDATE messages SET clicked_at = first.clicked_at FROM first
        WHERE messages.id = $1 AND messages.clicked_at IS NULL RETURNING first.url
        """,
        row.id,
    )
    if first is None or row.profile_id is None:
        return
    data = await message_events.data_of(row, url=without_secrets(first["url"]))
    await timeline.record(
        "message.clicked",
        profile_id=await identification.living(row.profile_id, or_erased=True),
        cart_id=row.cart_id,
        order_id=row.order_id,
        data=data,
    )


def without_secrets(url: str) -> str:
    """Where a link leads, for conditions and statistics: no query, and no part of the path that opens something."""
    parts = urlsplit(url)
    path = "/".join("…" if _SECRET_PART.fullmatch(part) else part for part in parts.path.split("/"))
    return f"{parts.scheme}://{parts.netloc}{path}"
