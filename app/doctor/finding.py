"""One thing that was looked at, and the words that several checks share."""

from dataclasses import dataclass
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 5.0
NETWORK_ERRORS = (OSError, TimeoutError)
"""ssl's errors and refused connections are OSErrors."""


@dataclass(frozen=True)
class Finding:
    name: str
    ok: bool
    said: str
    advice: str = ""
    """What to do; also a hint about what is well."""


def unreachable(error: Exception) -> str:
    return f"cannot be reached ({type(error).__name__})"


def place(url: str) -> str:
    """Host and port of a URL, without what is secret in it."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}{f':{parts.port}' if parts.port else ''}"
