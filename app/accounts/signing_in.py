"""Signing in with a password. Answers alike, and after the same work, whether or not somebody has the address."""

import uuid
from dataclasses import dataclass

from app import db
from app.accounts import limits
from app.accounts.clients import Client, network_hashes
from app.accounts.errors import AccountErrorCode
from app.addresses.contact import email_key
from app.errors import DomainError
from app.sessions import passwords
from app.sessions import service as sessions
from app.sessions.errors import SessionErrorCode
from app.sessions.service import TokenPair

MAX_EMAIL_CHARS = 254

# The address's account, and the newest claim to it: at most two rows. Who made a claim is known from there and yet
# no less a stranger to the account, so only the account's own sessions count.
_CANDIDATES = """
    SELECT c.id, c.password_hash, c.is_active, c.email_verified_at IS NOT NULL AS is_verified,
           c.email_verified_at IS NOT NULL AND EXISTS (
               SELECT FROM sessions s
               WHERE s.subject_kind = 'customer' AND s.subject_id = c.id AND s.client_hash = ANY($2::bytea[])
           ) AS is_known_there
    FROM customers c
    WHERE c.id = ANY(ARRAY(
        (SELECT id FROM customers WHERE lower(email) = $1 AND email_verified_at IS NOT NULL)
        UNION ALL
        (SELECT id FROM customers WHERE lower(email) = $1 AND email_verified_at IS NULL
         ORDER BY created_at DESC, id DESC LIMIT 1)
    ))
    ORDER BY is_verified DESC
"""

# Closed, deleted, or given another password while this one was being checked: then it is too late.
_TAKE = """
    UPDATE customers SET last_login_at = clock_timestamp()
    WHERE id = $1 AND is_active AND password_hash = $2 RETURNING id
"""


@dataclass(frozen=True, slots=True)
class SignedIn:
    customer_id: uuid.UUID
    tokens: TokenPair | None
    """None where the session that asked goes on."""


async def sign_in(email: str, password: str, client: Client) -> SignedIn:
    """A new session of the account with this address and password, or of the newest claim to the address.

    Two hashes are checked in any case, a decoy's where there is nothing to check.

    Raises:
        DomainError: INVALID_CREDENTIALS; ACCOUNT_CLOSED, to those alone who know the password; RATE_LIMITED.
    """
    known_as = known_email(email)
    await limits.login(known_as, client)
    rows = await db.fetch(_CANDIDATES, known_as, network_hashes(client))
    stranger = not any(row["is_known_there"] for row in rows)
    if stranger:
        await limits.login_of_stranger(known_as)
    stored = [row["password_hash"] for row in rows] + [None] * (2 - len(rows))
    matching = [await passwords.password_matches(one, password) for one in stored]
    row = next((row for row, matches in zip(rows, matching, strict=False) if matches), None)
    if row is None:
        raise _wrong()
    await limits.logged_in(known_as, client, stranger=stranger)
    if not row["is_active"]:
        raise DomainError(AccountErrorCode.ACCOUNT_CLOSED, "This account was closed; write to the shop.", ["input"])
    async with db.unit_of_work():
        if await db.fetchval(_TAKE, row["id"], row["password_hash"]) is None:
            raise _wrong()
        signed_in = await open_session(row["id"], client)
    await _renew_hash(row["id"], row["password_hash"], password)
    return signed_in


def known_email(email: str) -> str:
    """What accounts are found and attempts are counted by; for text that is no address, something nobody has."""
    key = email_key(email)[:MAX_EMAIL_CHARS].replace("\x00", " ")
    return key.encode("utf-8", "replace").decode()


async def open_session(customer_id: uuid.UUID, client: Client) -> SignedIn:
    """In the open unit of work, which has proven who it is and holds the account's row."""
    tokens = await sessions.open_session(
        sessions.CUSTOMER, customer_id, client_hash=network_hashes(client)[0], user_agent=client.user_agent
    )
    return SignedIn(customer_id, tokens)


async def _renew_hash(customer_id: uuid.UUID, stored: str, password: str) -> None:
    """Where the parameters have risen since, the password is hashed anew, unless it was changed meanwhile."""
    if passwords.needs_rehash(stored):
        await db.execute(
            "UPDATE customers SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
            customer_id,
            stored,
            await passwords.hash_password(password),
        )


def _wrong() -> DomainError:
    return DomainError(SessionErrorCode.INVALID_CREDENTIALS, "The email or the password is wrong.", ["input"])
