"""Countries and parts of them, and which zone a destination belongs to: the most specific one that names it.

Zones of shipping and of tax are made of them alike.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from app.addresses.countries import country
from app.addresses.postal import Destination
from app.addresses.postal_patterns import PostalPattern, comparable
from app.errors import CommonErrorCode, DomainError
from app.kit.problems import errors_of_model

EVERYWHERE = "*"
"""In place of a country: wherever no other location matches."""

MAX_LOCATIONS = 300
MAX_PROVINCES = 100
MAX_PATTERNS = 1000
MAX_PATTERN_CHARS = 40


class Location(BaseModel):
    """A country or a part of it. As stored: `{"country": "US", "provinces": ["CA"], "postal_codes": ["90*"]}`.

    With provinces and postal codes a destination has to match one of each. Provinces are kept as codes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    country: str
    provinces: Annotated[tuple[str, ...], Field(max_length=MAX_PROVINCES)] = ()
    postal_codes: Annotated[
        tuple[Annotated[str, Field(max_length=MAX_PATTERN_CHARS)], ...], Field(max_length=MAX_PATTERNS)
    ] = ()

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str) -> str:
        code = value.strip().upper()
        if code != EVERYWHERE and country(code) is None:
            raise ValueError(f"“{value}” is not a country: a two-letter code, or * for everywhere else")
        return code

    @field_validator("postal_codes")
    @classmethod
    def _known_patterns(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            PostalPattern.parse(value)
        return values

    @model_validator(mode="after")
    def _parts_of_the_country(self) -> Self:
        if self.country == EVERYWHERE and (self.provinces or self.postal_codes):
            raise ValueError("“*” stands for whole countries: leave provinces and postal codes out")
        place = country(self.country)
        if place and self.provinces:
            codes = []
            for text in self.provinces:
                province = place.province(text)
                if place.provinces and province is None:
                    raise ValueError(f"there is no {place.province_word} “{text}” in {place.in_a_sentence}")
                codes.append(province.code if province else text)
            object.__setattr__(self, "provinces", tuple(dict.fromkeys(codes)))
        return self

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Location":
        """One that was checked when it was written: a later edition of the address data must not make it unreadable."""
        return cls.model_construct(
            country=stored["country"],
            provinces=tuple(stored.get("provinces", ())),
            postal_codes=tuple(stored.get("postal_codes", ())),
        )

    def specificity(self, destination: Destination) -> tuple[int, int, int] | None:
        """How closely it names the destination: postal code before province before country; None for no match.

        A destination whose province or postal code is not known yet is in no part of a country, only in the country.
        """
        if self.country == EVERYWHERE:
            return (0, 0, 0)
        if self.country != destination.country_code:
            return None
        if self.provinces and destination.province_code not in self.provinces:
            return None
        closest = 0
        if self.postal_codes:
            code = comparable(destination.postal_code, destination.country_code)
            matches = (
                [] if code is None else [PostalPattern.parse(text).specificity(code) for text in self.postal_codes]
            )
            found = [match for match in matches if match is not None]
            if not found:
                return None
            closest = 1 + max(found)
        return (closest, 1 if self.provinces else 0, 1)


def checked_locations(
    given: Sequence[Mapping[str, Any]], field: Sequence[str | int]
) -> tuple[list[dict[str, Any]], list[DomainError]]:
    """Locations as they are stored, and everything that is wrong with them; a zone has one at least."""
    if not given:
        return [], [DomainError(CommonErrorCode.REQUIRED, "A zone needs a country.", field)]
    if len(given) > MAX_LOCATIONS:
        return [], [DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_LOCATIONS} locations.", field)]
    locations: list[dict[str, Any]] = []
    errors: list[DomainError] = []
    for place, location in enumerate(given):
        try:
            locations.append(Location.model_validate(location).model_dump(mode="json"))
        except ValidationError as problem:
            errors += errors_of_model(problem, [*field, place])
    return locations, errors


class HasLocations(Protocol):
    @property
    def locations(self) -> tuple[Location, ...]: ...


Z = TypeVar("Z", bound=HasLocations)


def zone_of(destination: Destination, zones: Iterable[Z]) -> Z | None:
    """The zone that names the destination most closely; of equals, the first."""
    best: tuple[tuple[int, int, int], Z] | None = None
    for zone in zones:
        for location in zone.locations:
            closeness = location.specificity(destination)
            if closeness is not None and (best is None or closeness > best[0]):
                best = (closeness, zone)
    return best[1] if best else None
