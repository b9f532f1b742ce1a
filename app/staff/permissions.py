"""What staff may do, by name."""

import uuid
from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    PRODUCTS_READ = "PRODUCTS_READ"
    PRODUCTS_WRITE = "PRODUCTS_WRITE"
    INVENTORY_WRITE = "INVENTORY_WRITE"
    ORDERS_READ = "ORDERS_READ"
    ORDERS_WRITE = "ORDERS_WRITE"
    SHIPPING_WRITE = "SHIPPING_WRITE"
    SETTINGS_WRITE = "SETTINGS_WRITE"
    STAFF_WRITE = "STAFF_WRITE"
    OPERATIONS = "OPERATIONS"
    """Jobs, dead letters, the send ledger; in development also the clock and the inbox."""


@dataclass(frozen=True, slots=True)
class StaffMember:
    id: uuid.UUID
    name: str
    permissions: frozenset[Permission]


@dataclass(frozen=True, slots=True)
class StaffIdentity(StaffMember):
    """Who is signed in, as one request sees it."""

    session_id: uuid.UUID

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions
