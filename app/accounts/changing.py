"""Changing one's own account. What an account is taken over by, its password and its address, takes the password."""

import uuid
from typing import Any, TypedDict

import asyncpg

from app import db, events
from app.accounts import limits, links, notices, ownership, verifying
from app.accounts.errors import AccountErrorCode
from app.accounts.identity import CustomerIdentity
from app.accounts.models import AccountTokenKind
from app.addresses.contact import normalise_email, normalise_phone
from app.customers import editing, renaming
from app.errors import CommonErrorCode, DomainError
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.sessions import passwords
from app.sessions import service as sessions
from app.sessions.errors import SessionErrorCode

CHANGE_WANTED = "account.email_change_wanted"
RECENT_MINUTES = 15
"""How long after signing in an account without a password may be changed without anything more."""
MAX_TRIES = 3
_NAMES = ("first_name", "last_name", "language")


class AccountChange(TypedDict, total=False):
    """What is left out stays as it is; None takes it away."""

    first_name: str | None
    last_name: str | None
    phone: str | None
    language: str | None


async def update(own: CustomerIdentity, change: AccountChange) -> None:
    """Write what its owner says of themselves; a verified one's profile says the same.

    Raises:
        DomainErrors: TOO_LONG, INVALID, INVALID_PHONE; paths begin with `input`.
    """
    problems = Problems()
    wanted: dict[str, str | None] = {}
    if "first_name" in change:
        wanted["first_name"] = problems.line(change["first_name"], "firstName")
    if "last_name" in change:
        wanted["last_name"] = problems.line(change["last_name"], "lastName")
    if "language" in change:
        wanted["language"] = editing.language_tag(problems, change["language"])
    if "phone" in change:
        wanted["phone"] = _phone(problems, change["phone"])
    problems.raise_if_any()
    if not wanted:
        return
    columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(wanted, start=2))
    async with db.unit_of_work():
        await db.execute(
            f"UPDATE customers SET {columns}, updated_at = clock_timestamp() WHERE id = $1", own.id, *wanted.values()
        )
        told: Any = {name: wanted[name] for name in _NAMES if name in wanted}
        if own.profile_id is not None and told:
            await editing.update(own.profile_id, told)


async def change_password(own: CustomerIdentity, current: str | None, new: str) -> None:
    """Other sessions and every mailed link end; the address is told.

    Raises:
        DomainError: INVALID for the new password; see `prove`.
    """
    passwords.check_new(new, email=own.email, field=["newPassword"])
    stored = await prove(own, current, field="currentPassword")
    chosen = await passwords.hash_password(new)
    async with db.unit_of_work():
        await lock_proven(own.id, stored)
        await verifying.set_password(own.id, chosen)
        await sessions.revoke_all(sessions.CUSTOMER, own.id, "password changed", but=own.session_id)
        if own.is_verified:
            await notices.password_changed(own.email, own.profile_id, new_id())


async def want_email_change(own: CustomerIdentity, new_email: str, password: str | None) -> None:
    """Have a link mailed to the new address; nothing changes until it is used. Alike for addresses with an account.

    Raises:
        DomainError: INVALID_EMAIL and its like; INVALID for the present address; RATE_LIMITED; see `prove`.
    """
    email = normalise_email(new_email, ["newEmail"])
    if email.lower() == own.email.lower() and own.is_verified:
        raise DomainError(CommonErrorCode.INVALID, "This is the address of the account already.", ["newEmail"])
    stored = await prove(own, password, field="password")
    await limits.email_change(own.id)
    async with db.unit_of_work():
        await lock_proven(own.id, stored)
        token_id = await links.issue(AccountTokenKind.CHANGE_EMAIL, own.id, email)
        await events.record(CHANGE_WANTED, subject_id=token_id)


