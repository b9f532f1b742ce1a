"""Staff for tests, made as rows: signing in costs an argon2 hash."""

import secrets
import uuid

from app import db
from app.kit.crypto import hash_token
from app.kit.ids import new_id
from app.staff.permissions import Permission


async def signed_in(permissions: set[Permission], email: str | None = None) -> str:
    """A staff user with exactly these permissions; returns a valid access token."""
    user_id, token = await staff_user(permissions, email), secrets.token_urlsafe(24)
    session_id = new_id()
    await db.execute(
        """
        INSERT INTO sessions (id, subject_kind, subject_id, created_at, expires_at)
        VALUES ($1, 'staff', $2, clock_timestamp(), clock_timestamp() + interval '1 day')
        """,
        session_id,
        user_id,
    )
    await db.execute(
        """
        INSERT INTO session_tokens (id, session_id, kind, token_hash, created_at, expires_at)
        VALUES ($1, $2, 'access', $3, clock_timestamp(), clock_timestamp() + interval '1 day')
        """,
        new_id(),
        session_id,
        hash_token(token),
    )
    return token


async def staff_user(permissions: set[Permission], email: str | None = None) -> uuid.UUID:
    role_id, user_id = new_id(), new_id()
    await db.execute(
        "INSERT INTO staff_roles (id, name, permissions) VALUES ($1, $2, $3)",
        role_id,
        f"role {role_id.hex}",
        [permission.value for permission in permissions],
    )
    await db.execute(
        """
        INSERT INTO staff_users (id, email, name, password_hash, role_id, is_active, created_at, updated_at)
        VALUES ($1, $2, 'Robin', 'no password', $3, true, clock_timestamp(), clock_timestamp())
        """,
        user_id,
        email or f"{user_id.hex}@staff.example",
        role_id,
    )
    return user_id


async def owner(email: str | None = None) -> str:
    """An access token of one more owner."""
    token = await signed_in(set(), email)
    role_id = await db.fetchval(
        """
        INSERT INTO staff_roles (id, name, permissions, is_owner) VALUES ($1, 'Owner', '{}', true)
        ON CONFLICT (is_owner) WHERE is_owner DO UPDATE SET is_owner = true RETURNING id
        """,
        new_id(),
    )
    await db.execute(
        """
        UPDATE staff_users SET role_id = $2
        WHERE id = (SELECT s.subject_id FROM sessions s JOIN session_tokens t ON t.session_id = s.id
                    WHERE t.token_hash = $1)
        """,
        hash_token(token),
        role_id,
    )
    return token
