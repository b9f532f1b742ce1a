"""Zones and rates to begin from."""

import re

import pytest

from app import db
from app.addresses.postal import Destination
from app.tax.rules import rates_for
from app.tax.settings import settings
from app.tax.starting import load_starter, starters
from app.tax.union import MEMBERS
from tests.factories import taxes
from tests.service.test_cli import tradewind

pytestmark = pytest.mark.usefixtures("clean_database")


async def rates(country: str, province: str | None = None, postal_code: str | None = None) -> list[tuple[str, str]]:
    found = rates_for(await settings.current(), Destination(country, province, postal_code), None)
    return [(rate.name, str(rate.rate)) for rate in found]


@pytest.mark.parametrize("name", sorted(starters()))
async def test_each_set_can_be_loaded_says_where_it_is_from_and_again_changes_nothing(name: str) -> None:
    starter = starters()[name]
    assert starter.source
    assert re.fullmatch(r"20\d\d-\d\d", starter.as_of)
    assert re.match(r"20\d\d-\d\d, with ", starter.checked)
    first = await load_starter(starter)
    assert (len(first.made), first.kept) == (len(starter.zones), [])
    before = await db.fetch("SELECT * FROM tax_rates ORDER BY id")
    again = await load_starter(starter)
    assert (again.made, len(again.kept)) == ([], len(starter.zones))
    assert [dict(row) for row in before] == [dict(row) for row in await db.fetch("SELECT * FROM tax_rates ORDER BY id")]
    assert await db.fetchval("SELECT code FROM tax_classes WHERE is_default") == "standard"


async def test_every_member_state_has_a_rate_and_its_parts_outside_the_territory_none() -> None:
    await load_starter(starters()["eu"])
    for member in sorted(MEMBERS):
        ((name, rate),) = await rates(member)
        assert 0.15 <= float(rate) <= 0.27, (member, name)
    assert await rates("MC") == await rates("FR") == [("VAT 20 %", "0.2")]
    for country, postal_code in (("ES", "35001"), ("DE", "78266"), ("IT", "23041"), ("FI", "22100"), ("GR", "63086")):
        assert await rates(country, None, postal_code) == []


async def test_what_staff_have_changed_stays() -> None:
    await taxes.zone("CH", name="Switzerland", standard="9")
    await load_starter(starters()["ch"])
    assert await rates("CH") == [("VAT", "0.09")]


async def test_the_provinces_of_canada() -> None:
    await load_starter(starters()["ca"])
    assert await rates("CA", "QC") == [("GST", "0.05"), ("QST", "0.09975")]
    assert await rates("CA", "ON") == [("HST", "0.13")]
    assert await rates("CA") == []


async def test_states_are_loaded_where_the_shop_is_registered_and_nowhere_else() -> None:
    for wrong, why in (((), "Name the states"), (("--state", "CA,OR"), "nothing for OR")):
        code, said = tradewind("taxes", "load", "us", *wrong)
        assert code == 1
        assert why in said
        assert await db.fetchval("SELECT count(*) FROM tax_zones") == 0
    code, said = tradewind("taxes", "load", "us", "--state", "ca, NY")
    assert code == 0, said
    assert "Zones made: 2." in said
    assert await rates("US", "CA") == [("California sales tax", "0.0725")]
    assert await rates("US", "NY") == [("New York sales tax", "0.04")]
    assert await rates("US", "TX") == [], "no nexus, no tax"
    code, said = tradewind("taxes", "load", "gb", "--state", "CA")
    assert code == 1


def test_the_states_are_all_those_with_a_sales_tax_but_the_district() -> None:
    """Five states have none: https://taxfoundation.org/data/all/state/sales-tax-rates/"""
    states = starters()["us"].provinces
    assert len(states) == 45
    assert set(states).isdisjoint({"AK", "DE", "MT", "NH", "OR", "DC"})


async def test_an_operator_loads_a_set() -> None:
    code, said = tradewind("taxes", "list")
    assert code == 0, said
    assert "eu  European Union" in said
    code, said = tradewind("taxes", "load", "jp")
    assert code == 0, said
    assert "Zones made: 1." in said
    assert await rates("JP") == [("Consumption tax 10 %", "0.1")]
    assert await db.fetchval("SELECT action FROM audit_entries") == "taxes load"
    code, said = tradewind("taxes", "load", "atlantis")
    assert code == 1
    assert "There is no set 'atlantis'" in said
