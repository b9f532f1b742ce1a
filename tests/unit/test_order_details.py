"""What mails say of orders that are fetched, of gifts and of single lines."""

from typing import Any

import pytest
from babel import Locale

from app.messaging import order_details
from app.messaging.rendering import render_email
from tests.factories.messages import ADDRESS, GIFT, PICKUP, template_values

US = Locale("en", "US")
LINE: dict[str, Any] = {"customizations": [], "expected_at": None, "gift_options": None, "attributes": []}


def hours(*days: tuple[int, str, str]) -> list[dict[str, Any]]:
    return [{"weekday": weekday, "opens": opens, "closes": closes} for weekday, opens, closes in days]


def quote(**location: Any) -> dict[str, Any]:
    """As `Quote.to_json` freezes it."""
    store = {"name": "Pier Store", "address": ADDRESS, "openingHours": [], "instructions": "", **location}
    return {"kind": "PICKUP", "readyAt": "2026-11-23T18:30:00+00:00", "location": store}


def test_a_store_is_named_with_when_it_will_be_ready() -> None:
    found = order_details.pickup(quote(instructions="Ring twice."), "America/Los_Angeles", US)
    assert found is not None
    assert (found["store"], found["instructions"], found["hours"]) == ("Pier Store", "Ring twice.", [])
    assert "1 Engine Way" in found["address"]
    assert found["ready"].replace("\u202f", " ") == "November 23, 2026, 10:30 AM"


@pytest.mark.parametrize("shipped", [None, {"carrier": "UPS", "service": "Ground"}, {"kind": "DELIVERY"}])
def test_what_is_shipped_is_fetched_nowhere(shipped: dict[str, Any] | None) -> None:
    assert order_details.pickup(shipped, "UTC", US) is None


@pytest.mark.parametrize(
    ("stored", "lines"),
    [
        (
            hours(*((day, "09:00", "18:00") for day in range(1, 6)), (6, "10:00", "14:00")),
            ["Monday to Friday: 9:00 AM to 6:00 PM", "Saturday: 10:00 AM to 2:00 PM"],
        ),
        # A day that is left out parts those beside it.
        (
            hours((1, "09:00", "18:00"), (3, "09:00", "18:00")),
            ["Monday: 9:00 AM to 6:00 PM", "Wednesday: 9:00 AM to 6:00 PM"],
        ),
        (
            hours((7, "14:00", "18:00"), (7, "09:00", "12:00")),
            ["Sunday: 9:00 AM to 12:00 PM and 2:00 PM to 6:00 PM"],
        ),
    ],
)
def test_opening_hours_are_said_by_spans_of_days(stored: list[dict[str, Any]], lines: list[str]) -> None:
    found = order_details.pickup(quote(openingHours=stored), "UTC", US)
    assert found is not None
    assert [line.replace("\u202f", " ") for line in found["hours"]] == lines


def test_a_line_says_what_it_is_made_as_when_it_comes_and_how_it_is_a_gift() -> None:
    line = {
        "customizations": [{"label": "Engraving", "shown": "For Ada"}],
        "expected_at": "2026-12-01T00:00:00+00:00",
        "gift_options": {"wrap": True, "message": "Enjoy!", "hide_prices": False},
        "attributes": [{"key": "Size", "value": "M"}, {"key": "_source", "value": "app"}],
    }
    notes = ["Engraving: For Ada", "Expected on December 1, 2026", "Wrapped as a gift", "Greeting: Enjoy!", "Size: M"]
    assert order_details.line_notes(line, "UTC", US) == notes
    assert order_details.line_notes(LINE, "UTC", US) == []


def test_no_gift_without_a_wish() -> None:
    assert order_details.gift(None) is None
    assert order_details.gift({"wrap": False, "message": None, "hide_prices": False}) is None
    found = order_details.gift({"wrap": True, "message": "Enjoy!", "hide_prices": False})
    assert found == {"is_wrapped": True, "message": "Enjoy!", "hides_prices": False}


def test_the_confirmation_of_what_is_fetched_says_where_and_not_that_it_is_shipped() -> None:
    values = template_values("order_confirmation", shipping_method="Pick-up Pier Store", estimated_delivery=None)
    shipped = render_email("order_confirmation", values)
    fetched = render_email("order_confirmation", {**values, "pickup": PICKUP})
    for with_store, without in ((fetched.html, shipped.html), (fetched.text, shipped.text)):
        assert "on its way" in without
        assert "on its way" not in with_store
        assert "as soon as you can pick it up" in with_store
        assert "Pick-up Pier Store" not in with_store
        assert all(said in with_store for said in (*PICKUP["address"], *PICKUP["hours"], PICKUP["ready"]))


def test_the_confirmation_of_a_gift_repeats_its_greeting_as_text() -> None:
    gift = {**GIFT, "message": "For <b>you</b>\nfrom me"}
    mail = render_email("order_confirmation", {**template_values("order_confirmation"), "gift": gift})
    assert "For &lt;b&gt;you&lt;/b&gt;<br" in mail.html
    assert "We wrap it." in mail.html
    assert "For <b>you</b>\nfrom me" in mail.text
