"""Races ask for all at once, on any machine."""

import pytest

from schema import view


@pytest.fixture(autouse=True)
def nobody_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop that has too much to do says so (`tests/faults/test_overload.py`); here everybody waits for an answer."""
    monkeypatch.setattr(view, "OVERLOADED_AFTER_SECONDS", 60.0)
