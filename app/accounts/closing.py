"""Closing accounts: for a while by staff, for good by their owners."""

import uuid

from app import db
from app.accounts import changing, links
from app.accounts.identity import CustomerIdentity
from app.errors import not_found
from app.privacy.erasure import request_erasure
from app.sessions import service as sessions


async def set_active(customer_id: uuid.UUID, active: bool) -> None:
    """Close an account, which ends its sessions and links at once, or open it again. Repeating it changes nothing.

    Raises:
        DomainError: NOT_FOUND.
    """
    async with db.unit_of_work():
        found = await db.fetchrow("SELECT is_active FROM customers WHERE id = $1 FOR UPDATE", customer_id)
        if found is None:
            raise not_found("account", ["id"])
        if found["is_active"] == active:
            return
        await db.execute(
            "UPDATE customers SET is_active = $2, updated_at = clock_timestamp() WHERE id = $1", customer_id, active
        )
        if not active:
            await sessions.revoke_all(sessions.CUSTOMER, customer_id, "account closed")
            await links.end_all(customer_id)


async def delete(own: CustomerIdentity, password: str | None) -> None:
    """Delete the account; of a verified one also what the shop keeps about its person, but for its books.

    Raises:
        DomainError: see `changing.prove`.
    """
    stored = await changing.prove(own, password, field="password")
    async with db.unit_of_work():
        await changing.lock_proven(own.id, stored)
        await request_erasure(profile_id=own.profile_id, customer_id=own.id, by_staff=None)
