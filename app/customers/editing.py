"""What staff change of a profile by hand."""

import math
import re
import uuid
from collections.abc import Mapping
from typing import Any, TypedDict

import orjson
from babel import Locale, UnknownLocaleError

from app import db
from app.addresses.countries import country
from app.addresses.errors import AddressErrorCode
from app.customers import identification
from app.errors import CommonErrorCode, DomainError, not_found
from app.inventory.warehouses import is_time_zone
from app.kit.problems import Problems
from app.kit.text import check_text

MAX_PROPERTIES = 100
MAX_PROPERTY_CHARS = 1_000
MAX_POSTAL_CODE_CHARS = 32
_PROPERTY_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_MAX_NUMBER = 2**53
"""Beyond it, JSON readers disagree on what a number is."""

_NAMES = {
    "first_name": "firstName",
    "last_name": "lastName",
    "language": "language",
    "country_code": "countryCode",
    "postal_code": "postalCode",
    "time_zone": "timeZone",
}


class ProfileChange(TypedDict, total=False):
    """What is left out stays as it is; None takes it away."""

    first_name: str | None
    last_name: str | None
    language: str | None
    country_code: str | None
    postal_code: str | None
    time_zone: str | None
    properties: Mapping[str, Any] | None
    """Each of them replaces the one of that name, or removes it where it is None; the others stay."""


async def update(profile_id: uuid.UUID, change: ProfileChange) -> None:
    """Write what differs, and tell which it was.

    Raises:
        DomainErrors: INVALID, INVALID_COUNTRY, TOO_LONG, TOO_MANY for more than 100 properties; paths begin with
            `input`.
        DomainError: NOT_FOUND.
    """
    problems = Problems()
    wanted = _checked(problems, change)
    properties = _properties(problems, change.get("properties") or {})
    problems.raise_if_any()
    async with db.unit_of_work():
        try:
            profile_id = await identification.lock(profile_id)
        except LookupError:
            raise not_found("profile", ["id"]) from None
        before = await db.fetchrow("SELECT * FROM profiles WHERE id = $1", profile_id)
        if before is None:
            raise not_found("profile", ["id"])
        had: dict[str, Any] = orjson.loads(before["properties"])
        has = {name: value for name, value in {**had, **properties}.items() if value is not None}
        if len(has) > max(MAX_PROPERTIES, len(had)):
            message = f"A profile has {MAX_PROPERTIES} properties at most."
            raise DomainError(CommonErrorCode.TOO_MANY, message, ["input", "properties"])
        changed = [shown for name, shown in _NAMES.items() if name in wanted and wanted[name] != before[name]]
        changed += [f"properties.{name}" for name in properties if had.get(name) != has.get(name)]
        if not changed:
            return
        values = [wanted.get(name, before[name]) for name in _NAMES]
        await db.execute(_UPDATE, profile_id, orjson.dumps(has).decode(), *values)
        await identification.updated(profile_id, changed)


_UPDATE = f"""
    UPDATE profiles SET {", ".join(f"{name} = ${place}" for place, name in enumerate(_NAMES, start=3))},
                        properties = $2::jsonb, updated_at = business_now()
    WHERE id = $1
"""


def _checked(problems: Problems, change: ProfileChange) -> dict[str, str | None]:
    wanted: dict[str, str | None] = {}
    if "first_name" in change:
        wanted["first_name"] = problems.line(change["first_name"], "firstName")
    if "last_name" in change:
        wanted["last_name"] = problems.line(change["last_name"], "lastName")
    if "postal_code" in change:
        wanted["postal_code"] = problems.line(change["postal_code"], "postalCode", max_chars=MAX_POSTAL_CODE_CHARS)
    if "language" in change:
        wanted["language"] = language_tag(problems, change["language"])
    if "country_code" in change:
        code = wanted["country_code"] = change["country_code"]
        if code is not None and country(code) is None:
            problems.add(AddressErrorCode.INVALID_COUNTRY, f"There is no country {code}.", "countryCode")
    if "time_zone" in change:
        zone = wanted["time_zone"] = change["time_zone"]
        if zone is not None and not is_time_zone(zone):
            problems.add(CommonErrorCode.INVALID, "Take a name of the IANA database: Europe/Berlin.", "timeZone")
    return wanted


def language_tag(problems: Problems, given: str | None) -> str | None:
    """As it is kept; what is none is noted at `input.language`."""
    if given is None:
        return None
    try:
        return str(Locale.parse(given, sep="-")).replace("_", "-")
    except (UnknownLocaleError, ValueError):
        problems.add(CommonErrorCode.INVALID, "Take a language tag such as en or pt-BR.", "language")
        return None


def _properties(problems: Problems, given: Mapping[str, Any]) -> dict[str, Any]:
    """Text, numbers and booleans, so that conditions can compare them; a date is text in ISO form."""
    for name, value in given.items():
        if not _PROPERTY_NAME.fullmatch(name):
            message = "A property's name is a letter, and up to 63 more letters, digits and underscores."
            problems.add(CommonErrorCode.INVALID, message, "properties", name[:64])
        elif isinstance(value, str):
            if wrong := check_text(value, MAX_PROPERTY_CHARS, ["input", "properties", name]):
                problems.note(wrong)
        elif not (value is None or isinstance(value, bool) or _is_number(value)):
            message = "A property is a text, a number, true or false; null removes it."
            problems.add(CommonErrorCode.INVALID, message, "properties", name)
    return dict(given)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and abs(value) <= _MAX_NUMBER
