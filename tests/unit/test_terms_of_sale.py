"""Who may buy a product, where it may go, in which quantities, and from when on it is delivered."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from app.terms.dates import AvailabilityStatus, availability
from app.terms.rules import ProductTerms, age_on

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON, LATER, PAST = NOW + timedelta(days=3), NOW + timedelta(days=9), NOW - timedelta(days=1)


@pytest.mark.parametrize(
    ("allowed", "forbidden", "country", "province", "sold"),
    [
        ((), (), "DE", None, True),
        (("US",), (), "DE", None, False),
        (("US",), (), "US", "CA", True),
        (("US-CA",), (), "US", "CA", True),
        (("US-CA",), (), "US", "NY", False),
        (("US-CA",), (), "US", None, True),
        (("US-CA",), (), "CA", None, False),
        ((), ("US-UT",), "US", None, True),
        ((), ("US-UT",), "US", "UT", False),
        ((), ("US",), "US", "CA", False),
        (("US",), ("US-UT",), "US", "UT", False),
        (("US",), ("US-UT",), "US", "CA", True),
    ],
)
def test_regions(
    allowed: tuple[str, ...], forbidden: tuple[str, ...], country: str, province: str | None, sold: bool
) -> None:
    terms = ProductTerms(allowed_regions=frozenset(allowed), forbidden_regions=frozenset(forbidden))
    assert terms.sold_to(country, province) is sold


@pytest.mark.parametrize(("units", "fits"), [(5, False), (6, True), (9, False), (12, True), (24, True), (30, False)])
def test_quantities(units: int, fits: bool) -> None:
    terms = ProductTerms(minimum_quantity=6, maximum_quantity=24, quantity_step=6)
    assert (terms.quantity_problem(units) is None) is fits


@pytest.mark.parametrize(
    ("born", "today", "years"),
    [
        (date(2008, 11, 22), date(2026, 11, 21), 17),
        (date(2008, 11, 22), date(2026, 11, 22), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
    ],
)
def test_age_in_whole_years(born: date, today: date, years: int) -> None:
    assert age_on(born, today) == years


@dataclass
class Variant:
    available_quantity: int
    available_from: datetime | None = None
    restock_expected_at: datetime | None = None
    track_inventory: bool = True
    goes_on: bool = False
    for_sale: bool = True

    @property
    def stock_limit(self) -> int | None:
        return self.available_quantity if self.track_inventory and not self.goes_on else None


@pytest.mark.parametrize(
    ("variant", "status", "expected"),
    [
        (Variant(2), "IN_STOCK", None),
        (Variant(1), "SOLD_OUT", None),
        (Variant(1, restock_expected_at=SOON), "SOLD_OUT", SOON),
        (Variant(2, available_from=SOON), "PRE_ORDER", SOON),
        (Variant(2, available_from=PAST), "IN_STOCK", None),
        (Variant(0, available_from=SOON), "SOLD_OUT", SOON),
        (Variant(0, available_from=SOON, goes_on=True), "PRE_ORDER", SOON),
        (Variant(1, restock_expected_at=LATER, goes_on=True), "BACK_ORDER", LATER),
        (Variant(1, restock_expected_at=PAST, goes_on=True), "BACK_ORDER", None),
        (Variant(0, track_inventory=False), "IN_STOCK", None),
        (Variant(2, for_sale=False, available_from=SOON), "SOLD_OUT", None),
    ],
)
def test_when_two_units_are_there(variant: Variant, status: str, expected: datetime | None) -> None:
    assert availability(variant, 2, NOW) == (AvailabilityStatus(status), expected)
