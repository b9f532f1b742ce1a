"""Postal-code patterns, and which zone a destination falls into."""

import uuid
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.addresses.locations import Location, zone_of
from app.addresses.postal import Destination, normalise_destination
from app.addresses.postal_patterns import EXACT_MATCH, PostalPattern, comparable
from app.shipping.rules import Zone


@pytest.mark.parametrize(
    ("pattern", "country", "code", "specificity"),
    [
        ("SW1A 1AA", "GB", "sw1a1aa", EXACT_MATCH),
        ("sw1*", "GB", "SW1A 1AA", 3),
        ("SW1*", "GB", "SW2A 1AA", None),
        ("SW1 A*", "GB", "SW1A 1AA", 4),
        ("90210", "US", "90210-1234", EXACT_MATCH),
        ("902*", "US", "90210", 3),
        ("10000-19999", "DE", "10117", 1),
        ("10110 - 10119", "DE", "10117", 4),
        ("10000-19999", "DE", "20117", None),
        ("90000-90299", "US", "90210-1234", 2),
        ("100-0001", "JP", "100-0001", EXACT_MATCH),
        ("100-0001", "JP", "1000002", None),
        ("100-0001 - 102-9999", "JP", "101-0021", 2),
        ("100-0001..102-9999", "JP", "103-0000", None),
        ("100*", "JP", "100-0001", 3),
        ("00-950", "PL", "00-950", EXACT_MATCH),
        ("123*", "DE", "12", None),
    ],
)
def test_a_pattern_names_codes_however_they_are_typed(
    pattern: str, country: str, code: str, specificity: int | None
) -> None:
    seen = comparable(code, country)
    assert seen is not None
    assert PostalPattern.parse(pattern).specificity(seen) == specificity


@pytest.mark.parametrize(
    "pattern", ["", "*", "**", "1*2", "SW1?", "A1..A9", "200-100 - 100-200", "20000-10000", "100..20", "ÄÖ*", "1,2"]
)
def test_what_is_no_pattern_is_refused_with_a_sentence(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".{20,}"):
        PostalPattern.parse(pattern)


@given(st.text(max_size=20), st.text(alphabet="0123456789ABC", min_size=1, max_size=10))
def test_no_pattern_or_code_breaks_matching(pattern: str, code: str) -> None:
    try:
        parsed = PostalPattern.parse(pattern)
    except ValueError:
        return
    specificity = parsed.specificity(code)
    assert specificity is None or 0 <= specificity <= EXACT_MATCH


@given(st.integers(0, 99999), st.integers(0, 99999), st.integers(0, 99999))
def test_a_range_holds_exactly_the_numbers_between_its_ends(low: int, high: int, code: int) -> None:
    low, high = min(low, high), max(low, high)
    pattern = PostalPattern.parse(f"{low:05} - {high:05}")
    assert (pattern.specificity(f"{code:05}") is not None) == (low <= code <= high)


def _zone(*locations: dict[str, object]) -> Zone:
    return Zone(uuid.uuid4(), tuple(Location.model_validate(location) for location in locations), ())


WORLD = _zone({"country": "*"})
STATES = _zone({"country": "US"}, {"country": "CA"})
WEST = _zone({"country": "US", "provinces": ["California", "US-OR"]})
BEVERLY_HILLS = _zone({"country": "US", "postal_codes": ["902*"]})
ONE_CODE = _zone({"country": "US", "provinces": ["CA"], "postal_codes": ["90210"]})
ALASKA = _zone({"country": "US", "provinces": ["AK"], "postal_codes": ["995*"]})
ZONES = [WORLD, STATES, WEST, BEVERLY_HILLS, ONE_CODE, ALASKA]


@pytest.mark.parametrize(
    ("destination", "zone"),
    [
        (("FR", None, "75008"), WORLD),
        (("CA", "ON", "K1A 0A2"), STATES),
        (("US",), STATES),
        (("US", "NY", "10001"), STATES),
        (("US", "OR", "97201"), WEST),
        (("US", "California"), WEST),
        (("US", None, "90211"), BEVERLY_HILLS),
        (("US", "CA", "90211"), BEVERLY_HILLS),
        (("US", "CA", "90210-1234"), ONE_CODE),
        (("US", None, "90210"), BEVERLY_HILLS),
        (("US", "AK", "99501"), ALASKA),
        (("US", "AK"), STATES),
    ],
)
def test_the_most_specific_zone_wins(destination: Sequence[str], zone: Zone) -> None:
    for order in (ZONES, list(reversed(ZONES))):
        assert zone_of(normalise_destination(*destination), order) is zone


def test_of_two_equally_specific_zones_the_first_wins_and_without_any_none() -> None:
    again = _zone({"country": "US"})
    assert zone_of(Destination("US"), [again, STATES]) is again
    assert zone_of(Destination("US"), [STATES, again]) is STATES
    assert zone_of(Destination("FR"), [STATES]) is None


@pytest.mark.parametrize(
    "location",
    [
        {"country": "XX"},
        {"country": "US", "provinces": ["ZZ"]},
        {"country": "US", "postal_codes": ["1*2"]},
        {"country": "*", "provinces": ["CA"]},
        {"country": "US", "states": ["CA"]},
        {},
    ],
)
def test_a_location_that_cannot_be_is_refused(location: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Location.model_validate(location)


def test_provinces_are_kept_as_codes() -> None:
    assert WEST.locations[0].provinces == ("CA", "OR")
    assert Location.model_validate({"country": "jp", "provinces": ["Tokyo", "東京都"]}).model_dump() == {
        "country": "JP",
        "provinces": ("13",),
        "postal_codes": (),
    }
