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
    API_KEYS_WRITE = "API_KEYS_WRITE"
    AUDIT_READ = "AUDIT_READ"
    PRIVACY_WRITE = "PRIVACY_WRITE"
    """Exports and erasures of what is kept about people, and for how long it is."""
    CUSTOMERS_READ = "CUSTOMERS_READ"
    """Profiles, their timelines and their consent."""
    CUSTOMERS_WRITE = "CUSTOMERS_WRITE"
    MARKETING_READ = "MARKETING_READ"
    """Flows, campaigns, segments, templates and what they came to."""
    MARKETING_WRITE = "MARKETING_WRITE"
    DISCOUNTS_WRITE = "DISCOUNTS_WRITE"
    INTEGRATIONS_WRITE = "INTEGRATIONS_WRITE"
    """Outgoing webhooks and connections to other systems."""
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
