"""Gift cards and store credit, made by the use cases; the shop has to be there (`factories.shop`)."""

import itertools
import uuid
from datetime import datetime
from typing import Any

from app import db
from app.cart.merging import keep_for_customer
from app.cart.service import CartKey
from app.gift_cards import credit, issuing
from app.gift_cards.issuing import Gift, Issued
from app.kit.money import Money
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import checkout
from tests.factories.accounts import Account
from tests.factories.catalogue import MadeProduct

_keys = itertools.count(1)


async def gift_card(
    minor: int = 5000,
    *,
    currency: str = "USD",
    expires_at: datetime | None = None,
    recipient_email: str | None = None,
) -> Issued:
    """A card of $50.00 unless told otherwise."""
    async with db.unit_of_work():
        return await issuing.issue(Money(minor, currency), Gift(recipient_email=recipient_email), expires_at=expires_at)


async def store_credit(customer_id: uuid.UUID, minor: int, currency: str = "USD") -> uuid.UUID:
    """Credit that an account has; returns the balance's id."""
    async with db.unit_of_work():
        return await credit.credit(customer_id, Money(minor, currency), "Sorry", f"test:{next(_keys)}")


async def bought_with_credit(api: Api, buyer: Account, product: MadeProduct) -> dict[str, Any]:
    """One of what needs no shipping, paid with what the account is owed; the payload of the checkout."""
    cart = await carts.cart((product.variant_id, 1))
    await keep_for_customer(CartKey(cart.id, cart.secret), buyer.id)
    use = "mutation ($id: ID!) { cartStoreCreditUpdate(cartId: $id, use: true) { userErrors { code } } }"
    assert (await api.ok(use, {"id": cart.gid}, token=buyer.token))["cartStoreCreditUpdate"]["userErrors"] == []
    given = {"cartId": cart.gid, "idempotencyKey": checkout.new_key(), "email": buyer.email}
    return await checkout.complete(api, given, token=buyer.token)


async def balance(value_id: uuid.UUID) -> int:
    minor: int = await db.fetchval("SELECT balance_minor FROM stored_values WHERE id = $1", value_id)
    return minor


async def ledger(value_id: uuid.UUID) -> list[tuple[str, int]]:
    """Kind and amount of every entry, the oldest first."""
    rows = await db.fetch(
        "SELECT kind, amount_minor FROM stored_value_entries WHERE stored_value_id = $1 ORDER BY id", value_id
    )
    return [(row["kind"], row["amount_minor"]) for row in rows]
