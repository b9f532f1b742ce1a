"""The links of people's own: signed, without an expiry, and with no address in them.

They are signed by the key ring, so they last while the key they were made with is in it: keep a retired key for a year
at least (CAN-SPAM wants 30 days, people look for a link in last year's mail). The address is found again by its hash.
"""

import base64
import binascii
import uuid
from dataclasses import dataclass

from app.customers.addresses import address_hashes
from app.keys import keyring
from app.messaging.models import MessageChannel
from app.settings import get_settings

UNSUBSCRIBE_PATH = "/unsubscribe"
PREFERENCES_PATH = "/preferences"
CONFIRMATION_PATH = "/confirm"

_UNSUBSCRIBE = "unsubscribe"
_PREFERENCES = "preferences"
_CONFIRMATION = "consent confirmation"
MAX_TOKEN_CHARS = 400


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """What a link speaks of."""

    profile_id: uuid.UUID
    channel: MessageChannel
    address_hash: bytes
    """Under the key that was the newest when the link was made."""
    message_id: uuid.UUID | None
    """The message that it stood in."""


def unsubscribe_url(
    profile_id: uuid.UUID, channel: MessageChannel, address: str, message_id: uuid.UUID | None = None
) -> str:
    """One-click unsubscribe (RFC 8058) for `List-Unsubscribe`, and a page with a button for people."""
    token = _target_token(_UNSUBSCRIBE, profile_id, channel, address, message_id)
    return f"{get_settings().public_url}{UNSUBSCRIBE_PATH}/{token}"


def preferences_url(
    profile_id: uuid.UUID, channel: MessageChannel, address: str, message_id: uuid.UUID | None = None
) -> str:
    """The person's preference page."""
    return f"{get_settings().public_url}{PREFERENCES_PATH}/{preference_token(profile_id, channel, address, message_id)}"


def preference_token(
    profile_id: uuid.UUID, channel: MessageChannel, address: str, message_id: uuid.UUID | None = None
) -> str:
    """What the preference page's address ends with; `consentUpdate` takes it, too."""
    return _target_token(_PREFERENCES, profile_id, channel, address, message_id)


def confirmation_url(consent_id: uuid.UUID) -> str:
    """Confirms the REQUESTED consent with this id."""
    return f"{get_settings().public_url}{CONFIRMATION_PATH}/{keyring().sign(_CONFIRMATION, consent_id.hex)}"


def read_unsubscribe(token: str) -> LinkTarget | None:
    return _target(_UNSUBSCRIBE, token)


def read_preferences(token: str) -> LinkTarget | None:
    return _target(_PREFERENCES, token)


def read_confirmation(token: str) -> uuid.UUID | None:
    payload = keyring().unsign(_CONFIRMATION, token) if len(token) <= MAX_TOKEN_CHARS else None
    return uuid.UUID(hex=payload) if isinstance(payload, str) else None


def _target_token(
    purpose: str, profile_id: uuid.UUID, channel: MessageChannel, address: str, message_id: uuid.UUID | None
) -> str:
    address_hash = base64.urlsafe_b64encode(address_hashes(channel, address)[0]).rstrip(b"=").decode()
    payload = [profile_id.hex, channel.value, address_hash, message_id.hex if message_id else None]
    return keyring().sign(purpose, payload)


def _target(purpose: str, token: str) -> LinkTarget | None:
    """None for anything that was not signed here for this purpose."""
    payload = keyring().unsign(purpose, token) if len(token) <= MAX_TOKEN_CHARS else None
    match payload:
        case [str(profile), str(channel), str(address_hash), message]:
            try:
                return LinkTarget(
                    profile_id=uuid.UUID(hex=profile),
                    channel=MessageChannel(channel),
                    address_hash=base64.urlsafe_b64decode(f"{address_hash}="),
                    message_id=uuid.UUID(hex=message) if isinstance(message, str) else None,
                )
            except (ValueError, binascii.Error):
                return None
        case _:
            return None
