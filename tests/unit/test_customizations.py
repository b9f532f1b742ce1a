"""What is made to order: which values are right, what they cost, and what happens when staff change the offer."""

from collections.abc import Sequence

import pytest

from app.terms import customizations
from app.terms.customizations import Choice, Customization, Given, checked, customizations_key
from app.terms.models import CustomizationType as Type

ENGRAVING = Customization(key="engraving", label="Engraving", type=Type.TEXT, price_minor=900, max_length=12)
WOOD = Customization(
    key="wood",
    label="Wood",
    type=Type.CHOICE,
    required=True,
    price_minor=100,
    choices=(Choice("oak", "Oak"), Choice("walnut", "Walnut", 2500)),
)
BOX = Customization(key="box", label="In a box", type=Type.CHECKBOX, price_minor=300)
LENGTH = Customization(key="length", label="Length", type=Type.NUMBER, minimum="0.5", maximum="20")
DAY = Customization(key="day", label="Day", type=Type.DATE, minimum="2026-12-01")
NOTE = Customization(key="note", label="Note", type=Type.TEXTAREA)
ALL = (ENGRAVING, WOOD, BOX, LENGTH, DAY, NOTE)
OAK = Given("wood", "oak")


def kept(*given: Given, of: Sequence[Customization] = ALL) -> dict[str, tuple[str, int]]:
    values, errors = checked(of, given, ["customizations"])
    assert not errors, errors
    return {one["key"]: (one["value"], one["price_minor"]) for one in values}


def codes(*given: Given, of: Sequence[Customization] = ALL) -> list[tuple[str, list[str] | None]]:
    values, errors = checked(of, given, ["customizations"])
    assert values == []
    return [(error.code.name, error.field) for error in errors]


def test_values_are_kept_in_the_products_order_with_what_they_cost() -> None:
    given = (Given("note", "one\ntwo"), Given("engraving", " Ada "), Given("wood", "walnut"), Given("box", "true"))
    assert list(kept(*given).items()) == [
        ("engraving", ("Ada", 900)),
        ("wood", ("walnut", 2600)),
        ("box", ("true", 300)),
        ("note", ("one\ntwo", 0)),
    ]


def test_what_is_blank_or_not_ticked_is_as_if_left_out() -> None:
    given = (OAK, Given("engraving", "  "), Given("box", "false"))
    assert kept(*given) == kept(OAK) == {"wood": ("oak", 100)}


@pytest.mark.parametrize(("text", "value"), [("1.50", "1.5"), ("20", "20"), ("2E+1", "20"), ("0.5", "0.5")])
def test_numbers_have_one_spelling(text: str, value: str) -> None:
    assert kept(OAK, Given("length", text))["length"] == (value, 0)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (Given("engraving", "Ada Lovelace!"), "CUSTOMIZATION_INVALID"),
        (Given("engraving", "two\nlines"), "CUSTOMIZATION_INVALID"),
        (Given("engraving", "a\x00b"), "CUSTOMIZATION_INVALID"),
        (Given("box", "yes"), "CUSTOMIZATION_INVALID"),
        (Given("length", "0.4"), "CUSTOMIZATION_INVALID"),
        (Given("length", "20.01"), "CUSTOMIZATION_INVALID"),
        (Given("length", "NaN"), "CUSTOMIZATION_INVALID"),
        (Given("length", "1e400"), "CUSTOMIZATION_INVALID"),
        (Given("length", "long"), "CUSTOMIZATION_INVALID"),
        (Given("day", "2026-11-30"), "CUSTOMIZATION_INVALID"),
        (Given("day", "2026-13-01"), "CUSTOMIZATION_INVALID"),
        (Given("day", "20261201"), "CUSTOMIZATION_INVALID"),
        (Given("note", "x" * 1_001), "CUSTOMIZATION_INVALID"),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(given: Given, code: str) -> None:
    assert codes(OAK, given) == [(code, ["customizations", "1", "value"])]


def test_what_is_not_offered_or_missing_is_refused() -> None:
    assert codes(Given("wood", "pine")) == [("CUSTOMIZATION_UNKNOWN", ["customizations", "0", "value"])]
    assert codes(OAK, Given("colour", "red")) == [("CUSTOMIZATION_UNKNOWN", ["customizations", "1", "key"])]
    assert codes() == [("CUSTOMIZATION_REQUIRED", ["customizations"])]
    assert codes(OAK, OAK) == [("INVALID", ["customizations", "1", "key"])]
    assert codes(*[OAK] * 26) == [("TOO_MANY", ["customizations"])]
    assert codes(OAK, of=()) == [("CUSTOMIZATION_UNKNOWN", ["customizations", "0", "key"])]


def test_lines_are_alike_by_values_and_not_by_order_or_price() -> None:
    one = [{"key": "wood", "value": "oak", "price_minor": 100}, {"key": "box", "value": "true", "price_minor": 300}]
    other = [{"key": "box", "value": "true", "price_minor": 1}, {"key": "wood", "value": "oak", "price_minor": 1}]
    assert customizations_key(one) == customizations_key(other) != ""
    assert customizations_key(one[:1]) != customizations_key(one)
    assert customizations_key([]) == ""


def test_a_line_is_charged_what_it_costs_now_and_says_so() -> None:
    line = [{"key": "engraving", "value": "Ada", "price_minor": 700}]
    found = customizations.priced((ENGRAVING,), line, ["line"])
    assert (found.price_minor, found.repriced, found.problems) == (900, True, ())
    assert not customizations.priced((ENGRAVING,), [{**line[0], "price_minor": 900}], ["line"]).repriced


def test_what_is_taken_out_of_the_offer_keeps_its_line_from_being_ordered() -> None:
    line = [{"key": "engraving", "value": "Ada", "price_minor": 900}]
    found = customizations.priced((WOOD,), line, ["line"])
    assert [error.code.name for error in found.problems] == ["CUSTOMIZATION_UNKNOWN", "CUSTOMIZATION_REQUIRED"]
    assert found.price_minor == 0
    assert customizations.priced((), [], ["line"]) is customizations.NOTHING
