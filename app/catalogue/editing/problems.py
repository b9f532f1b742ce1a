"""The checks that only products and collections need."""

from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import urlsplit

from app.catalogue.rules import is_slug
from app.errors import CommonErrorCode, DomainError
from app.kit.money import Money
from app.kit.problems import Problems

MAX_URL_CHARS = 2048


class CatalogueProblems(Problems):
    def slug(self, value: str | None, *path: str | int) -> str:
        slug = self.required_line(value, "A slug", *path)
        if slug and not is_slug(slug):
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
            self.note(error)
            return None

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
