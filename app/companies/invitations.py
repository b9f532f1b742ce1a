"""Inviting people to buy for a company: a mailed link that is good once, for a week. Only its hash is stored."""

import uuid
from dataclasses import dataclass

import asyncpg

from app import db, events
from app.accounts.errors import AccountErrorCode
from app.addresses.contact import normalise_email
from app.assisted.links import storefront_url
from app.companies import members
from app.companies.models import MemberRole
from app.errors import CommonErrorCode, DomainError
from app.keys import keyring
from app.kit.crypto import hash_token, token_matches
from app.kit.ids import new_id
from app.kit.money import Money
from app.settings import get_settings

INVITED = "company.member_invited"
GOOD_DAYS = 7
MAX_MEMBERS = 500
MAX_TOKEN_CHARS = 100
PATH = "/company-invitations"
_PURPOSE = "company invitation"


@dataclass(frozen=True, slots=True)
class Mailed:
    """What an invitation's mail says."""

    url: str
    company_name: str


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a link is for, and into which company."""

    email: str
    company_name: str


async def invite(
    company_id: uuid.UUID, *, email: str, spending_limit: Money | None, role: MemberRole = MemberRole.BUYER
) -> uuid.UUID:
    """Mail a link to somebody who shall buy for the company. Invited again before they joined, they get a new one.

    Raises:
        DomainError: NOT_FOUND, INVALID_EMAIL, OUT_OF_RANGE, TOO_MANY; CONFLICT for who has joined already.
    """
    address = normalise_email(email, ["input", "email"]).lower()
    member_id = new_id()
    async with db.unit_of_work():
        await members.check_limit(company_id, spending_limit)
        if await db.fetchval("SELECT count(*) FROM company_members WHERE company_id = $1", company_id) >= MAX_MEMBERS:
            message = f"A company has {MAX_MEMBERS} members at most."
            raise DomainError(CommonErrorCode.TOO_MANY, message, ["input", "companyId"])
        await db.execute(
            "DELETE FROM company_members WHERE company_id = $1 AND lower(email) = $2 AND joined_at IS NULL",
            company_id,
            address,
        )
        try:
            await db.execute(
                """
                INSERT INTO company_members (id, company_id, email, spending_limit_minor, role, token_hash,
                                             invited_until, created_at)
                VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7 * interval '1 day', business_now())
                """,
                member_id,
                company_id,
                address,
                spending_limit.amount_minor if spending_limit else None,
                role.value,
                hash_token(keyring().derive_token(_PURPOSE, member_id)),
                GOOD_DAYS,
            )
        except asyncpg.UniqueViolationError:
            message = "Somebody with this address buys for the company already."
            raise DomainError(CommonErrorCode.CONFLICT, message, ["input", "email"]) from None
        await events.record(INVITED, subject_id=member_id)
    return member_id


async def accept(token: str, customer_id: uuid.UUID) -> uuid.UUID:
    """Join with the account of who is signed in. The link is used up by it.

    Returns:
        The company's id.

    Raises:
        DomainError: INVALID_LINK; CONFLICT when the account is a member already.
    """
    try:
        company_id: uuid.UUID | None = await db.fetchval(
            """
            UPDATE company_members SET customer_id = $2, joined_at = business_now(), token_hash = NULL
            WHERE token_hash = $1 AND joined_at IS NULL AND invited_until > clock_timestamp()
            RETURNING company_id
            """,
            hash_token(token[:MAX_TOKEN_CHARS]),
            customer_id,
        )
    except asyncpg.UniqueViolationError:
        raise DomainError(CommonErrorCode.CONFLICT, "You buy for this company already.", ["token"]) from None
    if company_id is None:
        raise DomainError(AccountErrorCode.INVALID_LINK, "This invitation is not good any more.", ["token"])
    return company_id


async def find(token: str) -> Invited | None:
    """What a link is for, while it is good."""
    row = await db.fetchrow(
        """
        SELECT m.email, c.name FROM company_members m JOIN companies c ON c.id = m.company_id
        WHERE m.token_hash = $1 AND m.joined_at IS NULL AND m.invited_until > clock_timestamp()
        """,
        hash_token(token[:MAX_TOKEN_CHARS]),
    )
    return Invited(row["email"], row["name"]) if row else None


async def mailed(member_id: uuid.UUID) -> Mailed | None:
    """None when it was used or taken back, or its key has left the ring."""
    row = await db.fetchrow(
        """
        SELECT m.token_hash, c.name FROM company_members m JOIN companies c ON c.id = m.company_id
        WHERE m.id = $1 AND m.joined_at IS NULL
        """,
        member_id,
    )
    if row is None or row["token_hash"] is None:
        return None
    tokens = keyring().derivations(_PURPOSE, member_id)
    token = next((one for one in tokens if token_matches(one, row["token_hash"])), None)
    if token is None:
        return None
    url = storefront_url("company-invitation", token) or f"{get_settings().public_url}{PATH}/{token}"
    return Mailed(url, row["name"])
