"""The sessions of one's own account."""

import uuid

from app import db
from app.errors import not_found


async def end_one(customer_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """Raises DomainError(NOT_FOUND) for one that ended before, and for anybody else's."""
    ended = await db.execute(
        """
        UPDATE sessions SET revoked_at = clock_timestamp(), revoked_reason = 'ended by its owner'
        WHERE id = $2 AND subject_kind = 'customer' AND subject_id = $1 AND revoked_at IS NULL
          AND expires_at > clock_timestamp()
        """,
        customer_id,
        session_id,
    )
    if not ended:
        raise not_found("session", ["id"])
