"""Races ask for all at once, on any machine."""

import pytest

from app.settings import Settings
from tests.patience import patience


@pytest.fixture(autouse=True)
def nobody_is_turned_away(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop that has too much to do says so (`tests/faults/test_overload.py`); here everybody waits for an answer."""
    monkeypatch.setattr(settings, "overloaded_after_seconds", patience(60))
