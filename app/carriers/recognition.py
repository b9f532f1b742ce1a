"""Which carrier a tracking number belongs to, as far as the number itself tells.

A number is claimed only when its shape fits and its check digit is right. Shapes collide (twelve digits can
be FedEx, Yamato, Sagawa, Japan Post or DHL Paket), so a number with several possible carriers is narrowed
down by the country that it is sent from, and left open when that does not decide: a wrong link is worse
than none.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from babel import Locale

from app.carriers import check_digits
from app.carriers.registry import CARRIERS, Carrier, carrier_named, normalise_carrier_name
from app.errors import CommonErrorCode, DomainError

MAX_TRACKING_NUMBER_CHARS = 64

_ALLOWED = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./_-]*")
_S10 = re.compile(r"([A-Z]{2})(\d{8})(\d)([A-Z]{2})")


def _digits(text: str) -> list[int]:
    return [int(digit) for digit in text]


def _mod10(number: str) -> bool:
    return check_digits.mod10(_digits(number[:-1])) == int(number[-1])


def _identcode(number: str) -> bool:
    return check_digits.mod10(_digits(number[:-1]), 4, 9) == int(number[-1])


def _mod7(number: str) -> bool:
    return check_digits.mod7(number[:-1]) == int(number[-1])


def _ups(number: str) -> bool:
    return str(check_digits.ups(number[2:-1])) == number[-1]


def _fedex_express(number: str) -> bool:
    """Twelve digits, or the same twelve at the end of a 34-digit label (weights run from the right)."""
    return check_digits.fedex_express(number[-12:-1]) == int(number[-1])


def _fedex_ground_96(number: str) -> bool:
    return check_digits.mod10(_digits(number[7:-1])) == int(number[-1])


def _fedex_ground_economy(number: str) -> bool:
    """Printed with or without the 92 in front; the check digit covers it either way."""
    return _mod10(f"92{number[-20:]}")


def _usps_routed(number: str) -> bool:
    """The check digit does not cover the ZIP code (420 and five or nine digits) in front."""
    return any(_mod10(number[start:]) for start in (8, 12) if number[start] == "9")


def _unchecked(number: str) -> bool:
    """The shape alone is distinctive; the carrier publishes no check digit for it."""
    return bool(number)


@dataclass(frozen=True, slots=True)
class _Shape:
    carrier: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool]


_SHAPES = tuple(
    _Shape(carrier, re.compile(pattern), check)
    for carrier, pattern, check in (
        ("ups", r"1Z[0-9A-Z]{15}\d", _ups),
        ("fedex", r"\d{12}", _fedex_express),
        ("fedex", r"\d{15}", _mod10),
        ("fedex", r"(?:92)?612\d{17}", _fedex_ground_economy),
        ("fedex", r"96\d{20}", _fedex_ground_96),
        ("fedex", r"(?:100[1-5]|96\d\d)\d{30}", _fedex_express),
        ("usps", r"(?!92612)9[1-5](?:\d{20}|\d{24})", _mod10),
        ("usps", r"420\d{5}(?:\d{4})?9[1-5](?:\d{20}|\d{24})", _usps_routed),
        ("usps", r"(?:0[134]|13|23|7[0-37]|8[12])\d{18}", _mod10),
        ("dhl_express", r"\d{10}", _mod7),
        ("dhl", r"J(?:JD|VGL|D)\d{10,20}", _unchecked),
        ("dhl_paket", r"003404\d{14}", _mod10),
        ("dhl_paket", r"\d{12}", _identcode),
        ("colissimo", r"\d[A-Z]\d{11}", lambda number: _mod10(number[2:])),
        ("canada_post", r"\d{16}", _mod10),
        ("japan_post", r"\d{11,12}", _mod7),
        ("yamato", r"\d{12}", _mod7),
        ("sagawa", r"\d{12}", _mod7),
        ("amazon", r"TB[ACM]\d{12}", _unchecked),
    )
)

_POSTS = (
    "usps royal_mail dhl_paket la_poste canada_post japan_post australia_post nz_post postnl bpost "
    "swiss_post austrian_post poste_italiane correos an_post posten postnord posti poczta_polska "
    "china_post hongkong_post singapore_post korea_post correios"
)
_POST_OF_COUNTRY = {country: CARRIERS[code] for code in _POSTS.split() for country in CARRIERS[code].home}


@dataclass(frozen=True, slots=True)
class Parcel:
    """How a parcel is told to shoppers. `carrier` and `tracking_url` are None where nothing is known."""

    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None


def compact(number: str) -> str:
    """Upper case, without the spaces and hyphens that labels print for readability."""
    return re.sub(r"[\s.-]", "", number).upper()


def candidates(number: str, origin_country: str | None = None) -> list[Carrier]:
    """Every carrier that the number can belong to, those that do not serve `origin_country` left out."""
    text = compact(number)
    if not text.isascii():
        return []
    if postal := _s10_carrier(text):
        return [postal]
    fitting = dict.fromkeys(shape.carrier for shape in _SHAPES if shape.pattern.fullmatch(text) and shape.check(text))
    found = [CARRIERS[code] for code in fitting]
    if origin_country is None:
        return found
    return [carrier for carrier in found if not carrier.home or origin_country in carrier.home]


def recognise(number: str, origin_country: str | None = None) -> Carrier | None:
    """The one carrier that the number can belong to, or None when there is none or more than one."""
    found = candidates(number, origin_country)
    return found[0] if len(found) == 1 else None


def _s10_carrier(text: str) -> Carrier | None:
    match = _S10.fullmatch(text)
    if match is None or check_digits.s10(match[2]) != int(match[3]):
        return None
    country = match[4]
    if carrier := _POST_OF_COUNTRY.get(country):
        return carrier
    name = Locale("en").territories.get(country)
    return name and Carrier(f"post_{country.lower()}", f"Post of {name}", home=frozenset({country}))


def describe_parcel(
    number: str | None,
    carrier: str | None = None,
    origin_country: str | None = None,
    *,
    number_field: list[str | int] | None = None,
    carrier_field: list[str | int] | None = None,
) -> Parcel:
    """What is stored of a parcel: the carrier that staff named, or else the one that the number tells.

    Args:
        origin_country: ISO 3166-1 alpha-2 of the warehouse that sends it.

    Raises:
        DomainError: REQUIRED, TOO_LONG or INVALID for a blank, overlong or malformed number or carrier name.
    """
    name = None if carrier is None else normalise_carrier_name(carrier, carrier_field)
    if number is None:
        return Parcel(name, None, None)
    text = _checked_number(number, number_field)
    known = recognise(text, origin_country) if name is None else carrier_named(name)
    if known is None:
        return Parcel(name, text, None)
    return Parcel(known.name, compact(text), known.tracking_url(compact(text)))


def _checked_number(number: str, field: list[str | int] | None) -> str:
    text = number.strip(" ")
    if not text:
        raise DomainError(CommonErrorCode.REQUIRED, "Give the tracking number, or leave it out.", field)
    if len(text) > MAX_TRACKING_NUMBER_CHARS:
        message = f"A tracking number has at most {MAX_TRACKING_NUMBER_CHARS} characters."
        raise DomainError(CommonErrorCode.TOO_LONG, message, field)
    if not _ALLOWED.fullmatch(text):
        message = "A tracking number holds letters, digits, spaces, dots, slashes and hyphens."
        raise DomainError(CommonErrorCode.INVALID, message, field)
    return text
