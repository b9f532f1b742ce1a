"""Inviting colleagues: a mailed link that is good once, for a week, and only while whoever sent it may still do so."""

import uuid

import asyncpg

from app import db, events
from app.accounts.clients import Client, network_hashes
from app.accounts.errors import AccountErrorCode
from app.addresses.contact import normalise_email
from app.audit import recording
from app.audit.models import ActorKind
from app.audit.recording import Action, Actor, Origin
from app.db import Record
from app.errors import CommonErrorCode, DomainError, not_found
from app.keys import keyring
from app.kit.crypto import hash_token, token_matches
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.sessions import passwords
from app.sessions import service as sessions
from app.sessions.service import TokenPair
from app.staff import authority, limits
from app.staff.members import MAX_NAME_CHARS
from app.staff.permissions import Permission
from app.staff.queries import permissions_of

INVITED = "staff.invited"
GOOD_DAYS = 7
_PURPOSE = "staff invitation"

_OPEN = """
    SELECT i.id, i.email, i.name, i.role_id, i.invited_by_id, i.expires_at, r.name AS role_name, r.permissions,
           r.is_owner
    FROM staff_invitations i JOIN staff_roles r ON r.id = i.role_id
    WHERE i.token_hash = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > clock_timestamp()
"""


async def invite(actor_id: uuid.UUID, *, email: str, name: str, role_id: uuid.UUID) -> uuid.UUID:
    """Mail a link to somebody who shall join in this role. An earlier invitation of the address ends.

    Raises:
        DomainError: FORBIDDEN, NOT_FOUND, PERMISSION_NOT_HELD, CONFLICT when they are on the staff already.
        DomainErrors: INVALID_EMAIL, REQUIRED, TOO_LONG.
    """
    problems = Problems()
    checked_name = problems.required_line(name, "A name", "name", max_chars=MAX_NAME_CHARS)
    address = ""
    try:
        address = normalise_email(email, ["input", "email"]).lower()
    except DomainError as error:
        problems.note(error)
    problems.raise_if_any()
    invitation_id = new_id()
    async with db.unit_of_work():
        actor = await authority.acting(actor_id)
        actor.check_covers(await authority.role(role_id, ["input", "roleId"]), ["input", "roleId"])
        if await db.fetchval("SELECT EXISTS (SELECT FROM staff_users WHERE lower(email) = $1)", address):
            raise _on_the_staff(["input", "email"])
        await db.execute(
            """
            UPDATE staff_invitations SET revoked_at = clock_timestamp()
            WHERE lower(email) = $1 AND accepted_at IS NULL AND revoked_at IS NULL
            """,
            address,
        )
        await db.execute(
            """
            INSERT INTO staff_invitations (id, email, name, role_id, token_hash, invited_by_id, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), clock_timestamp() + $7 * interval '1 day')
            """,
            invitation_id,
            address,
            checked_name,
            role_id,
            hash_token(keyring().derive_token(_PURPOSE, invitation_id)),
            actor_id,
            GOOD_DAYS,
        )
        await events.record(INVITED, subject_id=invitation_id)
    return invitation_id


async def revoke(actor_id: uuid.UUID, invitation_id: uuid.UUID) -> None:
    """Raises DomainError: FORBIDDEN; NOT_FOUND, also for one that was accepted or has ended."""
    async with db.unit_of_work():
        await authority.acting(actor_id)
        revoked = await db.execute(
            """
            UPDATE staff_invitations SET revoked_at = clock_timestamp()
            WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL
            """,
            invitation_id,
        )
        if not revoked:
            raise not_found("open invitation", ["id"])


def token_of(invitation_id: uuid.UUID, stored: bytes) -> str | None:
    """What the mailed link carries; None when the key that it was made under has left the ring."""
    tokens = keyring().derivations(_PURPOSE, invitation_id)
    return next((token for token in tokens if token_matches(token, stored)), None)


async def open_one(token: str) -> Record | None:
    """Whom a link invites, and to what; None for one that is not good any more."""
    return await db.fetchrow(_OPEN, hash_token(token))


async def accept(
    token: str, *, password: str, name: str | None, client: Client, origin: Origin, signs_in: bool = True
) -> TokenPair | None:
    """Join the staff and sign in. The link is used up by it, also when it was opened twice at once.

    Args:
        signs_in: False for a page, which has no use for tokens; then there are none.

    Raises:
        DomainError: INVALID_LINK; INVALID for the password; RATE_LIMITED; CONFLICT when they joined otherwise.
        DomainErrors: TOO_LONG.
    """
    await limits.link(client)
    problems = Problems()
    chosen = problems.line(name, "name", max_chars=MAX_NAME_CHARS)
    problems.raise_if_any()
    found = await open_one(token)
    if found is None:
        raise _broken()
    passwords.check_new(password, email=found["email"], field=["input", "password"])
    password_hash = await passwords.hash_password(password)
    member_id, name = new_id(), chosen or found["name"]
    joining = Action(Actor(ActorKind.STAFF, member_id, name), "staffInvitationAccept", origin)
    with recording.acting(joining):
        async with db.unit_of_work():
            inviter = await authority.of(found["invited_by_id"], Permission.STAFF_WRITE)
            invitation = await open_one(token)
            # What the sender may not do any more, their link does not do either.
            if (
                invitation is None
                or inviter is None
                or not inviter.covers(permissions_of(invitation), is_owner=invitation["is_owner"])
            ):
                raise _broken()
            await db.execute(
                "UPDATE staff_invitations SET accepted_at = clock_timestamp() WHERE id = $1", invitation["id"]
            )
            try:
                await db.execute(
                    """
                    INSERT INTO staff_users (id, email, name, password_hash, role_id, is_active, last_login_at,
                                             created_at, updated_at)
                    VALUES ($1, $2, $3, $4, $5, true, clock_timestamp(), clock_timestamp(), clock_timestamp())
                    """,
                    member_id,
                    invitation["email"],
                    name,
                    password_hash,
                    invitation["role_id"],
                )
            except asyncpg.UniqueViolationError:
                raise _on_the_staff(["token"]) from None
            if not signs_in:
                return None
            return await sessions.open_session(
                sessions.STAFF, member_id, client_hash=network_hashes(client)[0], user_agent=client.user_agent
            )


def _broken() -> DomainError:
    return DomainError(AccountErrorCode.INVALID_LINK, "This invitation is not good any more.", ["token"])


def _on_the_staff(field: list[str | int]) -> DomainError:
    return DomainError(CommonErrorCode.CONFLICT, "Somebody with this email is on the staff already.", field)
