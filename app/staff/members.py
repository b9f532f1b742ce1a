"""Changing colleagues: their name, their role, whether they can sign in."""

import uuid

from app import db
from app.db import Record
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.problems import Problems
from app.sessions import service as sessions
from app.staff import authority
from app.staff.authority import Standing
from app.staff.errors import StaffErrorCode

MAX_NAME_CHARS = 120

_MEMBER = """
    SELECT u.id, u.is_active, u.role_id, r.permissions, r.is_owner
    FROM staff_users u JOIN staff_roles r ON r.id = u.role_id WHERE u.id = $1 FOR UPDATE OF u
"""


async def update(
    actor_id: uuid.UUID, member_id: uuid.UUID, *, name: str | None = None, role_id: uuid.UUID | None = None
) -> None:
    """Another name or role. What they may do changes with their next request. None leaves as it is.

    Raises:
        DomainError: FORBIDDEN, NOT_FOUND, PERMISSION_NOT_HELD when they or the role may do more than the actor,
            OWN_ROLE.
        DomainErrors: REQUIRED, TOO_LONG.
    """
    checked = None if name is None else _checked_name(name)
    async with db.unit_of_work():
        actor = await authority.acting(actor_id)
        member = await _colleague(actor, member_id)
        if role_id is not None and role_id != member["role_id"]:
            if member_id == actor.id:
                raise DomainError(StaffErrorCode.OWN_ROLE, "A colleague has to give you another role.", ["id"])
            role = await authority.role(role_id, ["input", "roleId"])
            actor.check_covers(role, ["input", "roleId"])
        await db.execute(
            """
            UPDATE staff_users
            SET name = coalesce($2, name), role_id = coalesce($3, role_id), updated_at = clock_timestamp()
            WHERE id = $1
            """,
            member_id,
            checked,
            role_id,
        )


async def deactivate(actor_id: uuid.UUID, member_id: uuid.UUID) -> None:
    """They are out at once: their sessions and API keys end, and nobody gets in by their invitations.

    Raises:
        DomainError: FORBIDDEN, NOT_FOUND, OWN_ROLE for oneself, PERMISSION_NOT_HELD.
    """
    async with db.unit_of_work():
        actor = await authority.acting(actor_id)
        await _colleague(actor, member_id)
        if member_id == actor.id:
            raise DomainError(StaffErrorCode.OWN_ROLE, "A colleague has to do this.", ["id"])
        await db.execute(
            "UPDATE staff_users SET is_active = false, updated_at = clock_timestamp() WHERE id = $1 AND is_active",
            member_id,
        )
        await sessions.revoke_all(sessions.STAFF, member_id, "deactivated")
        await db.execute(
            "UPDATE api_keys SET revoked_at = clock_timestamp() WHERE created_by_id = $1 AND revoked_at IS NULL",
            member_id,
        )
        await db.execute(
            """
            UPDATE staff_invitations SET revoked_at = clock_timestamp()
            WHERE invited_by_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL
            """,
            member_id,
        )


async def reactivate(actor_id: uuid.UUID, member_id: uuid.UUID) -> None:
    """They can sign in again; sessions and keys that ended stay ended.

    Raises:
        DomainError: FORBIDDEN, NOT_FOUND, PERMISSION_NOT_HELD.
    """
    async with db.unit_of_work():
        await _colleague(await authority.acting(actor_id), member_id)
        await db.execute(
            "UPDATE staff_users SET is_active = true, updated_at = clock_timestamp() WHERE id = $1 AND NOT is_active",
            member_id,
        )


async def reset_second_factor(actor_id: uuid.UUID, member_id: uuid.UUID) -> None:
    """For a colleague who lost phone and codes: they sign in with the password alone until they set it up anew.

    Raises:
        DomainError: FORBIDDEN for all but owners, NOT_FOUND, OWN_ROLE for oneself.
    """
    async with db.unit_of_work():
        actor = await authority.acting(actor_id)
        if not actor.is_owner:
            raise DomainError(CommonErrorCode.FORBIDDEN, "Only owners reset the second factor of a colleague.")
        if member_id == actor.id:
            raise DomainError(StaffErrorCode.OWN_ROLE, "Switch off your own one with a code.", ["id"])
        await _colleague(actor, member_id)
        await forget_second_factor(member_id)
        await sessions.revoke_all(sessions.STAFF, member_id, "second factor reset")


async def forget_second_factor(member_id: uuid.UUID) -> None:
    """Inside a unit of work. The last step stays: no code is good twice, whatever happens in between."""
    await db.execute(
        """
        UPDATE staff_users SET totp_secret = NULL, totp_confirmed_at = NULL, updated_at = clock_timestamp()
        WHERE id = $1
        """,
        member_id,
    )
    await db.execute("DELETE FROM staff_recovery_codes WHERE user_id = $1", member_id)


async def _colleague(actor: Standing, member_id: uuid.UUID) -> Record:
    member = await db.fetchrow(_MEMBER, member_id)
    if member is None:
        raise not_found("member of staff", ["id"])
    actor.check_covers(member, ["id"])
    return member


def _checked_name(name: str) -> str:
    problems = Problems()
    checked = problems.required_line(name, "A name", "name", max_chars=MAX_NAME_CHARS)
    problems.raise_if_any()
    return checked
