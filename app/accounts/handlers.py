"""What follows from what happened to an account."""

import uuid

from app import db, events
from app.accounts import mailing, ownership
from app.accounts.changing import CHANGE_WANTED
from app.accounts.models import AccountTokenKind
from app.accounts.signing_up import CREATED
from app.events import Event


@events.on(CREATED, name="accounts.verification")
async def on_created(event: Event) -> None:
    if event.subject_id is not None:
        await mailing.send_link(AccountTokenKind.VERIFY_EMAIL, event.subject_id)


@events.on(mailing.LINK_WANTED, name="accounts.link")
async def on_link_wanted(event: Event) -> None:
    if event.subject_id is not None:
        await mailing.send_link(AccountTokenKind(event.payload["kind"]), event.subject_id)


@events.on(CHANGE_WANTED, name="accounts.change_link")
async def on_change_wanted(event: Event) -> None:
    if event.subject_id is not None:
        await mailing.send_change_link(event.subject_id)


@events.on(ownership.VERIFIED, name="accounts.claims")
async def on_verified(event: Event) -> None:
    """First what claims did is a guest's again, then what guests did becomes the account's."""
    await ownership.forget_claims([uuid.UUID(claim) for claim in event.payload["deletedClaims"]])
    email = await db.fetchval(
        "SELECT email FROM customers WHERE id = $1 AND email_verified_at IS NOT NULL", event.subject_id
    )
    if event.subject_id is not None and email is not None:
        await ownership.join_orders(event.subject_id, email, wait=True)


@events.on(ownership.LAPSED, name="accounts.lapsed")
async def on_lapsed(event: Event) -> None:
    await ownership.forget_claims([uuid.UUID(claim) for claim in event.payload["deletedClaims"]])


async def _is_of_an_account(event: Event) -> bool:
    found: bool = await db.fetchval(_JOINS, event.subject_id)
    return found


_JOINS = """
    SELECT EXISTS (
        SELECT FROM orders o JOIN customers c ON lower(c.email) = lower(o.email) AND c.email_verified_at IS NOT NULL
        WHERE o.id = $1 AND o.customer_id IS NULL
    )
"""


@events.on("order.placed", name="accounts.order", only_if=_is_of_an_account)
async def on_order_placed(event: Event) -> None:
    """An order that was placed while its address was being verified, and that neither side saw of the other."""
    await db.execute(
        """
        UPDATE orders o SET customer_id = c.id FROM customers c
        WHERE o.id = $1 AND o.customer_id IS NULL AND lower(c.email) = lower(o.email)
          AND c.email_verified_at IS NOT NULL
        """,
        event.subject_id,
    )
