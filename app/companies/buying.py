"""Buying for a company: its prices, its VAT number and its exemptions hold for the cart."""

import uuid
from dataclasses import replace

from app import db
from app.accounts.identity import CustomerIdentity
from app.cart import belonging
from app.cart import queries as carts
from app.cart.service import CartKey, Changed, change
from app.cart.snapshots import CartSnapshot
from app.companies.errors import CompanyErrorCode
from app.errors import DomainError


async def choose(key: CartKey, customer: CustomerIdentity, company_id: uuid.UUID | None) -> Changed:
    """Buy a cart for a company, or for oneself again.

    Raises:
        DomainError: NOT_A_MEMBER, also for a company that there is not, and for a cart of an account that is no member
            (prices go by the account that has the cart); and see `app.cart.service.change`.
    """
    tax_id: str | None = None
    if company_id is not None:
        row = await db.fetchrow(
            """
            SELECT c.tax_id FROM company_members m JOIN companies c ON c.id = m.company_id
            WHERE m.company_id = $1 AND m.customer_id = $2 AND EXISTS (
                SELECT FROM company_members has WHERE has.company_id = $1
                AND has.customer_id = coalesce((SELECT customer_id FROM carts WHERE id = $3), $2)
            )
            """,
            company_id,
            customer.id,
            key.id,
        )
        if row is None:
            raise DomainError(CompanyErrorCode.NOT_A_MEMBER, "You do not buy for this company.", ["companyId"])
        tax_id = row["tax_id"]

    def decide(cart: CartSnapshot, _: object) -> Changed:
        kept = None if cart.company_id else cart.tax_id
        return Changed(replace(cart, company_id=company_id, tax_id=tax_id or kept), [])

    async with db.unit_of_work():
        changed = await change(key, decide)
        if company_id is not None and changed.cart.customer_id is None:
            # Who buys for a company has an account; without one, nobody could tell later whether they still may.
            await belonging.give(key.id, customer.id)
    # Read anew: other prices and exemptions hold now.
    shown = await carts.show_cart(key.id, key.secret)
    return changed if shown is None else replace(changed, cart=shown)
