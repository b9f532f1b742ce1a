"""What staff send of markets and price lists: checked without I/O, all that is wrong told at once."""

import re
from collections.abc import Sequence
from decimal import Decimal

from babel import Locale, UnknownLocaleError

from app.addresses.countries import country
from app.errors import CommonErrorCode
from app.kit.money import MAX_AMOUNT_MINOR, exponent
from app.kit.problems import Problems

MAX_LANGUAGES = 50
MAX_COUNTRIES = 300
MAX_ROUNDING_MINOR = 10**9
_CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_CODE_CHARS = 32


def checked_code(problems: Problems, given: str) -> str:
    if len(given) > MAX_CODE_CHARS or not _CODE.fullmatch(given):
        message = f"A code has small letters, digits and hyphens, up to {MAX_CODE_CHARS} of them: eu, north-america."
        problems.add(CommonErrorCode.INVALID, message, "code")
    return given


def checked_countries(problems: Problems, given: Sequence[str], sold_to: frozenset[str]) -> list[str]:
    if len(given) > MAX_COUNTRIES:
        problems.add(CommonErrorCode.TOO_MANY, f"At most {MAX_COUNTRIES} countries.", "countries")
        return []
    for place, code in enumerate(given):
        if country(code) is None:
            problems.add(CommonErrorCode.INVALID, f"There is no country {code}.", "countries", place)
        elif sold_to and code not in sold_to:
            message = f"The shop does not sell to {code}; `shopUpdate` says where it does."
            problems.add(CommonErrorCode.INVALID, message, "countries", place)
    return list(dict.fromkeys(given))


def checked_languages(problems: Problems, given: Sequence[str]) -> list[str]:
    if len(given) > MAX_LANGUAGES:
        problems.add(CommonErrorCode.TOO_MANY, f"At most {MAX_LANGUAGES} languages.", "languages")
        return []
    for place, tag in enumerate(given):
        try:
            Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            problems.add(CommonErrorCode.INVALID, "Take a language tag such as de-CH.", "languages", place)
    return list(dict.fromkeys(given))


def minor_units(
    problems: Problems, amount: Decimal, currency: str, *path: str, most: int = MAX_AMOUNT_MINOR, least: int = 0
) -> int:
    """Of an amount in a currency that is known already; no more digits than it has."""
    minor = amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        problems.add(CommonErrorCode.INVALID, f"{currency} has {exponent(currency)} digits after the point.", *path)
        return least
    if not least <= minor <= most:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "The amount is out of range.", *path)
        return least
    return int(minor)


def checked_number(problems: Problems, given: Decimal, low: Decimal, high: Decimal, places: int, *path: str) -> Decimal:
    """Above `low`, up to `high`, with so many digits after the point at most."""
    if not given.is_finite() or not low < given <= high:
        problems.add(CommonErrorCode.OUT_OF_RANGE, f"The number lies above {low} and is {high} at most.", *path)
        return high
    if given != round(given, places):
        problems.add(CommonErrorCode.INVALID, f"At most {places} digits after the point.", *path)
        return high
    return given
