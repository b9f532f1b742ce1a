"""Asking for somebody to be forgotten (GDPR, Art. 17): what has to be at once, and an event for the rest.

At once, in one transaction: nobody is signed in any more, nothing more is sent, the profile has no address, and what is
told of its person from now on is told of somebody new. The rest (`erasing`) is many rows and takes its time.
"""

import uuid
from collections.abc import Mapping, Sequence

import orjson

from app import db, events
from app.crm import forgetting
from app.customers import erasure as addresses
from app.customers import identification
from app.errors import not_found
from app.flows import exits
from app.keys import keyring
from app.kit.ids import new_id
from app.messaging.models import MessageChannel
from app.payments import saved_methods
from app.privacy.inventory import TABLES
from app.sessions.service import CUSTOMER

REQUESTED = "privacy.erasure_requested"
LOOKED_FOR = "what an erasure looks for"
"""Purpose of its encryption."""
ERASED = "ERASED"
"""Why the runs of flows ended."""

# The account, and strangers' claims of its address: all are locked before the profile is, as whoever verifies one does.
_ACCOUNTS = """
    WITH asked AS (
        SELECT coalesce($2, (SELECT profile_id FROM customers WHERE id = $1)) AS id
    ), living AS (
        SELECT id, email FROM profiles WHERE id = (
            SELECT coalesce(p.merged_into_id, p.id) FROM profiles p JOIN asked ON asked.id = p.id
        )
    )
    SELECT c.id, c.email, c.phone, c.profile_id, c.email_verified_at FROM customers c
    WHERE c.id = ANY(ARRAY(
        SELECT id FROM customers WHERE id = $1
        UNION SELECT k.id FROM customers k JOIN living ON living.id = k.profile_id
        UNION SELECT k.id FROM customers k JOIN living ON lower(living.email) = lower(k.email)
        WHERE k.email_verified_at IS NULL
    ))
    ORDER BY c.id FOR UPDATE
"""
_END_ACCOUNTS = """
    WITH sessions AS (
        DELETE FROM sessions WHERE subject_kind = $2 AND subject_id = ANY($1)
    )
    DELETE FROM customers WHERE id = ANY($1)
"""
_RUNS = "SELECT id FROM flow_runs WHERE profile_id = $1 AND status IN ('PENDING', 'ACTIVE') ORDER BY id"
# What is about an order that is on its way still goes out; anything else is of no more use to anybody.
_UNSENT = """
    UPDATE messages SET state = 'SKIPPED', reason = 'NO_ADDRESS', detail = NULL, leased_until = NULL
    WHERE id = ANY(ARRAY(
        SELECT m.id FROM messages m
        WHERE m.profile_id = ANY($1) AND m.state = 'RESERVED'
          AND NOT EXISTS (SELECT FROM orders o WHERE o.id = m.order_id AND m.purpose = 'TRANSACTIONAL')
        ORDER BY m.id FOR UPDATE
    ))
"""
_EMPTY_PROFILES = f"""
    WITH visitors AS (
        DELETE FROM visitors WHERE profile_id = ANY($1)
    )
    UPDATE profiles AS t
    SET {TABLES["profiles"].assignments}, erased_at = business_now(), updated_at = business_now()
    WHERE id = ANY($1)
"""
# What is being paid for right now becomes an order of somebody new, whom the erasure then finds by these.
_OPEN_CARTS = """
    SELECT id FROM carts WHERE customer_id = ANY($1) AND state = 'OPEN'
    UNION SELECT id FROM carts WHERE profile_id = ANY($2) AND customer_id IS NULL AND state = 'OPEN'
"""


