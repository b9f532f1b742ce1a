"""Accounts for tests, made as rows: signing in costs an argon2 hash."""

import secrets
import uuid
from dataclasses import dataclass

from app import db
from app.customers import identification
from app.kit.crypto import hash_token
from app.kit.ids import new_id
from app.sessions.service import CUSTOMER, CUSTOMER_TOKEN_PREFIX


@dataclass(frozen=True, slots=True)
class Account:
    id: uuid.UUID
    email: str
    profile_id: uuid.UUID | None
    token: str
    """An access token that is good for a day."""


async def signed_in(email: str | None = None, *, verified: bool = True) -> Account:
    """An account that is signed in; a verified one has the profile of its address, as verifying gives it."""
    customer_id = new_id()
    email = email or f"{customer_id.hex}@shopper.example"
    profile_id = None
    if verified:
        async with db.unit_of_work():
            profile_id = await identification.identify(email=email, source="ACCOUNT")
    await db.execute(
        """
        INSERT INTO customers (id, email, email_verified_at, profile_id, is_active, created_at, updated_at)
        VALUES ($1, $2, CASE WHEN $3 THEN clock_timestamp() END, $4, true, clock_timestamp(), clock_timestamp())
        """,
        customer_id,
        email,
        verified,
        profile_id,
    )
    return Account(customer_id, email, profile_id, await session(customer_id))


async def session(customer_id: uuid.UUID) -> str:
    """One more session of an account: its access token."""
    session_id, token = new_id(), CUSTOMER_TOKEN_PREFIX + secrets.token_urlsafe(24)
    await db.execute(
        """
        INSERT INTO sessions (id, subject_kind, subject_id, created_at, expires_at)
        VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp() + interval '1 day')
        """,
        session_id,
        CUSTOMER,
        customer_id,
    )
    await db.execute(
        """
        INSERT INTO session_tokens (id, session_id, kind, token_hash, created_at, expires_at)
        VALUES ($1, $2, 'access', $3, clock_timestamp(), clock_timestamp() + interval '1 day')
        """,
        new_id(),
        session_id,
        hash_token(token),
    )
    return token


async def lives_in(customer_id: uuid.UUID, country_code: str) -> None:
    """Things are sent to an address in that country."""
    address_id = await db.fetchval(
        """
        INSERT INTO customer_addresses (id, customer_id, address, created_at, updated_at)
        VALUES (gen_random_uuid(), $1, jsonb_build_object('country_code', $2::text), now(), now()) RETURNING id
        """,
        customer_id,
        country_code,
    )
    await db.execute("UPDATE customers SET default_shipping_address_id = $2 WHERE id = $1", customer_id, address_id)
