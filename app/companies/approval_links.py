"""The links that are mailed to approvers: each signed for one approver and one request, and good for as long as one has
time to decide."""

import time
import uuid
from dataclasses import dataclass

from app.assisted.links import storefront_url
from app.keys import keyring
from app.kit import ids
from app.settings import get_settings

PATH = "/order-approvals"
PREFIX = "oapr"
"""Of an approval's id in the API."""
GOOD_SECONDS = 14 * 24 * 3600
"""Real time, from when its mail was written on."""
MAX_TOKEN_CHARS = 300
_PURPOSE = "order approval"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked about what."""

    approval_id: uuid.UUID
    member_id: uuid.UUID
    is_over: bool


def storefront_page(approval_id: uuid.UUID) -> str | None:
    """The front end's own page (STOREFRONT_ACCOUNT_URL, action `order-approval`), where people sign in."""
    return storefront_url("order-approval", ids.encode(PREFIX, approval_id))


def url_for(approval_id: uuid.UUID, member_id: uuid.UUID) -> str:
    """Where an approver decides: the front end's page, or else one of this API."""
    return storefront_page(approval_id) or f"{get_settings().public_url}{PATH}/{token_for(approval_id, member_id)}"


def token_for(approval_id: uuid.UUID, member_id: uuid.UUID, *, now: float | None = None) -> str:
    """Args: now: seconds since 1970; left out, those of this moment."""
    until = int(time.time() if now is None else now) + GOOD_SECONDS
    return keyring().sign(_PURPOSE, [approval_id.hex, member_id.hex, until])


def read_token(token: str) -> Asked | None:
    """None for anything that was not signed here for this purpose."""
    match keyring().unsign(_PURPOSE, token) if len(token) <= MAX_TOKEN_CHARS else None:
        case [str(approval), str(member), int(until)]:
            return Asked(uuid.UUID(hex=approval), uuid.UUID(hex=member), is_over=until <= time.time())
        case _:
            return None