async def confirm_email_change(token: str, password: str | None, *, own: CustomerIdentity | None) -> uuid.UUID:
    """The account has the new address from now on, verified; the old one is told. Returns the account's id.

    The link alone does not do: a stranger may have asked for it, so that whoever follows it gives their address, and
    the orders that they placed with it, to the stranger's account.

    Args:
        password: the account's, where the request carries no session of it.

    Raises:
        DomainError: INVALID_LINK; REQUIRED or INVALID_CREDENTIALS for the password; RATE_LIMITED.
    """
    link = await links.find(AccountTokenKind.CHANGE_EMAIL, token)
    stored: str | None = None
    signed_in = own is not None and own.id == link.customer_id
    if not signed_in:
        if not password:
            message = "This device is not signed in to the account: enter its password."
            raise DomainError(CommonErrorCode.REQUIRED, message, ["password"])
        await limits.password_check(link.id)
        stored = await db.fetchval("SELECT password_hash FROM customers WHERE id = $1", link.customer_id)
        if not await passwords.password_matches(stored, password):
            raise _wrong("password")
    for attempt in range(1, MAX_TRIES + 1):
        try:
            async with db.unit_of_work():
                await _change_email(link, None if signed_in else stored)
            return link.customer_id
        except asyncpg.UniqueViolationError:
            # Somebody became known by the new address at this very moment: now they are found.
            if attempt == MAX_TRIES:
                raise links.invalid() from None
    raise RuntimeError("the last try returns or raises")


async def _change_email(link: links.Link, stored: str | None) -> None:
    accounts = await ownership.lock(link.customer_id, link.email)
    await links.use(link)
    before = accounts.own
    if not before["is_active"] or (stored is not None and before["password_hash"] != stored):
        raise links.invalid()
    if before["profile_id"] is not None:
        if any(other["email_verified_at"] is not None for other in accounts.others):
            raise links.invalid()
        await renaming.change_email(before["profile_id"], link.email)
    await ownership.take(accounts, link.email, password_hash=before["password_hash"])
    if before["email_verified_at"] is not None:
        await notices.email_changed(before["email"], before["profile_id"], link.id)


async def prove(own: CustomerIdentity, password: str | None, *, field: str) -> str | None:
    """That it is the account's owner who asks, and not somebody at a device that was left alone.

    Returns:
        The hash that was checked, for `lock_proven`.

    Raises:
        DomainError: REQUIRED or INVALID_CREDENTIALS for the password, RATE_LIMITED; SIGN_IN_AGAIN for an account
            without a password whose session is older than 15 minutes.
    """
    row = await db.fetchrow(
        """
        SELECT c.password_hash, s.created_at > clock_timestamp() - $3 * interval '1 minute' AS is_recent
        FROM customers c JOIN sessions s ON s.id = $2 WHERE c.id = $1
        """,
        own.id,
        own.session_id,
        RECENT_MINUTES,
    )
    stored: str | None = row["password_hash"] if row else None
    if stored is None:
        if row is None or not row["is_recent"]:
            message = "Sign in again by a mailed link, then repeat this."
            raise DomainError(AccountErrorCode.SIGN_IN_AGAIN, message, [field])
        return None
    if not password:
        raise DomainError(CommonErrorCode.REQUIRED, "Enter the password of the account.", [field])
    await limits.password_check(own.session_id)
    if not await passwords.password_matches(stored, password):
        raise _wrong(field)
    return stored


async def lock_proven(customer_id: uuid.UUID, stored: str | None) -> None:
    """Hold the account's row, as long as it still has what `prove` checked. Raises DomainError(CONFLICT)."""
    db.current_unit_of_work()
    row = await db.fetchrow("SELECT password_hash FROM customers WHERE id = $1 AND is_active FOR UPDATE", customer_id)
    if row is None or row["password_hash"] != stored:
        raise DomainError(CommonErrorCode.CONFLICT, "The account was changed meanwhile.")


def _phone(problems: Problems, given: str | None) -> str | None:
    if given is None:
        return None
    try:
        return normalise_phone(given, None, ["input", "phone"])
    except DomainError as error:
        problems.note(error)
        return None


def _wrong(field: str) -> DomainError:
    return DomainError(SessionErrorCode.INVALID_CREDENTIALS, "The password is wrong.", [field])
