"""Reading staff."""

import uuid
from collections.abc import Sequence

from app import db
from app.kit.crypto import hash_token
from app.staff.permissions import Permission, StaffIdentity, StaffMember

_IDENTITY = """
    SELECT u.id, s.id AS session_id, u.name, r.permissions
    FROM session_tokens t
    JOIN sessions s ON s.id = t.session_id
    JOIN staff_users u ON u.id = s.subject_id
    JOIN staff_roles r ON r.id = u.role_id
    WHERE t.token_hash = $1 AND t.kind = 'access' AND t.expires_at > clock_timestamp()
      AND s.subject_kind = 'staff' AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
      AND u.is_active
"""


async def identity_of(access_token: str) -> StaffIdentity | None:
    """Whose token it is; None for anything unknown, expired or revoked."""
    row = await db.fetchrow(_IDENTITY, hash_token(access_token))
    if row is None:
        return None
    return StaffIdentity(
        id=row["id"], name=row["name"], permissions=_known(row["permissions"]), session_id=row["session_id"]
    )


async def by_ids(user_ids: Sequence[uuid.UUID]) -> list[StaffMember]:
    """Those who are on the staff, also when they cannot sign in any more."""
    rows = await db.fetch(
        """
        SELECT u.id, u.name, r.permissions FROM staff_users u JOIN staff_roles r ON r.id = u.role_id
        WHERE u.id = ANY($1)
        """,
        list(user_ids),
    )
    return [StaffMember(row["id"], row["name"], _known(row["permissions"])) for row in rows]


def _known(names: Sequence[str]) -> frozenset[Permission]:
    """Without those of another release."""
    return frozenset(permission for permission in Permission if permission in names)
