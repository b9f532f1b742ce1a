"""The customer who is signed in, as one request sees them."""

import uuid
from dataclasses import dataclass

from app import db
from app.kit.crypto import hash_token
from app.sessions.service import CUSTOMER_TOKEN_PREFIX

_IDENTITY = """
    SELECT c.id, c.profile_id, c.email, c.email_verified_at IS NOT NULL AS is_verified, s.id AS session_id,
           c.language, (
               SELECT a.address ->> 'country_code' FROM customer_addresses a
               WHERE a.id = c.default_shipping_address_id
           ) AS country_code
    FROM session_tokens t
    JOIN sessions s ON s.id = t.session_id
    JOIN customers c ON c.id = s.subject_id
    WHERE t.token_hash = $1 AND t.kind = 'access' AND t.expires_at > clock_timestamp()
      AND s.subject_kind = 'customer' AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
      AND c.is_active
"""


@dataclass(frozen=True, slots=True)
class CustomerIdentity:
    id: uuid.UUID
    session_id: uuid.UUID
    email: str
    """Normalised; of a stranger until `is_verified`."""
    is_verified: bool
    profile_id: uuid.UUID | None
    """None until the address is verified: an unverified account stands for nobody."""
    country_code: str | None = None
    """Of the address that they have things sent to, unless they say another."""
    language: str | None = None


async def identity_of(access_token: str) -> CustomerIdentity | None:
    """Whose token it is; None for anything unknown, expired or revoked, and for a closed account."""
    if not access_token.startswith(CUSTOMER_TOKEN_PREFIX):
        return None
    row = await db.fetchrow(_IDENTITY, hash_token(access_token))
    if row is None:
        return None
    return CustomerIdentity(
        id=row["id"],
        session_id=row["session_id"],
        email=row["email"],
        is_verified=row["is_verified"],
        profile_id=row["profile_id"],
        country_code=row["country_code"],
        language=row["language"],
    )
