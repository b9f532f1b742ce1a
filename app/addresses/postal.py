"""Postal addresses: checked against what their country requires, and written as it writes them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

from app.addresses.contact import normalise_phone
from app.addresses.countries import Country, country
from app.addresses.errors import AddressErrorCode
from app.errors import CommonErrorCode, DomainError, DomainErrors

MAX_LINE_CHARS = 200
MAX_NAME_CHARS = 100
MAX_POSTAL_CODE_CHARS = 20

# Separators of lines and paragraphs, and the marks that reorder text, would forge headers and labels.
_REFUSED_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")
_BIDI_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressFields:
    """An address as a client sent it."""

    last_name: str
    address1: str
    city: str
    country_code: str
    first_name: str | None = None
    company: str | None = None
    address2: str | None = None
    province_code: str | None = None
    postal_code: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """A checked address, in the country's own writing.

    Attributes:
        province_code: last part of the ISO 3166-2 code ("CA", "13"); free text where the country has no list.
        province: its name, Latin where there is one; for people and labels.
        postal_code: with the country's spacing and hyphens.
        phone: E.164.
    """

    last_name: str
    address1: str
    city: str
    country_code: str
    first_name: str | None = None
    company: str | None = None
    address2: str | None = None
    province_code: str | None = None
    province: str | None = None
    postal_code: str | None = None
    phone: str | None = None

    def to_json(self) -> dict[str, str]:
        """For a json column; what is missing is left out."""
        return {name: value for name in _FIELDS if (value := getattr(self, name)) is not None}

    @classmethod
    def from_json(cls, stored: Mapping[str, str]) -> Self:
        """The inverse of `to_json`; keys that a later release added are ignored."""
        return cls(**{name: stored[name] for name in _FIELDS if name in stored})

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.first_name, self.last_name)))


_FIELDS = tuple(field.name for field in fields(PostalAddress))


@dataclass(frozen=True, slots=True)
class Destination:
    """The part of an address that decides shipping; everything but the country can be unknown yet."""

    country_code: str
    province_code: str | None = None
    postal_code: str | None = None
    city: str | None = None


def normalise_address(raw: AddressFields, at: Sequence[str] = ()) -> PostalAddress:
    """Check an address and write it as its country does.

    States, provinces and prefectures are known by code, full ISO code or name. What the country's addresses do not
    carry (a county in Britain, a postal code in Hong Kong) is left out.

    Args:
        at: path of the address in the request, such as `["shippingAddress"]`, for the errors.

    Raises:
        DomainErrors: everything that is wrong, each with its field.
    """
    check = _Check(at)
    first_name = check.line("firstName", raw.first_name, MAX_NAME_CHARS)
    last_name = check.line("lastName", raw.last_name, MAX_NAME_CHARS, required="Enter a last name.")
    company = check.line("company", raw.company, MAX_NAME_CHARS)
    address1 = check.line("address1", raw.address1, MAX_LINE_CHARS, required="Enter a street address.")
    address2 = check.line("address2", raw.address2, MAX_LINE_CHARS)
    destination, province = check.destination(
        raw.country_code, raw.province_code, raw.postal_code, raw.city, complete=True
    )
    phone = None
    country_known = country(destination.country_code) is not None
    if raw.phone and raw.phone.strip(" ") and (country_known or raw.phone.lstrip(" ").startswith("+")):
        try:
            phone = normalise_phone(raw.phone, destination.country_code, [*at, "phone"])
        except DomainError as problem:
            check.errors.append(problem)
    if check.errors:
        raise DomainErrors(check.errors)
    return PostalAddress(
        first_name=first_name,
        last_name=last_name or "",
        company=company,
        address1=address1 or "",
        address2=address2,
        city=destination.city or "",
        province_code=destination.province_code,
        province=province,
        postal_code=destination.postal_code,
        country_code=destination.country_code,
        phone=phone,
    )


def normalise_destination(
    country_code: str,
    province_code: str | None = None,
    postal_code: str | None = None,
    city: str | None = None,
    at: Sequence[str] = (),
) -> Destination:
    """Like `normalise_address`, for a shopper who has told no more than where they are.

    What is given has to be right; what is missing may be missing.

    Raises:
        DomainErrors: everything that is wrong, each with its field.
    """
    check = _Check(at)
    destination, _ = check.destination(country_code, province_code, postal_code, city, complete=False)
    if check.errors:
        raise DomainErrors(check.errors)
    return destination


def _has_refused(text: str) -> bool:
    """None of what is refused is printable."""
    return bool(_BIDI_OVERRIDES.search(text)) or any(unicodedata.category(c) in _REFUSED_CATEGORIES for c in text)


class _Check:
    """Collects what is wrong while the fields are read one by one."""

    def __init__(self, at: Sequence[str]) -> None:
        self._at = at
        self.errors: list[DomainError] = []

    def _refuse(self, code: AddressErrorCode | CommonErrorCode, message: str, field: str) -> None:
        self.errors.append(DomainError(code, message, [*self._at, field]))

    def _refused(self, field: str) -> bool:
        return any(error.field == [*self._at, field] for error in self.errors)

    def line(self, field: str, text: str | None, max_chars: int, required: str | None = None) -> str | None:
        """One line of text with single spaces; None when blank or refused."""
        given = text or ""
        if not given.isprintable() and _has_refused(given):
            self._refuse(CommonErrorCode.INVALID, "Line breaks and control characters are not allowed.", field)
            return None
        line = " ".join(unicodedata.normalize("NFC", given).split())
        if len(line) > max_chars:
            self._refuse(CommonErrorCode.TOO_LONG, f"At most {max_chars} characters.", field)
            return None
        if not line and required:
            self._refuse(CommonErrorCode.REQUIRED, required, field)
        return line or None

    def destination(
        self,
        country_code: str,
        province_code: str | None,
        postal_code: str | None,
        city: str | None,
        *,
        complete: bool,
    ) -> tuple[Destination, str | None]:
        """The destination, and its province's name."""
        town = self.line("city", city, MAX_NAME_CHARS, required="Enter a town or city." if complete else None)
        province_text = self.line("provinceCode", province_code, MAX_NAME_CHARS)
        postal_text = self.line("postalCode", postal_code, MAX_POSTAL_CODE_CHARS)
        place = country(country_code.strip().upper())
        if place is None:
            self._refuse(
                AddressErrorCode.INVALID_COUNTRY, "Give the country as a two-letter code, such as US.", "countryCode"
            )
            return Destination(country_code), None
        code, name = self._province(place, province_text, complete)
        postal = self._postal_code(place, postal_text, code, complete)
        return Destination(place.code, code, postal, town), name

    def _province(self, place: Country, text: str | None, complete: bool) -> tuple[str | None, str | None]:
        if not place.takes_province:
            return None, None
        if text is None:
            if complete and place.requires_province and not self._refused("provinceCode"):
                message = f"Addresses in {place.in_a_sentence} need a {place.province_word}."
                self._refuse(CommonErrorCode.REQUIRED, message, "provinceCode")
            return None, None
        if not place.provinces:
            return text, text
        province = place.province(text)
        if province is None:
            message = f"There is no {place.province_word} “{text}” in {place.in_a_sentence}."
            self._refuse(AddressErrorCode.INVALID_PROVINCE, message, "provinceCode")
            return None, None
        return province.code, province.name

    def _postal_code(self, place: Country, text: str | None, province_code: str | None, complete: bool) -> str | None:
        if not place.takes_postal_code:
            return None
        if text is None:
            if complete and place.requires_postal_code and not self._refused("postalCode"):
                message = f"Addresses in {place.in_a_sentence} need a {place.postal_code_word}."
                self._refuse(CommonErrorCode.REQUIRED, message, "postalCode")
            return None
        written = place.postal_code(text)
        if written is None:
            example = f", such as {place.postal_code_examples[0]}" if place.postal_code_examples else ""
            message = f"“{text}” is not a {place.postal_code_word} of {place.in_a_sentence}{example}."
            self._refuse(AddressErrorCode.INVALID_POSTAL_CODE, message, "postalCode")
            return None
        province = place.province(province_code) if province_code else None
        if province and province.postal_codes and not province.postal_codes.match(written):
            message = f"The {place.postal_code_word} {written} does not lie in {province.name}."
            self._refuse(AddressErrorCode.INVALID_POSTAL_CODE, message, "postalCode")
            return None
        return written
