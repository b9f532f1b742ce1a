"""Keyset pagination after the Relay specification: opaque cursors, a hard maximum, typed errors."""

import base64
import binascii
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson

from app.errors import CommonErrorCode, DomainError

MAX_PAGE = 100
DEFAULT_PAGE = 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What the client asked for, checked. `limit` rows, walking from `cursor`, `backward` or not."""

    limit: int
    backward: bool
    cursor: tuple[str | int | None, ...] | None

    @property
    def fetch_limit(self) -> int:
        """One more than is shown, to know whether more follow."""
        return self.limit + 1

    def cursor_id(self) -> uuid.UUID | None:
        """For a list that is ordered by id alone: the id that the page begins behind. Raises DomainError(INVALID)."""
        if self.cursor is None:
            return None
        try:
            return uuid.UUID(hex=str(self.cursor[0]))
        except ValueError:
            raise _foreign("before" if self.backward else "after") from None


@dataclass(frozen=True, slots=True)
class PageResult(Generic[T]):
    items: list[T]
    cursors: list[str]
    has_next_page: bool
    has_previous_page: bool
    total_count: int | None = None


def page_request(
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    *,
    order: str = "",
    default: int = DEFAULT_PAGE,
) -> PageRequest:
    """Check the four arguments of a connection.

    Args:
        order: name of the ordering; a cursor made under another ordering is refused.

    Raises:
        DomainError: OUT_OF_RANGE for sizes outside 1 to 100 (0 is allowed: only totals),
            INVALID for a foreign cursor or for forward and backward at once.
    """
    if (first is not None or after is not None) and (last is not None or before is not None):
        raise DomainError(CommonErrorCode.INVALID, "Use first and after, or last and before, not both.", ["first"])
    backward = last is not None or before is not None
    name, size = ("last", last) if backward else ("first", first)
    if size is None:
        size = default
    if not 0 <= size <= MAX_PAGE:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, f"{name} must be from 0 to {MAX_PAGE}.", [name])
    text = before if backward else after
    cursor = None if text is None else decode_cursor(text, order, "before" if backward else "after")
    return PageRequest(limit=size, backward=backward, cursor=cursor)


def encode_cursor(values: Sequence[str | int | None], order: str = "") -> str:
    return base64.urlsafe_b64encode(orjson.dumps([1, order, *values])).rstrip(b"=").decode()


def decode_cursor(text: str, order: str = "", field: str = "after") -> tuple[str | int | None, ...]:
    """Raises DomainError(INVALID) for a cursor that this ordering did not make."""
    try:
        decoded = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        decoded = None
    if (
        not isinstance(decoded, list)
        or len(decoded) < 3
        or decoded[:2] != [1, order]
        or not all(value is None or isinstance(value, (str, int)) for value in decoded[2:])
    ):
        raise _foreign(field)
    return tuple(decoded[2:])


def _foreign(field: str) -> DomainError:
    return DomainError(CommonErrorCode.INVALID, "The cursor does not belong to this list and order.", [field])


def page_of(
    rows: Sequence[T], cursors: Sequence[str], request: PageRequest, total_count: int | None = None
) -> PageResult[T]:
    """Cut the extra row off and put a backward walk into reading order.

    `rows` are in walking order, up to `request.fetch_limit` of them, `cursors` beside them.
    """
    more = len(rows) > request.limit
    items, marks = list(rows[: request.limit]), list(cursors[: request.limit])
    if request.backward:
        items.reverse()
        marks.reverse()
    came_from_somewhere = request.cursor is not None
    return PageResult(
        items=items,
        cursors=marks,
        has_next_page=came_from_somewhere if request.backward else more,
        has_previous_page=more if request.backward else came_from_somewhere,
        total_count=total_count,
    )
