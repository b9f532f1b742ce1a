"""Opaque tokens in families: each refresh token is good for one exchange, and a second one ends the family.

Tokens are 192 random bits, stored as SHA-256. Times are real time.
"""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

from app import db
from app.errors import DomainError
from app.kit.crypto import hash_token
from app.kit.ids import new_id
from app.sessions.errors import SessionErrorCode

ACCESS_MINUTES = 30
REFRESH_DAYS = 30
SESSION_DAYS = 90
KEPT_AFTER_END_DAYS = 7
FORGOTTEN_AT_ONCE = 10_000
STAFF = "staff"
CUSTOMER = "customer"
MAX_USER_AGENT_CHARS = 300
CUSTOMER_TOKEN_PREFIX = "twc_"  # noqa: S105 - so that a request's token tells whom to look for


@dataclass(frozen=True, slots=True)
class TokenPair:
    access_token: str
    refresh_token: str
    expires_at: datetime
    """Of the access token."""
    session_id: uuid.UUID


async def open_session(
    subject_kind: str, subject_id: uuid.UUID, *, client_hash: bytes | None = None, user_agent: str | None = None
) -> TokenPair:
    """Begin a family of tokens, in a unit of work of its own or the open one.

    Args:
        client_hash: keyed hash of the client's network, see `Session.client_hash`.
        user_agent: as the client sends it; what cannot be printed or is too long is cut out.
    """
    async with db.unit_of_work():
        session_id = new_id()
        await db.execute(
            """
            INSERT INTO sessions (id, subject_kind, subject_id, client_hash, user_agent, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp() + $6 * interval '1 day')
            """,
            session_id,
            subject_kind,
            subject_id,
            client_hash,
            _printable(user_agent),
            SESSION_DAYS,
        )
        return await _issue(session_id, subject_kind)


async def refresh(refresh_token: str) -> TokenPair:
    """Exchange a refresh token for a new pair.

    Raises:
        DomainError: INVALID_TOKEN; when the token had been exchanged before, its whole family has ended.
    """
    pair: TokenPair | None = None
    async with db.unit_of_work():
        row = await db.fetchrow(
            """
            SELECT t.id, t.session_id, t.used_at, s.subject_kind,
                   t.expires_at > clock_timestamp() AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
                   AS is_live
            FROM session_tokens t JOIN sessions s ON s.id = t.session_id
            WHERE t.token_hash = $1 AND t.kind = 'refresh'
            FOR UPDATE
            """,
            hash_token(refresh_token),
        )
        if row is not None and row["used_at"] is not None:
            # Committed, although the request is refused: somebody holds a copy.
            await revoke(row["session_id"], "refresh token used twice")
        elif row is not None and row["is_live"]:
            await db.execute("UPDATE session_tokens SET used_at = clock_timestamp() WHERE id = $1", row["id"])
            pair = await _issue(row["session_id"], row["subject_kind"])
    if pair is None:
        raise DomainError(SessionErrorCode.INVALID_TOKEN, "Sign in again.", ["refreshToken"])
    return pair


async def revoke(session_id: uuid.UUID, reason: str) -> None:
    """End the session; its tokens are worthless from the commit on."""
    await db.execute(
        "UPDATE sessions SET revoked_at = clock_timestamp(), revoked_reason = $2 WHERE id = $1 AND revoked_at IS NULL",
        session_id,
        reason,
    )


async def revoke_all(subject_kind: str, subject_id: uuid.UUID, reason: str, *, but: uuid.UUID | None = None) -> int:
    """End every session of somebody, or every other one than `but`; how many it were."""
    return await db.execute(
        """
        UPDATE sessions SET revoked_at = clock_timestamp(), revoked_reason = $3
        WHERE subject_kind = $1 AND subject_id = $2 AND revoked_at IS NULL AND id IS DISTINCT FROM $4::uuid
        """,
        subject_kind,
        subject_id,
        reason,
        but,
    )


async def forget_old(days: int = KEPT_AFTER_END_DAYS) -> int:
    """Delete sessions and tokens that ended so many days ago, up to 10,000 at a time; the tokens are counted.

    A token that nobody can use any more needs no row: an unknown one is refused like an old one.
    """
    await db.execute(
        """
        DELETE FROM sessions WHERE id = ANY(ARRAY(
            SELECT id FROM sessions
            WHERE least(expires_at, revoked_at) < clock_timestamp() - $1 * interval '1 day'
            LIMIT $2 FOR UPDATE SKIP LOCKED
        ))
        """,
        days,
        FORGOTTEN_AT_ONCE,
    )
    return await db.execute(
        """
        DELETE FROM session_tokens WHERE id = ANY(ARRAY(
            SELECT id FROM session_tokens WHERE expires_at < clock_timestamp() - $1 * interval '1 day'
            LIMIT $2 FOR UPDATE SKIP LOCKED
        ))
        """,
        days,
        FORGOTTEN_AT_ONCE,
    )


async def _issue(session_id: uuid.UUID, subject_kind: str) -> TokenPair:
    prefix = CUSTOMER_TOKEN_PREFIX if subject_kind == CUSTOMER else ""
    access, refresh_token = (prefix + secrets.token_urlsafe(24) for _ in range(2))
    row = await db.fetchrow(
        """
        INSERT INTO session_tokens (id, session_id, kind, token_hash, created_at, expires_at)
        SELECT t.id, $2, t.kind, t.hash, clock_timestamp(), clock_timestamp() + t.minutes * interval '1 minute'
        FROM unnest($1::uuid[], $3::text[], $4::bytea[], $5::int[]) AS t (id, kind, hash, minutes)
        RETURNING expires_at
        """,
        [new_id(), new_id()],
        session_id,
        ["access", "refresh"],
        [hash_token(access), hash_token(refresh_token)],
        [ACCESS_MINUTES, REFRESH_DAYS * 24 * 60],
    )
    if row is None:
        raise RuntimeError("no token was written")
    return TokenPair(access, refresh_token, row["expires_at"], session_id)


def _printable(text: str | None) -> str | None:
    """A header may hold any byte, PostgreSQL takes no NUL, and a list of sessions is no place for line ends."""
    return "".join(character for character in text or "" if character.isprintable())[:MAX_USER_AGENT_CHARS] or None
