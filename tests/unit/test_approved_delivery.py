"""What is approved goes where approvers saw that it goes."""

from typing import Any

import pytest

from app.companies.delivery import is_covered, lines_of

HOME = {"last_name": "Lovelace", "address1": "1 Market Street", "city": "San Francisco", "country_code": "US"}
SHIPPED: dict[str, Any] = {"kind": "SHIPPING", "address": HOME}
FETCHED: dict[str, Any] = {"kind": "PICKUP", "location_id": "a", "name": "Pier Store", "address": HOME}


@pytest.mark.parametrize(
    ("approved", "wanted", "covered"),
    [
        (SHIPPED, SHIPPED, True),
        (SHIPPED, {"kind": "SHIPPING", "address": {**HOME, "phone": "+14155550123"}}, True),
        (SHIPPED, {"kind": "SHIPPING", "address": {**HOME, "address1": "2 Market Street"}}, False),
        (SHIPPED, {"kind": "SHIPPING", "address": {**HOME, "last_name": "Hopper"}}, False),
        (SHIPPED, {"kind": "SHIPPING", "address": {**HOME, "address2": "Back door"}}, False),
        (SHIPPED, FETCHED, False),
        (SHIPPED, None, False),
        (FETCHED, {**FETCHED, "address": {**HOME, "address1": "9 Pier"}}, True),
        (FETCHED, {**FETCHED, "location_id": "b"}, False),
        (FETCHED, SHIPPED, False),
        (None, SHIPPED, True),
        (None, FETCHED, True),
        (None, None, True),
        ({"kind": "NONE"}, {"kind": "NONE"}, True),
    ],
)
def test_another_place_is_not_what_was_approved(approved: Any, wanted: Any, covered: bool) -> None:
    assert is_covered(approved, wanted) is covered


def test_people_read_where_it_goes() -> None:
    assert lines_of(SHIPPED)[:2] == ["Lovelace", "1 Market Street"]
    assert lines_of(FETCHED)[0] == "Pier Store"
    assert lines_of({"kind": "NONE"}) == lines_of(None) == []
