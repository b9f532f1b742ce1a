"""Using the links that show that an address is one's own: to verify it, to reset a password, to sign in.

A link alone shows who reads the mail, and not who made the account. A stranger can make one with somebody's address and
wait until its owner follows the link. So whoever follows it either holds a session of that very account, or says its
password, or gets a new account in its place: without the stranger's password and sessions, and without the addresses,
carts and cards that the stranger left in it.
"""

import uuid

from app import db
from app.accounts import limits, links, notices, ownership
from app.accounts.clients import Client
from app.accounts.identity import CustomerIdentity
from app.accounts.links import Link
from app.accounts.models import AccountTokenKind
from app.accounts.signing_in import SignedIn, open_session
from app.errors import CommonErrorCode, DomainError
from app.sessions import passwords
from app.sessions import service as sessions

_STORED = "SELECT password_hash FROM customers WHERE id = $1"


async def verify_email(token: str, password: str | None, *, own: CustomerIdentity | None, client: Client) -> SignedIn:
    """The claim becomes the account of its address.

    Args:
        password: needed where the request carries no session of the claim: its password; or another one, of the account
            that takes the claim's place.
        own: whose session the request carries.

    Raises:
        DomainError: INVALID_LINK; REQUIRED or INVALID for the password; RATE_LIMITED.
    """
    link = await links.find(AccountTokenKind.VERIFY_EMAIL, token)
    if own is not None and own.id == link.customer_id:
        async with db.unit_of_work():
            accounts = await _lock_open(link)
            await ownership.take(accounts, link.email, password_hash=accounts.own["password_hash"])
            return SignedIn(link.customer_id, None)
    if not password:
        message = "This device is not signed in to the account: enter its password, or a new one."
        raise DomainError(CommonErrorCode.REQUIRED, message, ["password"])
    await limits.password_check(link.id)
    stored: str | None = await db.fetchval(_STORED, link.customer_id)
    is_same = await passwords.password_matches(stored, password)
    if not is_same:
        passwords.check_new(password, email=link.email, field=["password"])
    chosen = stored if is_same else await passwords.hash_password(password)
    async with db.unit_of_work():
        accounts = await _lock_open(link)
        if is_same and accounts.own["password_hash"] == stored:
            await ownership.take(accounts, link.email, password_hash=chosen)
            return await open_session(link.customer_id, client)
        return await open_session(await ownership.take_afresh(accounts, link.email, password_hash=chosen), client)


async def reset_password(token: str, password: str, client: Client) -> SignedIn:
    """Set a password by a mailed link, and sign in; everybody else is signed out, and all links end.

    The address of a claim gets a new account instead, as whoever made the claim need not be who reads the mail.

    Raises:
        DomainError: INVALID_LINK; INVALID for the password.
    """
    link = await links.find(AccountTokenKind.RESET_PASSWORD, token)
    passwords.check_new(password, email=link.email, field=["password"])
    chosen = await passwords.hash_password(password)
    async with db.unit_of_work():
        accounts = await _lock_open(link)
        if accounts.own["email_verified_at"] is None:
            return await open_session(await ownership.take_afresh(accounts, link.email, password_hash=chosen), client)
        await sessions.revoke_all(sessions.CUSTOMER, link.customer_id, "password reset")
        await set_password(link.customer_id, chosen)
        await notices.password_changed(link.email, accounts.own["profile_id"], link.id)
        return await open_session(link.customer_id, client)


async def sign_in_with_link(token: str, client: Client) -> SignedIn:
    """A session by a mailed link.

    The address of a claim gets a new account instead, without a password, as whoever made the claim need not be who
    reads the mail.

    Raises:
        DomainError: INVALID_LINK.
    """
    link = await links.find(AccountTokenKind.SIGN_IN, token)
    async with db.unit_of_work():
        accounts = await _lock_open(link)
        if accounts.own["email_verified_at"] is None:
            return await open_session(await ownership.take_afresh(accounts, link.email, password_hash=None), client)
        await db.execute("UPDATE customers SET last_login_at = clock_timestamp() WHERE id = $1", link.customer_id)
        return await open_session(link.customer_id, client)


async def set_password(customer_id: uuid.UUID, password_hash: str) -> None:
    """In the open unit of work, which holds the account's row. No link that was mailed before is good any more."""
    await db.execute(
        "UPDATE customers SET password_hash = $2, updated_at = clock_timestamp() WHERE id = $1",
        customer_id,
        password_hash,
    )
    await links.end_all(customer_id)


async def _lock_open(link: Link) -> ownership.Accounts:
    """The link's account, locked and not closed, the link spent. Raises DomainError(INVALID_LINK)."""
    accounts = await ownership.lock(link.customer_id, link.email)
    await links.use(link)
    if not accounts.own["is_active"] or accounts.own["email"].lower() != link.email.lower():
        raise links.invalid()
    return accounts
