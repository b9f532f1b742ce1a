"""New passwords of staff: by the one who knows the old one, or by a mailed link.

The link's token is signed and holds no secret: who, until when, and a digest of the password and the last sign-in that
it was made under. It is worthless as soon as either changes, so it is good once, and needs no row. It is no second
factor: whoever has set one up needs it after a reset, too.
"""

import hashlib
import time
import uuid

import orjson

from app import db, events
from app.accounts.clients import Client
from app.accounts.errors import AccountErrorCode
from app.audit import recording
from app.audit.models import ActorKind
from app.audit.recording import Action, Actor, Origin
from app.db import Record
from app.errors import CommonErrorCode, DomainError
from app.keys import keyring
from app.kit.ids import new_id
from app.sessions import passwords
from app.sessions import service as sessions
from app.sessions.errors import SessionErrorCode
from app.staff import limits

RESET_ASKED = "staff.password_reset_asked"
RESET_SECONDS = 3600
MAX_EMAIL_CHARS = 254
_PURPOSE = "staff password reset"

_MEMBER = "SELECT id, name, email, password_hash, last_login_at FROM staff_users WHERE id = $1 AND is_active"


async def update(member_id: uuid.UUID, session_id: uuid.UUID | None, *, current: str, new: str, client: Client) -> None:
    """Set another password; all other sessions end.

    Raises:
        DomainError: INVALID_CREDENTIALS for the current one, INVALID for the new one, RATE_LIMITED, CONFLICT.
    """
    await limits.password_check(member_id, client)
    row = await db.fetchrow(_MEMBER, member_id)
    if row is None or not await passwords.password_matches(row["password_hash"], current):
        message = "The current password is wrong."
        raise DomainError(SessionErrorCode.INVALID_CREDENTIALS, message, ["currentPassword"])
    passwords.check_new(new, email=row["email"], field=["newPassword"])
    new_hash = await passwords.hash_password(new)
    async with db.unit_of_work():
        if not await _replace(row, new_hash):
            raise DomainError(CommonErrorCode.CONFLICT, "The password was changed meanwhile.", ["currentPassword"])
        await sessions.revoke_all(sessions.STAFF, member_id, "password changed", but=session_id)


async def ask_for_link(email: str, client: Client) -> None:
    """Mail a link, if somebody on the staff has this address. Does the same, and says the same, if nobody has.

    Raises:
        DomainError: RATE_LIMITED.
    """
    known_as = email.strip().lower()[:MAX_EMAIL_CHARS].replace("\x00", " ").encode("utf-8", "replace").decode()
    await limits.mail(known_as, client)
    async with db.unit_of_work():
        member_id = await db.fetchval("SELECT id FROM staff_users WHERE lower(email) = $1 AND is_active", known_as)
        await events.record(RESET_ASKED, subject_id=member_id or new_id())


async def token_for(member_id: uuid.UUID) -> str | None:
    """What the mailed link carries, good for an hour from now; None for those who left."""
    row = await db.fetchrow(_MEMBER, member_id)
    if row is None:
        return None
    return keyring().sign(_PURPOSE, [member_id.hex, int(time.time()) + RESET_SECONDS, _state(row)])


async def member_of(token: str) -> Record | None:
    """Whose password a link may set; None when it is not good any more."""
    payload = keyring().unsign(_PURPOSE, token)
    if not isinstance(payload, list) or len(payload) != 3 or payload[1] < time.time():
        return None
    row = await db.fetchrow(_MEMBER, uuid.UUID(hex=payload[0]))
    return row if row is not None and _state(row) == payload[2] else None


async def reset(token: str, *, password: str, client: Client, origin: Origin) -> None:
    """Set the password that a mailed link asks for; every session ends.

    Raises:
        DomainError: INVALID_LINK, INVALID for the password, RATE_LIMITED.
    """
    await limits.link(client)
    row = await member_of(token)
    if row is None:
        raise _broken()
    passwords.check_new(password, email=row["email"], field=["password"])
    new_hash = await passwords.hash_password(password)
    with recording.acting(Action(Actor(ActorKind.STAFF, row["id"], row["name"]), "staffPasswordReset", origin)):
        async with db.unit_of_work():
            if not await _replace(row, new_hash):
                raise _broken()
            await sessions.revoke_all(sessions.STAFF, row["id"], "password reset")


async def _replace(row: Record, new_hash: str) -> bool:
    """False when it was changed, or they left, since `row` was read."""
    replaced = await db.execute(
        """
        UPDATE staff_users SET password_hash = $3, updated_at = clock_timestamp()
        WHERE id = $1 AND password_hash = $2 AND is_active
        """,
        row["id"],
        row["password_hash"],
        new_hash,
    )
    return bool(replaced)


def _state(row: Record) -> str:
    state = [row["password_hash"], str(row["last_login_at"])]
    return hashlib.sha256(orjson.dumps(state)).hexdigest()[:32]


def _broken() -> DomainError:
    return DomainError(AccountErrorCode.INVALID_LINK, "This link is not good any more; ask for another.", ["token"])