async def request_erasure(
    *, profile_id: uuid.UUID | None = None, customer_id: uuid.UUID | None = None, by_staff: uuid.UUID | None = None
) -> uuid.UUID:
    """Erase a person: an account, a profile, or both where one leads to the other. In the open unit of work.

    Locks the account and then the profile. Asked twice, the second time answers what the first one did.

    Args:
        customer_id: an account. That of a verified address is erased with its profile and everything of it; a claim of
            an address alone, with what was done with it.
        by_staff: who asked, where it was not the person.

    Returns:
        The PrivacyRequest's id.

    Raises:
        DomainError: NOT_FOUND where there is no such account or profile.
    """
    db.current_unit_of_work()
    accounts = await db.fetch(_ACCOUNTS, customer_id, profile_id)
    own = next((row for row in accounts if row["id"] == customer_id or row["profile_id"] is not None), None)
    if customer_id is not None and own is None:
        raise not_found("account", ["id"])
    if profile_id is None and own is not None:
        profile_id = own["profile_id"]
    profile = await _locked(profile_id) if profile_id else None
    if profile is not None and profile["erased_at"] is not None:
        return await _earlier(profile["id"])
    emails: set[str] = set()
    phones: set[str] = set()
    if profile is not None:  # what a claim alone says of its address is said of somebody else's
        emails |= {row["email"].lower() for row in (own, profile) if row and row["email"]}
        phones |= {profile["phone"]} if profile["phone"] else set()
        consented = await db.fetch(addresses.ADDRESSES, profile["id"])
        emails |= {row["address"].lower() for row in consented if row["channel"] == MessageChannel.EMAIL}
        phones |= {row["address"] for row in consented if row["channel"] != MessageChannel.EMAIL}
        await addresses.erase_addresses(profile["id"])
        await _end_what_runs(profile["id"])
        await forgetting.begin(profile["id"])
    customers = [row["id"] for row in accounts]
    await saved_methods.delete_all_of(customers)
    await db.execute(_END_ACCOUNTS, customers, CUSTOMER)
    everybody = [profile["id"]] if profile else []
    looked_for = {
        "emails": sorted(emails),
        "phones": sorted(phones),
        "customers": customers,
        "carts": [row["id"] for row in await db.fetch(_OPEN_CARTS, customers, everybody)],
    }
    return await _noted(profile["id"] if profile else None, own["id"] if own else None, by_staff, looked_for)


async def _locked(profile_id: uuid.UUID) -> db.Record:
    try:
        living = await identification.lock(profile_id, or_erased=True)
    except LookupError:
        raise not_found("profile", ["profileId"]) from None
    row = await db.fetchrow("SELECT id, email, phone, erased_at FROM profiles WHERE id = $1", living)
    if row is None:
        raise RuntimeError("a locked profile has vanished")
    return row


async def _earlier(profile_id: uuid.UUID) -> uuid.UUID:
    earlier: uuid.UUID = await db.fetchval(
        "SELECT id FROM privacy_requests WHERE profile_id = $1 AND kind = 'ERASURE' ORDER BY id DESC LIMIT 1",
        profile_id,
    )
    return earlier


async def _end_what_runs(profile_id: uuid.UUID) -> None:
    for row in await db.fetch(_RUNS, profile_id):
        await exits.end(row["id"], profile_id, ERASED)
    rows = await db.fetch("SELECT id FROM profiles WHERE id = $1 OR merged_into_id = $1 ORDER BY id", profile_id)
    everybody = [row["id"] for row in rows]
    await db.execute(_UNSENT, everybody)
    await db.execute(_EMPTY_PROFILES, everybody)


async def _noted(
    profile_id: uuid.UUID | None,
    customer_id: uuid.UUID | None,
    by_staff: uuid.UUID | None,
    looked_for: Mapping[str, Sequence[object]],
) -> uuid.UUID:
    request_id = new_id()
    await db.execute(
        """
        INSERT INTO privacy_requests (id, kind, status, profile_id, customer_id, requested_by_staff_id, addresses,
                                      created_at)
        VALUES ($1, 'ERASURE', 'PENDING', $2, $3, $4, $5, clock_timestamp())
        """,
        request_id,
        profile_id,
        customer_id,
        by_staff,
        keyring().encrypt(LOOKED_FOR, orjson.dumps(looked_for, default=str)),
    )
    await events.record(REQUESTED, subject_id=request_id)
    return request_id
