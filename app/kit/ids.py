"""Opaque, prefixed ids over UUIDv7: `prod_` and 32 hex digits.

Ids that hang off a guest's cart carry the cart's secret as a third part, since whoever holds the id owns the cart.
"""

import re
import uuid
from datetime import datetime

from uuid_utils import compat

from app.errors import CommonErrorCode, DomainError

_SECRET = re.compile(r"[A-Za-z0-9_-]{16,64}")
_HEX = re.compile(r"[0-9a-f]{32}")


def new_id() -> uuid.UUID:
    """A time-ordered UUID (RFC 9562, version 7): new rows land at the right edge of an index."""
    return compat.uuid7()


def earliest_id(moment: datetime) -> uuid.UUID:
    """Below every id that was made at that moment or later: ids begin with their millisecond."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)


def encode(prefix: str, value: uuid.UUID) -> str:
    return f"{prefix}_{value.hex}"


def decode(prefix: str, text: str, field: list[str | int] | None = None) -> uuid.UUID:
    """Raises DomainError(INVALID_ID) for malformed text and for another prefix."""
    head, _, digits = text.partition("_")
    if head != prefix or not _HEX.fullmatch(digits):
        raise DomainError(CommonErrorCode.INVALID_ID, f"This is not an id of the form {prefix}_….", field)
    return uuid.UUID(int=int(digits, 16))


def encode_with_secret(prefix: str, value: uuid.UUID, secret: str) -> str:
    return f"{prefix}_{value.hex}_{secret}"


def decode_with_secret(prefix: str, text: str, field: list[str | int] | None = None) -> tuple[uuid.UUID, str]:
    """The id and the secret that came with it. Raises DomainError(INVALID_ID)."""
    head, _, rest = text.partition("_")
    digits, _, secret = rest.partition("_")
    if head != prefix or not _HEX.fullmatch(digits) or not _SECRET.fullmatch(secret):
        raise DomainError(CommonErrorCode.INVALID_ID, f"This is not an id of the form {prefix}_…_….", field)
    return uuid.UUID(int=int(digits, 16)), secret


def prefix_of(text: str) -> str:
    return text.partition("_")[0]
