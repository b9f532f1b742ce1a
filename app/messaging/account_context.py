"""Fills in what the templates about somebody's own consent are given. They speak of no order and advertise nothing.

| template | beside `language` and `shop` |
|---|---|
| consent_confirmation | `confirmation_url` (email only), `wording`: what was agreed to |
| sms_stopped, sms_started | |
| sms_help | `help_text`: the shop's own, or nil; `contact`: how else to reach it, or nil |
"""

import uuid
from collections.abc import Mapping

from app import db
from app.customers import links
from app.messaging import marketing_settings
from app.messaging.rendering import LANGUAGE
from app.messaging.shop_values import shop_values
from app.settings import Settings
from app.shop import queries as shop_queries

CONSENT_CONFIRMATION = "consent_confirmation"
SMS_STOPPED = "sms_stopped"
SMS_STARTED = "sms_started"
SMS_HELP = "sms_help"
TEMPLATES = frozenset({CONSENT_CONFIRMATION, SMS_STOPPED, SMS_STARTED, SMS_HELP})

_REQUEST = """
    SELECT t.text FROM consents c JOIN consent_texts t ON t.id = c.text_id WHERE c.id = $1
"""


class ConsentNotFoundError(Exception):
    """The ledger row points at no request: nothing can be confirmed."""


async def build(template: str, ids: Mapping[str, object], settings: Settings) -> dict[str, object]:
    """The values of a template.

    Args:
        template: one of `TEMPLATES`.
        ids: `consentId` for consent_confirmation.

    Raises:
        ConsentNotFoundError
    """
    shop = await shop_queries.current()
    values: dict[str, object] = {"language": LANGUAGE, "shop": shop_values(shop, settings)}
    match template:
        case "consent_confirmation":
            values |= await _confirmation(uuid.UUID(str(ids["consentId"])))
        case "sms_help":
            values["help_text"] = (await marketing_settings.current()).help_text
            values["contact"] = shop.contact_email or shop.contact_phone or settings.storefront_url
    return values


async def _confirmation(consent_id: uuid.UUID) -> dict[str, object]:
    """No name in it: whoever typed the address typed the name, and would write to strangers in the shop's name."""
    row = await db.fetchrow(_REQUEST, consent_id)
    if row is None:
        raise ConsentNotFoundError("there is no such consent")
    return {
        "confirmation_url": links.confirmation_url(consent_id),
        "wording": row["text"],
    }
