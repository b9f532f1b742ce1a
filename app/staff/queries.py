"""Reading staff."""

from app import db
from app.kit.crypto import hash_token
from app.staff.permissions import Permission, StaffIdentity

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
    known = {permission.value for permission in Permission}
    return StaffIdentity(
        id=row["id"],
        session_id=row["session_id"],
        name=row["name"],
        permissions=frozenset(Permission(name) for name in row["permissions"] if name in known),
    )
