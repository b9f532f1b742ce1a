"""How often staff may try what needs a secret. Every attempt counts, also under aliases of one request.

As for customers (`app.accounts.limits`), nobody keeps a member out by failing in their name: a client is limited for
itself and for each address that it tries; what is counted for an address alone counts strangers only, and a network
from which the member signed in before is none.
"""

import uuid

from app import rate_limit
from app.accounts.clients import Client

LOGIN_WINDOW_SECONDS = 300
_HOUR_SECONDS = 3600
LOGINS_PER_ADDRESS = 60
LOGINS_PER_EMAIL = 20
"""From one client."""
LOGINS_OF_STRANGERS_AN_HOUR = 50
CODES_PER_CLIENT = 5
"""Of one member: of a million codes three are good at a time, so guessing takes years."""
CODES_OF_STRANGERS_AN_HOUR = 30
LINKS_PER_CLIENT_AN_HOUR = 60
MAILS_PER_CLIENT_AN_HOUR = 20
MAILS_PER_CLIENT_AND_EMAIL_AN_HOUR = 6
PASSWORD_CHECKS = 10


async def login(email: str, client: Client) -> None:
    """Raises DomainError(RATE_LIMITED), as all of these."""
    await rate_limit.allow(
        "staff_login_address", client.address, limit=LOGINS_PER_ADDRESS, window_seconds=LOGIN_WINDOW_SECONDS
    )
    await rate_limit.allow(
        "staff_login", _pair(email, client), limit=LOGINS_PER_EMAIL, window_seconds=LOGIN_WINDOW_SECONDS
    )


async def login_of_stranger(email: str) -> None:
    await rate_limit.allow(
        "staff_login_stranger", email, limit=LOGINS_OF_STRANGERS_AN_HOUR, window_seconds=_HOUR_SECONDS
    )


async def logged_in(email: str, client: Client, *, stranger: bool) -> None:
    """It was no guess."""
    await rate_limit.give_back("staff_login_address", client.address, 1)
    await rate_limit.give_back("staff_login", _pair(email, client), 1)
    if stranger:
        await rate_limit.give_back("staff_login_stranger", email, 1)


async def code(member_id: uuid.UUID, client: Client, *, stranger: bool) -> None:
    """A code of the second factor: whoever gets this far knows the password."""
    await rate_limit.allow(
        "staff_code", _pair(member_id.hex, client), limit=CODES_PER_CLIENT, window_seconds=LOGIN_WINDOW_SECONDS
    )
    if stranger:
        await rate_limit.allow(
            "staff_code_stranger", member_id.hex, limit=CODES_OF_STRANGERS_AN_HOUR, window_seconds=_HOUR_SECONDS
        )


async def code_was_right(member_id: uuid.UUID, client: Client, *, stranger: bool) -> None:
    await rate_limit.give_back("staff_code", _pair(member_id.hex, client), 1)
    if stranger:
        await rate_limit.give_back("staff_code_stranger", member_id.hex, 1)


async def link(client: Client) -> None:
    """Using a mailed link; its token cannot be guessed, and hashing a password costs."""
    await rate_limit.allow("staff_link", client.address, limit=LINKS_PER_CLIENT_AN_HOUR, window_seconds=_HOUR_SECONDS)


async def mail(email: str, client: Client) -> None:
    await rate_limit.allow(
        "staff_mail_client", client.address, limit=MAILS_PER_CLIENT_AN_HOUR, window_seconds=_HOUR_SECONDS
    )
    await rate_limit.allow(
        "staff_mail", _pair(email, client), limit=MAILS_PER_CLIENT_AND_EMAIL_AN_HOUR, window_seconds=_HOUR_SECONDS
    )


async def password_check(member_id: uuid.UUID, client: Client) -> None:
    """Where a session is not enough."""
    await rate_limit.allow(
        "staff_password", _pair(member_id.hex, client), limit=PASSWORD_CHECKS, window_seconds=LOGIN_WINDOW_SECONDS
    )


def _pair(subject: str, client: Client) -> str:
    return f"{subject} {client.address}"
