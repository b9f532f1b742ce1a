"""Text that people typed, on its way into the database."""

import re
from collections.abc import Sequence

from app.errors import CommonErrorCode, DomainError

_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters but tab and line ends, and halves of surrogate pairs: PostgreSQL takes neither NUL nor those."""


def check_text(text: str, max_chars: int, field: Sequence[str | int] | None = None) -> DomainError | None:
    """What keeps the text from being stored: TOO_LONG, or INVALID for characters that no one can see or save."""
    if len(text) > max_chars:
        return DomainError(CommonErrorCode.TOO_LONG, f"This text can have {max_chars:,} characters at most.", field)
    if _UNWRITABLE.search(text):
        return DomainError(CommonErrorCode.INVALID, "This text has control characters in it.", field)
    return None
