"""Reading staff: who a request comes from, and who is there."""

import uuid
from collections.abc import Sequence

from app import db
from app.db import Record
from app.kit.crypto import hash_token
from app.staff.permissions import NOT_FOR_KEYS, Permission, StaffIdentity

API_KEY_PREFIX = "twk_"

_MEMBER = """
    SELECT u.id, s.id AS session_id, u.name, r.permissions, r.is_owner
    FROM session_tokens t
    JOIN sessions s ON s.id = t.session_id
    JOIN staff_users u ON u.id = s.subject_id
    JOIN staff_roles r ON r.id = u.role_id
    WHERE t.token_hash = $1 AND t.kind = 'access' AND t.expires_at > clock_timestamp()
      AND s.subject_kind = 'staff' AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
      AND u.is_active
"""
_KEY = """
    SELECT k.id, k.name, k.permissions AS granted, r.permissions, r.is_owner,
           k.last_used_at IS DISTINCT FROM date_trunc('hour', clock_timestamp()) AS is_first_use
    FROM api_keys k
    JOIN staff_users u ON u.id = k.created_by_id
    JOIN staff_roles r ON r.id = u.role_id
    WHERE k.key_hash = $1 AND k.revoked_at IS NULL AND coalesce(k.expires_at > clock_timestamp(), true)
      AND u.is_active
"""


async def identity_of(token: str) -> StaffIdentity | None:
    """Whose access token or API key it is; None for anything unknown, expired or revoked."""
    return await _key_of(token) if token.startswith(API_KEY_PREFIX) else await _member_of(token)


async def _member_of(access_token: str) -> StaffIdentity | None:
    row = await db.fetchrow(_MEMBER, hash_token(access_token))
    if row is None:
        return None
    return StaffIdentity(id=row["id"], name=row["name"], permissions=permissions_of(row), session_id=row["session_id"])


async def _key_of(api_key: str) -> StaffIdentity | None:
    """A key may do what it was made for, as long as whoever made it may do that too."""
    row = await db.fetchrow(_KEY, hash_token(api_key))
    if row is None:
        return None
    if row["is_first_use"]:
        # Once an hour at most, also for what only reads: a key that nobody uses any more can be told by it.
        await db.execute(
            """
            UPDATE api_keys SET last_used_at = date_trunc('hour', clock_timestamp())
            WHERE id = $1 AND last_used_at IS DISTINCT FROM date_trunc('hour', clock_timestamp())
            """,
            row["id"],
        )
    allowed = (known_permissions(row["granted"]) & permissions_of(row)) - NOT_FOR_KEYS
    return StaffIdentity(id=row["id"], name=row["name"], permissions=allowed, session_id=None)


async def may_still(actor_id: uuid.UUID, permission: Permission) -> bool:
    """Whether somebody on the staff, or a key, of this id may do it at this moment."""
    row = await db.fetchrow(
        """
        SELECT r.permissions, r.is_owner, k.permissions AS granted
        FROM staff_users u
        JOIN staff_roles r ON r.id = u.role_id
        LEFT JOIN api_keys k ON k.created_by_id = u.id AND k.id = $1 AND k.revoked_at IS NULL
            AND coalesce(k.expires_at > clock_timestamp(), true)
        WHERE u.is_active AND (u.id = $1 OR k.id IS NOT NULL)
        """,
        actor_id,
    )
    if row is None:
        return False
    allowed = permissions_of(row)
    return permission in (
        allowed if row["granted"] is None else allowed & known_permissions(row["granted"]) - NOT_FOR_KEYS
    )


def permissions_of(role: Record) -> frozenset[Permission]:
    """Of a row with a role's `permissions` and `is_owner`."""
    return frozenset(Permission) if role["is_owner"] else known_permissions(role["permissions"])


def known_permissions(names: Sequence[str]) -> frozenset[Permission]:
    """Without those of another release."""
    return frozenset(permission for permission in Permission if permission in names)
