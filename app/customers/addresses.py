"""Addresses that people are reached by, and the hashes that stay when an address has to go."""

import hashlib
import hmac

from app.messaging.models import MessageChannel
from app.settings import get_settings


def address_hashes(channel: MessageChannel, address: str) -> list[bytes]:
    """Under every key of the ring, newest first: write the first, look for any (`= ANY($1)`).

    A voice call goes to the number that text messages go to, so both have one hash.

    Args:
        address: normalised already: a lower-cased email counts as the same one, a number is E.164.
    """
    kind = "email" if channel is MessageChannel.EMAIL else "phone"
    text = f"address:{kind}:{address.lower()}".encode()
    return [hmac.digest(key.encode(), text, hashlib.sha256) for key in get_settings().secret_keys]
