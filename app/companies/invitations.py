"""Inviting people to buy for a company: a mailed link that is good once, for a week. Only its hash is stored."""

import uuid
from dataclasses import dataclass

import asyncpg

from app import db, events
from app.accounts.errors import AccountErrorCode
from app.addresses.contact import normalise_email
from app.errors import CommonErrorCode, DomainError, not_found
from app.keys import keyring
from app.kit.crypto import hash_token, token_matches
from app.kit.ids import new_id
from app.kit.money import Money
from app.settings import get_settings

INVITED = "company.member_invited"
GOOD_DAYS = 7
MAX_MEMBERS = 500
MAX_TOKEN_CHARS = 100
_PURPOSE = "company invitation"


@dataclass(frozen=True, slots=True)
class Mailed:
    """What an invitation's mail says."""

    url: str
    company_name: str


async def invite(company_id: uuid.UUID, *, email: str, spending_limit: Money | None) -> uuid.UUID:
    """Mail a link to somebody who shall buy for the company. Invited again before they joined, they get a new one.

    Raises:
        DomainError: NOT_FOUND, INVALID_EMAIL, OUT_OF_RANGE, TOO_MANY; CONFLICT for who has joined already.
    """
    address = normalise_email(email, ["input", "email"]).lower()
    if spending_limit is not None and spending_limit.amount_minor < 0:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, "A limit is not below zero.", ["input", "spendingLimit"])
    member_id = new_id()
    async with db.unit_of_work():
        currency = await db.fetchval("SELECT currency_code FROM companies WHERE id = $1 FOR NO KEY UPDATE", company_id)
        if currency is None:
            raise not_found("company", ["input", "companyId"])
        if spending_limit is not None and spending_limit.currency != currency:
            message = f"The company's limits are in {currency}."
            raise DomainError(CommonErrorCode.INVALID, message, ["input", "spendingLimit"])
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
                INSERT INTO company_members (id, company_id, email, spending_limit_minor, token_hash,
                                             invited_until, created_at)
                VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 day', business_now())
                """,
                member_id,
                company_id,
                address,
                spending_limit.amount_minor if spending_limit else None,
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
    page = get_settings().storefront_account_url or f"{get_settings().public_url}/#{{action}}={{token}}"
    return Mailed(page.replace("{action}", "company-invitation").replace("{token}", token), row["name"])
