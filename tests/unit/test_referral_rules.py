"""Whether two spellings are one mailbox or one home."""

import pytest

from app.referrals.rules import Traits, same_home, same_mailbox


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ada@example.com", "ADA@Example.com", True),
        ("ada@example.com", "ada+friend@example.com", True),
        ("a.da@gmail.com", "ada@googlemail.com", True),
        ("a.da@example.com", "ada@example.com", False),
        ("ada@example.com", "ada@example.org", False),
        ("+@example.com", "+@example.com", True),
    ],
)
def test_mailboxes(one: str, other: str, same: bool) -> None:
    assert (same_mailbox(one) == same_mailbox(other)) is same


def test_homes() -> None:
    home = {"address1": "1 Market Street", "city": "San José", "postal_code": "94103", "country_code": "US"}
    assert same_home(home) == same_home({**home, "address1": "1, MARKET street", "city": "San Jose"})
    assert same_home(home) != same_home({**home, "address1": "2 Market Street"})
    assert same_home(home) != same_home({**home, "address2": "Flat 4"})
    assert same_home({"country_code": "US"}) is None


def test_people_meet_by_anything_they_share() -> None:
    nobody = Traits(frozenset(), frozenset(), frozenset(), frozenset())
    assert not nobody.meets(nobody)
    by_phone = Traits(frozenset({"a"}), frozenset(), frozenset({"+1"}), frozenset())
    assert by_phone.meets(Traits(frozenset({"b"}), frozenset(), frozenset({"+1", "+2"}), frozenset()))
    assert not by_phone.meets(Traits(frozenset({"b"}), frozenset({"x@y"}), frozenset({"+2"}), frozenset({"home"})))
