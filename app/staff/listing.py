"""What staff see of each other: colleagues, roles, invitations, keys, sessions."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app import db
from app.db import Record
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of
from app.staff.permissions import Permission
from app.staff.queries import known_permissions, permissions_of

ORDER = "staff"
MAX_SESSIONS = 100

_MEMBERS = """
    SELECT u.id, u.email, u.name, u.is_active, u.totp_confirmed_at IS NOT NULL AS has_second_factor, u.last_login_at,
           u.created_at, r.id AS role_id, r.name AS role_name, r.permissions, r.is_owner
    FROM staff_users u JOIN staff_roles r ON r.id = u.role_id
"""


@dataclass(frozen=True, slots=True)
class Role:
    id: uuid.UUID
    name: str
    permissions: frozenset[Permission]
    is_owner: bool


@dataclass(frozen=True, slots=True)
class Member:
    id: uuid.UUID
    email: str
    name: str
    role: Role
    is_active: bool
    has_second_factor: bool
    last_login_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    id: uuid.UUID
    email: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Key:
    id: uuid.UUID
    name: str
    last_characters: str
    permissions: frozenset[Permission]
    made_by_id: uuid.UUID
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


async def members_by_ids(member_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Member]:
    """Also those who cannot sign in any more."""
    rows = await db.fetch(f"{_MEMBERS} WHERE u.id = ANY($1)", list(member_ids))
    return {row["id"]: _member(row) for row in rows}


async def members(request: PageRequest, *, counted: bool) -> PageResult[Member]:
    """Everybody, in the order in which they joined."""
    rows = await db.fetch(
        f"{_MEMBERS} WHERE $1::uuid IS NULL OR u.id > $1 ORDER BY u.id LIMIT $2",
        request.cursor_id(),
        request.fetch_limit,
    )
    total = await db.fetchval("SELECT count(*) FROM staff_users") if counted else None
    return page_of(
        [_member(row) for row in rows], [encode_cursor([row["id"].hex], ORDER) for row in rows], request, total
    )


async def roles(role_ids: Sequence[uuid.UUID] | None = None) -> list[Role]:
    rows = await db.fetch(
        """
        SELECT id AS role_id, name AS role_name, permissions, is_owner FROM staff_roles
        WHERE $1::uuid[] IS NULL OR id = ANY($1) ORDER BY NOT is_owner, lower(name)
        """,
        None if role_ids is None else list(role_ids),
    )
    return [_role(row) for row in rows]


async def open_invitations(invitation_id: uuid.UUID | None = None) -> list[Invitation]:
    """Those that can still be accepted, or that one."""
    rows = await db.fetch(
        """
        SELECT i.id, i.email, i.name, i.created_at, i.expires_at, r.id AS role_id, r.name AS role_name, r.permissions,
               r.is_owner
        FROM staff_invitations i JOIN staff_roles r ON r.id = i.role_id
        WHERE i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > clock_timestamp()
          AND ($1::uuid IS NULL OR i.id = $1)
        ORDER BY i.id
        """,
        invitation_id,
    )
    return [
        Invitation(row["id"], row["email"], row["name"], _role(row), row["created_at"], row["expires_at"])
        for row in rows
    ]


async def keys(key_id: uuid.UUID | None = None) -> list[Key]:
    """The newest first; ended ones for as long as they are kept."""
    rows = await db.fetch(
        "SELECT * FROM api_keys WHERE $1::uuid IS NULL OR id = $1 ORDER BY id DESC LIMIT 1000", key_id
    )
    return [
        Key(
            row["id"],
            row["name"],
            row["last_characters"],
            known_permissions(row["permissions"]),
            row["created_by_id"],
            row["created_at"],
            row["expires_at"],
            row["revoked_at"],
            row["last_used_at"],
        )
        for row in rows
    ]


async def sessions_of(member_id: uuid.UUID) -> list[Record]:
    """Where somebody is signed in, the newest first: id, created_at, expires_at, user_agent."""
    return await db.fetch(
        """
        SELECT id, created_at, expires_at, user_agent FROM sessions
        WHERE subject_kind = 'staff' AND subject_id = $1 AND revoked_at IS NULL AND expires_at > clock_timestamp()
        ORDER BY id DESC LIMIT $2
        """,
        member_id,
        MAX_SESSIONS,
    )


def _member(row: Record) -> Member:
    return Member(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=_role(row),
        is_active=row["is_active"],
        has_second_factor=row["has_second_factor"],
        last_login_at=row["last_login_at"],
        created_at=row["created_at"],
    )


def _role(row: Record) -> Role:
    return Role(row["role_id"], row["role_name"], permissions_of(row), row["is_owner"])
