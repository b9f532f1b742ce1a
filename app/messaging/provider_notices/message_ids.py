"""Our own Message-ID, found again in what a provider tells."""

import re
import uuid

_MESSAGE_ID = re.compile(r"<?([0-9a-f]{32})@[^<>@\s]+>?")


def from_header(text: object) -> uuid.UUID | None:
    """The ledger row's id in `<0193…@shop.example>`, as `mime.compose` writes it."""
    match = _MESSAGE_ID.fullmatch(text.strip()) if isinstance(text, str) else None
    return uuid.UUID(match[1]) if match else None


def from_hex(text: object) -> uuid.UUID | None:
    if not isinstance(text, str) or not re.fullmatch(r"[0-9a-f]{32}", text):
        return None
    return uuid.UUID(text)
