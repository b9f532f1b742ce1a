"""Deciding what to mail about an account: in a worker, so that no answer shows, in its text or time, what is known.

A request only notes what was asked for. Its event names the account that an address leads to, or none; both cost the
same. See docs/decisions/accounts.md.
"""

import uuid

from app import db, events
from app.accounts import limits, links, notices
from app.accounts.clients import Client
from app.accounts.errors import AccountErrorCode
from app.accounts.identity import CustomerIdentity
from app.accounts.models import AccountTokenKind
from app.accounts.signing_in import known_email
from app.addresses.contact import normalise_email
from app.errors import DomainError
from app.messaging import account_mails, checks
from app.messaging.ledger import LedgerRow
from app.messaging.models import MessageReason

LINK_WANTED = "account.link_wanted"
"""Its payload names the kind; its subject is the account, or none."""

# The account of an address; where it has none, the newest claim.
_MEANT = """
    SELECT id FROM (
        SELECT id, 0 AS rank, created_at FROM customers WHERE lower(email) = $1 AND email_verified_at IS NOT NULL
        UNION ALL
        (SELECT id, 1, created_at FROM customers WHERE lower(email) = $1 AND email_verified_at IS NULL
         ORDER BY created_at DESC, id DESC LIMIT 1)
    ) AS found ORDER BY rank LIMIT 1
"""


async def want_link(kind: AccountTokenKind, email: str, client: Client) -> None:
    """Ask for a link to be mailed to whoever has the address: RESET_PASSWORD or SIGN_IN.

    Raises:
        DomainError: INVALID_EMAIL and its like for text that is no address; RATE_LIMITED.
    """
    address = normalise_email(email, ["email"])
    await limits.mail(known_email(address), client)
    async with db.unit_of_work():
        customer_id = await db.fetchval(_MEANT, known_email(address))
        await events.record(LINK_WANTED, subject_id=customer_id, payload={"kind": kind.value})


async def want_verification(own: CustomerIdentity, client: Client) -> None:
    """Mail the link once more that verifies the address of the signed-in account.

    Raises:
        DomainError: ALREADY_VERIFIED, RATE_LIMITED.
    """
    if own.is_verified:
        raise DomainError(AccountErrorCode.ALREADY_VERIFIED, "The address is verified already.")
    await limits.mail(known_email(own.email), client)
    kind = AccountTokenKind.VERIFY_EMAIL.value
    async with db.unit_of_work():
        await events.record(LINK_WANTED, subject_id=own.id, payload={"kind": kind})


async def send_link(kind: AccountTokenKind, customer_id: uuid.UUID) -> None:
    """Reserve the mail with a link, in the open unit of work, where there is somebody to send it to."""
    account = await db.fetchrow(
        "SELECT id, email, email_verified_at, is_active, profile_id FROM customers WHERE id = $1 FOR UPDATE",
        customer_id,
    )
    if account is None or not account["is_active"]:
        return
    email: str = account["email"]
    if kind is AccountTokenKind.VERIFY_EMAIL:
        if account["email_verified_at"] is not None:
            return
        if await tell_owner(email):
            return
    if await links.recently_mailed(kind, email) >= links.MAX_MAILS:
        return
    token_id = await links.issue(kind, customer_id, email)
    await notices.link(kind, token_id, email, account["profile_id"])


async def send_change_link(token_id: uuid.UUID) -> None:
    """Mail the link of an asked-for change to the new address; whoever has an account with it is told so instead."""
    row = await db.fetchrow("SELECT email, customer_id FROM account_tokens WHERE id = $1", token_id)
    if row is None or await tell_owner(row["email"], but=row["customer_id"]):
        return
    if await links.recently_mailed(AccountTokenKind.CHANGE_EMAIL, row["email"]) > links.MAX_MAILS:
        return
    await notices.link(AccountTokenKind.CHANGE_EMAIL, token_id, row["email"], None)


async def tell_owner(email: str, *, but: uuid.UUID | None = None) -> bool:
    """Tell the owner of a verified address that somebody used it; False where it has none."""
    owner = await db.fetchrow(
        """
        SELECT id, email, profile_id, to_char(clock_timestamp(), 'YYYYMMDDHH24') AS hour FROM customers
        WHERE lower(email) = lower($1) AND email_verified_at IS NOT NULL AND id IS DISTINCT FROM $2::uuid
        """,
        email,
        but,
    )
    if owner is None:
        return False
    await notices.account_exists(owner["id"], owner["email"], owner["profile_id"], owner["hour"])
    return True


@checks.before_sending("accounts.links")
async def is_over(row: LedgerRow) -> MessageReason | None:
    """A link that was used, replaced or has expired while its mail waited is of no more use."""
    token_id = row.context.get("accountTokenId") if row.template in account_mails.WITH_LINK else None
    if token_id is None or await links.is_good(uuid.UUID(token_id)):
        return None
    return MessageReason.SUPERSEDED
