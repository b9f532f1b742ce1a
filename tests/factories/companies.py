"""Companies and their members, as rows."""

import uuid

from app import db
from app.companies import invitations
from app.keys import keyring
from app.kit.ids import new_id
from tests.factories import markets


async def company(
    name: str = "Acme",
    *,
    terms_days: int | None = 30,
    credit_limit_minor: int | None = None,
    approval_threshold_minor: int | None = None,
    tax_id: str | None = None,
    price_list_id: uuid.UUID | None = None,
    currency: str = "USD",
) -> uuid.UUID:
    company_id = new_id()
    await db.execute(
        """
        INSERT INTO companies (id, name, tax_id, payment_terms_days, credit_limit_minor, approval_threshold_minor,
                               price_list_id, currency_code, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now(), now())
        """,
        company_id,
        name,
        tax_id,
        terms_days,
        credit_limit_minor,
        approval_threshold_minor,
        price_list_id,
        currency,
    )
    return company_id


async def member(
    company_id: uuid.UUID, customer_id: uuid.UUID, *, spending_limit_minor: int | None = None, role: str = "BUYER"
) -> uuid.UUID:
    member_id = new_id()
    await db.execute(
        """
        INSERT INTO company_members (id, company_id, customer_id, email, spending_limit_minor, role, joined_at,
                                     created_at)
        SELECT $1, $2, k.id, k.email, $4, $5, now(), now() FROM customers k WHERE k.id = $3
        """,
        member_id,
        company_id,
        customer_id,
        spending_limit_minor,
        role,
    )
    return member_id


async def approval(company_id: uuid.UUID, customer_id: uuid.UUID, *, state: str = "PENDING") -> uuid.UUID:
    """Asked for by a member, for a cart that nobody has."""
    approval_id = new_id()
    await db.execute(
        """
        INSERT INTO order_approvals (id, company_id, cart_id, customer_id, state, content_key, lines, total_minor,
                                     maximum_minor, currency_code, message, decided_at, expires_at, created_at,
                                     updated_at)
        VALUES ($1, $2, $3, $4, $5::text, '\\x00', '[{"name": "Mug", "sku": null, "quantity": 1, "total_minor": 900}]',
                900, 1000, 'USD', 'Please', CASE WHEN $5::text = 'APPROVED' THEN now() END, now() + interval '5 days',
                now(), now())
        """,
        approval_id,
        company_id,
        new_id(),
        customer_id,
        state,
    )
    return approval_id


async def invited(company_id: uuid.UUID, email: str) -> str:
    """The token that is mailed to somebody who is invited."""
    return invitation_token(await invitations.invite(company_id, email=email, spending_limit=None))


def invitation_token(member_id: uuid.UUID) -> str:
    """What the mailed link carries."""
    return keyring().derive_token("company invitation", member_id)


async def prices(variant_id: uuid.UUID, amount: str, currency: str = "USD") -> uuid.UUID:
    """A price list with one price."""
    list_id = await markets.price_list(currency, rate=None)
    await markets.prices(list_id, variant_id, {1: (amount, currency)})
    return list_id
