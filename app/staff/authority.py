"""Who may change whom among the staff.

Nobody gives what they lack, and nobody touches a colleague or a role that may do more than themselves. What the one
who acts may do is read again in the transaction that changes something, behind a lock that all such changes wait at:
of two owners who demote each other at once, the second is no owner any more. So one owner always stays: only owners
touch owners, and nobody themselves.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app import db
from app.db import Record
from app.errors import CommonErrorCode, DomainError, not_found
from app.staff.errors import StaffErrorCode
from app.staff.permissions import Permission
from app.staff.queries import permissions_of

_LOCK_ID = 0x7477_7374_6166
Path = Sequence[str | int]

_STANDING = """
    SELECT u.id, u.name, u.role_id, r.permissions, r.is_owner
    FROM staff_users u JOIN staff_roles r ON r.id = u.role_id
    WHERE u.id = $1 AND u.is_active
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody may do at this moment, and until the transaction ends."""

    id: uuid.UUID
    name: str
    role_id: uuid.UUID
    permissions: frozenset[Permission]
    is_owner: bool

    def covers(self, permissions: Collection[Permission], *, is_owner: bool = False) -> bool:
        return self.is_owner or (not is_owner and self.permissions.issuperset(permissions))

    def check_covers(self, role: Record, field: Path) -> None:
        """Raises DomainError(PERMISSION_NOT_HELD). `role` has `permissions` and `is_owner`."""
        if not self.covers(permissions_of(role), is_owner=role["is_owner"]):
            raise not_held(field)

    def check_holds(self, permissions: Collection[Permission], field: Path) -> None:
        """Raises DomainError(PERMISSION_NOT_HELD)."""
        if not self.covers(permissions):
            raise not_held(field)


def not_held(field: Path) -> DomainError:
    message = "That goes beyond what you may do yourself."
    return DomainError(StaffErrorCode.PERMISSION_NOT_HELD, message, field)


async def lock() -> None:
    """Wait until nobody else changes the staff, and keep others waiting. Inside a unit of work."""
    db.current_unit_of_work()
    await db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_ID)


async def of(member_id: uuid.UUID | None, needed: Permission) -> Standing | None:
    """What an active member may do, read behind the lock; None for nobody, and for those without `needed`."""
    await lock()
    row = await db.fetchrow(_STANDING, member_id)
    if row is None:
        return None
    permissions = permissions_of(row)
    if needed not in permissions:
        return None
    return Standing(row["id"], row["name"], row["role_id"], permissions, row["is_owner"])


async def acting(member_id: uuid.UUID, needed: Permission = Permission.STAFF_WRITE) -> Standing:
    """As `of`. Raises DomainError(FORBIDDEN)."""
    standing = await of(member_id, needed)
    if standing is None:
        raise DomainError(CommonErrorCode.FORBIDDEN, f"This needs the permission {needed}.")
    return standing


async def role(role_id: uuid.UUID, field: Path) -> Record:
    """Its id, name, permissions and is_owner. Raises DomainError(NOT_FOUND)."""
    row = await db.fetchrow("SELECT id, name, permissions, is_owner FROM staff_roles WHERE id = $1", role_id)
    if row is None:
        raise not_found("role", field)
    return row
