"""Making owners, and signing staff in."""

import uuid
from dataclasses import dataclass

from app import db
from app.accounts.clients import Client, network_hashes
from app.audit import recording
from app.audit.models import ActorKind
from app.audit.recording import Action, Actor, Origin
from app.db import Record
from app.errors import CommonErrorCode, DomainError
from app.kit.ids import new_id
from app.sessions import passwords
from app.sessions import service as sessions
from app.sessions.errors import SessionErrorCode
from app.sessions.service import TokenPair
from app.staff import limits, second_factor
from app.staff.errors import StaffErrorCode

OWNER_ROLE = "Owner"
MAX_EMAIL_CHARS = 254
LOGIN = "staffLogin"

_KNOWN = """
    SELECT u.id, u.name, u.password_hash, u.totp_confirmed_at, EXISTS (
        SELECT FROM sessions s
        WHERE s.subject_kind = 'staff' AND s.subject_id = u.id AND s.client_hash = ANY($2::bytea[])
    ) AS is_known_there
    FROM staff_users u WHERE lower(u.email) = $1 AND u.is_active
"""
# Left, given another password or a second factor while this one was being checked: then it is too late.
_TAKE = """
    UPDATE staff_users SET last_login_at = clock_timestamp()
    WHERE id = $1 AND is_active AND password_hash = $2 AND totp_confirmed_at IS NOT DISTINCT FROM $3 RETURNING id
"""


@dataclass(frozen=True, slots=True)
class _Attempt:
    email: str
    client: Client
    origin: Origin
    stranger: bool
    """Whether nobody signed in to this account from the client's network yet."""


async def create_owner(email: str, name: str, password: str) -> uuid.UUID:
    """A staff user in the role of owners, which has every permission and is made when it is missing.

    Raises:
        DomainError: INVALID for a malformed email or a weak password, CONFLICT when the email is taken.
    """
    email = email.strip().lower()
    if not 3 <= len(email) <= MAX_EMAIL_CHARS or "@" not in email:
        raise DomainError(CommonErrorCode.INVALID, "This is not an email address.", ["email"])
    passwords.check_new(password, email=email, field=["password"])
    password_hash = await passwords.hash_password(password)
    user_id = new_id()
    async with db.unit_of_work():
        role_id = await db.fetchval(
            """
            INSERT INTO staff_roles (id, name, permissions, is_owner) VALUES ($1, $2, '{}', true)
            ON CONFLICT (is_owner) WHERE is_owner DO UPDATE SET is_owner = true RETURNING id
            """,
            new_id(),
            OWNER_ROLE,
        )
        made = await db.execute(
            """
            INSERT INTO staff_users (id, email, name, password_hash, role_id, is_active, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, true, clock_timestamp(), clock_timestamp()) ON CONFLICT DO NOTHING
            """,
            user_id,
            email,
            name.strip() or email,
            password_hash,
            role_id,
        )
        if not made:
            raise DomainError(CommonErrorCode.CONFLICT, "Somebody with this email is on the staff already.", ["email"])
    return user_id


async def sign_in(email: str, password: str, client: Client, origin: Origin, *, otp: str | None = None) -> TokenPair:
    """Answers alike, and as slowly, for an unknown address and for a wrong password.

    Args:
        otp: a code of the authenticator app or a recovery code, for those who have set up a second factor.

    Raises:
        DomainError: INVALID_CREDENTIALS; SECOND_FACTOR_REQUIRED and SECOND_FACTOR_INVALID to those alone who know the
            password; RATE_LIMITED.
    """
    # PostgreSQL takes no NUL and no lone surrogate, and nobody's address has one.
    known_as = email.strip().lower()[:MAX_EMAIL_CHARS].replace("\x00", " ").encode("utf-8", "replace").decode()
    await limits.login(known_as, client)
    row = await db.fetchrow(_KNOWN, known_as, network_hashes(client))
    attempt = _Attempt(known_as, client, origin, stranger=row is None or not row["is_known_there"])
    if attempt.stranger:
        await limits.login_of_stranger(known_as)
    if not await passwords.password_matches(row["password_hash"] if row else None, password) or row is None:
        await recording.refused_member(known_as, LOGIN, origin, [SessionErrorCode.INVALID_CREDENTIALS.name])
        raise _wrong()
    await limits.logged_in(known_as, client, stranger=attempt.stranger)
    tokens = await _enter(row, otp, attempt)
    if passwords.needs_rehash(row["password_hash"]):
        renewed = await passwords.hash_password(password)
        await db.execute(
            "UPDATE staff_users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
            row["id"],
            row["password_hash"],
            renewed,
        )
    return tokens


async def _enter(row: Record, otp: str | None, attempt: _Attempt) -> TokenPair:
    """The password was right. A wrong code counts, and leaves its trace in the audit log."""
    action = Action(Actor(ActorKind.STAFF, row["id"], row["name"]), LOGIN, attempt.origin)
    needs_code = row["totp_confirmed_at"] is not None
    try:
        if needs_code:
            if not otp or not otp.strip():
                raise DomainError(StaffErrorCode.SECOND_FACTOR_REQUIRED, "Send a code of your app too.", ["otp"])
            await limits.code(row["id"], attempt.client, stranger=attempt.stranger)
        with recording.acting(action):
            async with db.unit_of_work():
                if await db.fetchval(_TAKE, row["id"], row["password_hash"], row["totp_confirmed_at"]) is None:
                    raise _wrong()
                if needs_code and not await second_factor.use(row["id"], otp or ""):
                    raise second_factor.invalid(["otp"])
                tokens = await sessions.open_session(
                    sessions.STAFF,
                    row["id"],
                    client_hash=network_hashes(attempt.client)[0],
                    user_agent=attempt.client.user_agent,
                )
    except DomainError as error:
        await recording.refused(action, [error.code.name])
        raise
    if needs_code:
        await limits.code_was_right(row["id"], attempt.client, stranger=attempt.stranger)
    return tokens


def _wrong() -> DomainError:
    return DomainError(SessionErrorCode.INVALID_CREDENTIALS, "The email or the password is wrong.", ["input"])
