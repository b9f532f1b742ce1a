"""Postal codes that a zone covers, as staff write them.

    SW1A 1AA       that code alone
    SW1*           every code that begins so
    10000-19999    every code from the first to the last; both ends as long as each other, digits only
    100-0001 - 102-9999, 100-0001..102-9999
                   the same where codes carry hyphens themselves

Case, spaces and hyphens inside a code do not count. A code with an extension (ZIP+4) matches through its first part.
A single hyphen between two equally long numbers is a range, so Iran's 12345-67890 is written without its hyphen.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_RANGE = re.compile(r"(.+?)(?:\s+-\s+|\s*\.\.\s*)(.+)")
_PLAIN_RANGE = re.compile(r"\s*(\d+)\s*-\s*(\d+)\s*")
_ZIP_DIGITS = 5
_COUNTRIES_WITH_ZIP = frozenset({"US", "PR", "GU", "VI", "AS", "MP", "UM", "FM", "MH", "PW"})

EXACT_MATCH = 1000
"""Specificity of a code that is named in full: above that of any prefix."""


def compact(code: str) -> str:
    """Upper case, letters and digits only."""
    return re.sub(r"[\s-]", "", code).upper()


def comparable(code: str | None, country_code: str) -> str | None:
    """A destination's code as patterns see it: without a ZIP's four-digit extension."""
    if code is None:
        return None
    text = compact(code)
    return text[:_ZIP_DIGITS] if country_code in _COUNTRIES_WITH_ZIP else text


@dataclass(frozen=True, slots=True)
class PostalPattern:
    """Codes from `first` to `last`, compared on as many characters as these have; `exact` on all."""

    first: str
    last: str
    exact: bool

    @classmethod
    @lru_cache(maxsize=10_000)
    def parse(cls, text: str) -> "PostalPattern":
        """Raises ValueError, with a sentence for people."""
        if match := _RANGE.fullmatch(text):
            return cls._range(compact(match[1]), compact(match[2]), text)
        if (match := _PLAIN_RANGE.fullmatch(text)) and len(match[1]) == len(match[2]):
            return cls._range(match[1], match[2], text)
        code = compact(text)
        prefix = code.removesuffix("*")
        if not prefix.isalnum() or not prefix.isascii():
            raise ValueError(f"“{text}” is not a postal code, a prefix such as SW1* or a range such as 10000-19999")
        return cls(prefix, prefix, exact=prefix == code)

    @classmethod
    def _range(cls, first: str, last: str, text: str) -> "PostalPattern":
        if not (first.isdigit() and last.isdigit() and first.isascii() and last.isascii()):
            raise ValueError(f"“{text}”: the ends of a range are digits only")
        if len(first) != len(last) or first > last:
            raise ValueError(f"“{text}”: the ends of a range have the same length, the lower one first")
        return cls(first, last, exact=first == last)

    def specificity(self, code: str) -> int | None:
        """How closely the pattern names the code (see `comparable`): leading characters it fixes; None for no match."""
        if self.exact:
            return EXACT_MATCH if code == self.first else None
        if not self.first <= code[: len(self.first)] <= self.last or len(code) < len(self.first):
            return None
        fixed = 0
        for low, high in zip(self.first, self.last, strict=True):
            if low != high:
                break
            fixed += 1
        return fixed
