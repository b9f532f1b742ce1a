"""Roles: what staff may do, under a name."""

import uuid
from collections.abc import Collection

import asyncpg

from app import db
from app.errors import CommonErrorCode, DomainError
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.staff import authority
from app.staff.authority import Standing
from app.staff.errors import StaffErrorCode
from app.staff.permissions import Permission

MAX_NAME_CHARS = 80
MAX_ROLES = 100


async def create(actor_id: uuid.UUID, name: str, permissions: Collection[Permission]) -> uuid.UUID:
    """A role with at most what the actor may do; an empty one allows nothing.

    Raises:
        DomainError: FORBIDDEN, PERMISSION_NOT_HELD, CONFLICT for a name that is taken, TOO_MANY.
        DomainErrors: REQUIRED, TOO_LONG.
    """
    name = _checked_name(name)
    role_id = new_id()
    async with db.unit_of_work():
        actor = await authority.acting(actor_id)
        actor.check_holds(permissions, ["input", "permissions"])
        if await db.fetchval("SELECT count(*) FROM staff_roles") >= MAX_ROLES:
            raise DomainError(CommonErrorCode.TOO_MANY, f"A shop has {MAX_ROLES} roles at most.")
        try:
            await db.execute(
                "INSERT INTO staff_roles (id, name, permissions, is_owner) VALUES ($1, $2, $3, false)",
                role_id,
                name,
                _names(permissions),
            )
        except asyncpg.UniqueViolationError:
            raise _taken() from None
    return role_id


async def update(
    actor_id: uuid.UUID, role_id: uuid.UUID, *, name: str | None, permissions: Collection[Permission] | None
) -> None:
    """Rename it, or set what everybody in it may do from their next request on. None leaves as it is.

    Raises:
        DomainError: FORBIDDEN, NOT_FOUND, OWNER_ROLE_FIXED, OWN_ROLE, PERMISSION_NOT_HELD when it may do more than the
            actor before or after, CONFLICT.
        DomainErrors: REQUIRED, TOO_LONG.
    """
    name = None if name is None else _checked_name(name)
    async with db.unit_of_work():
        await _changeable(await authority.acting(actor_id), role_id, permissions or ())
        try:
            await db.execute(
                """
                UPDATE staff_roles SET name = coalesce($2, name), permissions = coalesce($3::text[], permissions)
                WHERE id = $1
                """,
                role_id,
                name,
                None if permissions is None else _names(permissions),
            )
        except asyncpg.UniqueViolationError:
            raise _taken() from None


async def delete(actor_id: uuid.UUID, role_id: uuid.UUID) -> None:
    """Raises DomainError: FORBIDDEN, NOT_FOUND, OWNER_ROLE_FIXED, OWN_ROLE, PERMISSION_NOT_HELD, ROLE_IN_USE."""
    async with db.unit_of_work():
        await _changeable(await authority.acting(actor_id), role_id, ())
        used = await db.fetchval(
            """
            SELECT EXISTS (SELECT FROM staff_users WHERE role_id = $1) OR EXISTS (
                SELECT FROM staff_invitations
                WHERE role_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > clock_timestamp()
            )
            """,
            role_id,
        )
        if used:
            raise DomainError(StaffErrorCode.ROLE_IN_USE, "Give those who have it another role first.", ["id"])
        await db.execute("DELETE FROM staff_roles WHERE id = $1", role_id)


async def _changeable(actor: Standing, role_id: uuid.UUID, wanted: Collection[Permission]) -> None:
    role = await authority.role(role_id, ["id"])
    if role["is_owner"]:
        raise DomainError(StaffErrorCode.OWNER_ROLE_FIXED, "The role of owners stays as it is.", ["id"])
    if role_id == actor.role_id:
        raise DomainError(StaffErrorCode.OWN_ROLE, "A colleague has to change the role that you have.", ["id"])
    actor.check_covers(role, ["id"])
    actor.check_holds(wanted, ["input", "permissions"])


def _checked_name(name: str) -> str:
    problems = Problems()
    checked = problems.required_line(name, "A name", "name", max_chars=MAX_NAME_CHARS)
    problems.raise_if_any()
    return checked


def _names(permissions: Collection[Permission]) -> list[str]:
    return sorted({permission.value for permission in permissions})


def _taken() -> DomainError:
    return DomainError(CommonErrorCode.CONFLICT, "Another role has this name.", ["input", "name"])
