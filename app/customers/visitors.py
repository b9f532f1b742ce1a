"""Ids of visitors: made and signed here, kept by the storefront. Nothing is stored until a visitor does something."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.errors import CommonErrorCode, DomainError
from app.keys import keyring
from app.kit import ids
from app.kit.crypto import hash_token, token_matches

PREFIX = "vis"
PURPOSE = "visitor"
LIVES_DAYS = 400
"""As long as browsers keep a cookie at most (RFC 6265bis, section 5.5)."""


@dataclass(frozen=True, slots=True)
class IssuedVisitor:
    gid: str
    expires_at: datetime
    """Real time."""


def issue() -> IssuedVisitor:
    visitor_id = ids.new_id()
    gid = ids.encode_with_secret(PREFIX, visitor_id, keyring().derive_token(PURPOSE, visitor_id))
    return IssuedVisitor(gid, _made_at(visitor_id) + timedelta(days=LIVES_DAYS))


def verified(gid: str, field: list[str | int]) -> uuid.UUID:
    """The visitor whose id this is.

    Raises:
        DomainError: INVALID_ID for anything that was not issued here, and for an id that has expired.
    """
    visitor_id, secret = ids.decode_with_secret(PREFIX, gid, field)
    if not any(token_matches(secret, hash_token(one)) for one in keyring().derivations(PURPOSE, visitor_id)):
        raise DomainError(CommonErrorCode.INVALID_ID, "This visitor id was not issued by this shop.", field)
    if _made_at(visitor_id) + timedelta(days=LIVES_DAYS) < datetime.now(UTC):
        raise DomainError(CommonErrorCode.INVALID_ID, "This visitor id has expired; get a new one.", field)
    return visitor_id


def _made_at(visitor_id: uuid.UUID) -> datetime:
    """Ids begin with the millisecond that they were made in (RFC 9562, version 7)."""
    return datetime.fromtimestamp((visitor_id.int >> 80) / 1000, UTC)
