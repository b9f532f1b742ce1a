"""Where a request about an account comes from."""

import hashlib
import hmac
from dataclasses import dataclass

from app.settings import get_settings


@dataclass(frozen=True, slots=True)
class Client:
    address: str
    """A `rate_limit.client_unit`: what the client cannot change by itself."""
    user_agent: str | None = None


def network_hashes(client: Client) -> list[bytes]:
    """Under every key of the ring, newest first: write the first, look for any (`= ANY($1)`)."""
    text = f"client:{client.address}".encode()
    return [hmac.digest(key.encode(), text, hashlib.sha256) for key in get_settings().secret_keys]
