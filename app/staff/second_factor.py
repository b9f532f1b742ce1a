"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.

A code lasts 30 seconds, and one step to either side is taken for clocks that differ. No code is good twice, also not in
two requests at once: the step of the last one is stored by a conditional update (RFC 6238, section 5.2). Time is the
database's, so a server whose clock is wrong keeps nobody out.
"""

import base64
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pyotp

from app import db
from app.accounts.clients import Client
from app.errors import CommonErrorCode, DomainError
from app.keys import keyring
from app.kit.crypto import hash_token
from app.kit.ids import new_id
from app.sessions import passwords
from app.sessions import service as sessions
from app.sessions.errors import SessionErrorCode
from app.shop import queries as shop_queries
from app.staff import limits
from app.staff.errors import StaffErrorCode
from app.staff.members import forget_second_factor

STEP_SECONDS = 30
WINDOW_STEPS = 1
RECOVERY_CODES = 10
RECOVERY_CODE_BYTES = 10
_PURPOSE = "staff second factor"

_MEMBER = """
    SELECT email, password_hash, totp_secret, totp_confirmed_at, totp_last_step,
           extract(epoch FROM clock_timestamp())::bigint AS seconds
    FROM staff_users WHERE id = $1 AND is_active
"""


@dataclass(frozen=True, slots=True)
class NewSecret:
    secret: str
    """Base32, to type in."""
    provisioning_uri: str
    """`otpauth://…`, to show as a QR code."""


async def set_up(member_id: uuid.UUID, password: str, client: Client) -> NewSecret:
    """A secret for an authenticator app; signing in asks for codes once `confirm` has seen one. Another one ends it.

    Raises:
        DomainError: INVALID_CREDENTIALS, RATE_LIMITED, CONFLICT when it is on already.
    """
    await limits.password_check(member_id, client)
    row = await _row(member_id)
    if not await passwords.password_matches(row["password_hash"], password):
        raise DomainError(SessionErrorCode.INVALID_CREDENTIALS, "The password is wrong.", ["password"])
    secret = pyotp.random_base32()
    changed = await db.execute(
        """
        UPDATE staff_users SET totp_secret = $2, updated_at = clock_timestamp()
        WHERE id = $1 AND is_active AND totp_confirmed_at IS NULL
        """,
        member_id,
        keyring().encrypt(_PURPOSE, secret.encode()),
    )
    if not changed:
        raise DomainError(CommonErrorCode.CONFLICT, "It is on already; switch it off with a code first.")
    issuer = (await shop_queries.current()).name
    return NewSecret(secret, pyotp.TOTP(secret).provisioning_uri(name=row["email"], issuer_name=issuer))


async def confirm(member_id: uuid.UUID, session_id: uuid.UUID | None, code: str, client: Client) -> list[str]:
    """Switch it on with the app's first code; the recovery codes, which nobody can see again. Other sessions end.

    Raises:
        DomainError: SECOND_FACTOR_INVALID, CONFLICT when it is on already or was not set up, RATE_LIMITED.
    """
    await limits.code(member_id, client, stranger=False)
    async with db.unit_of_work():
        step = await _step(member_id, code)
        if step is None or not await _take(member_id, step):
            raise invalid(["code"])
        switched_on = await db.execute(
            """
            UPDATE staff_users SET totp_confirmed_at = clock_timestamp(), updated_at = clock_timestamp()
            WHERE id = $1 AND is_active AND totp_secret IS NOT NULL AND totp_confirmed_at IS NULL
            """,
            member_id,
        )
        if not switched_on:
            raise DomainError(CommonErrorCode.CONFLICT, "It is on already.")
        codes = await _new_codes(member_id)
        await sessions.revoke_all(sessions.STAFF, member_id, "second factor switched on", but=session_id)
    await limits.code_was_right(member_id, client, stranger=False)
    return codes


async def switch_off(member_id: uuid.UUID, code: str, client: Client) -> None:
    """With a code of the app or a recovery code.

    Raises:
        DomainError: SECOND_FACTOR_INVALID, CONFLICT when it is off, RATE_LIMITED.
    """
    await limits.code(member_id, client, stranger=False)
    async with db.unit_of_work():
        await _check_on(member_id, code)
        await forget_second_factor(member_id)
    await limits.code_was_right(member_id, client, stranger=False)


async def renew_codes(member_id: uuid.UUID, code: str, client: Client) -> list[str]:
    """New recovery codes instead of all old ones. Raises DomainError as `switch_off` does."""
    await limits.code(member_id, client, stranger=False)
    async with db.unit_of_work():
        await _check_on(member_id, code)
        codes = await _new_codes(member_id)
    await limits.code_was_right(member_id, client, stranger=False)
    return codes


async def use(member_id: uuid.UUID, code: str) -> bool:
    """Whether it is a code of the app or a recovery code, and not used before: from now on it is.

    Inside the unit of work that it is used for: if that is rolled back, so is its use.
    """
    db.current_unit_of_work()
    step = await _step(member_id, code)
    if step is not None:
        return await _take(member_id, step)
    used = await db.execute(
        """
        UPDATE staff_recovery_codes SET used_at = clock_timestamp()
        WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL
        """,
        member_id,
        hash_token(_plain(code)),
    )
    return bool(used)


def invalid(field: list[str | int]) -> DomainError:
    return DomainError(StaffErrorCode.SECOND_FACTOR_INVALID, "The code is wrong or was used already.", field)


async def _check_on(member_id: uuid.UUID, code: str) -> None:
    if (await _row(member_id))["totp_confirmed_at"] is None:
        raise DomainError(CommonErrorCode.CONFLICT, "The second factor is off.")
    if not await use(member_id, code):
        raise invalid(["code"])


async def _row(member_id: uuid.UUID) -> db.Record:
    row = await db.fetchrow(_MEMBER, member_id)
    if row is None:
        raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in as staff first.")
    return row


async def _step(member_id: uuid.UUID, code: str) -> int | None:
    """Which step the code belongs to, of those that are taken now."""
    row = await _row(member_id)
    digits = "".join(code.split())
    secret = keyring().decrypt(_PURPOSE, row["totp_secret"]) if row["totp_secret"] else None
    if secret is None or len(digits) != 6 or not digits.isascii():
        return None
    totp = pyotp.TOTP(secret.decode(), interval=STEP_SECONDS)
    # Compared in constant time; every step of the window, whichever is right.
    matching = [step for step in _window(row["seconds"]) if secrets.compare_digest(totp.generate_otp(step), digits)]
    return matching[0] if matching else None


def _window(seconds: int) -> Iterator[int]:
    now = seconds // STEP_SECONDS
    return iter(range(now - WINDOW_STEPS, now + WINDOW_STEPS + 1))


async def _take(member_id: uuid.UUID, step: int) -> bool:
    """False when this step, or a later one, was used meanwhile."""
    taken = await db.execute(
        """
        UPDATE staff_users SET totp_last_step = $2
        WHERE id = $1 AND is_active AND coalesce(totp_last_step < $2, true)
        """,
        member_id,
        step,
    )
    return bool(taken)


async def _new_codes(member_id: uuid.UUID) -> list[str]:
    codes = [_shown(secrets.token_bytes(RECOVERY_CODE_BYTES)) for _ in range(RECOVERY_CODES)]
    await db.execute("DELETE FROM staff_recovery_codes WHERE user_id = $1", member_id)
    await db.execute(
        """
        INSERT INTO staff_recovery_codes (id, user_id, code_hash)
        SELECT c.id, $1, c.hash FROM unnest($2::uuid[], $3::bytea[]) AS c (id, hash)
        """,
        member_id,
        [new_id() for _ in codes],
        [hash_token(_plain(code)) for code in codes],
    )
    return codes


def _shown(random: bytes) -> str:
    """Such as `k3fz-9q2x-…`: 80 bits, so a plain hash is enough."""
    text = base64.b32encode(random).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _plain(code: str) -> str:
    return "".join(character for character in code.lower() if character.isalnum())
