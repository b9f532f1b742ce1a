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
    REFUNDS_WRITE = "REFUNDS_WRITE"
    """Giving money back; and with ORDERS_WRITE, cancelling orders whose money was taken."""
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
    GIFT_CARDS_READ = "GIFT_CARDS_READ"
    """Gift cards and store credit: balances and ledgers. Nobody is shown a code."""
    GIFT_CARDS_WRITE = "GIFT_CARDS_WRITE"
    """Issuing them, and changing what they are worth."""
    MARKETS_WRITE = "MARKETS_WRITE"
    """Markets, price lists, groups of customers."""
    TAXES_WRITE = "TAXES_WRITE"
    """Zones, classes and rates of tax, exemptions."""
    DRAFT_ORDERS_WRITE = "DRAFT_ORDERS_WRITE"
    """Draft orders and quotations: prices that are negotiated, orders that are settled by hand."""
    COMPANIES_READ = "COMPANIES_READ"
    COMPANIES_WRITE = "COMPANIES_WRITE"
    """Companies, their terms of payment and their members."""
    INTEGRATIONS_WRITE = "INTEGRATIONS_WRITE"
    """Outgoing webhooks and connections to other systems."""
    OPERATIONS = "OPERATIONS"
    """Jobs, dead letters, the send ledger; in development also the clock and the inbox."""


NOT_FOR_KEYS = frozenset({Permission.STAFF_WRITE, Permission.API_KEYS_WRITE})
"""A key that made keys or staff would outlive its own end."""


@dataclass(frozen=True, slots=True)
class StaffIdentity:
    """Who acts, as one request sees them: a member of staff who is signed in, or an API key.

    `id` is the member's or the key's own; no two of them are alike, so a `created_by` may hold either.
    """

    id: uuid.UUID
    name: str
    permissions: frozenset[Permission]
    session_id: uuid.UUID | None
    """None for a key: nobody is signed in."""

    @property
    def is_key(self) -> bool:
        return self.session_id is None

    @property
    def actor(self) -> str:
        """For notes in text: `staff:` or `key:` and the id in hex."""
        return f"{'key' if self.is_key else 'staff'}:{self.id.hex}"

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions
