"""API keys: making and ending them. What one opens is read with each request, see `app.staff.queries`."""

import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from app import db
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.crypto import hash_token
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.staff import authority
from app.staff.permissions import NOT_FOR_KEYS, Permission
from app.staff.queries import API_KEY_PREFIX

KEY_BYTES = 24
MAX_NAME_CHARS = 120
MAX_LIVING_KEYS = 100


@dataclass(frozen=True, slots=True)
class NewKey:
    id: uuid.UUID
    key: str
    """Shown this once: only its hash is kept."""


async def create(
    actor_id: uuid.UUID, *, name: str, permissions: Collection[Permission], expires_at: datetime | None
) -> NewKey:
    """A key with some of what the actor may do.

    Args:
        expires_at: real time; None for never.

    Raises:
        DomainError: FORBIDDEN, PERMISSION_NOT_HELD, TOO_MANY.
        DomainErrors: REQUIRED, TOO_LONG, INVALID for permissions that no key can have, OUT_OF_RANGE.
    """
    problems = Problems()
    checked = problems.required_line(name, "A name", "name", max_chars=MAX_NAME_CHARS)
    if not permissions:
        problems.add(CommonErrorCode.REQUIRED, "A key without a permission opens nothing.", "permissions")
    if NOT_FOR_KEYS.intersection(permissions):
        message = "Keys make neither keys nor staff: they would outlive their own end."
        problems.add(CommonErrorCode.INVALID, message, "permissions")
    if expires_at is not None and expires_at <= await db.fetchval("SELECT clock_timestamp()"):
        problems.add(CommonErrorCode.OUT_OF_RANGE, "This is over already.", "expiresAt")
    problems.raise_if_any()
    made = NewKey(new_id(), API_KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES))
    async with db.unit_of_work():
        actor = await authority.acting(actor_id, Permission.API_KEYS_WRITE)
        actor.check_holds(permissions, ["input", "permissions"])
        living = await db.fetchval(
            """
            SELECT count(*) FROM api_keys
            WHERE revoked_at IS NULL AND coalesce(expires_at > clock_timestamp(), true)
            """
        )
        if living >= MAX_LIVING_KEYS:
            message = f"A shop has {MAX_LIVING_KEYS} keys at most; revoke one that nobody needs."
            raise DomainError(CommonErrorCode.TOO_MANY, message)
        await db.execute(
            """
            INSERT INTO api_keys (id, name, key_hash, last_characters, permissions, created_by_id, created_at,
                                  expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7)
            """,
            made.id,
            checked,
            hash_token(made.key),
            made.key[-4:],
            sorted({permission.value for permission in permissions}),
            actor_id,
            expires_at,
        )
    return made


async def revoke(key_id: uuid.UUID) -> None:
    """Worthless from the commit on; again changes nothing. Raises DomainError(NOT_FOUND)."""
    async with db.unit_of_work():
        if not await db.fetchval("SELECT EXISTS (SELECT FROM api_keys WHERE id = $1)", key_id):
            raise not_found("API key", ["id"])
        await db.execute(
            "UPDATE api_keys SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL", key_id
        )
