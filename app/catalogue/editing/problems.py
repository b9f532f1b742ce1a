"""Collects everything that is wrong with an input, so that staff see it all at once."""

import re
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import urlsplit

from app.errors import CommonErrorCode, DomainError, DomainErrors, ErrorCode
from app.kit.money import Money
from app.kit.text import check_text

MAX_LINE_CHARS = 255
MAX_URL_CHARS = 2048
MAX_INT = 2**31 - 1

_SLUG = re.compile(r"[^\W_]+(?:[-_.][^\W_]+)*")


class Problems:
    """The checks return what is to be stored, or note an error and return None."""

    def __init__(self) -> None:
        self._errors: list[DomainError] = []

    def add(self, code: ErrorCode, message: str, *path: str | int) -> None:
        self._errors.append(DomainError(code, message, ["input", *path]))

    def raise_if_any(self) -> None:
        """Raises DomainErrors."""
        if self._errors:
            raise DomainErrors(self._errors)

    def __bool__(self) -> bool:
        return bool(self._errors)

    def text(self, value: str | None, max_chars: int, *path: str | int) -> str | None:
        """Trimmed; blank is None."""
        trimmed = (value or "").strip()
        if error := check_text(trimmed, max_chars, ["input", *path]):
            self._errors.append(error)
            return None
        return trimmed or None

    def line(self, value: str | None, *path: str | int, max_chars: int = MAX_LINE_CHARS) -> str | None:
        """As `text`, with line ends turned into spaces."""
        return self.text(" ".join((value or "").split()), max_chars, *path)

    def required_line(self, value: str | None, what: str, *path: str | int) -> str:
        checked = self.line(value, *path)
        if checked is None and not (value or "").strip():
            self.add(CommonErrorCode.REQUIRED, f"{what} is needed.", *path)
        return checked or ""

    def slug(self, value: str | None, *path: str | int) -> str:
        slug = self.required_line(value, "A slug", *path)
        if slug and (slug != slug.lower() or not _SLUG.fullmatch(slug)):
            message = "A slug has small letters and digits, in words that - or _ or . join."
            self.add(CommonErrorCode.INVALID, message, *path)
        return slug

    def price(self, value: Decimal | None, currency: str, *path: str | int) -> int | None:
        """In minor units."""
        if value is None:
            return None
        try:
            return Money.from_decimal(value, currency, ["input", *path]).amount_minor
        except DomainError as error:
            self._errors.append(error)
            return None

    def count(self, value: int, *path: str | int) -> int:
        if not 0 <= value <= MAX_INT:
            self.add(CommonErrorCode.OUT_OF_RANGE, "The number cannot be below zero.", *path)
            return 0
        return value

    def not_too_many(self, values: Sequence[object], most: int, what: str, *path: str | int) -> bool:
        if len(values) > most:
            self.add(CommonErrorCode.TOO_MANY, f"A product can have {most:,} {what} at most.", *path)
            return False
        return True

    def url(self, value: str | None, *path: str | int) -> str | None:
        """Absolute with http or https, or a path below this API's own address."""
        url = self.text(value, MAX_URL_CHARS, *path)
        if url is None:
            return None
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        absolute = parts.scheme in ("http", "https") and parts.netloc
        own = url.startswith("/") and not url.startswith(("//", "/\\"))
        if not (absolute or own) or any(letter.isspace() for letter in url):
            message = "An image's address begins with https:// or http://, or with / for a file of this API."
            self.add(CommonErrorCode.INVALID, message, *path)
            return None
        return url
