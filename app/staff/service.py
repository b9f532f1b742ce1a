"""Making staff, and signing them in."""

import uuid

from app import db, rate_limit
from app.errors import CommonErrorCode, DomainError
from app.kit.ids import new_id
from app.sessions import passwords
from app.sessions import service as sessions
from app.sessions.errors import SessionErrorCode

OWNER_ROLE = "Owner"
MAX_EMAIL_CHARS = 254
LOGIN_WINDOW_SECONDS = 300
LOGINS_PER_ADDRESS = 60
LOGINS_PER_EMAIL = 20


async def create_owner(email: str, name: str, password: str) -> uuid.UUID:
    """A staff user in the role of owners, which has every permission and is made when it is missing.

    Raises:
        DomainError: INVALID for a malformed email or a weak password, CONFLICT when the email is taken.
    """
    email = email.strip().lower()
    if not 3 <= len(email) <= MAX_EMAIL_CHARS or "@" not in email:
        raise DomainError(CommonErrorCode.INVALID, "This is not an email address.", ["email"])
    if not passwords.MIN_PASSWORD_CHARS <= len(password) <= passwords.MAX_PASSWORD_CHARS:
        raise DomainError(
            CommonErrorCode.INVALID,
            f"A password has {passwords.MIN_PASSWORD_CHARS} to {passwords.MAX_PASSWORD_CHARS} characters.",
            ["password"],
        )
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


async def sign_in(email: str, password: str, client_address: str) -> sessions.TokenPair:
    """Answers alike, and as slowly, for an unknown address and for a wrong password.

    Raises:
        DomainError: INVALID_CREDENTIALS, RATE_LIMITED.
    """
    email = email.strip().lower()
    await rate_limit.allow(
        "staff_login_address", client_address, limit=LOGINS_PER_ADDRESS, window_seconds=LOGIN_WINDOW_SECONDS
    )
    # Counted for each pair of email and address, so that nobody can lock somebody else out.
    await rate_limit.allow(
        "staff_login", f"{email} {client_address}", limit=LOGINS_PER_EMAIL, window_seconds=LOGIN_WINDOW_SECONDS
    )
    # PostgreSQL takes no NUL, and nobody's address has one: it is as good as any that is not known.
    known_as = email[:MAX_EMAIL_CHARS].replace("\x00", " ")
    row = await db.fetchrow("SELECT id, password_hash FROM staff_users WHERE lower(email) = $1 AND is_active", known_as)
    stored = row["password_hash"] if row else None
    if not await passwords.password_matches(stored, password[: passwords.MAX_PASSWORD_CHARS]) or row is None:
        raise DomainError(SessionErrorCode.INVALID_CREDENTIALS, "The email or the password is wrong.", ["input"])
    if passwords.needs_rehash(row["password_hash"]):
        renewed = await passwords.hash_password(password)
        await db.execute("UPDATE staff_users SET password_hash = $2 WHERE id = $1", row["id"], renewed)
    return await sessions.open_session(sessions.STAFF, row["id"])
