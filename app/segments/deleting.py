"""Taking a segment away: the segment at once, its members behind the scenes."""

import uuid

from app import db

DELETED = "segment.deleted"
"""Its members are forgotten."""
BATCH = 5000

_FORGET = """
    DELETE FROM segment_memberships
    WHERE id IN (SELECT id FROM segment_memberships WHERE segment_id = $1 LIMIT $2)
"""


async def forget_members(segment_id: uuid.UUID) -> None:
    """Nobody can join a segment that is gone (`membership`), so that this comes to an end."""
    while await db.execute(_FORGET, segment_id, BATCH):
        pass
    await db.execute("DELETE FROM segment_counts WHERE segment_id = $1", segment_id)
