"""Whose an address is: what happens when somebody shows that it is theirs.

Everything here runs in the open unit of work. Locks: the accounts of the address in the order of their ids, then the
profile. Carts and orders come before both, so those that belonged to claims are left to the handler of VERIFIED.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app import db, events
from app.accounts import links
from app.customers import identification, timeline
from app.kit.ids import new_id
from app.payments import saved_methods
from app.sessions.service import CUSTOMER

VERIFIED = "account.verified"
LAPSED = "account.lapsed"
SOURCE = "ACCOUNT"
TOLD = "customer.verified"

_LOCK = """
    SELECT id, email, email_verified_at, password_hash, profile_id, is_active, first_name, last_name, language
    FROM customers
    WHERE id = ANY(ARRAY(
        SELECT $1::uuid
        UNION SELECT id FROM customers WHERE lower(email) = lower($2) AND email_verified_at IS NOT NULL
        UNION SELECT id FROM customers WHERE lower(email) = lower($2) AND email_verified_at IS NULL
    ))
    ORDER BY id FOR UPDATE
"""
_NEW = """
    INSERT INTO customers (id, email, password_hash, is_active, created_at, updated_at, last_login_at)
    VALUES ($1, $2, $3, true, clock_timestamp(), clock_timestamp(), clock_timestamp())
    RETURNING id, email, email_verified_at, password_hash, profile_id, is_active, first_name, last_name, language
"""
_OWN = """
    UPDATE customers
    SET email = $2, email_verified_at = clock_timestamp(), profile_id = $3, password_hash = $4,
        updated_at = clock_timestamp()
    WHERE id = $1
"""
_DELETE = """
    WITH sessions AS (
        DELETE FROM sessions WHERE subject_kind = $2 AND subject_id = ANY($1)
    )
    DELETE FROM customers WHERE id = ANY($1)
"""


@dataclass(frozen=True, slots=True)
class Accounts:
    """One account, and all that have or claim an address, locked."""

    own: db.Record
    others: Sequence[db.Record]


async def lock(customer_id: uuid.UUID, email: str) -> Accounts:
    """Raises DomainError(INVALID_LINK) when the account is gone: another claim was quicker."""
    db.current_unit_of_work()
    rows = await db.fetch(_LOCK, customer_id, email)
    own = next((row for row in rows if row["id"] == customer_id), None)
    if own is None:
        raise links.invalid()
    # Whoever changed their address while we waited for their lock is concerned no more.
    others = [row for row in rows if row["id"] != customer_id and row["email"].lower() == email.lower()]
    return Accounts(own, others)


async def take(accounts: Accounts, email: str, *, password_hash: str | None) -> uuid.UUID:
    """The address is this account's from now on; every other claim to it is deleted with its sessions.

    Args:
        password_hash: what it signs in with from now on; None for mailed links alone.

    Returns:
        The address's profile.

    Raises:
        DomainError: INVALID_LINK where the address has another account already.
    """
    own = accounts.own
    if any(other["email_verified_at"] is not None for other in accounts.others):
        raise links.invalid()
    return await _take(own, [other["id"] for other in accounts.others], email, password_hash)


async def take_afresh(accounts: Accounts, email: str, *, password_hash: str | None) -> uuid.UUID:
    """The address gets a new account, and every claim to it is deleted with all that it keeps: for somebody who has
    not shown that they made the claim that they were mailed a link of.

    Whoever made it may have left an address there to ship to, a cart whose id they know, a name and a number.

    Returns:
        The new account.

    Raises:
        DomainError: INVALID_LINK where the address has another account already.
    """
    if any(one["email_verified_at"] is not None for one in (accounts.own, *accounts.others)):
        raise links.invalid()
    made = await db.fetchrow(_NEW, new_id(), email, password_hash)
    if made is None:
        raise RuntimeError("no account was written")
    await _take(made, [one["id"] for one in (accounts.own, *accounts.others)], email, password_hash)
    account_id: uuid.UUID = made["id"]
    return account_id


async def _take(own: db.Record, claims: list[uuid.UUID], email: str, password_hash: str | None) -> uuid.UUID:
    if claims:
        await saved_methods.delete_all_of(claims)
        await db.execute(_DELETE, claims, CUSTOMER)
    profile_id = await identification.identify(
        email=email,
        first_name=own["first_name"],
        last_name=own["last_name"],
        language=own["language"],
        source=SOURCE,
    )
    await db.execute(_OWN, own["id"], email, profile_id, password_hash)
    await links.end_all(own["id"])
    if own["email_verified_at"] is None:
        await timeline.record(TOLD, profile_id=profile_id, data={"customerId": str(own["id"])})
    await join_orders(own["id"], email, wait=False)
    await events.record(
        VERIFIED, subject_id=own["id"], payload={"deletedClaims": [str(customer_id) for customer_id in claims]}
    )
    return profile_id


async def join_orders(customer_id: uuid.UUID, email: str, *, wait: bool) -> None:
    """Orders that were placed as a guest with the address become the account's.

    Args:
        wait: for those that somebody holds; otherwise they are left out, to be joined by the handler.
    """
    locking = "" if wait else "SKIP LOCKED"
    await db.execute(
        f"""
        UPDATE orders SET customer_id = $1
        WHERE id IN (
            SELECT id FROM orders WHERE lower(email) = lower($2) AND customer_id IS NULL
            ORDER BY id FOR NO KEY UPDATE {locking}
        )
        """,
        customer_id,
        email,
    )


async def lapse(claims: Sequence[uuid.UUID]) -> None:
    """Claims that are about to be deleted as nobody verified them. In the open unit of work, which holds them."""
    await saved_methods.delete_all_of(claims)
    await events.record(LAPSED, payload={"deletedClaims": [str(customer_id) for customer_id in claims]})


async def forget_claims(claims: Sequence[uuid.UUID]) -> None:
    """What was done with claims that are gone is a guest's again. In a unit of work that holds nothing else."""
    if not claims:
        return
    for table in ("carts", "orders"):
        await db.execute(
            f"""
            UPDATE {table} SET customer_id = NULL
            WHERE id IN (SELECT id FROM {table} WHERE customer_id = ANY($1) ORDER BY id FOR NO KEY UPDATE)
            """,
            list(claims),
        )
