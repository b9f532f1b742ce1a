"""Which units come for less."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from app.promotions.buy_x_get_y import UnitsOnLine, units_off


def units(id: str, quantity: int, price: int, *, buys: bool = True, gets: bool = True) -> UnitsOnLine:
    return UnitsOnLine(id=id, key=id, quantity=quantity, unit_price_minor=price, buys=buys, gets=gets)


def given_away(lines: Sequence[UnitsOnLine], buy: int, get: int = 1, uses: int | None = None) -> dict[str, int]:
    return units_off(lines, buy_quantity=buy, get_quantity=get, uses_per_order=uses)


def test_of_three_alike_the_third_is_free_and_of_six_two() -> None:
    assert given_away([units("a", 2, 500)], 2) == {}
    assert given_away([units("a", 3, 500)], 2) == {"a": 1}
    assert given_away([units("a", 5, 500)], 2) == {"a": 1}
    assert given_away([units("a", 6, 500)], 2) == {"a": 2}
    assert given_away([units("a", 60, 500)], 2, uses=3) == {"a": 3}


def test_the_cheapest_are_free() -> None:
    lines = [units("dear", 2, 900), units("cheap", 1, 100), units("middle", 1, 500)]
    assert given_away(lines, 2) == {"cheap": 1}
    assert given_away(lines, 1) == {"cheap": 1, "middle": 1}


def test_others_than_those_that_are_bought() -> None:
    bought, other = units("b", 4, 100, gets=False), units("g", 3, 900, buys=False)
    assert given_away([bought, other], 2) == {"g": 2}
    assert given_away([bought, other], 2, 2) == {"g": 3}, "the last use may be filled in part"
    assert given_away([bought], 2) == {}


def test_what_can_be_both_is_kept_as_bought_where_that_brings_more() -> None:
    # The cheap one is the only one that counts as bought: given away itself, nothing would be bought.
    assert given_away([units("both", 1, 100), units("got", 1, 900, buys=False)], 1) == {"got": 1}


def test_what_costs_nothing_is_not_given_away() -> None:
    assert given_away([units("sample", 1, 0), units("a", 2, 500)], 2) == {"a": 1}


LINES = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 5), st.sampled_from([(True, True), (True, False), (False, True)])),
    min_size=1,
    max_size=4,
)


@settings(max_examples=100, deadline=None)
@given(lines=LINES, buy=st.integers(1, 3), get=st.integers(1, 3), uses=st.one_of(st.none(), st.integers(1, 3)))
def test_as_many_as_there_can_be_and_none_more(
    lines: list[tuple[int, int, tuple[bool, bool]]], buy: int, get: int, uses: int | None
) -> None:
    offered = [
        units(str(place), quantity, price, buys=buys, gets=gets)
        for place, (quantity, price, (buys, gets)) in enumerate(lines)
    ]
    free = given_away(offered, buy, get, uses)
    count = sum(free.values())
    assert count == _most(offered, buy, get, uses)
    bought = sum(line.quantity - free.get(line.id, 0) for line in offered if line.buys)
    assert bought >= -(-count // get) * buy, "every use has been bought"
    assert all(0 < free[line.id] <= line.quantity and line.gets for line in offered if line.id in free)


def _most(lines: Sequence[UnitsOnLine], buy: int, get: int, uses: int | None) -> int:
    """By trying every number of units from lines that are both, and from lines that are only got."""
    both = sum(line.quantity for line in lines if line.buys and line.gets)
    only = sum(line.quantity for line in lines if line.gets and not line.buys)
    bought = sum(line.quantity for line in lines if line.buys)
    return max(
        a + b
        for a in range(both + 1)
        for b in range(only + 1)
        if bought - a >= -(-(a + b) // get) * buy and (uses is None or a + b <= uses * get)
    )
