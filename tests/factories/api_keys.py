"""API keys for tests."""

import secrets

from app import db
from app.kit.crypto import hash_token
from app.kit.ids import new_id
from app.staff.permissions import Permission
from app.staff.queries import API_KEY_PREFIX
from tests.factories import staff


async def key(permissions: set[Permission], *, maker_may: set[Permission] | None = None) -> str:
    """An API key with these permissions, made by somebody who has them too, or has `maker_may`."""
    maker_id = await staff.staff_user(permissions if maker_may is None else maker_may)
    text = API_KEY_PREFIX + secrets.token_urlsafe(24)
    await db.execute(
        """
        INSERT INTO api_keys (id, name, key_hash, last_characters, permissions, created_by_id, created_at)
        VALUES ($1, 'Back office', $2, $3, $4, $5, clock_timestamp())
        """,
        new_id(),
        hash_token(text),
        text[-4:],
        [permission.value for permission in permissions],
        maker_id,
    )
    return text
