"""Fills in what the mails about a customer's account are given. No name is in them: whoever signs up types any name,
and would write to strangers in the shop's.

| template | beside `language` and `shop` |
|---|---|
| account_verify_email, account_reset_password, account_sign_in, account_change_email | `url` of the link |
| account_exists, account_password_changed, account_email_changed | |
"""

import uuid
from collections.abc import Mapping

from app.accounts import links
from app.messaging.rendering import LANGUAGE
from app.messaging.shop_values import shop_values
from app.settings import Settings
from app.shop import queries as shop_queries

VERIFY_EMAIL = "account_verify_email"
RESET_PASSWORD = "account_reset_password"  # noqa: S105 - a template
SIGN_IN = "account_sign_in"
CHANGE_EMAIL = "account_change_email"
ACCOUNT_EXISTS = "account_exists"
PASSWORD_CHANGED = "account_password_changed"  # noqa: S105 - a template
EMAIL_CHANGED = "account_email_changed"
WITH_LINK = frozenset({VERIFY_EMAIL, RESET_PASSWORD, SIGN_IN, CHANGE_EMAIL})
TEMPLATES = WITH_LINK | {ACCOUNT_EXISTS, PASSWORD_CHANGED, EMAIL_CHANGED}


class LinkNotFoundError(Exception):
    """The link is gone, or its key has left the ring: there is nothing to send."""


async def build(template: str, ids: Mapping[str, object], settings: Settings) -> dict[str, object]:
    """The values of a template.

    Args:
        template: one of `TEMPLATES`.
        ids: `accountTokenId` for those with a link.

    Raises:
        LinkNotFoundError
    """
    values: dict[str, object] = {"language": LANGUAGE, "shop": shop_values(await shop_queries.current(), settings)}
    if template in WITH_LINK:
        url = await links.url_of(uuid.UUID(str(ids["accountTokenId"])))
        if url is None:
            raise LinkNotFoundError("there is no such link")
        values["url"] = url
    return values
