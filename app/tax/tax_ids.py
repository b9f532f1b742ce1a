"""Tax numbers of businesses: their form and their check digits, by the rules of each country (python-stdnum)."""

import re

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from app.addresses.countries import country
from app.errors import DomainError
from app.tax.errors import TaxErrorCode
from app.tax.union import MEMBERS, NORTHERN_IRELAND

MAX_TAX_ID_CHARS = 32

_SEPARATORS = re.compile(r"[\s./-]")
_PLAUSIBLE = re.compile(r"[A-Z0-9]{4,20}")
_PREFIXES = {"GR": "EL", "LI": "CHE", "CH": "CHE"}
"""Where a number begins with something else than its country's code."""
_COUNTRIES = {"EL": "GR", NORTHERN_IRELAND: "GB"}
"""The countries whose rules hold for numbers that begin so."""
_SWISS_SUFFIXES = ("MWST", "TVA", "IVA", "TPV")


def normalise_tax_id(text: str, country_code: str | None = None, field: list[str | int] | None = None) -> str:
    """The number as it is kept: upper case, without separators, beginning with its country: `DE136695976`,
    `EL094259216`, `GB980780684`, `CHE107787577`, `NO995525828MVA`.

    The number is read as one of the buyer's country first, with or without its prefix, then as one of the country that
    it begins with. Where the rules of a country are unknown, 4 to 20 letters and digits are taken as they are.

    Args:
        country_code: of the buyer, ISO 3166-1.

    Raises:
        DomainError: INVALID_TAX_ID.
    """
    compact = _SEPARATORS.sub("", text).upper()
    if len(text) <= 2 * MAX_TAX_ID_CHARS and _PLAUSIBLE.fullmatch(compact):
        # A Greek number begins with EL, a Swiss one with CHE.
        begins_with = "CH" if compact.startswith("CHE") else compact[:2]
        # The rules for British numbers take XI for GB, and it is not the same.
        first = NORTHERN_IRELAND if begins_with == NORTHERN_IRELAND else country_code
        for code in (first, begins_with):
            if code is not None and (number := _as_of(code, compact)) is not None:
                return number
    where = f" of {known.in_a_sentence}" if country_code and (known := country(country_code)) else ""
    message = f"This is not a tax number{where}; write it with its country's code, such as DE136695976."
    raise DomainError(TaxErrorCode.INVALID_TAX_ID, message, field)


def _as_of(code: str, compact: str) -> str | None:
    """The number as one of a country, or of what numbers begin with; None when it is none."""
    country_code = _COUNTRIES.get(code, code)
    if country(country_code) is None:
        return None
    prefix = code if code == NORTHERN_IRELAND else _PREFIXES.get(country_code, country_code)
    own = compact.removeprefix(prefix)
    if prefix == "CHE":
        return _swiss(own)
    if len(own) != len(compact) and not own:
        return None
    module = get_cc_module(country_code.lower(), "vat")
    if module is None:
        # Letters in front may be another country's prefix, whose rules the number would escape.
        own_prefix = len(own) < len(compact)
        return f"{prefix}{own}" if own[0].isdigit() or (own_prefix and not own.isalpha()) else None
    try:
        number: str = module.validate(own)
    except ValidationError:
        return None
    if country_code in MEMBERS or country_code == "GB":
        number = number.removeprefix(prefix)
    return number if number.startswith(prefix) else f"{prefix}{number}"


def _swiss(own: str) -> str | None:
    """CHE and nine digits, with or without the word for VAT in one of the country's languages."""
    for suffix in _SWISS_SUFFIXES:
        own = own.removesuffix(suffix)
    module = get_cc_module("ch", "uid")
    if module is None:
        return None
    try:
        number: str = module.validate(f"CHE{own}")
    except ValidationError:
        return None
    return number
