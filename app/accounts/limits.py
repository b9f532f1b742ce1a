"""How often what may be tried. Every attempt counts, also where one request repeats a mutation under aliases.

Nobody can keep somebody else out: a client is limited for itself, and for each address that it tries. What is counted
for an address alone counts strangers only, and a network that signed in to the account before is none. Whoever is at a
new place while strangers guess still gets in by a mailed link, which no password attempt is counted against.
"""

import uuid

from app import rate_limit
from app.accounts.clients import Client

_QUARTER_SECONDS, _HOUR_SECONDS = 900, 3600
SIGN_UPS_PER_CLIENT_AN_HOUR = 30
LOGINS_PER_CLIENT = 60
LOGINS_PER_CLIENT_AND_EMAIL = 10
LOGINS_OF_STRANGERS_AN_HOUR = 50
"""From all networks together, that never signed in to the account."""
MAILS_PER_CLIENT_AN_HOUR = 20
MAILS_PER_CLIENT_AND_EMAIL_AN_HOUR = 6
PASSWORD_CHECKS = 10
EMAIL_CHANGES_AN_HOUR = 5


async def sign_up(client: Client) -> None:
    """Raises DomainError(RATE_LIMITED), as all of these."""
    await rate_limit.allow(
        "account_create", client.address, limit=SIGN_UPS_PER_CLIENT_AN_HOUR, window_seconds=_HOUR_SECONDS
    )


async def login(email: str, client: Client) -> None:
    await rate_limit.allow(
        "account_login_client", client.address, limit=LOGINS_PER_CLIENT, window_seconds=_QUARTER_SECONDS
    )
    await rate_limit.allow(
        "account_login", _pair(email, client), limit=LOGINS_PER_CLIENT_AND_EMAIL, window_seconds=_QUARTER_SECONDS
    )


async def login_of_stranger(email: str) -> None:
    await rate_limit.allow(
        "account_login_stranger", email, limit=LOGINS_OF_STRANGERS_AN_HOUR, window_seconds=_HOUR_SECONDS
    )


async def logged_in(email: str, client: Client, *, stranger: bool) -> None:
    """It was no guess."""
    await rate_limit.give_back("account_login_client", client.address, 1)
    await rate_limit.give_back("account_login", _pair(email, client), 1)
    if stranger:
        await rate_limit.give_back("account_login_stranger", email, 1)


async def mail(email: str, client: Client) -> None:
    """Links that somebody asks to be mailed. How many an address gets from all clients is up to `links.issue`."""
    await rate_limit.allow(
        "account_mail_client", client.address, limit=MAILS_PER_CLIENT_AN_HOUR, window_seconds=_HOUR_SECONDS
    )
    await rate_limit.allow(
        "account_mail",
        _pair(email, client),
        limit=MAILS_PER_CLIENT_AND_EMAIL_AN_HOUR,
        window_seconds=_HOUR_SECONDS,
    )


async def password_check(subject: uuid.UUID) -> None:
    """Where a session or a link is not enough. Counted for that session or link, so that nobody else's suffers."""
    await rate_limit.allow("account_password", subject.hex, limit=PASSWORD_CHECKS, window_seconds=_QUARTER_SECONDS)


async def email_change(customer_id: uuid.UUID) -> None:
    await rate_limit.allow(
        "account_email_change", customer_id.hex, limit=EMAIL_CHANGES_AN_HOUR, window_seconds=_HOUR_SECONDS
    )


def _pair(email: str, client: Client) -> str:
    return f"{email} {client.address}"
